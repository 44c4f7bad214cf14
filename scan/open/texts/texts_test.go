package texts

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/scantest"
)

func part(mediaType, name, content string) scan.Part {
	p := scan.Part{Parent: -1, Path: "1", Type: mediaType, Entity: &entity.Entity{Type: mediaType}, Content: scantest.Bytes([]byte(content))}
	if name != "" {
		p.Names = []string{name}
	}
	return p
}

func member(name, content string) scan.Part {
	return scan.Part{Parent: -1, Path: "1/" + name, Names: []string{name}, Archived: true, Content: scantest.Bytes([]byte(content))}
}

func with(p scan.Part, change func(*scan.Part)) scan.Part {
	change(&p)
	return p
}

// listed writes an inventory: form, place and links.
func listed(t *Texts) (all []string) {
	for _, text := range t.Texts {
		s := fmt.Sprintf("%d %s %d", text.Part, text.Form, text.Place)
		for _, l := range text.Links {
			s += " " + l.Target
		}
		all = append(all, s)
	}
	return all
}

func TestFormsAndPlaces(t *testing.T) {
	html := part("text/html", "", "<a href=http://x.test>y</a>")
	attached := with(html, func(p *scan.Part) { p.Entity = &entity.Entity{Disposition: "attachment"} })
	for _, tt := range []struct {
		name string
		part scan.Part
		want string
	}{
		{"body", html, "0 HTML 0 http://x.test"},
		{"attachment", attached, "0 HTML 1 http://x.test"},
		{"named", part("text/html", "a.html", "<a href=http://x.test>"), "0 HTML 1 http://x.test"},
		{"by name", part("application/octet-stream", "a.HTM.", "<a href=http://x.test>"), "0 HTML 1 http://x.test"},
		{"by content", with(part("text/plain", "", "<html><a href=http://x.test>"), func(p *scan.Part) { p.Sniffed = "text/html" }), "0 HTML 0 http://x.test"},
		{"member", member("a.html", "<a href=http://x.test>"), "0 HTML 2 http://x.test"},
		{"text", part("text/plain", "", "see http://x.test/"), "0 text 0 http://x.test/"},
		{"text member", member("a.txt", "see http://x.test/"), ""},
		{"svg", part("image/svg+xml", "a.svg", "<svg><a xlink:href='http://x.test'/></svg>"), "0 SVG 1 http://x.test"},
		{"calendar", part("text/calendar", "", "URL:http://x.te\r\n st/a\\,b\r\n"), "0 calendar 0 http://x.test/a,b"},
		{"document", member("word/_rels/document.xml.rels", `<Relationship Target="http://x.test/" TargetMode="External"/>`), "0 relations 2 http://x.test/"},
		{"PDF", part("application/pdf", "a.pdf", "%PDF-1.4 /A<</S/URI/URI(http://x.test/a\\(b\\))>>"), "0 PDF 1 http://x.test/a(b)"},
		{"document's text", member("word/document.xml", `<w:p><w:r><w:t>see http://x.te</w:t></w:r><w:r><w:t>st/a</w:t></w:r></w:p>`), "0 document 2 http://x.test/a"},
		{"document's field", member("word/document.xml", `<w:instrText> HYPERLINK "http://x.test/a" </w:instrText>`), "0 document 2 http://x.test/a"},
		{"OpenDocument", member("content.xml", `<text:p><text:a xlink:href="http://x.test/">here</text:a></text:p>`), "0 document 2 http://x.test/"},
		{"document's settings", member("word/settings.xml", `<w:x/>`), ""},
		{"RTF", part("application/rtf", "a.rtf", `{\rtf1 http://x.test/\par}`), "0 RTF 1 http://x.test/"},
		{"RTF with files in it", with(part("application/rtf", "a.rtf", `{\rtf1 http://x.test/\par}`), func(p *scan.Part) { p.Opened, p.Sniffed = true, "text/rtf" }), "0 RTF 1 http://x.test/"},
		{"picture", part("image/png", "a.png", "x"), ""},
		{"multipart", with(html, func(p *scan.Part) { p.Content = nil }), ""},
		{"container", with(part("application/zip", "a.html", "PK"), func(p *scan.Part) { p.Opened = true }), ""},
	} {
		texts, err := New(DefaultLimits(), Everything).Of(t.Context(), &scan.Message{Parts: []scan.Part{tt.part}})
		if got := strings.Join(listed(texts), ";"); err != nil || got != tt.want {
			t.Errorf("%s: %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
}

// TestViewsAreNotReadTwice has a part in UTF-16 and its view in UTF-8.
func TestViewsAreNotReadTwice(t *testing.T) {
	wide := part("text/html", "", "<\x00a\x00 \x00h\x00r\x00e\x00f\x00=\x00x\x00>\x00")
	wide.Entity.Charset = "utf-16le"
	view := with(wide, func(p *scan.Part) { p.Parent, p.Content = 0, scantest.Bytes([]byte("<a href=x>")) })
	texts, err := New(DefaultLimits(), Everything).Of(t.Context(), &scan.Message{Parts: []scan.Part{wide, view}})
	if got := listed(texts); err != nil || !slices.Equal(got, []string{"0 HTML 0 x"}) || !texts.Texts[0].Decoded {
		t.Errorf("%q, %v", got, err)
	}
}

func TestLinksOfPDFsAtAnyPlace(t *testing.T) {
	var b strings.Builder
	n := 0
	for b.Len() < 600<<10 {
		fmt.Fprintf(&b, "/URI(http://x.test/%d)", n)
		n++
	}
	texts, err := New(DefaultLimits(), Everything).Of(t.Context(), &scan.Message{Parts: []scan.Part{part("application/pdf", "", b.String())}})
	if err != nil || len(texts.Texts[0].Links) != min(n, DefaultLimits().Links) {
		t.Fatalf("%d of %d, %v", len(texts.Texts[0].Links), n, err)
	}
	for i, l := range texts.Texts[0].Links {
		if l.Target != fmt.Sprintf("http://x.test/%d", i) {
			t.Fatalf("link %d is %s", i, l.Target)
		}
	}
}

func TestLimitsHoldForTheMessage(t *testing.T) {
	l := DefaultLimits()
	l.Total, l.Links = 100, 3
	links := part("text/html", "", "<a href=x><a href=x>")
	m := &scan.Message{Parts: []scan.Part{links, links, part("text/plain", "", strings.Repeat("x", 80)), links}}
	texts, err := New(l, Everything).Of(t.Context(), m)
	if err != nil || len(texts.Texts) != 3 || !slices.Equal(texts.Unread, []Unread{{2, Plain}}) || !texts.Texts[1].Cut {
		t.Fatalf("%q, left out %v, %v", listed(texts), texts.Unread, err)
	}
	n := 0
	for range texts.Links() {
		n++
	}
	if n != 3 {
		t.Errorf("%d links", n)
	}
}

// counted is content that counts how often its beginning is read.
type counted struct {
	scan.Content
	reads atomic.Int32
}

func (c *counted) ReadAt(p []byte, off int64) (int, error) {
	if off == 0 {
		c.reads.Add(1)
	}
	return c.Content.ReadAt(p, off)
}

func TestEachMessageIsReadOnce(t *testing.T) {
	c := &counted{Content: scantest.Bytes([]byte("<a href=x>"))}
	m := &scan.Message{Parts: []scan.Part{with(part("text/html", "", "-"), func(p *scan.Part) { p.Content = c })}}
	i := New(DefaultLimits(), Everything)
	if _, err := i.Of(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	once := c.reads.Load()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { i.Of(t.Context(), m) })
	}
	wg.Wait()
	if c.reads.Load() != once {
		t.Errorf("read %d times, then %d", once, c.reads.Load())
	}
	runtime.KeepAlive(m)
}

func TestWhatWasNotFinishedIsReadAgain(t *testing.T) {
	done, cancel := context.WithCancel(t.Context())
	cancel()
	m := &scan.Message{Parts: []scan.Part{part("text/html", "", "<a href=x>")}}
	i := New(DefaultLimits(), Everything)
	if _, err := i.Of(done, m); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if texts, err := i.Of(t.Context(), m); err != nil || len(texts.Texts) != 1 {
		t.Errorf("%v, %v", texts, err)
	}
}

type broken struct{ scan.Content }

var errBroken = errors.New("broken")

func (broken) ReadAt([]byte, int64) (int, error) { return 0, errBroken }

func TestUnreadablePartsAreErrors(t *testing.T) {
	for _, kind := range []string{"text/html", "text/plain", "text/calendar", "application/pdf", "image/svg+xml"} {
		good := part("text/html", "", "<a href=x>")
		bad := with(part(kind, "", "x"), func(p *scan.Part) { p.Content = broken{p.Content} })
		texts, err := New(DefaultLimits(), Everything).Of(t.Context(), &scan.Message{Parts: []scan.Part{bad, good}})
		if !errors.Is(err, errBroken) || len(texts.Texts) != 1 {
			t.Errorf("%s: %v, %v", kind, listed(texts), err)
		}
	}
}

// TestExtent has a page, a text and a file: what clients do not show is read only
// where its links are wanted, and words are kept only where these are.
func TestExtent(t *testing.T) {
	m := &scan.Message{Parts: []scan.Part{
		part("text/html", "", "<a href=http://a.test>one</a>"),
		part("text/plain", "", "two http://b.test"),
		part("application/pdf", "c.pdf", "/URI (http://c.test)"),
	}}
	for extent, want := range map[Extent]string{
		Shown:      "http://a.test http://b.test|",
		Linked:     "http://a.test http://b.test http://c.test|",
		Everything: "http://a.test http://b.test http://c.test|one two http://b.test ",
	} {
		texts, err := New(DefaultLimits(), extent).Of(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		var links, words []string
		for text, l := range texts.Links() {
			links = append(links, l.Href)
			if text.Cut {
				t.Errorf("%s is cut", text.Form)
			}
		}
		for _, text := range texts.Texts {
			words = append(words, text.Text)
		}
		if got := strings.Join(links, " ") + "|" + strings.TrimLeft(strings.Join(words, " "), " "); got != want {
			t.Errorf("extent %d gives %q, want %q", extent, got, want)
		}
	}
}
