package virus

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/scantest"
)

const mixed = "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n" +
	"Content-Type: text/plain\r\n\r\nTEXT\r\n--b\r\n" +
	"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\nBODY\r\n--b--\r\nepilogue\r\n"

// span is where s stands in mixed.
func span(s string) entity.Span {
	i := int64(strings.Index(mixed, s))
	return entity.Span{Start: i, End: i + int64(len(s))}
}

// opened is mixed, taken apart by hand.
func opened() *scan.Message {
	text := &entity.Entity{Number: "1", Type: "text/plain", Body: span("TEXT")}
	pdf := &entity.Entity{Number: "2", Type: "application/pdf", Names: []string{"a.pdf"}, Disposition: "attachment", Body: span("BODY")}
	return &scan.Message{
		Raw:  scantest.Bytes([]byte(mixed)),
		Root: &entity.Entity{Type: "multipart/mixed", Body: entity.Span{Start: 55, End: int64(len(mixed))}, Children: []*entity.Entity{text, pdf}},
		Parts: []scan.Part{
			{Parent: -1, Path: "1", Type: "text/plain", Entity: text, Content: scantest.Bytes([]byte("TEXT"))},
			{Parent: -1, Path: "2", Type: "application/pdf", Entity: pdf, Content: scantest.Bytes([]byte("BODY"))},
		},
	}
}

// given lists what the engine gets of m, with the parts it is for.
func given(t *testing.T, m *scan.Message, feed Feed) map[string][]int {
	t.Helper()
	got := map[string][]int{}
	for _, q := range questions(m, feed, 1<<20, nil) {
		b, err := io.ReadAll(scan.Reader(q.Content))
		if err != nil {
			t.Fatal(err)
		}
		got[string(b)] = append(got[string(b)], q.parts...)
	}
	return got
}

func TestFeedAuto(t *testing.T) {
	skeleton := skeletonTop + strings.Replace(mixed, "BODY", "", 1)
	got := given(t, opened(), FeedAuto)
	if len(got) != 2 || !slices.Equal(got[skeleton], []int{-1}) || !slices.Equal(got["BODY"], []int{1}) {
		t.Errorf("given %v", got)
	}
}

func TestFeedRawBesides(t *testing.T) {
	for name, change := range map[string]func(*scan.Message){
		"malformed": func(m *scan.Message) { m.Notes = []scan.Finding{{Kind: scan.Malformed, Part: 0}} },
		"ambiguous": func(m *scan.Message) { m.Notes = []scan.Finding{{Kind: scan.Ambiguous, Part: -1}} },
		"limit":     func(m *scan.Message) { m.Notes = []scan.Finding{{Kind: scan.Unscannable, Part: 1}} },
		"unread":    func(m *scan.Message) { m.Parts = append(m.Parts, scan.Part{Parent: -1}) },
	} {
		m := opened()
		change(m)
		got := given(t, m, FeedAuto)
		if len(got) != 3 || got[mixed] == nil || got["TEXT"] == nil || got["BODY"] == nil {
			t.Errorf("%s: given %v", name, got)
		}
	}
	m := opened()
	m.Notes = []scan.Finding{{Kind: scan.Note, Part: 0}}
	if got := given(t, m, FeedAuto); got[mixed] != nil {
		t.Errorf("a harmless note: given %v", got)
	}
}

func TestFeedRawAndBoth(t *testing.T) {
	if got := given(t, opened(), FeedRaw); len(got) != 1 || got[mixed] == nil {
		t.Errorf("raw: given %v", got)
	}
	if got := given(t, opened(), FeedBoth); len(got) != 3 {
		t.Errorf("both: given %v", got)
	}
}

// TestFeedBodies: text that is not surely read out of the skeleton goes as a
// part as well.
func TestFeedBodies(t *testing.T) {
	for name, change := range map[string]func(*entity.Entity){
		"named":      func(e *entity.Entity) { e.Names = []string{"a.txt"} },
		"attached":   func(e *entity.Entity) { e.Disposition = "attachment" },
		"uuencode":   func(e *entity.Entity) { e.Encoding = entity.UUEncode },
		"long head":  func(e *entity.Entity) { e.Head = entity.Span{Start: 0, End: bodyHead + 1} },
		"deep":       func(e *entity.Entity) { e.Number = "1.1.1.1.1.1.1" },
		"other type": func(e *entity.Entity) { e.Type = "image/png" },
	} {
		m := opened()
		change(m.Parts[0].Entity)
		if got := given(t, m, FeedAuto); got["TEXT"] == nil {
			t.Errorf("%s: given %v", name, got)
		}
	}
	m := opened()
	for range bodyParts {
		m.Parts = append(m.Parts, scan.Part{Parent: -1, Content: scantest.Bytes([]byte("z"))})
	}
	if got := given(t, m, FeedAuto); got["TEXT"] == nil {
		t.Error("many parts: the text is not given")
	}
	m = opened()
	m.Parts[0].Entity = &entity.Entity{Type: "text/plain"} // of an attached message that was decoded first
	if got := given(t, m, FeedAuto); got["TEXT"] == nil {
		t.Error("foreign entity: the text is not given")
	}
}

// archived is a message with a zip archive of the given members, opened.
func archived(t *testing.T, method uint16, members ...string) *scan.Message {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	w.RegisterCompressor(93, func(out io.Writer) (io.WriteCloser, error) { return nopCloser{out}, nil })
	m := scantest.Message("Subject: zip\r\n\r\n", scan.Part{Parent: -1, Path: "1", Opened: true})
	for i, text := range members {
		f, err := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprint(i), Method: method})
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, text)
		m.Parts = append(m.Parts, scan.Part{Parent: 0, Path: fmt.Sprint("1/", i), Content: scantest.Bytes([]byte(text)), Archived: true})
	}
	w.Close()
	m.Parts[0].Content = scantest.Bytes(b.Bytes())
	return m
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

func TestFeedZip(t *testing.T) {
	for name, c := range map[string]struct {
		m    *scan.Message
		want bool // the member is given apart from its archive
	}{
		"stored":   {archived(t, zip.Store, "member"), false},
		"deflated": {archived(t, zip.Deflate, "member"), false},
		"zstd":     {archived(t, 93, "member"), true},
		"large":    {archived(t, zip.Deflate, "member", strings.Repeat("z", 1<<20)), true},
		"noted":    {with(archived(t, zip.Store, "member"), func(m *scan.Message) { m.Notes = []scan.Finding{{Kind: scan.Malformed}} }), true},
		"closed":   {with(archived(t, zip.Store, "member"), func(m *scan.Message) { m.Parts[0].Opened = false }), true},
		"no zip":   {with(archived(t, zip.Store, "member"), func(m *scan.Message) { m.Parts[0].Content = scantest.Bytes([]byte("Rar!")) }), true},
	} {
		got := given(t, c.m, FeedAuto)
		if (got["member"] != nil) != c.want {
			t.Errorf("%s: the member goes by itself: %v", name, !c.want)
		}
		all, _ := io.ReadAll(scan.Reader(c.m.Parts[0].Content))
		if got[string(all)] == nil {
			t.Errorf("%s: the archive is not given", name)
		}
	}
}

func with(m *scan.Message, change func(*scan.Message)) *scan.Message {
	change(m)
	return m
}

// TestFeedZipDepth: members further in than any engine surely goes are given
// apart.
func TestFeedZipDepth(t *testing.T) {
	inner := "innermost"
	var m *scan.Message
	var contents []string
	for range zipDepth + 2 {
		m = archived(t, zip.Store, inner)
		contents = append(contents, inner)
		b, _ := io.ReadAll(scan.Reader(m.Parts[0].Content))
		inner = string(b)
	}
	contents = append(contents, inner)
	m.Parts = nil
	for i := len(contents) - 1; i >= 0; i-- {
		n := len(m.Parts)
		m.Parts = append(m.Parts, scan.Part{Parent: n - 1, Path: fmt.Sprint(n), Content: scantest.Bytes([]byte(contents[i])), Opened: i > 0, Archived: n > 0})
	}
	got := given(t, m, FeedAuto)
	for i, c := range contents {
		depth := len(contents) - 1 - i
		if want := depth == 0 || depth > zipDepth; (got[c] != nil) != want {
			t.Errorf("at depth %d: given by itself: %v", depth, !want)
		}
	}
}

// FuzzSkeleton: whatever the spans say, the skeleton is cut out of the message
// in order, and nothing is left out but bodies.
func FuzzSkeleton(f *testing.F) {
	f.Add(int64(10), int64(20), int64(30), int64(40))
	f.Add(int64(30), int64(40), int64(10), int64(20))
	f.Add(int64(-5), int64(1000), int64(7), int64(3))
	f.Fuzz(func(t *testing.T, a, b, c, d int64) {
		m := opened()
		m.Root.Children[0].Type = "image/png"
		m.Root.Children[0].Body = entity.Span{Start: a, End: b}
		m.Root.Children[1].Body = entity.Span{Start: c, End: d}
		text, err := io.ReadAll(scan.Reader(newSkeleton(m.Raw, m.Root)))
		if err != nil {
			t.Fatal(err)
		}
		rest, ok := strings.CutPrefix(string(text), skeletonTop)
		if !ok || !subsequence(rest, mixed) {
			t.Errorf("skeleton %q", text)
		}
		least := int64(len(mixed)) - max(b-a, 0) - max(d-c, 0)
		if int64(len(rest)) < least {
			t.Errorf("%d bytes, want at least %d", len(rest), least)
		}
	})
}

// subsequence reports whether s is t with bytes left out.
func subsequence(s, t string) bool {
	for i := range len(t) {
		if s != "" && s[0] == t[i] {
			s = s[1:]
		}
	}
	return s == ""
}
