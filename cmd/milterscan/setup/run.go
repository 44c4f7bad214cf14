package setup

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/show"
)

// lastWords is how long what a program complained about is waited for after its end, where another process that it
// began holds the terminal.
const lastWords = time.Second

// run runs a program of the MTA's and returns what it printed. The error has what it complained about.
func run(ctx context.Context, program string, args ...string) (string, error) {
	var out strings.Builder
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdout = &out
	complaint := listen(cmd)
	err := cmd.Run()
	said := complaint()
	if err != nil {
		said = cmp.Or(strings.TrimSpace(said+out.String()), "it says nothing here; see the MTA's log")
		return "", fmt.Errorf("%s: %w: %s", line(program, args...), err, said)
	}
	return out.String(), nil
}

// listen has a program complain to a terminal, if there is one to be had: to anything else Postfix says nothing, but to the
// log (postlog(1)). The returned function, called at the end of the program, returns what it said.
func listen(cmd *exec.Cmd) func() string {
	var said strings.Builder
	master, terminal, err := show.Terminal()
	if err != nil {
		cmd.Stderr = &said
		return said.String
	}
	cmd.Stderr = terminal
	cmd.Env = append(os.Environ(), "TERM=dumb") // no colours
	done := make(chan struct{})
	go func() {
		io.Copy(&said, master) // until the last who has the terminal closes it
		close(done)
	}()
	return func() string {
		terminal.Close()
		master.SetReadDeadline(time.Now().Add(lastWords))
		<-done
		master.Close()
		return strings.ReplaceAll(said.String(), "\r\n", "\n")
	}
}

// line returns a command as a person would type it.
func line(program string, args ...string) string {
	words := []string{program}
	for _, a := range args {
		if strings.ContainsAny(a, " {}$*;'\"") {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}
