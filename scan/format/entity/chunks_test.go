package entity

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// parseChunks writes msg in chunks of the sizes that next returns, none of which
// stays what it was.
func parseChunks(msg string, d dialect, next func() int) *Tree {
	p := NewParser(Limits{})
	p.dialect = d
	for len(msg) > 0 {
		n := min(max(next(), 1), len(msg))
		chunk := []byte(msg[:n])
		p.Write(chunk)
		copy(chunk, strings.Repeat("?", n))
		msg = msg[n:]
	}
	return p.Close()
}

func always(n int) func() int { return func() int { return n } }

// spoken are dialects that take every turn of the parser.
var spoken = []dialect{0, crEnds, anywhere | prefixes, closeGoesOn | outerFirst | crLineGoesOn, innerOnly | junkEnds | pastBlank | unfolds}

// checkChunks compares the trees that different chunk sizes give.
func checkChunks(t *testing.T, msg string, dialects ...dialect) {
	t.Helper()
	for _, d := range dialects {
		whole := parseChunks(msg, d, always(len(msg)))
		r := rand.New(rand.NewPCG(1, 2))
		for name, next := range map[string]func() int{
			"1": always(1), "7": always(7), "1000": always(1000), "65535": always(65535),
			"random": func() int { return r.IntN(100) },
		} {
			if got := parseChunks(msg, d, next); !reflect.DeepEqual(got, whole) {
				t.Fatalf("dialect %b, chunks of %s: the tree of %.2000q is\n%s\nnot\n%s", d, name, msg, outline(msg, got.Root), outline(msg, whole.Root))
			}
		}
	}
}

func TestChunksDoNotMatter(t *testing.T) {
	pieces := []string{
		"\n", "\r\n", "\r", "\r\r\n", " ", "\t", "-", "--", "--a", "--a--", "--ab", "--a--\n", "\n--a\n", "\r\n--ab\r\n", "\n--a--\n",
		"Content-Type: multipart/mixed; boundary=a\n", "Content-Type: multipart/mixed;\r\n\tboundary=\"ab\"\r\n", "Content-Type: message/rfc822\r\n",
		"Content-Transfer-Encoding: base64\r\n", "Subject: x\r\n", "text", "begin 644 x\n", strings.Repeat("A", 70) + "\n", "\n\n", "\r\n\r\n",
		strings.Repeat("-", 1300), strings.Repeat(" ", 1300), "From x\n", "\x00", "multipart/digest", ":",
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		var b strings.Builder
		b.WriteString("Content-Type: multipart/mixed; boundary=a\n\n--a\n"[:r.IntN(2)*47])
		for range r.IntN(40) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		checkChunks(t, b.String(), spoken...)
	}
}
