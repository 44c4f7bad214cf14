package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/dialogue"
)

// offline plays dialogues without a connection, by "milterscan scan --json".
type offline struct {
	t      *testing.T
	binary string
}

// Send judges the mails of a dialogue one after the other.
func (o offline) Send(ctx context.Context, d dialogue.Dialogue) ([]dialogue.Answer, error) {
	config := filepath.Join(o.t.TempDir(), "milterscan.toml")
	if err := os.WriteFile(config, []byte(strings.Join(d.Config, "\n")), 0o600); err != nil {
		return nil, err
	}
	answers := make([]dialogue.Answer, len(d.Messages))
	for i, m := range d.Messages {
		if m.Abort {
			continue
		}
		a, err := o.scan(ctx, config, d, m)
		if err != nil {
			return nil, err
		}
		answers[i] = a
	}
	return answers, nil
}

// scanned is what of a report dialogues look at.
type scanned struct {
	Action, Reply string
	Edits         []struct{ Kind, Name, Value string }
	Findings      []struct{ Rule string }
}

func (o offline) scan(ctx context.Context, config string, d dialogue.Dialogue, m dialogue.Message) (dialogue.Answer, error) {
	raw, err := dialogue.Open(m.Source)
	if err != nil {
		return dialogue.Answer{}, err
	}
	args := []string{"scan", "--json", "-c", config, "--from", m.From, "--client", d.Client, "--helo", d.Helo, "--auth", d.Auth}
	for _, to := range m.To {
		args = append(args, "--to", to)
	}
	cmd := exec.CommandContext(ctx, o.binary, append(args, "-")...)
	cmd.Stdin = strings.NewReader(string(raw))
	out, err := cmd.Output()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return dialogue.Answer{}, err
	}
	var r scanned
	if err := json.Unmarshal(out, &r); err != nil || r.Action == "" {
		return dialogue.Answer{}, fmt.Errorf("scan said %q", out)
	}
	return r.answer(), nil
}

// answer is a report as a dialogue sees it. What scan would keep, it only says.
func (r scanned) answer() dialogue.Answer {
	a := dialogue.Answer{Action: r.Action, Reply: r.Reply, Keep: -1, Rules: []string{}, Changed: len(r.Edits) > 0}
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
