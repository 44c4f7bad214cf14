package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
)

// FindHelper returns the directory of unar and lsar, "" if they are not installed.
func FindHelper() string {
	for _, dir := range []string{"/usr/bin", "/usr/local/bin"} {
		_, unar := os.Stat(filepath.Join(dir, "unar"))
		_, lsar := os.Stat(filepath.Join(dir, "lsar"))
		if unar == nil && lsar == nil {
			return dir
		}
	}
	return ""
}

// helped is a format read by the program unar. It gets the container as its
// standard input, a file in memory, and a fixed command line; what it unpacks it
// writes to its standard output, one member after the other. It may read the
// directories of the system, and no others.
type helped struct {
	archive.Format
	pool *Pool
}

// Unwrap returns the format itself.
func (h helped) Unwrap() archive.Format { return h.Format }

// maxListing bounds what lsar may say, in bytes.
const maxListing = 8 << 20

// listing is what lsar says of an archive, as far as it matters.
type listing struct {
	Contents []struct {
		Name      string `json:"XADFileName"`
		Size      *int64 `json:"XADFileSize"`
		Directory int    `json:"XADIsDirectory"`
		Link      int    `json:"XADIsLink"`
		Encrypted int    `json:"XADIsEncrypted"`
	} `json:"lsarContents"`
}

// Walk lists the archive, then unpacks it all at once and cuts the output by the
// sizes in the list.
func (h helped) Walk(ctx context.Context, c archive.Content, b *archive.Budget, visit archive.Visit) ([]archive.Note, error) {
	w := &helping{ctx: ctx, cfg: h.pool.cfg, tally: &h.pool.tally, budget: b, visit: visit}
	if err := w.cfg.spent(b); err != nil {
		return []archive.Note{noteOn(err, "")}, nil
	}
	err := h.pool.turn(ctx, b, c.Size())
	if err != nil {
		return []archive.Note{noteOn(err, "")}, ctx.Err()
	}
	defer h.pool.queue.leave(b)
	if w.file, err = inMemory(c); err != nil {
		err = fmt.Errorf("%w: %v", scan.ErrHost, err)
	} else {
		defer w.file.Close()
		err = w.run()
	}
	switch {
	case w.stopped != nil:
		return w.notes, w.stopped
	case ctx.Err() != nil:
		return w.notes, ctx.Err()
	case err != nil:
		w.notes = append(w.notes, noteOn(err, ""))
	}
	return w.notes, nil
}

// helping is one container at work with the helper.
type helping struct {
	ctx     context.Context
	cfg     Config
	tally   *tally
	file    *os.File
	budget  *archive.Budget
	visit   archive.Visit
	notes   []archive.Note
	stopped error // what ends the walk: the caller's error, or a limit
}

func (w *helping) note(code, detail string) {
	w.notes = append(w.notes, archive.NoteOf(code, archive.Container, detail))
}

func (w *helping) run() error {
	p, err := w.start("lsar", "-j", "-nr", "/dev/stdin")
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(p.channel.in, maxListing))
	if err = w.end(p, err); err != nil {
		return err
	}
	var list listing
	if err := json.Unmarshal(text, &list); err != nil || len(list.Contents) == 0 {
		return errors.New("lsar finds no members")
	}
	p, err = w.start("unar", "-q", "-nr", "-k", "skip", "-p", "", "-o", "-", "/dev/stdin")
	if err != nil {
		return err
	}
	return w.end(p, w.unpack(p, list))
}

// end waits for a program and charges what it took.
func (w *helping) end(p *process, err error) error {
	err = p.end(err)
	w.budget.Spend(p.used() + handover)
	w.budget.Take(p.used())
	switch {
	case err == nil:
	case w.stopped != nil || w.ctx.Err() != nil:
		w.tally.end(Stopped)
	default:
		w.tally.end(reasonOf(err))
	}
	return err
}

// start starts one of the helper's programs on the container, confined by way of
// the worker, which becomes the program. An error is a matter of this host.
func (w *helping) start(program string, args ...string) (*process, error) {
	p, err := w.launch(program, args)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", scan.ErrHost, err)
	}
	return p, nil
}

func (w *helping) launch(program string, args []string) (*process, error) {
	if _, err := w.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	in, out, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer out.Close()
	r := rights{Memory: int64(w.cfg.Memory), CPU: int64(max(w.cfg.left(w.budget), 0)/time.Second + 1), Files: 64, Alone: true}
	p := &process{in: in, left: w.cfg.Wall, memory: w.cfg.Memory, cpu: time.Duration(r.CPU) * time.Second}
	p.channel = newChannel(timed{p}, io.Discard)
	p.cmd = exec.CommandContext(w.ctx, w.cfg.Command[0], w.cfg.becoming(r, filepath.Join(w.cfg.Helper, program), args)...)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = w.file, out, &p.errors
	p.cmd.Env = append([]string{"HOME=/nonexistent", "LC_ALL=C.UTF-8"}, w.cfg.Env...)
	p.cmd.SysProcAttr = dieWithUs()
	if err := p.cmd.Start(); err != nil {
		in.Close()
		return nil, err
	}
	return p, nil
}

// unpack cuts the program's output into members.
func (w *helping) unpack(p *process, list listing) error {
	locked := 0
	for _, e := range list.Contents {
		if err := w.budget.Entry(); err != nil {
			w.note(archive.TooManyMembers, "")
			w.stopped = err
			return err
		}
		m := archive.Member{Names: []string{e.Name}, Size: -1, Link: e.Link != 0, Encrypted: e.Encrypted != 0}
		var body *piped
		switch {
		case e.Directory != 0:
			continue
		case m.Encrypted:
			locked++
		case e.Size != nil && *e.Size >= 0:
			m.Size = *e.Size
			body = &piped{w: w, r: p.channel.in, left: m.Size}
		}
		if err := w.member(m, body); err != nil {
			return err
		}
	}
	if locked > 0 {
		w.note(archive.EncryptedMember, fmt.Sprintf("%d members", locked))
		return nil
	}
	if n, _ := io.Copy(io.Discard, io.LimitReader(p.channel.in, 1)); n > 0 {
		return errors.New("unar writes more than lsar lists")
	}
	return nil
}

// member hands m over. An error ends the walk, or the reading of the archive.
func (w *helping) member(m archive.Member, body *piped) error {
	if body == nil {
		w.stopped = w.visit(m, nil)
		return w.stopped
	}
	err := w.visit(m, body)
	if err != nil && (body.err == nil || body.err == io.EOF || !errors.Is(err, body.err)) {
		w.stopped = err
		return err
	}
	io.Copy(io.Discard, body)
	if body.err != io.EOF {
		return body.err
	}
	return nil
}

// piped is one member's piece of the output.
type piped struct {
	w       *helping
	r       io.Reader
	left, n int64
	err     error
}

func (b *piped) Read(p []byte) (int, error) {
	if b.err == nil && b.left == 0 {
		b.err = io.EOF
	}
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	b.n += int64(n)
	switch {
	case err == io.EOF:
		b.err = io.ErrUnexpectedEOF
	case err != nil:
		b.err = err
	case b.w.budget.Grow(int64(n)) != nil, b.n > int64(b.w.budget.Member):
		b.w.note(archive.TooMuchData, "while unar unpacked")
		b.err, b.w.stopped = archive.ErrLimit, archive.ErrLimit
	}
	return n, b.err
}
