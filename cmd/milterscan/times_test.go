package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/store"
)

// elsewhere is a zone that no host of a test is in.
var elsewhere = time.FixedZone("", 5*3600+45*60)

// inZone has the process in a zone for a test.
func inZone(t *testing.T, zone *time.Location) {
	before := time.Local
	time.Local = zone
	t.Cleanup(func() { time.Local = before })
}

var (
	clock  = regexp.MustCompile(`\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?(\.\d+)?\S*( [+-]\d{4})?`)
	moment = regexp.MustCompile(`"\d{4}-\d\d-\d\dT[^"]*"`)
)

// TestTimes has commands show times: to persons in the zone of the host, which they name, and to programs in
// UTC. Each must show one.
func TestTimes(t *testing.T) {
	inZone(t, elsewhere)
	file, id := timely(t)
	for _, words := range []string{
		"list add allow --for bob@example.com --expires 30d news@shop.example", "user add --role administrator --generate ann",
		"token add --for ann --may export --expires 90d reports",
	} {
		if status, _, errs := call(t, append(strings.Fields(words), "-c", file)...); status != cli.ExitOK {
			t.Fatalf("%s: status %d, %s", words, status, errs)
		}
	}
	for _, c := range []struct{ words, options string }{
		{"quarantine list", "--json"}, {"quarantine show " + id, "--json"}, {"history", "--json"}, {"history", "--csv"},
		{"explain " + id, "--json"}, {"report --since 7d", "--json"}, {"list show --for bob@example.com", "--json"},
		{"token list", "--json"}, {"audit", "--json"}, {"doctor -v", ""}, {"retro --kind networks " + filepath.Join(filepath.Dir(file), "drop.txt"), "--json"},
		{"replay", "--json"}, {"bugreport", ""}, {"greylist pass a@shop.example bob@example.com", "--json"}, {"user list", "--json"},
	} {
		words := append(strings.Fields(c.words), "-c", file)
		_, out, errs := call(t, words...)
		found := clock.FindAllString(out, -1)
		for _, at := range found {
			if !strings.HasSuffix(at, " +0545") && !strings.HasSuffix(at, "+05:45") {
				t.Errorf("%s: %q has not the zone of the host\n%s", c.words, at, out)
			}
		}
		if len(found) == 0 && c.words != "replay" && c.words != "user list" {
			t.Errorf("%s shows no time: %s%s", c.words, out, errs)
		}
		if c.options == "" {
			continue
		}
		_, out, errs = call(t, append(words, c.options)...)
		found = moment.FindAllString(out, -1)
		if c.options == "--csv" {
			found = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:[^,\n]*`).FindAllString(strings.ReplaceAll(out, `"`, ""), -1)
		}
		for _, at := range found {
			if !strings.HasSuffix(strings.Trim(at, `"`), "Z") {
				t.Errorf("%s %s: %s is not in UTC\n%s", c.words, c.options, at, out)
			}
		}
		if len(found) == 0 {
			t.Errorf("%s %s has no time: %s%s", c.words, c.options, out, errs)
		}
	}
}

// timely returns a configuration with a kept message, which the history has, too, and its id.
func timely(t *testing.T) (file, id string) {
	t.Helper()
	file, dir := keptMails(t, 1)
	id = fmt.Sprintf("06h0%012d", 0)
	root := filepath.Dir(dir)
	text, err := os.ReadFile(file)
	more := fmt.Sprintf("[people]\nfile = \"%[1]s/people.db\"\n[console]\nfile = \"%[1]s/console.db\"\n[greylist]\nenabled = true\nfile = \"%[1]s/greylist.db\"\n", root)
	err = errors.Join(err, os.WriteFile(file, append(text, more...), 0o600), os.WriteFile(filepath.Join(root, "drop.txt"), []byte("192.0.2.0/24\n"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	h := store.NewHistory(filepath.Join(root, "history.db"), func(err error) { t.Error(err) })
	defer h.Close()
	r := policy.Record{Version: policy.RecordVersion, ID: id, Time: time.Now().Add(-time.Hour), Stage: "message", Action: "deliver", Sender: "a@example.org",
		Recipients: []policy.RecordRecipient{{Recipient: "b@example.com", Action: "deliver"}}, Client: "192.0.2.7"}
	if err := h.Append(t.Context(), []policy.Record{r}); err != nil {
		t.Fatal(err)
	}
	return file, id
}
