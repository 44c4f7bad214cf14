package browser

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/milterscan/milterscan/scan/format/markup"
)

// linksOf is a script that returns where the links of pages lead: as read where scripts run,
// then where none do.
const linksOf = `(pages => {
	const frame = document.body.appendChild(document.createElement("iframe"));
	const of = page => [...page.querySelectorAll("a")].map(a => a.getAttribute("href") || a.getAttribute("xlink:href") || "");
	return pages.map(text => {
		const page = frame.contentDocument;
		page.open();
		page.write(text);
		page.close();
		return [of(page), of(new DOMParser().parseFromString(text, "text/html"))];
	});
})`

// shownLinks returns what the browser makes of pages.
func shownLinks(b *tab, pages []string) [][2][]string {
	b.t.Helper()
	list, err := json.Marshal(pages)
	if err != nil {
		b.t.Fatal(err)
	}
	return ask(b, chromedp.Evaluate[[][2][]string](linksOf+"("+string(list)+")"))
}

// TestSplitPages has the browser judge the pages of the tests of package markup.
func TestSplitPages(t *testing.T) {
	needBrowser(t)
	text, err := os.ReadFile(filepath.Join(root, "scan", "format", "markup", "testdata", "split.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var pages []string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			pages = append(pages, strings.TrimSuffix(line, "\n"))
		}
	}
	b := newTab(t, chromium(t), "", 1000)
	for i, shown := range shownLinks(b, pages) {
		if !slices.Contains(slices.Concat(shown[0], shown[1]), "shown") {
			t.Errorf("the browser shows no such link: %s", pages[i])
		}
	}
}

// splitPieces are what browsers split pages at, and what changes where they do.
var splitPieces = []string{"<!--", "-->", "--!>", "<!-", "<![CDATA[", "]]>", "<?", ">", "<", "</", "\"", "'", "=", "/", " ",
	"<svg>", "</svg>", "<math>", "</math>", "<mi>", "</mi>", "<foreignobject>", "</foreignobject>", "<desc>", "<annotation-xml encoding=text/html>",
	"<style>", "</style>", "<title>", "</title>", "<textarea>", "</textarea>", "<xmp>", "</xmp>", "<iframe>", "</iframe>",
	"<noembed>", "</noembed>", "<noframes>", "</noframes>", "<noscript>", "</noscript>", "<script>", "</script>", "<script ", "</script ",
	"<select>", "</select>", "<option>", "<table>", "</table>", "<tr>", "<td>", "<template>", "</template>", "<p>", "</p>", "<div>", "<b>", "<br>",
	"<p title=\"", "<p title='", "<img alt=\"", "</p title='", "<head>", "</head>", "<body>", "<frameset>", "<frame ", "<button>", "x"}

// TestNoLinkIsMissed makes pages by chance: whatever link the browser shows the reader has found.
func TestNoLinkIsMissed(t *testing.T) {
	needBrowser(t)
	b := newTab(t, chromium(t), "", 1000)
	r := rand.New(rand.NewPCG(3, 4))
	links := 0
	for range 40 {
		pages := make([]string, 500)
		for i := range pages {
			pages[i] = splitByChance(r)
		}
		for i, shown := range shownLinks(b, pages) {
			page, err := markup.ReadHTML(markup.NewSource(strings.NewReader(pages[i]), int64(len(pages[i])), "utf-8"), markup.DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			for _, href := range slices.Concat(shown[0], shown[1]) {
				links++
				if href != "" && !slices.ContainsFunc(page.Links, func(l markup.Link) bool { return l.Href == href }) {
					t.Errorf("the browser shows a link to %q in %q", href, pages[i])
				}
			}
		}
	}
	if links < 10_000 {
		t.Errorf("the browser shows %d links only", links)
	}
}

func splitByChance(r *rand.Rand) string {
	var in strings.Builder
	for n := range 3 + r.IntN(20) {
		if r.IntN(4) == 0 {
			fmt.Fprintf(&in, "<a href=l%d>x</a>", n)
		} else {
			in.WriteString(splitPieces[r.IntN(len(splitPieces))])
		}
	}
	return in.String()
}
