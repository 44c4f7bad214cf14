package browser

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/milterscan/milterscan/tests/sample"
)

// Widths of windows.
const (
	wide   = 1280
	narrow = 390
)

// TestConsole does what administrators and help desks do, in one office.
func TestConsole(t *testing.T) {
	o := openOffice(t)
	browser := chromium(t)
	for _, part := range []struct {
		name string
		do   func(*testing.T, *office, context.Context)
	}{
		{"log in", logIn}, {"search and explain", explain}, {"look into a hostile mail", lookInside}, {"release", release},
		{"delete many", deleteMany}, {"drop a mail", dropMail},
	} {
		t.Run(part.name, func(t *testing.T) {
			in := *o
			in.t = t
			part.do(t, &in, browser)
		})
	}
}

// explain finds a delivered mail by its subject, and reads what Postfix did with it.
func explain(t *testing.T, o *office, browser context.Context) {
	minutes := bytes.ReplaceAll(sample.Plain("The minutes of Tuesday", "hello"), []byte("@example.org"), []byte("@partner.test")) // no name like ours
	o.mustSend(250, "joe@partner.test", "ann@example.com", minutes)
	o.mustSend(250, "joe@partner.test", "ann@example.com", sample.Plain("Something else", "hello"))
	o.arrived("The minutes of Tuesday")
	b := o.newcomer(t, browser, "heidi", wide)
	b.click(link("Messages"))
	b.fill("Subject", "minutes")
	b.click(button("Search"))
	b.says("The minutes of Tuesday", "joe@partner.test", "delivered")
	if strings.Contains(b.seen(), "Something else") {
		t.Error("what was not looked for is found")
	}
	b.click(link("The minutes of Tuesday"))
	b.says("Timeline", "Connected", "delivered", "No rule objected")
	b.await("delivered to maildir") // the words of Postfix
	b.click(link("from this sender"))
	b.says("Something else")
}

// hostile is a page that tries all it can to be seen by others, or to act, when it is looked
// at.
func hostile(away string) string {
	return `<html><head><title>x</title><base href="` + away + `/base/"><meta http-equiv="refresh" content="0;url=` + away + `/refresh">
<link rel="stylesheet" href="` + away + `/style.css"><link rel="prefetch" href="` + away + `/prefetch"><link rel="dns-prefetch" href="` + away + `/dns">
<style>@import "` + away + `/import.css"; body { background: url(` + away + `/background.png) } @font-face { font-family: f; src: url(` + away + `/font) } p { font-family: f }</style>
<script src="` + away + `/script.js"></script></head>
<body onload="new Image().src='` + away + `/onload'" background="` + away + `/body.png"><p>Dear customer, your parcel waits.</p>
<img src="` + away + `/pixel.gif" srcset="` + away + `/srcset.gif 2x" onerror="top.document.title='acted'"><img src="relative.gif"><picture><source srcset="` + away + `/source.gif"><img></picture>
<svg><image href="` + away + `/svg.png"/><use href="` + away + `/use.svg#a"/><script>top.document.title='acted'</script></svg><video src="` + away + `/video" poster="` + away + `/poster.png" autoplay></video>
<audio src="` + away + `/audio" autoplay></audio><object data="` + away + `/object"></object><embed src="` + away + `/embed"><iframe src="` + away + `/frame"></iframe>
<iframe srcdoc="<img src='` + away + `/srcdoc'><script>parent.document.title='acted'</script>"></iframe>
<form action="` + away + `/form"><input name="password" autofocus onfocus="this.form.submit()"><button>Track my parcel</button></form><input type="image" src="` + away + `/input.png">
<table background="` + away + `/table.png"><tr><td style="background-image:url('` + away + `/cell.png')">.</td></tr></table><a href="` + away + `/link" ping="` + away + `/ping">Track my parcel</a>
<script>document.title='acted';fetch('` + away + `/fetch');navigator.sendBeacon('` + away + `/beacon')</script><marquee onstart="top.document.title='acted'">x</marquee></body></html>`
}

// lookInside looks at such a page: it is shown, asks for nothing, runs nothing, and does
// not even try to.
func lookInside(t *testing.T, o *office, browser context.Context) {
	away := newCanary(t)
	o.mustSend(250, "parcels@example.net", "ann@example.com", page("Parcel [hostile]", hostile(away.URL)))
	b := o.newcomer(t, browser, "ivan", wide)
	b.click(link("Quarantine"))
	b.click(link("Parcel [hostile]"))
	b.told()
	b.click(link("Look inside"))
	b.says("Track my parcel", away.URL+"/link") // the links, listed
	if title := ask(b, chromedp.Title()); title == "acted" {
		t.Error("a script ran")
	}
	frame := ask(b, chromedp.Evaluate[string]("document.querySelector('iframe').getAttribute('sandbox')"))
	if frame != "" {
		t.Errorf("the frame may %q", frame)
	}
	time.Sleep(2 * time.Second) // for what acts later
	asked, refused := b.told()
	for _, address := range asked {
		if !strings.HasPrefix(address, o.base+"/") && !strings.HasPrefix(address, "data:") {
			t.Errorf("the browser asked for %s", address)
		}
	}
	framed := false
	for _, address := range asked {
		framed = framed || strings.Contains(address, "/page/")
	}
	if !framed || len(refused) > 0 {
		t.Errorf("the page was shown: %v; the browser refused %q", framed, refused)
	}
	away.silent(t)
	b.click(link("Audit log"))
	b.says("ivan", "looked into a message")
}

// release sends a mail on that was kept, and it arrives.
func release(t *testing.T, o *office, browser context.Context) {
	o.mustSend(250, "billing@example.net", "bob@example.com", invoice(t, "Offer with a macro"))
	b := o.newcomer(t, browser, "judy", wide)
	b.click(link("Quarantine"))
	b.click(link("Offer with a macro"))
	b.click(button("Release"))
	b.says("The message was sent.", "released")
	if d := o.arrived("Offer with a macro"); d.Recipient != "bob@example.com" || !strings.Contains(string(d.Mail), "invoice.docm") {
		t.Errorf("to %s: %.2000s", d.Recipient, d.Mail)
	}
	b.await("delivered to maildir")
	b.open(strings.TrimPrefix(b.where(), o.base))
	o.mustSend(250, "billing@example.net", "bob@example.com", infected("Offer with a virus"))
	b.click(link("Quarantine"))
	b.click(link("Offer with a virus"))
	b.tap(`//summary[normalize-space(.)="Release"]`)
	b.says("A virus was found", "I know that it is infected")
}

// deleteMany deletes some of what is kept, and nothing else.
func deleteMany(t *testing.T, o *office, browser context.Context) {
	for n := range 3 {
		o.mustSend(250, "spam@example.org", "bob@example.com", infected(fmt.Sprintf("Rubbish %d", n)))
	}
	o.mustSend(250, "spam@example.org", "bob@example.com", infected("Not rubbish"))
	b := o.newcomer(t, browser, "mallory", wide)
	b.open("/quarantine?" + url.Values{"from": {"spam@example.org"}}.Encode())
	for n := range 3 {
		b.tap(fmt.Sprintf(`//tr[contains(., "Rubbish %d")]//input[@type="checkbox"]`, n))
	}
	b.click(`//button[starts-with(normalize-space(.), "Delete")]`)
	b.says("Messages that will be deleted for good: 3.")
	b.click(button("Delete"))
	b.says("Done: 3 of 3.")
	b.click(link("Back to the quarantine"))
	b.says("Not rubbish")
	if strings.Contains(b.seen(), "Rubbish 1") {
		t.Error("what was deleted is there")
	}
	b.click(link("Audit log"))
	if n := strings.Count(b.seen(), "deleted"); n < 3 {
		t.Errorf("the audit log has %d deletions:\n%s", n, b.seen())
	}
}

// dropMail has a mail judged that is not sent.
func dropMail(t *testing.T, o *office, browser context.Context) {
	file := filepath.Join(t.TempDir(), "mail.eml")
	if err := os.WriteFile(file, infected("Only a try"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := o.newcomer(t, browser, "niaj", wide)
	b.click(link("Rules"))
	b.click(link("Try a mail"))
	b.do(chromedp.SetUploadFiles(chromedp.CSS("input[type=file]"), []string{file}))
	b.fill("Recipient", "ann@example.com")
	b.click(button("Judge"))
	b.says("Verdict:", "quarantined", "viruses are kept", "virus/")
	b.open("/messages?" + url.Values{"subject": {"Only a try"}}.Encode())
	b.says("Nothing was found.")
}
