package guide

import (
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/net/html"
)

// shipped returns the pages of this version.
func shipped(t *testing.T) *Guide {
	t.Helper()
	g, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestPages: every page renders, and leads to what is there.
func TestPages(t *testing.T) {
	g := shipped(t)
	if len(g.Pages()) < 40 {
		t.Errorf("there are %d pages", len(g.Pages()))
	}
	for _, broken := range g.Broken() {
		t.Error(broken)
	}
}

// TestGroups: each page is in one group, and each name in a group is a page's.
func TestGroups(t *testing.T) {
	g := shipped(t)
	in := map[string]string{}
	for _, s := range shelves {
		if titles[s.name] == "" {
			t.Errorf("the group %s has no heading", s.name)
		}
		for _, name := range strings.Fields(s.pages) {
			if in[name] != "" {
				t.Errorf("%s is in %s and in %s", name, in[name], s.name)
			}
			if in[name] = s.name; g.Page(name) == nil {
				t.Errorf("%s of %s is no page", name, s.name)
			}
		}
	}
	for _, p := range g.Pages() {
		if in[p.Name] == "" {
			t.Errorf("%s is in no group", p.Name)
		}
	}
	if first := g.Pages()[0].Name; first != "quickstart" || len(g.Pages()) != len(in) {
		t.Errorf("the first of %d pages is %s", len(g.Pages()), first)
	}
	if list := grouped([]*Page{{Name: "nowhere"}}); len(list) != 1 || list[0].Name != "other" || len(list[0].Pages) != 1 {
		t.Errorf("a page in no group is lost: %+v", list)
	}
}

// forbidden are elements and attributes that the console's policy does not let a page have, or
// that would ask others.
var forbidden = regexp.MustCompile(`^(script|style|iframe|form|img|link|on[a-z]+)$`)

// TestMarkup: what is made loads nothing, has nothing that the policy of the console forbids,
// has each name once, and every link in it leads somewhere.
func TestMarkup(t *testing.T) {
	g := shipped(t)
	for _, p := range g.Pages() {
		ids := map[string]bool{}
		for z := html.NewTokenizer(strings.NewReader(string(p.Body))); z.Next() != html.ErrorToken; {
			token := z.Token()
			if token.Type != html.TextToken && forbidden.MatchString(token.Data) {
				t.Errorf("%s has the element %s", p.Name, token.Data)
			}
			for _, a := range token.Attr {
				switch rest, inside := strings.CutPrefix(a.Val, "/help/"); {
				case forbidden.MatchString(a.Key):
					t.Errorf("%s has the attribute %s", p.Name, a.Key)
				case a.Key == "id" && ids[a.Val]:
					t.Errorf("%s has the name %s twice", p.Name, a.Val)
				case a.Key == "id":
					ids[a.Val] = true
				case a.Key == "href" && inside:
					if page, anchor, _ := strings.Cut(rest, "#"); !g.Has(page, anchor) {
						t.Errorf("%s leads to %s", p.Name, a.Val)
					}
				case a.Key == "href" && !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(a.Val, "https://") && !strings.HasPrefix(a.Val, "mailto:") && a.Val != "http://127.0.0.1:8025":
					t.Errorf("%s leads to %s", p.Name, a.Val)
				}
			}
		}
	}
}

// TestAddress: findings and sections of the configuration have a place, what is not there has none.
func TestAddress(t *testing.T) {
	for place, want := range map[[2]string]string{
		{"findings", "archive/depth"}:  "/help/findings#archive/depth",
		{"config", "dmarc_reports"}:    "/help/config#dmarc_reports",
		{"findings", "archive/nobody"}: "",
		{"nowhere", ""}:                "",
	} {
		if got := Address(place[0], place[1]); got != want {
			t.Errorf("%v: %q, want %q", place, got, want)
		}
	}
}

// TestSearch: what is named is found first, and all words must be there.
func TestSearch(t *testing.T) {
	g := shipped(t)
	if hits := g.Search("archive/depth"); len(hits) == 0 || hits[0].Page.Name != "findings" || hits[0].Anchor != "archive/depth" {
		t.Errorf("%+v", hits)
	}
	if hits := g.Search("Greylisting"); len(hits) == 0 || hits[0].Page.Name != "greylisting" {
		t.Errorf("greylisting: %+v", hits)
	}
	for _, none := range []string{"", "   ", "archive/depth wxyzzy", strings.Repeat("wxyzzy ", 1000), "\xff\xfe"} {
		if hits := g.Search(none); len(hits) != 0 {
			t.Errorf("%.20q: %d hits", none, len(hits))
		}
	}
}

// TestRead: what a page must not be, and how its links are taken.
func TestRead(t *testing.T) {
	name := func(page string) string { return page + ".html" }
	files := fstest.MapFS{
		"a.md": {Data: []byte("# A\n\n<script>x</script>\n\n[b](b.md#two-words) [s](../contrib/x.md) [m](#gone)\n\n| | x |\n|---|---:|\n| `k` | v |\n")},
		"b.md": {Data: []byte("# B\n\n## Two words\n\n## Two words\n")},
	}
	g, err := New(files, name)
	if err != nil {
		t.Fatal(err)
	}
	body := string(g.Page("a").Body)
	for _, want := range []string{`href="b.html#two-words"`, `href="` + Source + `contrib/x.md"`, `<tr id="k">`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
	if strings.Contains(body, "script>") || strings.Contains(body, "style") {
		t.Errorf("markup of a page came through: %s", body)
	}
	if broken := g.Broken(); len(broken) != 1 || broken[0] != "a.md leads to a.md#gone" {
		t.Errorf("broken: %q", broken)
	}
	if !g.Has("b", "two-words-1") {
		t.Error("the second heading of one name has no name of its own")
	}
	if _, err := New(fstest.MapFS{"c.md": {Data: []byte("no title\n")}}, name); err == nil {
		t.Error("a page without a title is taken")
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("# T\n\n| `a` | b |\n|---|---|\n| `c` | [d](e.md) |\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		g, err := New(fstest.MapFS{"x.md": {Data: text}}, func(name string) string { return name })
		if err != nil {
			return
		}
		if bad := regexp.MustCompile(`(?i)<script|<iframe`).FindString(string(g.Page("x").Body)); bad != "" {
			t.Errorf("markup came through: %q", bad)
		}
		g.Search(string(text[:min(len(text), 100)]))
	})
}
