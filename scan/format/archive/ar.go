package archive

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// arFormat reads ar archives, Debian packages among them, with the long names of
// GNU and BSD.
type arFormat struct{}

const arMagic = "!<arch>\n"

func (arFormat) Name() string { return "ar" }

func (arFormat) Match(head []byte, _ Content) bool { return hasAny(head, arMagic) }

func (arFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := begin(ctx, c, b, visit)
	size := c.Size()
	r := &arReader{in: bufio.NewReader(io.NewSectionReader(c, int64(len(arMagic)), max(0, size-int64(len(arMagic)))))}
	for {
		m, err := r.next()
		if err == io.EOF {
			return w.end(nil)
		}
		if err != nil {
			w.note(damagedContainer, "after %d members: %v", w.count, err)
			return w.end(nil)
		}
		if err := w.member(m, &r.left); err != nil {
			return w.end(err)
		}
	}
}

// maxLongNames bounds GNU's table of long names, in bytes.
const maxLongNames = 1 << 20

type arReader struct {
	in    *bufio.Reader
	left  exactly // of the member's data
	odd   int     // 1 if a byte of padding follows them
	names []byte  // GNU's table
}

// next skips the rest of the member before, and headers up to the next
// member.
func (r *arReader) next() (Member, error) {
	for {
		if _, err := io.Copy(io.Discard, &r.left); err != nil {
			return Member{}, err
		}
		if _, err := r.in.Discard(r.odd); err != nil {
			return Member{}, io.EOF
		}
		name, size, err := r.header()
		if err != nil {
			return Member{}, err
		}
		r.left, r.odd = exactly{r.in, size}, int(size&1)
		switch name {
		case "/", "/SYM64/", "__.SYMDEF":
		case "//":
			r.names, _ = io.ReadAll(io.LimitReader(&r.left, maxLongNames))
		default:
			name, err = r.long(name)
			return Member{Names: distinct(name), Size: r.left.n}, err
		}
	}
}

// header reads a header of 60 bytes; io.EOF where the archive ends.
func (r *arReader) header() (name string, size int64, err error) {
	var b [60]byte
	if _, err := io.ReadFull(r.in, b[:]); err != nil {
		return "", 0, err
	}
	size, err = strconv.ParseInt(strings.TrimSpace(string(b[48:58])), 10, 62)
	if err != nil || size < 0 || string(b[58:]) != "`\n" {
		return "", 0, fmt.Errorf("bad header %.16q", b)
	}
	return strings.TrimRight(string(b[:16]), " "), size, nil
}

// long resolves a name that did not fit into the header: "/12" is in GNU's
// table; "#1/12" means that its 12 bytes come before the data.
func (r *arReader) long(name string) (string, error) {
	if digits, ok := strings.CutPrefix(name, "#1/"); ok {
		n, err := strconv.ParseInt(digits, 10, 32)
		if err != nil || n < 0 || n > min(r.left.n, 1<<16) {
			return name, nil
		}
		b := make([]byte, n)
		_, err = io.ReadFull(&r.left, b)
		return string(bytes.TrimRight(b, "\x00")), err
	}
	if digits, ok := strings.CutPrefix(name, "/"); ok {
		n, err := strconv.Atoi(digits)
		if err == nil && n >= 0 && n < len(r.names) {
			line, _, _ := bytes.Cut(r.names[n:], []byte("\n"))
			name = string(line)
		}
	}
	return strings.TrimSuffix(name, "/"), nil
}
