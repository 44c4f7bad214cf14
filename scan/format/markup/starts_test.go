package markup

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// splitPages returns pages in which some client shows a link to "shown". A browser judges
// them in tests/browser.
func splitPages(t testing.TB) (all []string) {
	t.Helper()
	text, err := os.ReadFile("testdata/split.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			all = append(all, strings.TrimSuffix(line, "\n"))
		}
	}
	return all
}

// ignoring are pages that only browsers split so which ignore elements in select, as they did
// before it could hold any.
var ignoring = []string{
	"<select><style></select><a href=shown>x</a></style>",
	"<select><title></select><a href=shown>x</a></title>",
	"<select><xmp><!--</select></xmp><a href=shown>x</a>-->",
}

func TestLinksThatBrowsersShow(t *testing.T) {
	for _, in := range append(splitPages(t), ignoring...) {
		p, err := ReadHTML(source(in, ""), DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(p.Links, func(l Link) bool { return l.Href == "shown" }) || p.Cut {
			t.Errorf("%s: links %+v, cut %v", in, p.Links, p.Cut)
		}
	}
}

// TestMaybe shows what is given of other tokens, and how far.
func TestMaybe(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     []string
	}{
		{"before there is doubt", "<!--<a>--><svg>", []string{"!", "<svg"}},
		{"comment", "<svg><!--<b>x</b>y-->", []string{"<svg", "!", "2:<b", `2:"x"`, "2:/b", `2:"y-->"`}},
		{"literal", "<math><style>p{}<P>x</style>", []string{"<math", "<style", "style:\"p{}<P>x\"", "2:<p", `2:"x"`, "/style"}},
		{"script in a style", "<svg><style><script>a<b</script></style>", []string{"<svg", "<style", "style:\"<script>a<b</script>\"",
			"2:<script", "2:script:\"a<b\"", "2:/script", `2:<b< script=""`, "/style"}},
		{"attribute", "<select><p title='<b>x'>", []string{"<select", `<p title="<b>x"`, "2:<b", "2:\"x'>\""}},
		{"inner ones first", "<svg><style><a title='<i>' href=y>x</style>", []string{"<svg", "<style", "style:\"<a title='<i>' href=y>x\"",
			"2:<i", `2:<a title="<i>" href="y"`, `2:"x"`, "/style"}},
		{"across the end", "<svg><style><a title='</style>' href=y>x</a>", []string{"<svg", "<style", "style:\"<a title='\"",
			`2:<a title="</style>" href="y"`, `2:"x"`, "/style", `"' href=y>x"`, "/a"}},
		{"no end", "<svg><style><a title='</style>", []string{"<svg", "<style", "style:\"<a title='\"", `2:<a title="</style>"`, "/style"}},
		{"read again anyway", "<svg><!--[if mso]><b>x<![endif]-->", []string{"<svg", "!", "2:<b", `2:"x"`, "2:!"}},
		{"read again, with more behind", "<svg><!--[if mso]><b title='<![endif]-->' c>x", []string{"<svg", "!",
			`2:<b title="<![endif]-->" c=""`, `2:"x"`, "2:<b title=\"<![endif]\"", `"' c>x"`}},
	} {
		if got := tokens(t, source(tt.in, ""), 1<<20); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %s gives\n\t%s\nwant\n\t%s", tt.name, tt.in, strings.Join(got, " "), strings.Join(tt.want, " "))
		}
	}
}

// TestDeeperThanLayers: what is in many things without end is found all the same.
func TestDeeperThanLayers(t *testing.T) {
	for _, in := range []string{
		"<title><textarea><style><xmp><iframe><noembed><a href=shown>x</a>",
		"<!--<title><!--<textarea><!--<style><!--<a href=shown>x</a>",
		"<p a='><p a='><p a='><p a='><p a='><a href=shown>x</a>",
	} {
		p, err := ReadHTML(source(in, ""), DefaultLimits())
		if err != nil || !slices.ContainsFunc(p.Links, func(l Link) bool { return l.Href == "shown" }) {
			t.Errorf("%s: links %+v, error %v", in, p.Links, err)
		}
	}
}

// TestMaybeIsBounded has pages with very many places to try, and tags that go on for long.
func TestMaybeIsBounded(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		cut      bool
	}{
		{"tags in each other", "<svg><style>" + strings.Repeat("<a ", 100_000) + "</style>", true},
		{"tags that go on behind", "<svg>" + strings.Repeat(`<p title=">"><style><a x='`+strings.Repeat(" ", 60_000)+"</style>", 20), false},
		{"a tag that goes on for too long", "<svg><style><a title='</style>" + strings.Repeat("x", 2*mostAhead) + "' href=y>", true},
		{"tags one after the other", "<svg><style>" + strings.Repeat("<b>x</b>", 100_000) + "</style>", false},
		{"a long script", "<svg><style><script>" + strings.Repeat("x < y; ", 100_000) + "</script></style>", false},
	} {
		r := NewReader(source(tt.in, ""), 4<<20)
		n := 0
		for ; ; n++ {
			if _, err := r.Next(); err != nil {
				break
			}
		}
		if r.Cut() != tt.cut || r.starts.tried > mostTried+len(tt.in)+mostAhead {
			t.Errorf("%s: %d tokens, %d bytes tried, cut %v", tt.name, n, r.starts.tried, r.Cut())
		}
	}
}

// TestMaybeShowsNothing: what is a tag only for some does not change how the rest is shown.
func TestMaybeShowsNothing(t *testing.T) {
	in := "<svg></svg><!-- <div style=display:none> <base href=http://base.example/> --><a href=x>text</a><!-- <form action=y> <p>words -->"
	p, err := ReadHTML(source(in, ""), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	var links, elements []string
	for _, l := range p.Links {
		links = append(links, l.Target)
	}
	for _, e := range p.Elements {
		elements = append(elements, e.Name)
	}
	if p.Hidden != 0 || p.Letters != len("text") || p.Links[1].Hidden || !strings.Contains(p.Text, "words") ||
		!slices.Equal(links, []string{"http://base.example/", "x", "y"}) || !slices.Equal(elements, []string{"svg", "base", "form"}) {
		t.Errorf("links %q, elements %q, page %+v", links, elements, p)
	}
}
