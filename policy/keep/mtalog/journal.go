package mtalog

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// Journalctl is where the program is that reads the journal.
const Journalctl = "/usr/bin/journalctl"

// journalArguments return how the program is called: what the mail system wrote (facility
// 2), after a cursor or, if there is none, since yesterday, and on. Without --merge it
// would follow this boot alone, and leave out how the last one ended.
func journalArguments(at Place, now time.Time) []string {
	args := []string{"--output=json", "--follow", "--merge", "--no-pager", "--quiet", "--lines=all",
		"--output-fields=MESSAGE,SYSLOG_IDENTIFIER,_COMM,_HOSTNAME,_SOURCE_REALTIME_TIMESTAMP"}
	if at.Cursor != "" {
		args = append(args, "--after-cursor="+at.Cursor)
	} else {
		args = append(args, fmt.Sprintf("--since=@%d", now.Add(-24*time.Hour).Unix()))
	}
	return append(args, "SYSLOG_FACILITY=2")
}

// journal follows the journal through a child process.
type journal struct {
	at     Place
	lots   chan [][]byte
	failed chan error // why there are no more lots
	said   *limited
	stop   context.CancelFunc
}

// Bounds of the data that is taken from the child at once.
const (
	journalLines = 500
	journalLong  = 256 << 10 // bytes of an entry; a longer one is not read
)

// newJournal starts the child.
func newJournal(program string, at Place, now time.Time) (*journal, error) {
	ctx, stop := context.WithCancel(context.Background())
	j := &journal{at: at, lots: make(chan [][]byte), failed: make(chan error, 1), said: &limited{}, stop: stop}
	cmd := exec.CommandContext(ctx, program, journalArguments(at, now)...)
	cmd.Stderr = j.said
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		stop()
		return nil, err
	}
	go j.run(ctx, cmd, out)
	return j, nil
}

// close ends the child.
func (j *journal) close() { j.stop() }

// run reads what the child writes until it ends.
func (j *journal) run(ctx context.Context, cmd *exec.Cmd, out io.Reader) {
	err := j.pass(ctx, bufio.NewReaderSize(out, journalLong))
	j.stop()
	if ended := cmd.Wait(); errors.Is(err, io.EOF) {
		err = fmt.Errorf("%s has ended (%v): %s", cmd.Path, ended, strings.TrimSpace(j.said.String()))
	}
	j.failed <- err
}

// pass passes lines on, as many together as are there.
func (j *journal) pass(ctx context.Context, in *bufio.Reader) error {
	for {
		var lines [][]byte
		for len(lines) == 0 || len(lines) < journalLines && in.Buffered() > 0 {
			line, err := in.ReadSlice('\n')
			if errors.Is(err, bufio.ErrBufferFull) { // nothing of a mail is as long
				err = drop(in)
			} else if err == nil {
				lines = append(lines, bytes.Clone(line[:len(line)-1]))
			}
			if err != nil {
				return err
			}
		}
		select {
		case j.lots <- lines:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// drop reads to the end of a line.
func drop(in *bufio.Reader) error {
	for {
		if _, err := in.ReadSlice('\n'); !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// next waits for entries.
func (j *journal) next(ctx context.Context) (lot, error) {
	select {
	case lines := <-j.lots:
		for i := len(lines) - 1; i >= 0; i-- {
			var e entry
			if json.Unmarshal(lines[i], &e) == nil && e.Cursor != "" {
				j.at.Cursor = e.Cursor
				break
			}
		}
		return lot{lines, j.at, time.Now()}, nil
	case err := <-j.failed:
		return lot{}, err
	case <-ctx.Done():
		return lot{}, ctx.Err()
	}
}

// limited keeps the beginning of what a program says.
type limited struct{ bytes.Buffer }

// Write keeps what there is room for, and never fails.
func (l *limited) Write(p []byte) (int, error) {
	l.Buffer.Write(p[:min(len(p), maxText-min(l.Len(), maxText))])
	return len(p), nil
}
