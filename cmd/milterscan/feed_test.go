package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
)

// TestFeedCommands fetches a list, says what is on it, and scans a mail by it while the publisher is gone.
func TestFeedCommands(t *testing.T) {
	list := strings.Repeat("evil.example.com\n", 1) + "192.0.2.7\n"
	p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, list) }))
	defer p.Close()
	dir := t.TempDir()
	config, mail := filepath.Join(dir, "milterscan.toml"), filepath.Join(dir, "mail.eml")
	for path, text := range map[string]string{
		mail: "From: a@example.org\r\n\r\nhttp://www.evil.example.com/\r\n",
		config: fmt.Sprintf("feed_dir = %q\n[[feed]]\nname = \"known\"\nurl = \"%s/x\"\nkind = \"hosts\"\n"+
			"[[rule]]\nname = \"listed\"\nwhen = [\"feed/link/known\"]\naction = \"reject\"\n", filepath.Join(dir, "feeds"), p.URL),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	try := func(want int, text string, args ...string) {
		t.Helper()
		status, out, errs := call(t, args...)
		if status != want || !strings.Contains(out+errs, text) {
			t.Errorf("%q: status %d\n%s%s", args, status, out, errs)
		}
	}
	try(cli.ExitFound, "never fetched", "feed", "show", "-c", config)
	try(cli.ExitError, "known has never been fetched", "feed", "check", "-c", config, "evil.example.com")
	try(cli.ExitOK, "feed/failed/known", "scan", "-c", config, mail)
	try(cli.ExitUsage, "there is no such feed", "feed", "update", "-c", config, "other")
	try(cli.ExitOK, "2 entries", "feed", "update", "-c", config, "known")
	try(cli.ExitOK, "2 entries", "feed", "show", "-c", config)
	try(cli.ExitOK, "www.evil.example.com: known lists it", "feed", "check", "-c", config, "good.example.com", "www.evil.example.com")
	try(cli.ExitFound, "", "feed", "check", "-c", config, "good.example.com")
	try(cli.ExitUsage, "name a host", "feed", "check", "-c", config)
	try(cli.ExitFound, "feed/link/known", "scan", "-c", config, mail)
	status, out, _ := call(t, "feed", "show", "-c", config, "--json")
	var states []struct {
		Feed    string
		Entries int
		Old     bool
	}
	if err := json.Unmarshal([]byte(out), &states); err != nil || status != cli.ExitOK || len(states) != 1 || states[0].Entries != 2 || states[0].Old {
		t.Errorf("status %d, %v: %s", status, err, out)
	}
	list = "<html>\n<body>"
	try(cli.ExitError, "this is no such list", "feed", "update", "--force", "-c", config)
	list = "# none\n"
	try(cli.ExitError, "--force", "feed", "update", "-c", config)
	p.Close()
	try(cli.ExitError, "connection refused", "feed", "update", "-c", config)
	try(cli.ExitFound, "feed/link/known", "scan", "-c", config, mail)
	try(cli.ExitConfig, "the configuration has no [[feed]]", "feed", "show", "-c", mustWrite(t, filepath.Join(dir, "empty.toml"), ""))
}

func mustWrite(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
