package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/units"
)

// Program is a program that looks at one content at a time. It is started without
// a shell, with a command line that nothing in a mail has a part in, gets the
// content as its standard input, a file in memory, and may read the directories of
// the system and its own.
type Program struct {
	Path   string
	Args   []string
	Read   []string      // what else it may read
	Write  string        // a directory it may write to; "" for none
	Memory units.Size    // for its data
	CPU    time.Duration // rounded up to seconds
	Wall   time.Duration
	Output int  // how many bytes of what it says are of interest
	Alone  bool // it begins no other process
}

// Outcome is how a program ended.
type Outcome struct {
	Status int    // its exit status
	Output string // what it wrote to standard output and standard error, as far as of interest
	Cut    bool   // it wrote more
}

// rights are what a program may use: what a worker that is to become it is told.
type rights struct {
	Memory int64 // bytes
	CPU    int64 // seconds
	File   int64 // bytes of the largest file it may write
	Files  int64 // it may have open
	Read   []string
	Write  string // also its directory for temporary files
	Alone  bool   // it may begin no other process
}

// The largest file a program may write in its directory, and how many files it may
// have open.
const (
	largestFile = 1 << 30
	mostFiles   = 256
)

// errStart is what a program says that never ran.
var errStart = errors.New("the program cannot be started")

// Run runs p on a content, which may be nil. A program that was stopped for what it
// used, or ended by a signal, is an error; one that wraps scan.ErrHost says nothing
// about the content.
func (c Config) Run(ctx context.Context, p Program, content archive.Content) (Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, p.Wall)
	defer cancel()
	cpu := int64((p.CPU + time.Second - 1) / time.Second)
	r := rights{Memory: int64(p.Memory), CPU: cpu, Files: mostFiles, Read: p.Read, Write: p.Write, Alone: p.Alone}
	if p.Write != "" {
		r.File = largestFile
	}
	said := &said{most: p.Output}
	cmd := exec.CommandContext(ctx, c.Command[0], c.becoming(r, p.Path, p.Args)...)
	cmd.Stdout, cmd.Stderr = said, said
	cmd.Env = append([]string{"HOME=/nonexistent", "LC_ALL=C.UTF-8"}, c.Env...)
	cmd.SysProcAttr = dieWithUs()
	cmd.SysProcAttr.Setpgid = true
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	if content != nil {
		in, err := inMemory(content)
		if err != nil {
			return Outcome{}, fmt.Errorf("%w: %w", scan.ErrHost, err)
		}
		defer in.Close()
		in.Seek(0, io.SeekStart) // of memory: cannot fail
		cmd.Stdin = in
	}
	err := cmd.Run()
	if cmd.Process != nil {
		cmd.Cancel() // what it has started and left
	}
	return said.outcome(ctx, cmd.ProcessState, time.Duration(r.CPU)*time.Second, err)
}

// becoming returns the arguments of a worker that becomes a program.
func (c Config) becoming(r rights, path string, args []string) []string {
	text, _ := json.Marshal(r) // of plain values: cannot fail
	return append(append(slices.Clone(c.Command[1:]), helperWord, string(text), path), args...)
}

// said keeps the beginning of what a program says.
type said struct {
	text []byte
	most int
	cut  bool
}

func (s *said) Write(p []byte) (int, error) {
	kept := p[:min(len(p), s.most-len(s.text))]
	s.text = append(s.text, kept...)
	s.cut = s.cut || len(kept) < len(p)
	return len(p), nil
}

// usedUp reports whether a process has used the CPU time it was given.
func usedUp(s *os.ProcessState, cpu time.Duration) bool {
	return cpu > 0 && s.SystemTime()+s.UserTime() >= cpu
}

// outcome tells how the program ended, err being how that was noticed and cpu what it
// was given.
func (s *said) outcome(ctx context.Context, state *os.ProcessState, cpu time.Duration, err error) (Outcome, error) {
	o := Outcome{Output: string(s.text), Cut: s.cut}
	var status *exec.ExitError
	switch {
	case state != nil && (endedBy(state, syscall.SIGXCPU) || usedUp(state, cpu)):
		return o, fmt.Errorf("%w: %w", errLimit, errCPU)
	case ctx.Err() != nil:
		return o, fmt.Errorf("%w: %w", scan.ErrHost, errTime)
	case state == nil:
		return o, fmt.Errorf("%w: %w: %w", scan.ErrHost, errStart, err)
	case fromOutside(state):
		return o, fmt.Errorf("%w: %w: %v", scan.ErrHost, errProgram, err)
	case err != nil && !errors.As(err, &status), state.ExitCode() < 0:
		return o, fmt.Errorf("%w: %v", errProgram, err)
	case state.ExitCode() == exitProtocol && strings.HasPrefix(o.Output, startWord):
		return o, fmt.Errorf("%w: %w: %.200s", scan.ErrHost, errStart, strings.TrimSpace(o.Output))
	}
	o.Status = state.ExitCode()
	return o, nil
}
