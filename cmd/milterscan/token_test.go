package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
)

// TestToken makes, lists and revokes tokens, none of which is in the file as it is.
func TestToken(t *testing.T) {
	config, file := people(t)
	if status, _, stderr := typed(t, "correct horse battery\n", "user", "add", "-c", config, "--role", "helpdesk", "ann"); status != 0 {
		t.Fatal(stderr)
	}
	for _, c := range []struct {
		line   string
		status int
		says   string
	}{
		{"token", 64, "usage: milterscan token"}, {"token fly", 64, "not a command"}, {"token list", 0, ""}, {"token add --may release x", 64, "--for"}, {"token add --for ann x", 64, "--may"},
		{"token add --for ann --may fly x", 64, "write one of see own mail, see overview"}, {"token add --for ann --may release", 64, "one name"}, {"token add --for ann --may release --expires soon x", 64, "expires"},
		{"token add --for bob --may release x", 1, "no such account"}, {"token add --for ann --may delete x", 2, `may not "delete"`}, {"token revoke --for ann x", 1, "x"}, {"token revoke --for ann", 64, "no name"},
	} {
		words := strings.Fields(c.line)
		if len(words) > 1 {
			words = append(words[:2:2], append([]string{"-c", config}, words[2:]...)...)
		}
		status, stdout, stderr := typed(t, "", words...)
		if status != c.status || !strings.Contains(stdout+stderr, c.says) {
			t.Errorf("%s: %d %s%s", c.line, status, stdout, stderr)
		}
	}
	status, text, stderr := typed(t, "", "token", "add", "-c", config, "--for", "ann", "--may", "see messages, release", "--expires", "90d", "reports")
	text = strings.TrimSpace(text)
	if status != 0 || !strings.HasPrefix(text, "milterscan_") || !strings.Contains(stderr, "only time") {
		t.Fatalf("%d %s%s", status, text, stderr)
	}
	if status, _, stderr := typed(t, "", "token", "add", "-c", config, "--for", "ann", "--may", "release", "reports"); status != 1 {
		t.Errorf("again: %d %s", status, stderr)
	}
	if _, list, _ := typed(t, "", "token", "list", "-c", config); !strings.Contains(list, "see messages, release; never used, expires ") || strings.Contains(list, text) {
		t.Errorf("%s", list)
	}
	if _, list, _ := typed(t, "", "token", "list", "-c", config, "--json"); !strings.Contains(list, `"account":"ann"`) || strings.Contains(list, text) {
		t.Errorf("%s", list)
	}
	data, err := os.ReadFile(file)
	if err != nil || bytes.Contains(data, []byte(text)) {
		t.Errorf("the token is in the file, %v", err)
	}
	if status, _, stderr := typed(t, "", "token", "revoke", "-c", config, "--for", "ann", "reports"); status != 0 {
		t.Errorf("%d %s", status, stderr)
	}
	a := accounts.New(file)
	defer a.Close()
	if _, err := a.Bearer(t.Context(), text); err == nil {
		t.Error("it is good after it was revoked")
	}
	if _, trail, _ := typed(t, "", "audit", "-c", config); !strings.Contains(trail, "revoke token ann: reports") || !strings.Contains(trail, "add token ann: reports") {
		t.Errorf("%s", trail)
	}
}
