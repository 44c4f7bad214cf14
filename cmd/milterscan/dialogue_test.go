package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/dialogue"
)

// TestDialogues plays the postmaster's dialogues without a network: each mail is
// judged by "scan --json".
func TestDialogues(t *testing.T) {
	all, err := dialogue.Load(os.DirFS("../../tests/cases"))
	if err != nil {
		t.Fatal(err)
	}
	dialogue.Run(t, all, offline{t})
}

// offline is the transport without an MTA.
type offline struct{ t *testing.T }

// Send judges the mails of a dialogue one after the other.
func (o offline) Send(ctx context.Context, d dialogue.Dialogue) ([]dialogue.Answer, error) {
	dir := o.t.TempDir()
	config := filepath.Join(dir, "milterscan.toml")
	if err := os.WriteFile(config, []byte(strings.Join(d.Config, "\n")), 0o600); err != nil {
		return nil, err
	}
	answers := make([]dialogue.Answer, len(d.Messages))
	for i, m := range d.Messages {
		if m.Abort {
			continue
		}
		a, err := scanOne(ctx, config, d, m)
		if err != nil {
			return nil, err
		}
		answers[i] = a
	}
	return answers, nil
}

// scanOne is what "scan --json" says about a mail.
func scanOne(ctx context.Context, config string, d dialogue.Dialogue, m dialogue.Message) (dialogue.Answer, error) {
	raw, err := dialogue.Open(m.Source)
	if err != nil {
		return dialogue.Answer{}, err
	}
	var stdout, stderr bytes.Buffer
	run(ctx, dialogue.ScanArgs(config, d, m), bytes.NewReader(raw), &stdout, &stderr)
	a, err := dialogue.ReadReport(stdout.Bytes())
	if err != nil {
		return a, fmt.Errorf("%w, and %q", err, stderr.String())
	}
	return a, nil
}
