package appeal

import (
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy/token"
)

// The times of a form. A program that fills in forms is faster than a person who reads, and a
// form that is kept for later is none that a person has just read.
const (
	soonest = 4 * time.Second
	latest  = time.Hour
)

// mostText is how many letters a sender may write.
const mostText = 500

// issue returns a form for a message, and the question in it. The form names the message, so that
// an answer is good for this one only; the question follows from it and the key.
func (x *room) issue(a appealed, p *page) (form string, q question) {
	l := token.Link{Purpose: token.AppealForm, ID: a.id, Act: p.code, Expires: x.Now().Add(latest), Nonce: token.NewNonce()}
	return token.WriteLink(a.key, l), p.question(a.key, l.Nonce)
}

// trouble returns why what a sender has sent is not passed on: the key of a text, "" if it is.
// The proof is asked for before anything is said about the text.
func (x *room) trouble(a appealed, r *http.Request, text string) string {
	l, err := token.ReadLink(a.key, r.PostForm.Get("form"), token.AppealForm, x.Now())
	p := x.pages[l.Act]
	switch {
	case err != nil || l.ID != a.id || p == nil || x.Now().After(l.Expires):
		return "old"
	case r.PostForm.Get("website") != "" || !p.question(a.key, l.Nonce).right(r.PostForm.Get("answer")):
		return "wrong"
	case x.age(l) < soonest:
		return "fast"
	case text == "":
		return "empty"
	case utf8.RuneCountInString(text) > mostText:
		return "long"
	}
	return ""
}

// age returns how long ago a form was made; less than nothing if a host made it whose clock is ahead.
func (x *room) age(form token.Link) time.Duration { return x.Now().Sub(form.Expires.Add(-latest)) }

// ask shows the form, with what was written before and why it was not passed on.
func (x *room) ask(w http.ResponseWriter, r *http.Request, a appealed, status int, trouble, text string) error {
	p := x.page(r)
	form, q := x.issue(a, p)
	l, _ := token.ReadLink(a.key, r.PostForm.Get("form"), token.AppealForm, x.Now())
	if trouble == "fast" && x.age(l) >= 0 { // the same again, as its time has begun by this clock
		p = x.pages[l.Act]
		form, q = r.PostForm.Get("form"), p.question(a.key, l.Nonce)
	}
	return x.show(w, r, p, status, "form", formPage{ID: a.id, Time: a.entry.Record.Time, Form: form, Question: q.text, Trouble: trouble,
		Text: text, Most: mostText})
}

// page returns the texts in the language of the browser.
func (x *room) page(r *http.Request) *page { return x.pages[languageOf(r, login.Person{})] }

// oneLine makes a line of plain text of what the sender has written: without letters that cannot
// be seen or that change the direction of others, and without anything that mail programs make
// links of.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError, !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.Join(strings.Fields(s), " ")
	s = strings.ReplaceAll(s, "://", "[:]//")
	for range 2 { // names that overlap by one letter
		s = dots.ReplaceAllString(s, "$1[.]$2")
	}
	return s
}

// dots are those that make a name of a host, as readers of mail see one.
var dots = regexp.MustCompile(`([\pL\pN_-])[.。．｡]([\pL\pN_-]*\pL)`)
