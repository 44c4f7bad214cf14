package markup

import (
	"strings"
	"testing"
)

// hungry are texts that take long to read for their size.
var hungry = map[string]struct {
	read             func(Source, Limits) (*Page, error)
	begin, text, end string
}{
	"short elements":     {read: ReadHTML, text: "<p>x"},
	"attributes":         {read: ReadXML, text: "<a b='c' d='e'/>\n"},
	"names alone":        {read: ReadHTML, text: "<p a b c d e f g h i j k l m n>"},
	"links":              {read: ReadHTML, text: "<a href=http://e.example/>x</a>"},
	"pictures":           {read: ReadHTML, text: "<img src=http://e.example/a.gif width=1 height=1>"},
	"scripts":            {read: ReadHTML, text: "<script>x</script>"},
	"handlers":           {read: ReadHTML, text: "<p onx=y>"},
	"comments":           {read: ReadHTML, text: "<!--[if mso]><p><![endif]-->"},
	"what may be tags":   {read: ReadHTML, begin: "<svg>", text: "<!--<b a>x</b>-->"},
	"a sheet at the end": {read: ReadHTML, begin: "x", text: "<p class=a><b>x</b>", end: "<style>" + strings.Repeat("p .b u{display:none}", 300) + "</style>"},
	"addresses":          {read: ReadText, text: "http://e.example/x www.a.example\n"},
	"words with dots":    {read: ReadText, text: "a.b.c "},
	"prose":              {read: ReadText, text: "The quick brown fox jumps over the lazy dog\n"},
	"controls of RTF":    {read: ReadRTF, begin: "{\\rtf1 ", text: `\b\i0 x`, end: "}"},
}

// worked reads n times the text, with so much work at most, and returns the work and the page.
func worked(t *testing.T, kind string, n int, most int64) (work int64, page *Page) {
	t.Helper()
	h := hungry[kind]
	text := h.begin + strings.Repeat(h.text, n) + h.end
	s := NewSource(strings.NewReader(text), int64(len(text)), "").Metered(func(steps int64) bool {
		work += steps
		return most == 0 || work <= most
	})
	page, err := h.read(s, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return work, page
}

// TestReadingIsMetered: work grows with a text and no faster, and ends soon after it may go on no
// longer. What was read by then is in the page.
func TestReadingIsMetered(t *testing.T) {
	for kind, h := range hungry {
		t.Run(kind, func(t *testing.T) {
			const n = 20_000
			few, _ := worked(t, kind, n, 0)
			many, whole := worked(t, kind, 4*n, 0)
			if bytes := int64(n * len(h.text)); few < bytes*pricePlain || many < 3*few || many > 6*few {
				t.Errorf("%d bytes take %d ps, four times as many %d", bytes, few, many)
			}
			most := many / 8
			cut, page := worked(t, kind, 4*n, most)
			block := int64(64<<10)*priceSyntax + int64(64<<10)/4*priceWord
			if !page.Cut || cut > most+block || cut < most {
				t.Errorf("of %d ps, %d may be spent, and %d were; cut: %v", many, most, cut, page.Cut)
			}
			if again, _ := worked(t, kind, 4*n, most); again != cut {
				t.Errorf("the same text took %d ps, and then %d", cut, again)
			}
			if whole.Letters > 0 && page.Letters == 0 {
				t.Error("what was read before the end is lost")
			}
		})
	}
}

// TestPagesReadTwiceArePaidTwice has a page whose style sheet comes after its text.
func TestPagesReadTwiceArePaidTwice(t *testing.T) {
	text := strings.Repeat("<p>x", 1000)
	cost := func(page string) (work int64) {
		s := NewSource(strings.NewReader(page), int64(len(page)), "").Metered(func(steps int64) bool { work += steps; return true })
		if _, err := ReadHTML(s, DefaultLimits()); err != nil {
			t.Fatal(err)
		}
		return work
	}
	style := "<style>b{display:none}</style>"
	if before, after := cost(style+text), cost(text+style); after < 2*before*9/10 {
		t.Errorf("with a sheet before it a page costs %d, with one after it %d", before, after)
	}
}
