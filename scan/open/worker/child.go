package worker

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/format/picture"
	"github.com/milterscan/milterscan/scan/scratch"
	"github.com/milterscan/milterscan/scan/units"
)

// Main runs the child: it confines itself, then reads one container after the other
// for the parent at the other end of stdin and stdout, until stdin ends. The one
// argument says how much memory it may use, in bytes. Main returns the exit status.
//
// With the word "helper" before them, the arguments are the rights of a program and
// its command line, and this process becomes it.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 2 && args[0] == helperWord {
		fmt.Fprintf(stderr, "%s%v\n", startWord, becomeWith(args[1], args[2:]))
		return exitProtocol
	}
	memory, err := strconv.ParseInt(firstOf(args), 10, 62)
	if err != nil || len(args) != 1 {
		io.WriteString(stderr, "worker: started by the daemon, not by hand\n")
		return exitUsage
	}
	c := &child{channel: newChannel(stdin, stdout), memory: units.Size(memory)}
	debug.SetMemoryLimit(memory / 2)
	scratch.Started()
	c.sendValue(hello, greeting{Unconfined: confine(units.Size(memory))})
	for {
		k, n, err := c.next()
		if err == io.EOF {
			return 0
		}
		if err != nil || k != job || c.job(n) != nil {
			return exitProtocol
		}
	}
}

// helperWord is the first argument of a worker that becomes a program.
const helperWord = "helper"

// startWord begins what a worker says that could not become the program.
const startWord = "worker: "

// becomeWith reads the rights and becomes the program. It returns only if it fails.
func becomeWith(text string, command []string) error {
	var r rights
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return err
	}
	return become(r, command)
}

// The exit statuses of a child, from sysexits.h but for the last two.
const (
	exitUsage    = 64
	exitProtocol = 76
	exitCPU      = 3
	exitBusy     = 4
)

func firstOf(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

type child struct {
	*channel
	memory units.Size
	room   []byte // for pieces of bodies, of one member after the other
}

// job reads one container. An error means that the parent is not to be understood.
func (c *child) job(n int) error {
	var a assignment
	if err := c.value(n, &a); err != nil {
		return err
	}
	f := archive.Named(a.Format)
	if f == nil && a.Format == (picture.Format{}).Name() {
		f = picture.Format{}
	}
	if f == nil {
		return errFrame
	}
	budget := archive.NewBudget(a.Limits)
	ctx, done := budget.Within(context.Background(), time.Duration(a.Work))
	defer done()
	watch := allowCPU(time.Duration(a.CPU), func() { leave(budget, a) })
	defer watch()
	for _, p := range a.Passwords {
		budget.Passwords = append(budget.Passwords, string(p))
	}
	budget.Words, budget.Earlier = asStrings(a.Words), asStrings(a.Earlier)
	remote := &content{channel: c.channel, size: a.Size}
	notes, err := f.Walk(ctx, archive.Watched(remote, budget), budget, c.visit)
	over := budget.Overworked()
	if remote.err != nil || err != nil && !errors.Is(err, archive.ErrLimit) && !over {
		return errFrame
	}
	return c.finish(notes, outcome{
		Limit: errors.Is(err, archive.ErrLimit), Expanded: int64(a.Limits.Expanded - budget.Left().Expanded), Retire: c.grown(),
		Work: int64(budget.Worked()), Over: over,
	})
}

// asStrings returns a function that tells words which came as bytes.
func asStrings(list [][]byte) func() []string {
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = string(w)
	}
	return func() []string { return words }
}

func (c *child) finish(notes []archive.Note, out outcome) error {
	for _, n := range notes {
		out.Notes = append(out.Notes, note{n.Code, n.Class, n.Member, []byte(n.Detail)})
	}
	return c.sendValue(done, out)
}

// grown reports whether so much memory is in use that the next container would
// start with too little.
func (c *child) grown() bool {
	if held() < uint64(c.memory/8) {
		return false
	}
	debug.FreeOSMemory()
	return held() > uint64(c.memory/4)
}

// held returns how much memory the heap has from the system, in bytes.
func held() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapSys - m.HeapReleased
}

// visit sends a member and its body.
func (c *child) visit(m archive.Member, r io.Reader) error {
	e := entry{Size: m.Size, Encrypted: m.Encrypted, Hidden: m.Hidden, Link: m.Link, Body: r != nil}
	for _, name := range m.Names {
		e.Names = append(e.Names, []byte(name))
	}
	if err := c.sendValue(member, e); err != nil || r == nil {
		return err
	}
	if c.room == nil {
		c.room = make([]byte, pieceSize)
	}
	for {
		n, err := r.Read(c.room)
		if n > 0 {
			if err := c.send(body, c.room[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return c.send(end, nil)
		}
		if err != nil {
			return c.send(end, []byte(err.Error()))
		}
	}
}

// content is the container, at the parent's. It keeps the pieces read last:
// decoders read on where they were, and directories in small steps.
type content struct {
	*channel
	size   int64
	pieces [4]piece
	next   int // the piece to be replaced
	err    error
}

type piece struct {
	at   int64
	data []byte
}

func (c *content) Size() int64 { return c.size }

// ReadAt reads as io.ReaderAt says, except that it is for one goroutine.
func (c *content) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) {
		at := off + int64(n)
		if at < 0 || at >= c.size {
			return n, io.EOF
		}
		from, err := c.piece(at / pieceSize * pieceSize)
		if err != nil {
			c.err = err
			return n, err
		}
		if at-from.at >= int64(len(from.data)) {
			return n, io.ErrUnexpectedEOF
		}
		n += copy(p[n:], from.data[at-from.at:])
	}
	return n, nil
}

func (c *content) piece(at int64) (*piece, error) {
	for i := range c.pieces {
		if p := &c.pieces[i]; p.at == at && len(p.data) > 0 {
			return p, nil
		}
	}
	p := &c.pieces[c.next]
	c.next = (c.next + 1) % len(c.pieces)
	var err error
	room := p.data
	*p = piece{at: at}
	p.data, err = c.fetch(at, room)
	return p, err
}

// fetch asks for the piece at a place. It is read into the room, if that is enough.
func (c *content) fetch(at int64, room []byte) ([]byte, error) {
	if c.err != nil {
		return nil, c.err
	}
	want := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, uint64(at)), pieceSize)
	if err := c.send(read, want); err != nil {
		return nil, err
	}
	k, n, err := c.channel.next()
	if err != nil || k != data || n > pieceSize {
		return nil, errFrame
	}
	room = slices.Grow(room[:0], n)[:n]
	if _, err := io.ReadFull(c.channel.in, room); err != nil {
		return nil, err
	}
	return room, nil
}

// leave ends the process for having taken its time. If the work that was counted is
// half of that or more, this host is slow or busy; otherwise the container takes more
// than its bytes tell. Of what was left of the time by the containers before, too
// little to tell, the host is always said to be slow.
func leave(b *archive.Budget, a assignment) {
	if int64(b.Worked()) >= a.CPU/2 || a.CPU < a.Most/16 {
		os.Exit(exitBusy)
	}
	os.Exit(exitCPU)
}
