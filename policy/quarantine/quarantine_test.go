package quarantine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

const mail = "Subject: x\r\n\r\nbody\r\n"

func aCopy(raw scan.Content) policy.Copy {
	return policy.Copy{
		ID:       "06h08cfwgrgbyv96",
		Envelope: scan.Envelope{Sender: "a@example.net", Recipients: []string{"b@example.com"}, QueueID: "4F2A"},
		Raw:      raw,
		Found:    []scan.Finding{{Kind: scan.Infected, Scanner: "virus", Rule: "virus/x", Part: scan.WholeMessage}},
		Decision: policy.Decision{Answer: policy.Discard, Keep: true},
	}
}

func TestKeep(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "on demand")
	if err := New(dir).Keep(t.Context(), aCopy(strings.NewReader(mail))); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "06h08cfwgrgbyv96.eml"))
	if err != nil || string(got) != mail {
		t.Errorf("kept %q, %v", got, err)
	}
	about, err := os.ReadFile(filepath.Join(dir, "06h08cfwgrgbyv96.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r record
	if err := json.Unmarshal(about, &r); err != nil || r.Action != "quarantine" || r.QueueID != "4F2A" || len(r.Findings) != 1 {
		t.Errorf("record %s, %v", about, err)
	}
	for name, mode := range map[string]os.FileMode{"": 0o700 | os.ModeDir, "06h08cfwgrgbyv96.eml": 0o600} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode() != mode {
			t.Errorf("%q has mode %v, %v", name, info.Mode(), err)
		}
	}
}

// broken is content that cannot be read to its end.
type broken struct{ *bytes.Reader }

func (broken) ReadAt(p []byte, off int64) (int, error) { return 0, errors.New("the disk says no") }

func TestNothingIsLeftOfACopyThatFailed(t *testing.T) {
	dir := t.TempDir()
	if err := New(dir).Keep(t.Context(), aCopy(broken{bytes.NewReader([]byte(mail))})); err == nil {
		t.Error("a copy that could not be made was reported safe")
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestKeepFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx context.Context
		dir string
	}{"no directory": {t.Context(), file}, "out of time": {done, t.TempDir()}} {
		if err := New(c.dir).Keep(c.ctx, aCopy(strings.NewReader(mail))); err == nil {
			t.Errorf("%s: reported safe", name)
		}
	}
}
