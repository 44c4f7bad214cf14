package show

import (
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// Progress shows on a terminal how far long work has come, in one line that it draws again and again. All of its
// methods may be called on nil, which shows nothing. It is for one goroutine.
type Progress struct {
	out     io.Writer
	columns func() int
	what    string
	n, of   int
	drawn   time.Time
	shown   bool
}

// drawEvery is the least time between two drawings.
const drawEvery = 100 * time.Millisecond

// barWidth is the number of marks in a bar that is full.
const barWidth = 20

// NewProgress returns the progress of work of so many steps, or of a number that is not known (0), on standard error.
// It returns nil where that is no terminal, or one that moves no cursor, for work of one step, and where what the work
// prints meanwhile goes to a terminal, too, and tells more; out is nil for work that prints nothing.
func NewProgress(out, errs io.Writer, what string, of int) *Progress {
	f := terminal(errs)
	if f == nil || terminal(out) != nil || of == 1 || os.Getenv("TERM") == "dumb" {
		return nil
	}
	columns := func() int {
		n, _, _ := terminalSize(f)
		return n
	}
	return &Progress{out: f, what: what, of: of, columns: columns}
}

// terminal returns the terminal that is written to, nil if it is none.
func terminal(w io.Writer) *os.File {
	f, ok := w.(*os.File)
	if !ok {
		return nil
	}
	if _, _, ok := terminalSize(f); !ok {
		return nil
	}
	return f
}

// Step counts one more step that is done.
func (p *Progress) Step() { p.Steps(1) }

// Steps counts steps that were done together.
func (p *Progress) Steps(n int) {
	if p == nil {
		return
	}
	p.n += n
	if now := time.Now(); now.Sub(p.drawn) >= drawEvery {
		p.drawn = now
		p.draw()
	}
}

// draw writes the line, as far as the terminal has room: a line that is wrapped could not be taken away.
func (p *Progress) draw() {
	line := fmt.Sprintf("%s: %d", p.what, p.n)
	if p.of > 0 {
		full := min(barWidth, barWidth*p.n/p.of)
		line = fmt.Sprintf("%s: [%s%s] %d of %d", p.what, strings.Repeat("#", full), strings.Repeat(".", barWidth-full),
			p.n, p.of)
	}
	if room := p.columns() - 1; utf8.RuneCountInString(line) > room {
		line = string([]rune(line)[:max(0, room)])
	}
	io.WriteString(p.out, "\r"+line+"\x1b[K")
	p.shown = true
}

// Clear takes the line away, for other lines or at the end. The next step draws it again.
func (p *Progress) Clear() {
	if p == nil || !p.shown {
		return
	}
	io.WriteString(p.out, "\r\x1b[K")
	p.shown, p.drawn = false, time.Time{}
}

// Through passes a sequence on, and counts each of its elements as a step.
func Through[K, V any](p *Progress, all iter.Seq2[K, V]) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for k, v := range all {
			p.Step()
			if !yield(k, v) {
				return
			}
		}
	}
}
