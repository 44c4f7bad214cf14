package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/past"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/store"
)

// spoken is output that can be looked at while it is written.
type spoken struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *spoken) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *spoken) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// TestTop shows every verdict once, in the order in which they come, also one whose mail
// began before those that were shown.
func TestTop(t *testing.T) {
	dir := t.TempDir()
	file, config := filepath.Join(dir, "history.db"), filepath.Join(dir, "milterscan.toml")
	text := fmt.Sprintf("[history]\nfile = %q\n[quarantine]\ndir = %q\n", file, filepath.Join(dir, "q"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	h := store.NewHistory(file, func(err error) { t.Error(err) })
	defer h.Close()
	begun := time.Now()
	write := func(id string, after time.Duration, sender string) {
		r := policy.Record{Version: policy.RecordVersion, ID: id, Time: begun.Add(after), Stage: "message", Action: "deliver", Sender: sender, Subject: "mail " + id}
		if err := h.Append(t.Context(), []policy.Record{r}); err != nil {
			t.Fatal(err)
		}
	}
	write("000000000000000a", -time.Hour, "a@example.org")
	ctx, stop := context.WithCancel(t.Context())
	var out, errs spoken
	status := make(chan int, 1)
	go func() {
		status <- past.Top(ctx, []string{"-c", config, "--from", "@example.org"}, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	}()
	await := func(want string) {
		t.Helper()
		for end := time.Now().Add(time.Minute); !strings.Contains(out.String(), want); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%q is not shown:\n%s%s", want, out.String(), errs.String())
			}
		}
	}
	// What is new is later than the command's beginning, whenever this host lets it begin.
	write("000000000000000b", 3*time.Hour, "b@example.org")
	await("mail 000000000000000b")
	write("000000000000000d", 4*time.Hour, "c@example.net")
	write("000000000000000c", 2*time.Hour, "c@example.org")
	await("mail 000000000000000c")
	stop()
	if s := <-status; s != cli.ExitOK || errs.String() != "" {
		t.Errorf("status %d, %s", s, errs.String())
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "000000000000000b") || !strings.Contains(lines[1], "000000000000000c") || strings.Contains(out.String(), "\x1b") {
		t.Errorf("%q", lines)
	}
}
