package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// axe returns axe-core, which looks for what keeps people from using a page.
var axe = sync.OnceValues(func() (string, error) {
	text, err := os.ReadFile(filepath.Join(root, "bin", "axe", "axe.min.js"))
	return string(text), err
})

// root is the top of the source tree: the tests run in their directory.
var root = filepath.Join("..", "..")

// violation is what axe objects to.
type violation struct {
	ID, Impact, Help string
	Nodes            []struct{ HTML, FailureSummary string }
}

// accessible fails the test if axe finds anything serious or critical on the page. At night
// only colours are otherwise.
func (b *tab) accessible(page string, night bool) {
	b.t.Helper()
	script, err := axe()
	if err != nil {
		b.t.Fatalf("axe-core is missing (.ci/axe fetches it): %v", err)
	}
	ask(b, chromedp.Evaluate[*runtime.RemoteObject](script+";undefined"))
	const only = `, runOnly: {type: "rule", values: ["color-contrast", "link-in-text-block"]}`
	look := `axe.run(document, {resultTypes: ["violations"], iframes: false` + map[bool]string{true: only}[night] + `}).then(r => r.violations.map(v =>
		({ID: v.id, Impact: v.impact, Help: v.help, Nodes: v.nodes.map(n => ({HTML: n.html, FailureSummary: n.failureSummary}))})))`
	found := ask(b, chromedp.Evaluate[[]violation](look, chromedp.EvalAwaitPromise))
	for _, v := range found {
		if v.Impact != "serious" && v.Impact != "critical" {
			b.t.Logf("%s: %s: %s (%d times)", page, v.Impact, v.Help, len(v.Nodes))
			continue
		}
		var where []string
		for _, n := range v.Nodes {
			where = append(where, fmt.Sprintf("%s\n%s", n.HTML, n.FailureSummary))
		}
		b.t.Errorf("%s: %s: %s (%s)\n%s", page, v.Impact, v.Help, v.ID, strings.Join(where, "\n"))
	}
}
