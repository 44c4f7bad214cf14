package integration

import (
	"context"
	"errors"
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

func (o offline) scan(ctx context.Context, config string, d dialogue.Dialogue, m dialogue.Message) (dialogue.Answer, error) {
	raw, err := dialogue.Open(m.Source)
	if err != nil {
		return dialogue.Answer{}, err
	}
	cmd := exec.CommandContext(ctx, o.binary, dialogue.ScanArgs(config, d, m)...)
	cmd.Stdin = strings.NewReader(string(raw))
	out, err := cmd.Output()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return dialogue.Answer{}, err
	}
	return dialogue.ReadReport(out)
}
