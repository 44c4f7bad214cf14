package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
)

// recorded is a configuration that has something to say in every field.
const recorded = `
profile = "hosting"
[log]
output = %q
format = %q
[milter]
listen = ["unix:%s"]
[history]
file = %q
[quarantine]
dir = %q
[local]
domains = ["example.com"]
[[rule]]
name = "bob wants none"
to = ["bob@example.com"]
when = ["score < 100"]
action = "quarantine"
[[rule]]
name = "trial"
when = ["attachment/*"]
action = "discard"
observe = true
[[rule]]
name = "mark"
tag = "{Seen}"
`

// goldenMail is kept from one recipient, marked and disarmed for the other.
const goldenMail = "From: Alice <alice@example.org>\r\nTo: bob@example.com\r\nSubject: a \xc2\x9b\x1b[31m golden mail\r\nMessage-ID: <golden@example.org>\r\n" +
	"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<form action=\"https://example.net/x\"><input name=p></form>\r\n" +
	"--b\r\nContent-Type: image/svg+xml; name=\"a\xe2\x80\x8bb.svg\"\r\nContent-Disposition: attachment\r\n\r\n<svg xmlns=\"http://www.w3.org/2000/svg\"><script>1</script></svg>\r\n--b--\r\n"

// site is a daemon with its files.
type site struct {
	config, log, socket string
	stop                func()
}

func newSite(t *testing.T, format string) site {
	t.Helper()
	dir := t.TempDir()
	s := site{config: filepath.Join(dir, "milterscan.toml"), log: filepath.Join(dir, "log"), socket: filepath.Join(dir, "s")}
	text := fmt.Sprintf(recorded, s.log, format, s.socket, filepath.Join(dir, "history.db"), filepath.Join(dir, "quarantine"))
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int, 1)
	var out bytes.Buffer
	go func() { done <- run(ctx, []string{"serve", "-c", s.config}, strings.NewReader(""), &out, &out) }()
	s.stop = func() {
		cancel()
		if status, ok := <-done; ok && status != 0 {
			t.Errorf("serve: %d, %s", status, &out)
		}
		close(done)
	}
	for deadline := time.Now().Add(time.Minute); ; {
		if c, err := net.Dial("unix", s.socket); err == nil {
			c.Close()
			return s
		}
		if time.Now().After(deadline) {
			t.Fatalf("no daemon: %s", &out)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

var goldenEnvelope = []string{"--from", "alice@example.org", "--to", "bob@example.com", "--to", "eve@example.com", "--client", "192.0.2.7", "--helo", "mx\u0085.example.org"}

// submit has the daemon judge the golden mail.
func (s site) submit(t *testing.T) {
	t.Helper()
	var out, errs bytes.Buffer
	if status := run(t.Context(), append([]string{"filter", "-c", s.config}, goldenEnvelope...), strings.NewReader(goldenMail), &out, &errs); status != 75 {
		t.Fatalf("filter: %d, %s", status, &errs) // 75: it cannot take a recipient off
	}
}

// object is what is read back from a line of JSON, which must have no key twice.
func object(t *testing.T, line []byte) map[string]any {
	t.Helper()
	for i, b := range line {
		if b < ' ' || b == 0x7f || b == 0xc2 && line[i+1] < 0xa0 || bytes.HasPrefix(line[i:], []byte("\u200b")) {
			t.Errorf("a control at %d of %q", i, line)
		}
	}
	var o map[string]any
	if err := json.Unmarshal(line, &o); err != nil {
		t.Fatalf("%v in %q", err, line)
	}
	in, seen := json.NewDecoder(bytes.NewReader(line)), map[string]bool{}
	for in.Token(); in.More(); {
		key, _ := in.Token()
		var value json.RawMessage
		if err := in.Decode(&value); err != nil || seen[key.(string)] {
			t.Fatalf("the key %v: %v, twice: %v", key, err, seen[key.(string)])
		}
		seen[key.(string)] = true
	}
	return o
}

// messageLine is the line about the message in a log.
func messageLine(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		if bytes.Contains(line, []byte(`"msg":"message"`)) {
			return bytes.TrimSpace(line)
		}
	}
	t.Fatalf("no message in %s", text)
	return nil
}

// TestOneRecordEverywhere has one mail judged by a daemon, and looks at what the
// log, the history, the quarantine, explain and scan say of it: it is the same.
func TestOneRecordEverywhere(t *testing.T) {
	s := newSite(t, "json")
	s.submit(t)
	s.stop()
	log := object(t, messageLine(t, s.log))
	id := log["id"].(string)
	asJSON := func(args ...string) map[string]any {
		status, out, errs := call(t, args...)
		if status > 1 || errs != "" {
			t.Fatalf("%q: %d, %s", args, status, errs)
		}
		return object(t, []byte(strings.TrimSpace(out)))
	}
	kept := asJSON("quarantine", "show", "-c", s.config, "--json", id)
	mail := filepath.Join(t.TempDir(), "golden.eml")
	if err := os.WriteFile(mail, []byte(goldenMail), 0o600); err != nil {
		t.Fatal(err)
	}
	places := map[string]map[string]any{
		"log":        log,
		"history":    asJSON("history", "-c", s.config, "--json"),
		"explain":    asJSON("explain", "-c", s.config, "--json", id),
		"quarantine": kept["record"].(map[string]any),
		"scan":       asJSON(append(append([]string{"scan", "-c", s.config, "--json"}, goldenEnvelope...), mail)...),
	}
	delete(log, "level")
	delete(log, "msg")
	if places["scan"]["file"] != mail {
		t.Errorf("scan names the file %v", places["scan"]["file"])
	}
	delete(places["scan"], "file")
	if _, ok := places["explain"]["timeline"].(map[string]any); !ok {
		t.Errorf("explain has no timeline")
	}
	delete(places["explain"], "timeline")
	record := places["history"]
	for name, got := range places {
		for _, key := range slices.Sorted(maps.Keys(record)) {
			_, there := got[key]
			switch {
			case key == "verdicts" || key == "alternatives" || key == "contents":
				if there != (name != "log") {
					t.Errorf("%s has %s: %v", name, key, there)
				}
			case key == "times" && name == "scan": // a file was in no dialogue
			case !there:
				t.Errorf("%s has no %s", name, key)
			case name == "scan" && slices.Contains([]string{"id", "time", "took", "reply", "scanners"}, key): // it is another look
			case name == "quarantine" && (key == "took" || key == "scanners"): // it is kept before the answer
			case !reflect.DeepEqual(plain(record[key]), plain(got[key])):
				t.Errorf("%s: %s is %v, in the history %v", name, key, got[key], record[key])
			}
		}
		for key := range got {
			if _, there := record[key]; !there {
				t.Errorf("only %s has %s", name, key)
			}
		}
	}
	holdGolden(t, record)
}

// plain has no ids of other looks in it.
func plain(v any) any { return v }

// holdGolden checks some values of the record of the golden mail.
func holdGolden(t *testing.T, r map[string]any) {
	t.Helper()
	text := string(policy.JSON(r))
	for _, want := range []string{
		`"action":"deliver"`, `"direction":"inbound"`, `"message_id":"golden@example.org"`, `"version":2`, `"watched":["trial"]`, `"findings_more"`,
		`"recipient":"bob@example.com","rule":"bob wants none"`, `"action":"quarantine"`, `"kind":"drop-recipient","value":"bob@example.com"`,
		`"applied":["bob wants none"`, `"helo":"mx\u0085.example.org"`, `\u009b\u001b[31m golden`, `a\u200bb.svg`,
	} {
		if strings.Contains(text, want) != (want != `"findings_more"`) {
			t.Errorf("%s: wrong in\n%s", want, text)
		}
	}
}

// TestConsoleLogIsForPeople has one line about a mail.
func TestConsoleLogIsForPeople(t *testing.T) {
	s := newSite(t, "console")
	s.submit(t)
	s.stop()
	text, err := os.ReadFile(s.log)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "alice@example.org") {
			for _, want := range []string{"  info  ", " deliver inbound <alice@example.org> to bob@example.com (quarantine), eve@example.com (deliver) ", `by rule "`, "watched by trial"} {
				if !strings.Contains(line, want) {
					t.Errorf("no %q in %q", want, line)
				}
			}
			return
		}
	}
	t.Errorf("no line about the mail in %s", text)
}

// TestPerRecipient lists a mail that was kept from one and delivered to another.
func TestPerRecipient(t *testing.T) {
	s := newSite(t, "json")
	s.submit(t)
	s.stop()
	for args, lines := range map[string]int{
		"--to bob@example.com": 1, "--to bob@example.com --action quarantine": 1, "--to bob@example.com --action deliver": 0,
		"--action quarantine": 1, "--action deliver": 1, "--to eve@example.com --action quarantine": 0, "--action reject": 0,
	} {
		status, out, errs := call(t, append([]string{"history", "-c", s.config}, strings.Fields(args)...)...)
		if status != 0 || strings.Count(out, "\n") != lines {
			t.Errorf("%s: %d, %q, %s", args, status, out, errs)
		}
		if lines == 1 && (!strings.Contains(out, "bob@example.com (quarantine), eve@example.com (deliver)") || !strings.Contains(out, "(watched by trial)")) {
			t.Errorf("%s: %q", args, out)
		}
	}
	if _, out, _ := call(t, "report", "-c", s.config); !strings.Contains(out, "1  50.0%  quarantine") || !strings.Contains(out, "100.0%  trial") || !strings.Contains(out, "mark\n") {
		t.Errorf("%s", out)
	}
	if _, out, _ := call(t, "quarantine", "list", "-c", s.config); !strings.Contains(out, "  policy  ") || !strings.Contains(out, "bob wants none") {
		t.Errorf("%s", out)
	}
}
