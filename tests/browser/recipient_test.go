package browser

import (
	"bytes"
	"context"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

// letter waits for the mail of ours to an address whose text matches, and returns what matched.
func (o *office) letter(to string, text *regexp.Regexp) (found string) {
	o.t.Helper()
	servers.Await(o.t, "a letter to "+to, func() bool {
		for _, d := range o.postfix.Mailbox().All() {
			if d.Recipient == to && found == "" {
				found = text.FindString(textOf(d.Mail))
			}
		}
		return found != ""
	})
	return found
}

// textOf returns the first part of a mail of ours, "" of any other.
func textOf(data []byte) string {
	m, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil || m.Header.Get("Auto-Submitted") != "auto-generated" {
		return ""
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	part, err := multipart.NewReader(m.Body, params["boundary"]).NextPart()
	if err != nil {
		return ""
	}
	text, _ := io.ReadAll(part)
	return string(text)
}

// linkTo finds log-in links.
var linkTo = regexp.MustCompile(`/login/link/[A-Za-z0-9_-]+`)

// enter logs a recipient in by a link in a mail.
func (o *office) enter(b *tab, browser context.Context, address string) {
	o.t.Helper()
	b.open("/mine")
	b.fill("Your e-mail address", address)
	b.click(button("Send me a link"))
	b.says("If this is an address of ours")
	link := o.letter(address, linkTo)
	other := newTab(o.t, browser, o.base, wide)
	if status := other.open(link); status != 403 { // a link checker, or somebody who reads the mail
		o.t.Errorf("the link in another browser: %d", status)
	}
	b.open(link)
	b.says("You are about to log in as", address)
	b.click(button("Log in"))
	b.says("Kept for you", address)
}

// learned wants the scorer to have been taught some messages, by their subjects, and no others.
func (o *office) learned(want ...string) {
	o.t.Helper()
	asked, mails := o.rspamd.Got()
	var got []string
	for i, r := range asked {
		m, err := mail.ReadMessage(bytes.NewReader(mails[i]))
		if err != nil {
			o.t.Fatal(err)
		}
		got = append(got, r.URL.Path+" "+m.Header.Get("Subject"))
	}
	if !slices.Equal(got, want) {
		o.t.Errorf("the scorer has learned %q; want %q", got, want)
	}
}

// TestRecipient does what recipients do, on a computer and on a telephone: nothing but the mail, and no
// scripts, is needed.
func TestRecipient(t *testing.T) {
	o := openOffice(t)
	away := newCanary(t)
	o.mustSend(250, "parcels@example.net", "ann@example.com", page("Your parcel is waiting", hostile(away.URL)))
	o.mustSend(250, "parcels@example.net", "ann@example.com", page("Another parcel", phishing))
	o.mustSend(250, "billing@example.net", "ann@example.com", invoice(t, "Invoice 2026-118"))
	o.mustSend(250, "tools@example.net", "ann@example.com", sample.Attached("The tool you wanted", sample.Program("tool.exe")))
	o.mustSend(250, "billing@example.net", "ann@example.com", infected("With a virus"))
	o.mustSend(250, "parcels@example.net", "bob@example.com", page("For Bob alone", phishing))
	browser := chromium(t)
	b := newTab(t, browser, o.base, wide)
	o.enter(b, browser, "ann@example.com")
	b.says("Invoice 2026-118", "parcels@example.net")
	if page := b.seen(); strings.Contains(page, "virus") || strings.Contains(page, "Bob") {
		t.Error(page)
	}
	look := func(name, path string) { b.look(view{name, at(path), true}, wide) }
	look("mine", "/mine")
	b.click(link("Invoice 2026-118"))
	b.says("Why it was kept", "billing@example.net")
	look("mine-message", strings.TrimPrefix(b.where(), o.base))
	b.click(button("Release"))
	b.says("it will be in your mailbox in a moment")
	if d := o.arrived("Invoice 2026-118"); d.Recipient != "ann@example.com" || !bytes.Contains(d.Mail, []byte("X-Milterscan-Released: ")) || bytes.Contains(d.Mail, []byte("X-Milterscan-Pass")) {
		t.Errorf("to %s: %.2000s", d.Recipient, d.Mail)
	}
	b.click(link("Your parcel is waiting"))
	b.click(button("Release and allow sender"))
	o.arrived("Your parcel is waiting")
	b.click(link("Another parcel"))
	b.click(button("This is spam"))
	b.says("The spam filter has learned that this is spam.", "Another parcel")
	o.learned("/learnspam Another parcel")
	b.click(link("Another parcel"))
	b.says("The filter was told that this is spam.")
	b.click(button("This is spam"))
	b.says("The spam filter was told so before")
	b.click(link("Back to the list"))
	b.click(link("Another parcel"))
	b.click(button("Block sender"))
	b.says("The sender is blocked from now on.")
	b.click(link("My senders"))
	b.says("parcels@example.net", "Block")
	b.fill("Sender", "friend@example.org")
	b.choose("What", "allow")
	b.click(button("Save entry"))
	b.says("friend@example.org", "can be forged")
	look("mine-lists", "/mine/lists")
	b.open("/mine")
	b.click(link("The tool you wanted"))
	look("mine-request", strings.TrimPrefix(b.where(), o.base))
	b.do(chromedp.SendKeys(field("Why you need it"), "I ordered it"))
	b.click(button("Ask for it"))
	b.says("You have asked for it")
	o.letter("desk@example.com", regexp.MustCompile("I ordered it"))
	b.open("/mine/settings")
	b.choose("Lists of kept mail by mail", "daily")
	b.click(button("Save"))
	b.says("Saved.")
	look("mine-settings", "/mine/settings")

	o.hire(accounts.Account{Name: "desk", Role: login.Administrator})
	d := newTab(t, browser, o.base, wide)
	d.open("/requests")
	d.knock("desk", password)
	d.says("I ordered it", "The tool you wanted")
	d.look(view{"requests", at("/requests"), true}, wide)
	d.fill("Answer", "here it is")
	d.click(button("Release"))
	d.says("Nobody is waiting for an answer.")
	servers.Await(t, "the tool", func() bool { // which letters name, too
		for _, m := range o.postfix.Mailbox().All() {
			if bytes.Contains(m.Mail, []byte("X-Milterscan-Released: ")) && bytes.Contains(m.Mail, []byte("filename=\"tool.exe\"")) {
				return m.Recipient == "ann@example.com"
			}
		}
		return false
	})
	o.letter("ann@example.com", regexp.MustCompile("here it is"))
	b.open("/mine")
	b.says("here it is")
	b.click(button("Log out"))

	n := newTab(t, browser, o.base, narrow)
	for _, v := range []view{{"mine-login", at("/mine"), true}} {
		n.look(v, narrow)
	}
	o.enter(n, browser, "bob@example.com")
	for _, v := range []view{{"mine", at("/mine"), true}, {"mine-message", first("/mine", "For Bob alone"), true}, {"mine-lists", at("/mine/lists"), true}, {"mine-settings", at("/mine/settings"), true}} {
		n.look(v, narrow)
	}
	away.silent(t)
}
