package unpack

import (
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/format/sniff"
	"github.com/milterscan/milterscan/scan/scratch"
)

// open opens a part in every way it can be read.
func (w *work) open(in container, part int) error {
	p := &w.m.Parts[part]
	if p.Content == nil || p.Content.Size() == 0 {
		return nil
	}
	if isMessage(p) && !w.isWhole(in, p) {
		return w.message(in, part)
	}
	o := &opening{work: w, in: container{part: part, path: p.Path, archives: in.archives + 1, nested: in.nested}}
	content, names := archive.Watched(p.Content, w.budget), p.Names
	begun := w.files.Beginning(content)
	if isPage(p) || hasPageName(p) {
		begun = archive.Shown(begun, content)
	}
	if err := o.read(begun); err != nil {
		return err
	}
	if !in.own {
		formats := w.files
		if p := &w.m.Parts[part]; isText(p) && !isOffice(p) {
			formats = w.texts
		}
		if err := o.read(formats.Further(begun, content, names, o.taken)); err != nil {
			return err
		}
	}
	w.m.Parts[part].Opened = o.walked > 0 && !o.incomplete
	return nil
}

// isWhole reports whether a part is all of the message that it is in: in another reading
// there is no header, and all is the body. Its contents are known.
func (w *work) isWhole(in container, p *scan.Part) bool {
	if in.part < 0 {
		return false
	}
	whole := w.m.Parts[in.part].Content
	return whole != nil && same(whole, p.Content)
}

// isOffice reports whether a part has the name of a file that programs open which
// find a page anywhere in it. In other texts, messages are quoted.
func isOffice(p *scan.Part) bool {
	return slices.ContainsFunc(p.Names, func(n string) bool {
		switch strings.ToLower(path.Ext(strings.TrimRight(n, ". "))) {
		case ".doc", ".docx", ".docm", ".dot", ".dotx", ".dotm", ".rtf", ".wri", ".wps", ".xls", ".xlt", ".xla", ".xlsx", ".xlsm",
			".ppt", ".pps", ".pptx", ".pdf", ".xml", ".htm", ".html", ".mso":
			return true
		}
		return false
	})
}

// hasPageName reports whether a part has the name of a file that browsers show as a page.
func hasPageName(p *scan.Part) bool {
	return slices.ContainsFunc(p.Names, func(n string) bool {
		switch strings.ToLower(path.Ext(strings.TrimRight(n, ". "))) {
		case ".htm", ".html", ".shtml", ".xhtml", ".xht", ".hta", ".svg":
			return true
		}
		return false
	})
}

// opening is the opening of one part.
type opening struct {
	*work
	in         container
	taken      archive.Places // of its members
	walked     int            // the formats it was read in
	incomplete bool           // in one of them not to its end
}

// read reads the part in each of the formats.
func (o *opening) read(formats []archive.Format) error {
	if len(formats) > 0 && o.in.archives > o.limits.Archive.Depth {
		o.incomplete = true
		o.note(scan.Unscannable, "archive", "depth", o.in.part, fmt.Sprintf("more than %d archives inside each other", o.limits.Archive.Depth))
		return nil
	}
	for _, f := range formats {
		if !archive.Carries(f) {
			o.walked++
		}
		if err := o.walk(f); err != nil {
			return err
		}
	}
	return nil
}

// walk makes parts of all members of a container. One that was not read to its
// end does not count as opened: it goes to the engines whole, together with the
// members that could be read.
func (o *opening) walk(format archive.Format) error {
	walk := &walk{opening: o, format: format}
	notes, err := format.Walk(o.ctx, archive.Watched(o.m.Parts[o.in.part].Content, o.budget), o.budget, walk.visit)
	if err == nil {
		err = o.ctx.Err() // which the format may have taken for damage
	}
	o.incomplete = o.incomplete || err != nil
	for _, n := range notes {
		kind := kindOfNote(n.Class)
		o.incomplete = o.incomplete || kind >= scan.Unscannable
		o.note(kind, "archive", n.Code, walk.partOf(n), n.Detail)
	}
	switch {
	case err == nil, errors.Is(err, errStopped):
		return err
	case errors.Is(err, archive.ErrLimit):
		o.note(scan.Unscannable, "archive", "limit", o.in.part, "the archives of this message hold more than may be unpacked")
		return nil
	default:
		return o.tooLong()
	}
}

// walk is one walk over a container.
type walk struct {
	*opening
	format archive.Format
	parts  []int // by call of visit
}

// partOf returns the part that a note is about.
func (w *walk) partOf(n archive.Note) int {
	if n.Member < 0 || n.Member >= len(w.parts) {
		return w.in.part
	}
	return w.parts[n.Member]
}

// visit makes a part of one member and opens it in turn.
func (w *walk) visit(m archive.Member, body io.Reader) error {
	names := m.Names
	if len(names) == 0 || archive.Wraps(w.format) {
		names = append(names, w.nameless()...)
	}
	p := scan.Part{
		Parent:   w.in.part,
		Path:     memberPath(w.in.path, first(names)),
		Names:    names,
		Type:     m.Type,
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
	w.taken = append(w.taken, m.Places...)
	w.locked(part)
	within := w.in
	within.own = m.Own
	if err := w.open(within, part); err != nil {
		return err
	}
	return w.wrapped(w.in, part)
}

// nameless returns names for a member that has none, as unpackers make them up from
// those of the container: "a.tar" in "a.tar.gz".
func (w *walk) nameless() []string {
	var names []string
	for _, name := range w.m.Parts[w.in.part].Names {
		if short := archive.InnerName(w.format, name); short != "" {
			names = append(names, short)
		}
	}
	return names
}

// store keeps what the source yields until its end or its first error; why it
// ended is for the walk to say.
func (w *work) store(r io.Reader) (scan.Content, error) {
	out := w.buffer(w.watches)
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
// that lies, by its content. Mail readers show text that is no file as it is.
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
	buf := scratch.Lend()
	defer buf.Return()
	return sniff.IsMessage(buf.Head(p.Content, sniff.MessageHead))
}

// kindOfNote returns the kind of finding for a note about a container.
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
	case archive.Unread:
		return scan.Failed
	default:
		return scan.Unscannable
	}
}
