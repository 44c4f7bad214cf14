package mtalog

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestSearch finds a message in files of every age, and what it went on as.
func TestSearch(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "mail.log")
	line := func(tag, text string) string { return "Nov 29 17:10:02 mx postfix/" + tag + "[1]: " + text + "\n" }
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("old", line("smtpd", "4A5B6C7D8E: client=x[192.0.2.1]")+line("cleanup", "4A5B6C7D8E: message-id=<m1@x>"))
	(&scene{T: t}).compress(filepath.Join(dir, "old"), path+".2.gz")
	write("mail.log.1", line("smtp", "4A5B6C7D8E: to=<b@x>, relay=127.0.0.1[127.0.0.1]:10025, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 9F8E7D6C5B)")+
		line("qmgr", "1111111111: removed"))
	write("mail.log", line("qmgr", "4A5B6C7D8E: removed")+line("qmgr", "9F8E7D6C5B: removed"))
	for _, key := range []string{"4A5B6C7D8E", "<m1@x>"} {
		found, err := Search(t.Context(), path, time.UTC, time.Time{}, key)
		if err != nil || len(found) != 5 || found[0].Kind != Queued || found[4].Queue != "9F8E7D6C5B" {
			t.Errorf("%s: %v, %+v", key, err, found)
		}
	}
	if found, err := Search(t.Context(), path, time.UTC, time.Now().Add(time.Hour), "4A5B6C7D8E"); err != nil || len(found) != 0 {
		t.Errorf("of old files: %v, %v", found, err)
	}
	if _, err := Search(t.Context(), filepath.Join(dir, "none", "mail.log"), time.UTC, time.Time{}, "4A5B6C7D8E"); err == nil {
		t.Error("a directory that is not there is no error")
	}
}
