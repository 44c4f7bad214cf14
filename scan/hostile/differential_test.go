package hostile_test

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/hostile"
	"github.com/milterscan/milterscan/scan/open/unpack"
	"github.com/milterscan/milterscan/scan/spool"
	"github.com/milterscan/milterscan/tests/corpus"
)

// least is the length from which a leaf of another reader counts: shorter ones
// occur anywhere by chance.
const least = 8

// FuzzDifferential looks for mail in which another reader shows something that
// we do not. What we do not show must at least be said to be unexamined.
func FuzzDifferential(f *testing.F) {
	seed(f)
	o, sp := opener(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > 64<<10 {
			return
		}
		contents, notes := opened(t, o, sp, raw)
		if scan.Incomplete(notes) {
			return
		}
		for _, r := range others {
			for _, l := range r.read(raw) {
				if line := hidden(contents, l.content); line != nil {
					t.Errorf("%s shows %q, we show %q", r.name, line, contents)
				}
			}
		}
	})
}

// seed adds the legitimate corpus, and a case of each kind of damage.
func seed(f *testing.F) {
	mails, err := corpus.All()
	if err != nil {
		f.Fatal(err)
	}
	for _, m := range mails {
		if len(m.Message) < 4<<10 {
			f.Add(m.Message)
		}
	}
	n := 0
	for c := range hostile.Cases() {
		if n++; n%11 == 0 && len(c.Message) > 0 && len(c.Message) < 4<<10 {
			f.Add(c.Message)
		}
	}
}

// opened is every content and every text that opening raw yields, and raw
// itself: that bytes which are not encoded belong to some part is for the
// parser's own tests to prove.
func opened(t *testing.T, o *unpack.Opener, sp *spool.Spool, raw []byte) ([][]byte, []scan.Finding) {
	buffer, parser := sp.Buffer(), o.NewParser()
	buffer.Write(raw)
	parser.Write(raw)
	m := o.Open(context.Background(), scan.Received{Raw: buffer, Size: int64(len(raw)), Tree: parser.Close()})
	defer m.Close()
	all := [][]byte{flat(raw)}
	for _, p := range m.Parts {
		l := ourLeaf(t, p)
		all = append(all, flat(l.content), flat([]byte(l.words())))
	}
	return all, m.Notes
}

// core is what is compared of a leaf: its printable ASCII, since readers differ
// about line ends, blanks and charsets, and without its ends, where a broken
// encoding may leave anything.
func core(b []byte) []byte {
	b = flat(b)
	if len(b) < 3*least {
		return nil
	}
	return b[least : len(b)-least]
}

// flat is the printable ASCII of b, without blanks.
func flat(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for _, c := range b {
		if c > ' ' && c < 0x7f {
			out = append(out, c)
		}
	}
	return out
}

// hidden is the first line of a reader's leaf that is nowhere in the contents,
// or nil. If the leaf is there in one piece, so are its lines.
func hidden(contents [][]byte, leaf []byte) []byte {
	if shown(contents, core(leaf)) {
		return nil
	}
	for line := range bytes.Lines(leaf) {
		if part := core(line); telling(line) && !shown(contents, part) {
			return part
		}
	}
	return nil
}

// telling reports whether a line is worth comparing: it is text. What decoders
// make of bytes that are not in the encoding's alphabet is anything.
func telling(line []byte) bool {
	return !bytes.ContainsFunc(bytes.TrimRight(line, "\r\n"), func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) })
}

// shown reports whether part is in one of the contents, or too short to tell.
func shown(contents [][]byte, part []byte) bool {
	if len(part) < least {
		return true
	}
	return slices.ContainsFunc(contents, func(c []byte) bool { return bytes.Contains(c, part) })
}
