package show

import (
	"bytes"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// pseudo opens a terminal of so many columns. The returned function closes it, and returns what was written to it.
func pseudo(t *testing.T, columns uint16) (terminal *os.File, written func() string) {
	t.Helper()
	master, terminal, err := Terminal()
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	done := make(chan struct{})
	go func() {
		io.Copy(&all, master) // until the terminal is closed
		close(done)
	}()
	return terminal, func() string {
		terminal.Close()
		<-done
		return all.String()
	}
}

// TestProgress draws one line, and takes it away.
func TestProgress(t *testing.T) {
	t.Setenv("TERM", "xterm")
	for _, c := range []struct {
		columns uint16
		of      int
		want    string
	}{
		{80, 4, "\rmails: [#####...............] 1 of 4\x1b[K\r\x1b[K"}, {80, 0, "\rmails: 1\x1b[K\r\x1b[K"},
		{12, 4, "\rmails: [###\x1b[K\r\x1b[K"},
	} {
		terminal, written := pseudo(t, c.columns)
		p := NewProgress(nil, terminal, "mails", c.of)
		p.Steps(1)
		p.Clear()
		p.Clear()
		if got := written(); got != c.want {
			t.Errorf("%d columns, %d steps: %q", c.columns, c.of, got)
		}
	}
}

// TestNoProgress shows nothing to programs, nor where lines of results would be torn.
func TestNoProgress(t *testing.T) {
	t.Setenv("TERM", "xterm")
	terminal, written := pseudo(t, 80)
	var out bytes.Buffer
	file, err := os.Create(t.TempDir() + "/errors")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	all := []*Progress{NewProgress(nil, &out, "x", 9), NewProgress(nil, file, "x", 9), NewProgress(terminal, terminal, "x", 9), NewProgress(nil, terminal, "x", 1), nil}
	t.Setenv("TERM", "dumb")
	for _, p := range append(all, NewProgress(nil, terminal, "x", 9)) {
		p.Step()
		p.Steps(7)
		p.Clear()
	}
	info, err := file.Stat()
	if got := written(); got != "" || out.Len() > 0 || err != nil || info.Size() > 0 {
		t.Errorf("%q %q %v", got, &out, err)
	}
}

// TestThrough draws seldom, and passes everything on.
func TestThrough(t *testing.T) {
	t.Setenv("TERM", "xterm")
	terminal, written := pseudo(t, 80)
	p, sum := NewProgress(nil, terminal, "lines", 0), 0
	for i, v := range Through(p, slices.All(slices.Repeat([]int{1}, 10_000))) {
		if sum += v; i == 8999 {
			break
		}
	}
	if got := strings.Count(written(), "lines: "); sum != 9000 || p.n != 9000 || got < 1 || got > 4500 {
		t.Errorf("%d, %d steps, drawn %d times", sum, p.n, got)
	}
}
