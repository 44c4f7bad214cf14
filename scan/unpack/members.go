package unpack

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/archive"
	"github.com/milterscan/milterscan/scan/sniff"
)

// open opens a part in every way it can be read.
func (w *work) open(in container, part int) error {
	p := &w.m.Parts[part]
	if p.Content == nil || p.Content.Size() == 0 {
		return nil
	}
	if isMessage(p) {
		return w.message(in, part)
	}
	formats := archive.Readings(w.formats, p.Content, p.Names)
	if len(formats) > 0 && in.archives >= w.limits.Archive.Depth {
		w.note(scan.Unscannable, "archive", "depth", part, fmt.Sprintf("more than %d archives inside each other", w.limits.Archive.Depth))
		return nil
	}
	within := container{part: part, path: p.Path, archives: in.archives + 1, nested: in.nested}
	complete := len(formats) > 0
	for _, f := range formats {
		all, err := w.walk(within, f)
		if err != nil {
			return err
		}
		complete = complete && all
	}
	w.m.Parts[part].Opened = complete
	return nil
}

// walk makes parts of all members of a container, and reports whether it was
// read to its end. One that was not does not count as opened: it goes to the
// engines whole, beside the members that could be read.
func (w *work) walk(in container, format archive.Format) (complete bool, err error) {
	walk := &walk{work: w, in: in}
	notes, err := format.Walk(w.ctx, w.m.Parts[in.part].Content, w.budget, walk.visit)
	complete = err == nil
	for _, n := range notes {
		kind := kindOfNote(n.Class)
		complete = complete && kind < scan.Unscannable
		w.note(kind, "archive", n.Code, walk.partOf(n), n.Detail)
	}
	switch {
	case err == nil, errors.Is(err, errStopped):
		return complete, err
	case errors.Is(err, archive.ErrLimit):
		w.note(scan.Unscannable, "archive", "limit", in.part, "the archives of this message hold more than may be unpacked")
		return false, nil
	default:
		return false, w.tooLong()
	}
}

// walk is one walk over a container.
type walk struct {
	*work
	in    container
	parts []int // by call of visit
}

// partOf is the part that a note is about.
func (w *walk) partOf(n archive.Note) int {
	if n.Member < 0 || n.Member >= len(w.parts) {
		return w.in.part
	}
	return w.parts[n.Member]
}

// visit makes a part of one member and opens it in turn.
func (w *walk) visit(m archive.Member, body io.Reader) error {
	names := m.Names
	if len(names) == 0 {
		names = w.nameless()
	}
	p := scan.Part{
		Parent:   w.in.part,
		Path:     memberPath(w.in.path, first(names)),
		Names:    names,
		Archived: true,
	}
	if body != nil {
		content, err := w.store(body)
		if err != nil {
			return err
		}
		p.Content = content
	}
	look(&p)
	part, err := w.add(p)
	if err != nil {
		return err
	}
	w.parts = append(w.parts, part)
	return w.open(w.in, part)
}

// nameless is the name of a member that has none, as unpackers make it up from
// the name of the container: "a.tar" in "a.tar.gz".
func (w *walk) nameless() []string {
	name := w.m.Parts[w.in.part].Name()
	if short := strings.TrimSuffix(name, path.Ext(name)); short != "" {
		return []string{short}
	}
	return nil
}

// store keeps what the source yields until its end or its first error; why it
// ended is for the walk to say.
func (w *work) store(r io.Reader) (scan.Content, error) {
	out := w.buffer()
	src := &source{r: r, late: w.late}
	_, err := io.Copy(out, src)
	switch {
	case errors.Is(src.err, errStopped):
		return nil, w.tooLong()
	case err != nil && src.err == nil:
		return nil, w.noRoom(err)
	}
	return out, nil
}

// source tells errors of the source from errors of the destination of a copy,
// and ends when the time is over.
type source struct {
	r    io.Reader
	late func() bool
	err  error
}

// Read passes on what the source gives and remembers how it failed.
func (s *source) Read(p []byte) (int, error) {
	if s.late() {
		s.err = errStopped
		return 0, errStopped
	}
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

func first(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

// isEML reports whether a file is a saved mail or web page, by its name or, where
// that lies, by its content. Text that is no file is shown as it stands.
func isEML(p *scan.Part) bool {
	for _, n := range p.Names {
		switch strings.ToLower(path.Ext(n)) {
		case ".eml", ".mht", ".mhtml":
			return true
		}
	}
	if p.Content == nil || !p.Archived && len(p.Names) == 0 && strings.HasPrefix(p.Type, "text/") || p.Type == "text/rfc822-headers" {
		return false
	}
	head := make([]byte, min(sniff.MessageHead, p.Content.Size()))
	n, _ := p.Content.ReadAt(head, 0)
	return sniff.IsMessage(head[:n])
}

// kindOfNote is the kind of finding that a note about a container is.
func kindOfNote(c archive.Class) scan.Kind {
	switch c {
	case archive.Informative:
		return scan.Note
	case archive.Malformed:
		return scan.Malformed
	case archive.Ambiguous:
		return scan.Ambiguous
	case archive.Suspicious:
		return scan.Suspicious
	default:
		return scan.Unscannable
	}
}
