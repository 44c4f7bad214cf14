package console

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// text returns what a page shows.
func text(page string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return strings.Join(strings.Fields(b.String()), " ")
		case html.TextToken:
			b.Write(z.Text())
			b.WriteByte(' ')
		}
	}
}

// ourElements and ourAttributes are all that our templates write.
var (
	ourElements = strings.Fields("html head meta title link body a header div img nav ul li form button main h1 h2 h3 p span footer input section dl dt dd table " +
		"caption thead tbody tr th td details summary label select option strong code pre ol iframe bdi time svg rect text line small search ins del br textarea progress")
	ourAttributes = strings.Fields("lang charset name content rel href type class src alt width height aria-label aria-current aria-pressed aria-labelledby " +
		"aria-describedby aria-hidden method action value id tabindex role for autocomplete spellcheck selected checked scope data-label datetime title open " +
		"required sandbox referrerpolicy loading download viewbox rx x y x1 x2 y1 y2 dy text-anchor preserveaspectratio inputmode placeholder enctype accept rows min max")
)

// foreignIn returns what is in a page that no template of ours writes: other elements and
// attributes, addresses that lead elsewhere, and frames without a lock.
func foreignIn(t *testing.T, page string) (odd []string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if !slices.Contains(ourElements, n.Data) {
			odd = append(odd, "<"+n.Data+">")
		}
		for _, a := range n.Attr {
			key := strings.ToLower(a.Key)
			switch {
			case !slices.Contains(ourAttributes, key):
				odd = append(odd, n.Data+" "+a.Key)
			case (key == "href" || key == "src" || key == "action") && (!strings.HasPrefix(a.Val, "/") || strings.HasPrefix(a.Val, "//")) && a.Val != "#content":
				odd = append(odd, n.Data+" "+a.Key+"="+a.Val)
			case key == "sandbox" && a.Val != "":
				odd = append(odd, "sandbox="+a.Val)
			}
		}
		if n.Data == "iframe" && !slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "sandbox" }) {
			odd = append(odd, "iframe without sandbox")
		}
	}
	return odd
}
