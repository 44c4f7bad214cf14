package submission

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// bySendmail hands the mail to a program that takes sendmail's options. Its exit
// status says whether it has the mail (sysexits(3)).
func bySendmail(ctx context.Context, program string, m Mail) error {
	from := m.From
	if from == "" {
		from = "<>"
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, program, append([]string{"-i", "-f", from, "--"}, m.To...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = m.Message, &said, &said
	err := cmd.Run()
	var status *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &status) && status.Exited():
		return fmt.Errorf("%s: status %d: %s", program, status.ExitCode(), strings.TrimSpace(said.String()))
	case cmd.Process == nil:
		return err
	}
	return fmt.Errorf("%s: %w: %w", program, ErrUnsure, err)
}
