package content

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/open/texts"
)

// newList is a list as it is shipped, with a name and words, changed.
func newList(change func(*List), words ...string) List {
	var l List
	l.SetDefaults()
	l.Name, l.Words = "x", words
	if change != nil {
		change(&l)
	}
	return l
}

func looking(where ...Where) func(*List) { return func(l *List) { l.Where = where } }

// mixed is a message with a word in every place.
func mixed() *scan.Message {
	return &scan.Message{
		Header: entity.Header{Fields: []entity.Field{{Name: "From", Value: " a@example.com"}, {Name: "subject", Value: " =?utf-8?q?in_the_subj=C3=A9ct?="}, {Name: "X-Note", Value: " headword"}}},
		Parts: []scan.Part{
			part("text/plain", "", "a Plain\r\nword, and Grüße"),
			part("text/html", "", "<p>a <b>hyper</b>word<p>sec\u200bret</p><p style=display:none>unseen</p>"),
			part("text/plain", "nameword.txt", "an attached text"),
			{Parent: -1, Path: "4/word/document.xml", Names: []string{"word/document.xml"}, Archived: true, Content: part("", "", "<w:t>office</w:t><w:t>word</w:t>").Content},
		},
	}
}

func TestLists(t *testing.T) {
	for _, tt := range []struct {
		name string
		list List
		want string // the details, "" for no finding
	}{
		{"subject", newList(nil, "subject"), `1 hit: "subject" in the subject`},
		{"text, over lines", newList(nil, "plain WORD"), `1 hit: "plain WORD" in the text`},
		{"folded", newList(nil, "grusse"), `1 hit: "grusse" in the text`},
		{"folded the other way", newList(nil, "GRÜSSE"), `1 hit: "GRÜSSE" in the text`},
		{"only case folded", newList(func(l *List) { l.Fold = FoldCase }, "grusse", "PLAIN"), `1 hit: "PLAIN" in the text`},
		{"nothing folded", newList(func(l *List) { l.Fold = FoldNone }, "plain", "Grüße"), `1 hit: "Grüße" in the text`},
		{"HTML in pieces", newList(nil, "hyperword"), `1 hit: "hyperword" in the html`},
		{"characters that do not show", newList(nil, "secret"), `1 hit: "secret" in the html`},
		{"hidden by style", newList(nil, "unseen"), ""},
		{"attachment", newList(nil, "attached text"), `1 hit: "attached text" in the attachment`},
		{"document", newList(nil, "officeword"), `1 hit: "officeword" in the attachment`},
		{"whole words", newList(nil, "wor", "ord"), ""},
		{"any letters", newList(func(l *List) { l.WholeWord = false }, "fficewor"), `1 hit: "fficewor" in the attachment`},
		{"names", newList(looking(InNames), "nameword.txt"), `1 hit: "nameword.txt" in the names`},
		{"headers", newList(looking(InHeaders), "headword", "subject"), `3 hits: "subject" in the headers, "headword" in the headers`},
		{"not there", newList(looking(InSubject), "plain", "officeword", "headword"), ""},
		{"several", newList(nil, "plain", "hyperword", "subject"), `3 hits: "subject" in the subject, "plain" in the text, "hyperword" in the html`},
		{"pattern", newList(func(l *List) { l.Patterns = []string{`hyper[a-z]+`, `p[l]ain`} }), `2 hits: "Plain" in the text, "hyperword" in the html`},
		{"pattern with case", newList(func(l *List) { l.Patterns, l.Fold = []string{`[pP]lain`, `HYPER`}, FoldNone }), `1 hit: "Plain" in the text`},
	} {
		c := DefaultConfig()
		c.Lists = []List{tt.list}
		_, got := found(t, c, mixed())
		want := ""
		if tt.want != "" {
			want = "content/list-x: " + tt.want + "\n"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", tt.name, got, want)
		}
	}
}

func TestListsAreCountedApart(t *testing.T) {
	c := DefaultConfig()
	c.Lists = []List{newList(func(l *List) { l.Name, l.Score = "a", 2.5 }, "plain"), newList(func(l *List) { l.Name = "b"; l.Fold = FoldNone }, "Plain"), newList(func(l *List) { l.Name = "c" }, "no such")}
	s, err := New(c, With{Texts: texts.New(c.Limits, texts.Everything)})
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.Scan(t.Context(), mixed())
	if err != nil || len(f) != 2 || f[0].Rule != "content/list-a" || f[0].Score != 2.5 || f[0].Part != 0 || f[1].Rule != "content/list-b" {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestHitsAreBounded(t *testing.T) {
	c := DefaultConfig()
	c.Lists = []List{newList(nil, "word")}
	m := &scan.Message{Parts: []scan.Part{part("text/plain", "", strings.Repeat("word ", 10_000))}}
	if _, got := found(t, c, m); got != "content/list-x: 1000 hits: \"word\" in the text\n" {
		t.Errorf("%q", got)
	}
}

func TestTextThatIsNotSearchedIsSaid(t *testing.T) {
	c := DefaultConfig()
	c.Lists = []List{newList(nil, "word")}
	c.Limits.Text = 100
	m := &scan.Message{Parts: []scan.Part{part("text/plain", "", strings.Repeat("text ", 1000))}}
	if rules, _ := found(t, c, m); strings.Join(rules, " ") != "limit" {
		t.Errorf("found %q", rules)
	}
	c.Lists = nil
	if rules, _ := found(t, c, m); len(rules) > 0 {
		t.Errorf("found %q", rules)
	}
}

func TestListsInFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	c := DefaultConfig()
	c.Lists = []List{newList(func(l *List) { l.Files = []string{write("good", "\ufeff# comment\n\n hyperword \r\n/pl.in/\n")} })}
	if _, got := found(t, c, mixed()); got != `content/list-x: 2 hits: "Plain" in the text, "hyperword" in the html`+"\n" {
		t.Errorf("%q", got)
	}
	for file, want := range map[string]string{write("bad", "word\n/(/\n"): "bad:2: ", write("empty", "/x*/"): "empty:1: ", filepath.Join(dir, "missing"): "no such file"} {
		c.Lists[0].Files = []string{file}
		if _, err := New(c, With{Texts: texts.New(c.Limits, texts.Everything)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestListsAreChecked(t *testing.T) {
	for want, lists := range map[string][]List{
		"is no name":    {newList(func(l *List) { l.Name = "A list" }, "word")},
		"has no words":  {newList(nil)},
		"looks nowhere": {newList(looking(), "word")},
		"missing clos":  {newList(func(l *List) { l.Patterns = []string{"("} })},
		"two lists":     {newList(nil, "a"), newList(nil, "b")},
	} {
		c := DefaultConfig()
		c.Lists = lists
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestWordsOfTheConfiguration(t *testing.T) {
	var w Where
	var f Fold
	if w.UnmarshalText([]byte("names")) != nil || w != InNames || w.UnmarshalText([]byte("x")) == nil {
		t.Error("where", w)
	}
	if f.UnmarshalText([]byte("case")) != nil || f != FoldCase || f.UnmarshalText([]byte("x")) == nil {
		t.Error("fold", f)
	}
}

// text is words with so many letters, the common ones more often, up to n bytes.
func text(n, shortest, longest int) string {
	const letters = "eeeeettttaaaooinnsshhrrdlcumwfgypbvkjxqz"
	r := rand.New(rand.NewPCG(uint64(shortest), uint64(longest)))
	var b strings.Builder
	for b.Len() < n {
		for range shortest + r.IntN(longest-shortest+1) {
			b.WriteByte(letters[r.IntN(len(letters))])
		}
		b.WriteString(" \n"[r.IntN(10)/9:][:1])
	}
	return b.String()
}

// BenchmarkLists looks for words in a text of 10 MB as the scanner does.
func BenchmarkLists(b *testing.B) {
	body := text(10<<20, 2, 9)
	for _, n := range []int{10, 1000, 10_000} {
		c := DefaultConfig()
		c.Limits.Text = 16 << 20
		c.Lists = []List{newList(nil, strings.Fields(text(n*14, 6, 13))[:n]...)}
		s, err := New(c, With{Texts: texts.New(c.Limits, texts.Everything)})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				m := &scan.Message{Parts: []scan.Part{part("text/plain", "", body)}}
				if _, err := s.Scan(b.Context(), m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
