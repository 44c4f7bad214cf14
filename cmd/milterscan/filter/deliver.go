package filter

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/scan"
)

// deliver hands the result on, to the program or to standard output. The whole
// result is there before the first byte is handed on: what cannot be stored is
// not delivered in half.
func (j *Job) deliver(write func(io.Writer) error) int {
	result := j.shared.Spool.Buffer()
	defer result.Close()
	if err := write(result); err != nil {
		return j.unable(fmt.Errorf("the result cannot be stored: %w", err))
	}
	if len(j.Program) > 0 {
		return j.call(result)
	}
	_, err := io.Copy(j.Streams.Out, scan.Reader(result))
	if err == nil {
		err = flush(j.Streams.Out)
	}
	if err != nil {
		return j.unable(fmt.Errorf("the result could not be written: %w", err))
	}
	return cli.ExitOK
}

// call runs the program with the result on its standard input. Its exit status
// is ours; that it cannot be started, is killed, or did not get all it asked
// for is a temporary failure.
func (j *Job) call(result scan.Content) int {
	cmd := exec.Command(j.Program[0], j.Program[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = scan.Reader(result), j.Streams.Out, j.Streams.Err
	j.back() // the program is the caller's
	err := cmd.Run()
	j.ownAgain()
	var ended *exec.ExitError
	switch {
	case err == nil:
		return cli.ExitOK
	case errors.As(err, &ended) && ended.Exited():
		return ended.ExitCode()
	}
	return j.unable(fmt.Errorf("%s: %w", j.Program[0], err))
}

// ownAgain goes on as the owner of our files after the program. Where that fails nothing
// is written any more: the mail is delivered, and the exit status must say so.
func (j *Job) ownAgain() {
	if j.recorder == nil {
		return
	}
	if err := j.asOwner(); err != nil {
		fmt.Fprintln(j.Streams.Err, "milterscan filter: history and notices are not written:", err)
		j.recorder = nil
	}
}

// flush returns when all that was written to a file is on the disk: a full disk may
// only be noticed now.
func flush(out io.Writer) error {
	f, ok := out.(*os.File)
	if !ok {
		return nil
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return err
	}
	return f.Sync()
}

// nowhere reports whether standard output was closed when the program began:
// the Go runtime opens /dev/null in the place of a closed one, for reading and
// writing, as no caller would open an output. A result written there would
// be lost.
func nowhere(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	null, nullErr := os.Stat(os.DevNull)
	if err != nil || nullErr != nil || !os.SameFile(info, null) {
		return err != nil
	}
	mode, _, errno := syscall.Syscall(syscall.SYS_FCNTL, f.Fd(), syscall.F_GETFL, 0)
	return errno == 0 && mode&syscall.O_ACCMODE == syscall.O_RDWR
}
