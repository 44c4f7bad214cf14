package archive

import (
	"bytes"
	"context"
	"io"

	"github.com/milterscan/milterscan/scan/scratch"
)

// mimeFormat finds a message or a page saved with all that belongs to it (MHTML,
// RFC 2557) after the beginning of something else: Word opens such a page wherever
// in a file it begins, and so a file that is a PDF for everybody else. Content that
// begins with one is no container but a message.
type mimeFormat struct{}

// mimeField is the field that Word looks for, in lower case.
const (
	mimeField  = "mime-version:"
	mimeHyphen = len("mime") // where its hyphen is
)

func (mimeFormat) Name() string { return "mime" }

// Match always returns false: see inside.
func (mimeFormat) Match([]byte, Content) bool { return false }

func (mimeFormat) inside(c Content, taken Places) bool { return findMIME(c, taken) > 0 }

func (mimeFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := begin(ctx, c, b, visit)
	at := findMIME(c, nil)
	if at < 0 {
		return w.end(ctx.Err())
	}
	w.note(prefixed, "by %d bytes", at)
	return w.end(w.member(Member{Names: []string{"mime"}, Type: "message/rfc822", Size: c.Size() - at},
		io.NewSectionReader(c, at, c.Size()-at)))
}

// findMIME returns where the first header with a version and a type of MIME begins that
// is in no place that is taken, -1 if there is none.
func findMIME(c Content, taken Places) int64 {
	found := int64(-1)
	scratch.Windows(c, 0, len(mimeField), func(b []byte, off int64) error {
		isField := func(hyphen int) bool {
			at := off + int64(hyphen-mimeHyphen)
			if !isMIMEField(b, hyphen) || taken.hold(at) {
				return false
			}
			found = headerAround(c, at)
			return found >= 0
		}
		if anyAt(b, '-', isField) {
			return errFound
		}
		return nil
	})
	return found
}

// isMIMEField reports whether the field has its hyphen at a place of b.
func isMIMEField(b []byte, hyphen int) bool {
	return hyphen >= mimeHyphen && b[hyphen-1]|0x20 == 'e' && hasFold(b[hyphen-mimeHyphen:], mimeField)
}

// headerAround returns where the header begins that has the field at an offset, -1 if
// that is in no header with a type.
func headerAround(c Content, at int64) int64 {
	before := piece(c, at-min(at, entityHead), min(at, entityHead))
	if len(before) > 0 && !isLineEnd(before[len(before)-1]) {
		return -1
	}
	begin := len(before)
	for begin > 0 {
		end := begin - 1
		if end > 0 && before[end] == '\n' && before[end-1] == '\r' {
			end--
		}
		start := bytes.LastIndexAny(before[:end], "\r\n") + 1
		if !isHeaderLine(before[start:end]) {
			break
		}
		begin = start
	}
	at -= int64(len(before) - begin)
	head := piece(c, at, 2*entityHead)
	for _, end := range [...]string{"\r\n\r\n", "\n\n", "\r\r"} {
		head, _, _ = bytes.Cut(head, []byte(end))
	}
	if !bytes.Contains(bytes.ToLower(head), []byte("content-type")) {
		return -1
	}
	return at
}

func isLineEnd(c byte) bool { return c == '\r' || c == '\n' }

// isHeaderLine reports whether a line may be one of a header (RFC 5322, section 2.2).
func isHeaderLine(line []byte) bool {
	if len(line) == 0 {
		return false
	}
	name, _, field := bytes.Cut(line, []byte(":"))
	return line[0] == ' ' || line[0] == '\t' || field && len(name) > 0 && !bytes.ContainsAny(name, " \t<>(),;\"/%")
}
