// Package browser has Debian's Chromium use the console as people do, with a real
// Postfix and a real clamd after it.
//
// It is a module of its own, so that the program has nothing of what it needs. Its tests
// are skipped unless MILTERSCAN_E2E is set; then a browser that is not installed is a
// failure. MILTERSCAN_PICTURES names a directory for pictures of pages.
package browser

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// needBrowser skips the test where nothing but Go is wanted.
func needBrowser(t *testing.T) {
	t.Helper()
	if os.Getenv("MILTERSCAN_E2E") == "" {
		t.Skip("set MILTERSCAN_E2E=1 to start a browser and real servers")
	}
}

// patience is how long a page may take on a machine that is busy with other things.
const patience = time.Minute

// settle is more than any change of colours takes.
const settle = 400 * time.Millisecond

// tab is a page as a person has it before them, with nothing of any other tab: no
// cookies, no cache.
type tab struct {
	t      *testing.T
	ctx    context.Context
	base   string // of all addresses
	clicks int    // since the last call of counted

	mu      sync.Mutex
	asked   []string // addresses that were asked for
	refused []string // what the browser refused to load or run, and scripts that failed
}

// chromium starts a browser, which ends with the test.
func chromium(t *testing.T) context.Context {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("chromium is not installed (make browser installs it): %v", err)
	}
	dir := t.TempDir()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(dir), chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("force-color-profile", "srgb"), chromedp.Flag("font-render-hinting", "none"), chromedp.Flag("lang", "en"),
		chromedp.Flag("disable-features", "IsolateSandboxedIframes,Translate")) // what a frame asks for is seen with its page
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, end := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		chromedp.Cancel(ctx) // which waits until it is gone
		end()
		stop()
	})
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("starting chromium: %v", err)
	}
	return ctx
}

// newTab opens a tab of a certain width.
func newTab(t *testing.T, browser context.Context, base string, width int64) *tab {
	t.Helper()
	b := &tab{t: t, base: base}
	ctx, end := chromedp.NewContext(browser, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.note))
	t.Cleanup(end)
	b.ctx = ctx
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil { // a tab lives as long as the context of its first action
		t.Fatalf("opening a tab: %v", err)
	}
	b.do(chromedp.EmulateViewport(width, 900))
	b.do(call(log.Enable, cdp.Empty{}))
	b.do(call(network.Enable, network.EnableParams{}))
	return b
}

// call makes an action of a command of the protocol.
func call[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	})
}

// note takes what the browser tells of a tab.
func (b *tab) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.asked = append(b.asked, e.Request.URL)
	case *log.EventEntryAdded:
		// Errors of the network are of pages that say so; advice to authors is none.
		if e.Entry.Source == log.EntrySourceSecurity || e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			b.refused = append(b.refused, e.Entry.Text)
		}
	case *runtime.EventExceptionThrown:
		b.refused = append(b.refused, e.ExceptionDetails.Text)
	}
}

// told returns what was asked for, and what was refused, since it was called last.
func (b *tab) told() (asked, refused []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	asked, refused = b.asked, b.refused
	b.asked, b.refused = nil, nil
	return asked, refused
}

// do fails the test if an action fails or takes too long.
func (b *tab) do(a chromedp.Action[chromedp.Void]) { ask(b, a) }

// ask returns what an action comes to.
func ask[T any](b *tab, a chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		b.t.Fatalf("%v\nat %s, which says:\n%s", err, b.where(), b.seen())
	}
	return v
}

// where and seen return the address and the text of the page, "" if they cannot be told.
func (b *tab) where() string { return b.glance(chromedp.Location()) }

func (b *tab) seen() string {
	return b.glance(chromedp.Evaluate[string]("document.body ? document.body.innerText : ''"))
}

func (b *tab) glance(a chromedp.Action[string]) string {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	text, _ := chromedp.Run(ctx, a)
	return text
}

// open goes to a page by its address, and returns its status.
func (b *tab) open(path string) int64 {
	b.t.Helper()
	return ask(b, chromedp.NavigateResponse(b.base+path)).Status
}

// dark has pages seen at night.
func (b *tab) dark(on bool) {
	b.t.Helper()
	value := map[bool]string{false: "light", true: "dark"}[on]
	b.do(call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		// Without motion: a colour that is on its way from one scheme to the other is in neither.
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}, {Name: "prefers-reduced-motion", Value: "reduce"}}}))
	b.do(chromedp.Sleep(settle)) // until colours have changed
}

// word quotes a text for XPath.
func word(s string) string {
	if !strings.Contains(s, `"`) {
		return `"` + s + `"`
	}
	return "'" + s + "'"
}

// link and button find what a person would click by its text.
func link(text string) string { return "//a[contains(normalize-space(.), " + word(text) + ")]" }

func button(text string) string { return "//button[normalize-space(.)=" + word(text) + "]" }

// field finds what is filled in by its label.
func field(label string) string {
	l := "//label[starts-with(normalize-space(.), " + word(label) + ")]"
	return "//*[@id=" + l + "/@for] | " + l + "//input"
}

// click clicks something that leads to another page, and waits for that.
func (b *tab) click(path string) int64 {
	b.t.Helper()
	b.clicks++
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	answer, err := chromedp.RunResponse(ctx, chromedp.Click(path))
	if err != nil {
		b.t.Fatalf("clicking %s: %v\nat %s, which says:\n%s", path, err, b.where(), b.seen())
	}
	if answer == nil {
		return 0
	}
	return answer.Status
}

// tap clicks something that stays on the page: a box to tick, a piece to unfold.
func (b *tab) tap(path string) {
	b.t.Helper()
	b.clicks++
	b.do(chromedp.Click(path))
}

// fill writes into a field.
func (b *tab) fill(label, text string) {
	b.t.Helper()
	b.do(chromedp.Clear(field(label)))
	b.do(chromedp.SendKeys(field(label), text))
}

// choose chooses a value of a list.
func (b *tab) choose(label, value string) {
	b.t.Helper()
	b.do(chromedp.SetValue(field(label), value))
}

// counted returns how often was clicked since it was called last.
func (b *tab) counted() int {
	n := b.clicks
	b.clicks = 0
	return n
}

// says fails the test unless the page has each of the texts.
func (b *tab) says(texts ...string) {
	b.t.Helper()
	page := b.seen()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			b.t.Errorf("%s does not say %q:\n%s", b.where(), text, page)
		}
	}
}

// await reads the page again until it says something.
func (b *tab) await(text string) {
	b.t.Helper()
	for end := time.Now().Add(patience); !strings.Contains(b.seen(), text); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("%s does not come to say %q:\n%s", b.where(), text, b.seen())
		}
		b.do(chromedp.Reload())
	}
}
