package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/store"
)

// TestExplainWithALog shows what the MTA's log has of a message, where it is, by every id
// that it had; and says so where there is no log, or nothing in it.
func TestExplainWithALog(t *testing.T) {
	dir := t.TempDir()
	file, config, log := filepath.Join(dir, "history.db"), filepath.Join(dir, "milterscan.toml"), filepath.Join(dir, "mail.log")
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	plain := fmt.Sprintf("[history]\nfile = %q\n[quarantine]\ndir = %q\n", file, filepath.Join(dir, "q"))
	write(config, plain)
	at := time.Now().Add(-time.Hour).Truncate(time.Second)
	h := store.NewHistory(file, func(err error) { t.Error(err) })
	record := func(id, queue string) policy.Record {
		return policy.Record{Version: policy.RecordVersion, ID: id, Time: at, Stage: "message", Action: "deliver", QueueID: queue, MessageID: id + "@x", Sender: "a@example.org"}
	}
	if err := h.Append(t.Context(), []policy.Record{record("06h08cfwgrgbyv96", "AAAAAAAA"), record("06h08cfwgrgbyv97", "CCCCCCCC")}); err != nil {
		t.Fatal(err)
	}
	h.Close()
	line := func(tag, text string) string {
		return at.Format(time.RFC3339) + " mx postfix/" + tag + "[1]: " + text + "\n"
	}
	write(log+".1", line("smtpd", "AAAAAAAA: client=x[192.0.2.1]")+line("cleanup", "AAAAAAAA: message-id=<06h08cfwgrgbyv96@x>")+
		line("smtp", "AAAAAAAA: to=<b@x>, relay=127.0.0.1[127.0.0.1]:10025, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as BBBBBBBB)"))
	write(log, line("cleanup", "BBBBBBBB: message-id=<06h08cfwgrgbyv96@x>")+
		line("smtp", "BBBBBBBB: to=<b@x>, relay=mx[192.0.2.9]:25, delay=2, delays=0/0/0/2, dsn=2.0.0, status=sent (250 \x1b[2J\u202eok)")+line("qmgr", "DDDDDDDD: removed"))
	explain := func(args ...string) string {
		t.Helper()
		status, out, errs := call(t, append([]string{"explain", "-c", config}, args...)...)
		if status != cli.ExitOK || errs != "" {
			t.Errorf("%q: status %d, %s", args, status, errs)
		}
		return out
	}
	for _, key := range []string{"06h08cfwgrgbyv96", "AAAAAAAA", "BBBBBBBB", "<06h08cfwgrgbyv96@x>"} {
		out := explain("--mta-log", log, key)
		for _, want := range []string{"06h08cfwgrgbyv96: deliver", "queued as BBBBBBBB from 127.0.0.1", "from mx[192.0.2.9]:25, 2 s after it came  [postfix BBBBBBBB]", "last: b@x sent"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s: without %q:\n%s", key, want, out)
			}
		}
		if strings.ContainsAny(out, "\x1b\u202e") {
			t.Errorf("%q", out)
		}
	}
	if out := explain("06h08cfwgrgbyv96"); !strings.Contains(out, "the MTA's log is not read") {
		t.Errorf("without a log:\n%s", out)
	}
	if out := explain("--mta-log", log, "06h08cfwgrgbyv97"); !strings.Contains(out, "the MTA's log tells nothing of it") || strings.Contains(out, "postfix") {
		t.Errorf("of a message that the log does not have:\n%s", out)
	}
	if out := explain("--mta-log", log, "DDDDDDDD"); !strings.Contains(out, "there is no record of it") || !strings.Contains(out, "removed") {
		t.Errorf("of a message without a record:\n%s", out)
	}
	write(config, plain+fmt.Sprintf("[mta_log]\nfile = %q\n", log))
	var object struct {
		ID       string `json:"id"`
		Timeline struct {
			Logged bool `json:"logged"`
			Steps  []struct{ What, Source, Queue string }
		} `json:"timeline"`
	}
	if err := json.Unmarshal([]byte(explain("--json", "AAAAAAAA")), &object); err != nil || object.ID != "06h08cfwgrgbyv96" || !object.Timeline.Logged || len(object.Timeline.Steps) < 8 {
		t.Errorf("%v, %+v", err, object)
	}
	if status, out, errs := call(t, "explain", "-c", config, "--mta-log", filepath.Join(dir, "none", "mail.log"), "AAAAAAAA"); status != cli.ExitOK ||
		!strings.Contains(errs, "not all is known") || !strings.Contains(out, "deliver") {
		t.Errorf("a log that is not there: status %d, %s, %s", status, out, errs)
	}
}
