package browser

import (
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestSite reads the pages as files, as "make docs" makes them: what is read first comes first, a search for words
// finds the place, and nothing is asked of any server.
func TestSite(t *testing.T) {
	needBrowser(t)
	dir := t.TempDir()
	site := exec.Command("go", "run", "./docs/site", dir)
	site.Dir = root
	if out, err := site.CombinedOutput(); err != nil {
		t.Fatalf("making the site: %v\n%s", err, out)
	}
	b := newTab(t, chromium(t), "file://"+dir, wide)
	b.open("/index.html")
	page := b.seen()
	begun := 0
	for _, heading := range []string{"First steps", "The first ten minutes", "Daily work", "Reference", "For developers"} {
		i := strings.Index(page[begun:], "\n"+heading+"\n")
		if i < 0 {
			t.Fatalf("%q does not come next in the list of pages:\n%s", heading, page)
		}
		begun += i + 1
	}
	b.local(dir, "the list of pages")

	b.fill("Words to look for", "wxyzzy")
	b.shows("There is no place with all of these words.")
	b.open("/index.html")
	b.fill("Words to look for", "archive/depth")
	b.shows("archive/depth – Findings")
	b.tap("//div[@id='hits']//a[normalize-space(.)='archive/depth']")
	b.shows("More archives stand inside each other")
	if at := b.where(); !strings.HasSuffix(at, "/findings.html#archive/depth") {
		t.Errorf("the search leads to %s", at)
	}
	b.open("/quickstart.html")
	b.says("The first ten minutes")
	b.local(dir, "a page")
}

// local fails the test if the pages since it was called last have asked for more than files of the site. Then axe
// looks at the page, which tries to read more.
func (b *tab) local(dir, page string) {
	b.t.Helper()
	asked, refused := b.told()
	for _, address := range asked {
		if !strings.HasPrefix(address, "file://"+dir+"/") {
			b.t.Errorf("%s: %s was asked for", page, address)
		}
	}
	if len(asked) == 0 || len(refused) > 0 {
		b.t.Errorf("%s: %d files were read; refused: %q", page, len(asked), refused)
	}
	b.accessible(page, false)
	b.told()
}

// shows waits until a script, or a link that was tapped, has the page say something.
func (b *tab) shows(text string) {
	b.t.Helper()
	for end := time.Now().Add(patience); !strings.Contains(b.seen(), text); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("%s does not come to say %q:\n%s", b.where(), text, b.seen())
		}
	}
}
