package markup

import (
	"bytes"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/net/html"
)

// kinds are the pieces that x/net/html has a name for.
var kinds = map[html.TokenType]piece{html.ErrorToken: ended, html.TextToken: textPiece, html.StartTagToken: startPiece,
	html.SelfClosingTagToken: startPiece, html.EndTagToken: endPiece, html.CommentToken: commentPiece, html.DoctypeToken: commentPiece}

// strays are scripts with a comment in which "<" stands for itself: x/net/html takes the comment
// to end there, browsers do not (WHATWG HTML, section 13.2.5.19).
var strays = regexp.MustCompile("(?is)<script.*<!--.*<([^/a-z]|$)")

// splitAlike compares the tokens of a text with those that x/net/html finds.
func splitAlike(t *testing.T, in string, limit int, cdata bool) {
	t.Helper()
	if strays.MatchString(in) {
		return
	}
	theirs := html.NewTokenizer(strings.NewReader(in))
	theirs.SetMaxBuf(limit)
	theirs.AllowCDATA(cdata)
	ours := newSplitter(iotest.HalfReader(strings.NewReader(in)), limit)
	defer ours.leave()
	ours.cdata = cdata
	for {
		want, got := kinds[theirs.Next()], ours.token()
		if want != got || !bytes.Equal(theirs.Raw(), ours.raw()) {
			t.Fatalf("%q, limit %d: %d %q, want %d %q", in, limit, got, ours.raw(), want, theirs.Raw())
		}
		switch want {
		case ended:
			if (theirs.Err() == io.EOF) != (ours.err == io.EOF) || (theirs.Err() == html.ErrBufferExceeded) != (ours.err == errTooLong) {
				t.Fatalf("%q, limit %d: %v, want %v", in, limit, ours.err, theirs.Err())
			}
			return
		case startPiece:
			switch name := nameOf(theirs.Raw()[1:tagName(theirs.Raw())]); name {
			case "noscript", "plaintext":
				theirs.NextIsNotRawText()
			case "iframe", "noembed", "noframes", "script", "style", "textarea", "title", "xmp":
				ours.literal = name
			}
		}
	}
}

// pieces are what pages are made of, as far as tokens begin or end with it.
var pieces = []string{"<", "</", "<!", "<!-", "<!--", "<?", ">", "->", "-->", "--!>", "--!-", "-", "!", "/", "/>", "=", "\"", "'", " ", "\n", "a", "b=c", "x='y'",
	"<a>", "</a>", "<p ", "<script>", "</script", "</script>", "<SCRIPT ", "script", "<style>", "</style>", "<title>", "</title>", "<textarea>",
	"</textarea", "<xmp>", "<plaintext>", "<noscript>", "<!DOCTYPE", "<!doctype html>", "<![CDATA[", "]", "]]>", "\x00", "é", "words and words"}

// TestSplitter compares with x/net/html what is made of the pieces by chance, at many limits.
func TestSplitter(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 60_000 {
		var in strings.Builder
		for range 1 + r.IntN(14) {
			in.WriteString(pieces[r.IntN(len(pieces))])
		}
		splitAlike(t, in.String(), [...]int{1, 2, 5, 17, 64, 4 << 20}[n%6], n%4 == 0)
	}
	for _, make := range big {
		splitAlike(t, make(300<<10), 100<<10, true)
	}
}

func FuzzSplitter(f *testing.F) {
	for _, tt := range linkTests {
		f.Add(tt.in, 4<<20, false)
	}
	f.Add("<script><!--<script></script>--></script>", 64, true)
	f.Fuzz(func(t *testing.T, in string, limit int, cdata bool) { splitAlike(t, in, max(limit, 1), cdata) })
}
