package texts

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/picture"
)

// TestTextsHaveTheirShareOfTheWork reads pages of the shortest elements: once their share of the
// work is done, the page at hand is cut and later ones are not read, in messages of one large page as
// well as in those of many.
func TestTextsHaveTheirShareOfTheWork(t *testing.T) {
	for _, parts := range []int{1, 10, 200} {
		page := part("text/html", "", strings.Repeat("<p>x", 200_000/parts))
		read := func(work time.Duration) *Texts {
			m := &scan.Message{Work: work, Parts: slices.Repeat([]scan.Part{page}, parts)}
			texts, err := New(DefaultLimits(), Shown).Of(t.Context(), m)
			if err != nil {
				t.Fatal(err)
			}
			return texts
		}
		for work, over := range map[time.Duration]bool{0: false, 10 * time.Second: false, 10 * time.Millisecond: true} {
			texts := read(work)
			cut := slices.ContainsFunc(texts.Texts, func(t Text) bool { return t.Page.Cut })
			if cut != over || len(texts.Texts)+len(texts.Unread) != parts || parts > 1 && len(texts.Unread) > 0 != over {
				t.Errorf("%d parts, %v of work: cut %v, %d read, %d not", parts, work, cut, len(texts.Texts), len(texts.Unread))
			}
			if again := read(work); len(again.Texts) != len(texts.Texts) || again.Texts[len(again.Texts)-1].Letters != texts.Texts[len(texts.Texts)-1].Letters {
				t.Errorf("%d parts, %v of work: the same message is read in two ways", parts, work)
			}
		}
	}
}

// TestHonestTextsAreRead has as much text as people send, and what is left after opening it.
func TestHonestTextsAreRead(t *testing.T) {
	const size = 19 << 20
	for name, line := range map[string]string{
		"prose":  "<p>The quick brown fox jumps over the lazy dog, and after it <b>over</b> the next one, until it is tired of dogs.</p>\r\n",
		"log":    "203.0.113.7 - - [30/Nov/2026:05:40:24 +0000] \"GET /a/index.html HTTP/1.1\" 200 512 \"https://www.example.com/\" \"Mozilla/5.0 (X11; Linux x86_64)\"\r\n",
		"tables": "12345,\"A name in a table\",someone@example.com,117.25\r\n",
	} {
		p := part("text/plain", "a.txt", strings.Repeat(line, size/len(line)))
		if name == "prose" {
			p = part("text/html", "", strings.Repeat(line, size/len(line)))
		}
		l := DefaultLimits()
		l.Links = 1 << 20 // which is a limit of its own
		texts, err := New(l, Shown).Of(t.Context(), &scan.Message{Work: 900 * time.Millisecond, Parts: []scan.Part{p}})
		if err != nil || len(texts.Texts) != 1 || texts.Texts[0].Page.Cut {
			t.Errorf("%s is not read to its end: %v, %v", name, texts.Unread, err)
		}
	}
}

// TestPicturesHaveLessOfHeavyMessages: where others have done much work for a message already, less
// is left for its pictures.
func TestPicturesHaveLessOfHeavyMessages(t *testing.T) {
	for work, want := range map[time.Duration]time.Duration{
		0: 300 * time.Millisecond, time.Second: 300 * time.Millisecond, 500 * time.Millisecond: 300 * time.Millisecond,
		250 * time.Millisecond: 150 * time.Millisecond,
	} {
		i := New(DefaultLimits(), Shown)
		var most time.Duration
		i.ReadCodes(func(_ context.Context, _ *picture.Set, m time.Duration) ([]picture.Found, error) {
			most = m
			return nil, nil
		})
		if _, err := i.Of(t.Context(), &scan.Message{Work: work, Parts: []scan.Part{shown("image/png", "x")}}); err != nil || most != want {
			t.Errorf("%v of work: %v for pictures, want %v; %v", work, most, want, err)
		}
	}
}
