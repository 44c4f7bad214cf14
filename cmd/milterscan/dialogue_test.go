package main

import (
	"bytes"
	"context"
	"encoding/json"
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
	args := []string{"scan", "--json", "-c", config, "--from", m.From, "--client", d.Client, "--helo", d.Helo, "--auth", d.Auth}
	for _, to := range m.To {
		args = append(args, "--to", to)
	}
	var stdout, stderr bytes.Buffer
	run(ctx, append(args, "-"), bytes.NewReader(raw), &stdout, &stderr)
	var r report
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil || r.Action == "" {
		return dialogue.Answer{}, fmt.Errorf("scan said %q and %q", stdout.String(), stderr.String())
	}
	return asAnswer(r), nil
}

// asAnswer is a report as a dialogue sees it. What scan would keep, it only says.
func asAnswer(r report) dialogue.Answer {
	a := dialogue.Answer{Action: r.Action, Reply: r.Reply, Keep: -1, Rules: []string{}, Changed: len(r.Edits) > 0}
	if r.Action == "quarantine" {
		a.Keep = 1
	}
	for _, f := range r.Findings {
		a.Rules = append(a.Rules, f.Rule)
	}
	for _, e := range r.Edits {
		switch e.Kind {
		case "header":
			a.Headers = append(a.Headers, e.Name+": "+e.Value)
		case "drop-recipient":
			a.Drop = append(a.Drop, e.Value)
		case "add-recipient":
			a.Add = append(a.Add, e.Value)
		}
	}
	return a
}
