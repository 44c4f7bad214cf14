package browser

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/tests/sample"
)

// view is a page of the console as a person comes to it.
type view struct {
	name string
	open func(*tab)
	show bool // it is among the pictures
}

// shown reports whether a picture is taken of a page: narrow ones look alike.
func (v view) shown(width int64) bool {
	return v.show && (width == wide || v.name == "overview" || v.name == "message")
}

// at opens a page by its address.
func at(path string) func(*tab) { return func(b *tab) { b.open(path) } }

// first opens a page and follows its link.
func first(path, text string) func(*tab) {
	return func(b *tab) {
		b.open(path)
		b.click(link(text))
	}
}

// found is the address of a search.
func found(page, key, value string) string {
	return page + "?" + url.Values{key: {value}}.Encode()
}

// views are all pages of the console, and the states of them that look different.
func views(file string) []view {
	kept, macro := first(found("/quarantine", "subject", "virus"), "Offer with a virus"), first(found("/quarantine", "subject", "macro"), "Offer with a macro")
	inside := func(open func(*tab)) func(*tab) {
		return func(b *tab) {
			open(b)
			b.click(link("Look inside"))
		}
	}
	return []view{
		{"overview", at("/?days=7"), true},
		{"messages", at("/messages"), true},
		{"messages-found", at(found("/messages", "rule", "no programs")), false},
		{"messages-none", at(found("/messages", "subject", "there is no such subject")), false},
		{"messages-wrong", at(found("/messages", "larger", "many")), false},
		{"message", macro, true},
		{"message-infected", kept, false},
		{"message-delivered", first(found("/messages", "subject", "Delivered today"), "Delivered today"), false},
		{"quarantine", at("/quarantine"), true},
		{"content", inside(first(found("/quarantine", "subject", "waiting"), "Your parcel is waiting")), true},
		{"content-hostile", inside(first(found("/quarantine", "subject", "hostile"), "Parcel [hostile]")), false},
		{"content-macro", inside(macro), false},
		{"bulk", func(b *tab) {
			b.open("/quarantine")
			b.tap(`(//input[@name="id"])[1]`)
			b.click(`//button[starts-with(normalize-space(.), "Delete")]`)
		}, false},
		{"rules", at("/rules?days=7"), true},
		{"settings", at("/rules/settings"), false},
		{"reloads", at("/rules/reloads"), false},
		{"rehearsal", func(b *tab) {
			b.open("/rules/rehearsal")
			b.do(chromedp.SetUploadFiles(chromedp.CSS("input[type=file]"), []string{file}))
			b.click(button("Judge"))
		}, true},
		{"trial-shown", func(b *tab) { b.attempt(loose, "Mails compared") }, true},
		{"audit", at("/audit"), true},
		{"account", at("/account"), false},
		{"accounts", at("/accounts"), false},
		{"people", at("/people"), false},
		{"counted", at(found("/messages", "to", "@example.com") + "&by=rule"), false},
		{"help", at("/help"), false},
		{"help-found", at("/help?q=greylist"), false},
		{"help-page", at("/help/doctor"), false},
		{"help-findings", at("/help/findings"), false},
		{"problem", at("/there-is-no-such-page"), false},
	}
}

// loose is a configuration that lets through what openOffice keeps.
const loose = "[log]\nlevel = \"debug\"\n[[rule]]\nname = \"partners may send macros\"\nwhen = [\"attachment/*\", \"content/*\"]\naction = \"deliver\"\n"

// attempt has a configuration tried, and waits until the page says something.
func (b *tab) attempt(draft, says string) {
	b.t.Helper()
	b.open("/rules/trial")
	b.await("Days back") // and not an earlier one that goes on
	b.choose("Or its text", draft)
	b.click(button("Try it"))
	b.await(says)
}

// phishing is a page as senders of such mail make it.
const phishing = `<html><head><style>.b { background: #c40; color: #fff; padding: 12px 24px; border-radius: 4px; text-decoration: none }</style></head>
<body style="font-family: sans-serif"><h2 style="color: #c40">Your parcel is waiting</h2><p>Dear customer,</p>
<p>we could not deliver parcel <b>00340434161094</b> since a fee of <b>1.99 EUR</b> has not been paid.</p>
<table border="1" cellpadding="6"><tr><td>Sender</td><td>Online shop</td></tr><tr><td>Held until</td><td>1 December</td></tr></table>
<p><a class="b" href="http://parcels.example.invalid/pay?ann" onclick="alert(1)">www.parcels.example/pay</a></p>
<img src="http://track.example.invalid/p.gif?ann" width="1" height="1"><script>document.title = 'acted'</script></body></html>`

// TestPictures opens every page, wide and narrow, by day and by night: axe finds nothing serious
// on any, none is wider than its window, and the browser refuses nothing of it. With MILTERSCAN_PICTURES it takes their pictures.
func TestPictures(t *testing.T) {
	o := openOfficeWith(t, "", func(file string) { seed(t, file, 6000, 7) })
	away := newCanary(t)
	o.mustSend(250, "parcels@example.net", "ann@example.com", page("Parcel [hostile]", hostile(away.URL)))
	o.mustSend(250, "parcels@example.net", "ann@example.com", page("Your parcel is waiting", phishing))
	o.mustSend(250, "billing@example.net", "bob@example.com", invoice(t, "Offer with a macro"))
	o.mustSend(250, "billing@example.net", "bob@example.com", infected("Offer with a virus"))
	o.mustSend(250, "joe@example.net", "ann@example.com", sample.Plain("Delivered today", "hello"))
	o.mustSend(550, "joe@example.net", "ann@example.com", sample.Attached("The setup you wanted", sample.Program("setup.exe")))
	o.arrived("Delivered today")
	file := filepath.Join(t.TempDir(), "mail.eml")
	if err := os.WriteFile(file, infected("Only a try"), 0o600); err != nil {
		t.Fatal(err)
	}
	browser := chromium(t)
	o.milter.Reload()
	o.hire(accounts.Account{Name: "ann", Role: administrator("").Role})
	for _, width := range []int64{wide, narrow} {
		b := newTab(t, browser, o.base, width)
		doors := []view{{"login", at("/login"), width == wide}}
		for _, v := range doors {
			b.look(v, width)
		}
		b.knock("ann", password)
		for _, v := range views(file) {
			b.look(v, width)
		}
	}
	for name, width := range map[string]int64{"bert": narrow, "carol": wide} {
		b := newTab(t, browser, o.base, width)
		o.hire(administrator(name))
		b.open("/")
		b.knock(name, password)
		here := func(*tab) {}
		b.look(view{"second", here, false}, width)
		b.fill("Code", code(t, ask(b, chromedp.Text(chromedp.CSS("code.secret"))), time.Now()))
		b.click(button("Go on"))
		b.says("Recovery codes")
		b.look(view{"codes", here, false}, width)
		b.click(link("I have kept them"))
		b.click(button("Log out"))
		b.look(view{"out", here, false}, width)
		b.knock(name, password)
		b.look(view{"code", here, false}, width)
	}
	away.silent(t)
}

// look opens a page and looks at it by day and by night.
func (b *tab) look(v view, width int64) {
	b.t.Helper()
	b.dark(false)
	b.told()
	v.open(b)
	for _, when := range []string{"light", "dark"} {
		b.dark(when == "dark")
		name := fmt.Sprintf("%s-%s", v.name, when)
		if width == narrow {
			name += "-narrow"
		}
		b.accessible(name, when == "dark")
		if over := ask(b, chromedp.Evaluate[int64]("document.documentElement.scrollWidth - document.documentElement.clientWidth")); over > 0 {
			b.t.Errorf("%s is %d pixels wider than the window: %v", name, over, ask(b, chromedp.Evaluate[[]string](widest)))
		}
		if dir := os.Getenv("MILTERSCAN_PICTURES"); dir != "" && (v.shown(width) || os.Getenv("MILTERSCAN_ALL_PICTURES") != "") {
			b.picture(filepath.Join(dir, name+".png"))
		}
	}
	if _, refused := b.told(); len(refused) > 0 {
		b.t.Errorf("%s: the browser refused %q", v.name, refused)
	}
}

// widest names what sticks out of the window.
const widest = `[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
	.slice(0, 5).map(e => e.outerHTML.slice(0, 200))`

// longest is how much of a page a picture shows.
const longest = 1400

// picture takes a picture of the page, with few colours, so that it is small.
func (b *tab) picture(path string) {
	b.t.Helper()
	height := min(ask(b, chromedp.Evaluate[int64]("document.documentElement.scrollHeight")), longest)
	width := ask(b, chromedp.Evaluate[int64]("window.innerWidth"))
	b.do(chromedp.EmulateViewport(width, height))
	image := ask(b, chromedp.CaptureScreenshot())
	b.do(chromedp.EmulateViewport(width, 900))
	if err := os.WriteFile(path, image, 0o644); err != nil {
		b.t.Fatal(err)
	}
	if out, err := exec.Command("pngquant", "--force", "--skip-if-larger", "--strip", "--output", path, "64", path).CombinedOutput(); err != nil {
		b.t.Logf("%s stays large: %v %s", path, err, out)
	}
}
