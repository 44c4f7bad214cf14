package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// doorRules let a sender appeal, leave people to administrators of domains, and have a panel let them in.
const doorRules = `
[[rule]]
name = "no mail of strangers"
from = ["stranger@example.net"]
action = "reject"
appeal = true
[console.sso]
key_file = "DIR/sso-key"
[people.domain_admins]
may = ["messages", "quarantine", "content", "release", "delete", "lists", "requests", "people", "settings", "export", "api"]
[[people.source]]
name = "staff"
type = "csv"
file = "DIR/staff.csv"
`

// staff are people with long names and many addresses, which are hardest to show on a telephone.
func staff() string {
	var b strings.Builder
	b.WriteString("address,name,aliases,groups,language,delegates\n")
	b.WriteString("ann@example.com,Ann Smith,a.smith@example.com; ann.smith-with-a-very-long-alias@example.com; annie@example.com; a@example.com,finance; board,de,bob@example.com\n")
	b.WriteString("bob@example.com,Bob Jones,,it,en,\n")
	for i := range 60 {
		fmt.Fprintf(&b, "person-%02d@example.com,Person with the Number %d,,everybody,,\n", i, i)
	}
	return b.String()
}

// panelKey is that of the panel that lets persons in.
var panelKey = []byte(strings.Repeat("k", 32))

// scriptless has the pages of a tab run no scripts, or has them run again.
func (b *tab) scriptless(on bool) *tab {
	b.t.Helper()
	b.do(call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: on}))
	return b
}

// study opens a page without scripts, and looks at it, which needs some of ours.
func (b *tab) study(v view, width int64) {
	b.t.Helper()
	v.open(b)
	b.scriptless(false)
	defer b.scriptless(true)
	b.look(view{v.name, func(*tab) {}, v.show}, width)
}

// letterLink makes the address of a link of a digest.
func (o *office) letterLink(change func(*token.Link)) string {
	o.t.Helper()
	key, err := token.KeyFile(filepath.Join(o.dir, "quarantine", "link-key")).Make()
	if err != nil {
		o.t.Fatal(err)
	}
	l := token.Link{Purpose: token.DigestLink, Address: "ann@example.com", Act: "release", Expires: time.Now().Add(time.Hour), Nonce: token.NewNonce()}
	change(&l)
	return "/link/" + token.WriteLink(key, l)
}

// signOn makes the address by which a panel sends a person.
func signOn(name string, at time.Time) string {
	nonce := fmt.Sprintf("%x", token.NewNonce())
	return "/login/sso?next=%2Fpeople&" + token.WriteSignOn(panelKey, token.SignOn{Account: name, Issued: at, Nonce: nonce}).Encode()
}

// TestDoors goes through the pages that mail, refusals and panels lead to, and those of people, on a computer and on a
// telephone: nothing but the pages is needed, and no scripts.
func TestDoors(t *testing.T) {
	o := openOfficeWith(t, doorRules, func(history string) {
		dir := filepath.Dir(history)
		for name, text := range map[string]string{"sso-key": fmt.Sprintf("%x\n", panelKey), "staff.csv": staff()} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	})
	o.hire(accounts.Account{Name: "dora", Role: login.Domain, Domains: []string{"example.com"}})
	away := newCanary(t)
	for i, width := range []int64{wide, narrow} {
		t.Run(strconv.FormatInt(width, 10), func(t *testing.T) {
			o := *o
			o.t = t
			browser := chromium(t)
			open := func() *tab { return newTab(t, browser, o.base, width).scriptless(true) }
			o.mustSend(250, "parcels@example.net", "ann@example.com", page(fmt.Sprintf("Your parcel %d is waiting", i), hostile(away.URL)))
			o.followLinks(open(), width, o.keptID(fmt.Sprintf("parcel %d", i)))
			o.appeal(open(), width, fmt.Sprintf("Hello %d", i))
			o.meetPeople(open(), width)
		})
	}
	away.silent(t)
}

// keptID returns the id of the kept message with some words in its subject.
func (o *office) keptID(subject string) (id string) {
	o.t.Helper()
	servers.Await(o.t, subject, func() bool {
		out, _ := o.milter.Run(o.t, "quarantine list", "--subject", subject, "--json")
		if m := regexp.MustCompile(`"id":"([0-9a-z]+)"`).FindStringSubmatch(out); m != nil {
			id = m[1]
		}
		return id != ""
	})
	return id
}

// followLinks opens links of a digest, and does as one of them says.
func (o *office) followLinks(b *tab, width int64, id string) {
	o.t.Helper()
	about := func(act string, change func(*token.Link)) string {
		return o.letterLink(func(l *token.Link) { l.ID, l.Act = id, act; change(l) })
	}
	same := func(*token.Link) {}
	release := about("release", same)
	for name, path := range map[string]string{"link-look": about("look", same), "link-block": about("block", same), "link-release": release,
		"link-old": about("release", func(l *token.Link) { l.Expires = time.Now().Add(-time.Hour) }), "link-gone": o.letterLink(func(l *token.Link) { l.ID = "06h08cfwgrgb9999" }),
		"link-none": "/link/x"} {
		b.study(view{name, at(path), true}, width)
	}
	b.open(release)
	b.click(button("Deliver the message"))
	b.says("will be in your mailbox")
	b.study(view{"link-done", func(*tab) {}, true}, width)
	b.study(view{"link-used", at(release), true}, width)
}

// The page of a refusal asks a person what no program is to know.
var (
	refusalLink = regexp.MustCompile(`(/a/[0-9a-z]{27})`)
	numbers     = strings.Fields("one two three four five six seven eight nine ten")
	ordinals    = strings.Fields("first second third fourth")
)

// answerTo returns the answer to a question, by reading it.
func answerTo(question string) string {
	if head, words, ok := strings.Cut(question, ": "); ok {
		for i, w := range ordinals {
			if strings.Contains(head, " "+w+" ") {
				return strings.Split(words, ", ")[i]
			}
		}
	}
	sum := 0
	for _, w := range strings.Fields(strings.Trim(question, "?")) {
		for i, n := range numbers {
			if w == n {
				sum += i + 1
			}
		}
	}
	return strconv.Itoa(sum)
}

// appeal does what a sender does whose mail is refused.
func (o *office) appeal(b *tab, width int64, line string) {
	o.t.Helper()
	r := o.send("stranger@example.net", "bob@example.com", page("An offer", "<p>Hello</p>"))
	path := refusalLink.FindString(r.Text)
	if r.Code != 550 || path == "" {
		o.t.Fatalf("%+v", r)
	}
	b.study(view{"appeal", at(path), true}, width)
	b.fill("Your line", line)
	b.do(chromedp.SendKeys("#answer", "no idea"))
	b.click(button("Pass it on"))
	b.study(view{"appeal-wrong", func(*tab) {}, true}, width)
	for end := time.Now().Add(time.Minute); !strings.Contains(b.seen(), "passed on to") && time.Now().Before(end); {
		b.do(chromedp.Sleep(3 * time.Second)) // as a person reads: who sends forms one after the other hears that they are too many
		question, _, _ := strings.Cut(ask(b, chromedp.Text("label[for=answer]")), " This shows")
		b.do(chromedp.SendKeys("#answer", answerTo(question)))
		b.click(button("Pass it on")) // as often as it was too quick
	}
	b.study(view{"appeal-said", func(*tab) {}, true}, width)
	b.study(view{"appeal-none", at("/a/x"), true}, width)
}

// meetPeople has an administrator of a domain let in by a panel, and see to the people of the domain.
func (o *office) meetPeople(b *tab, width int64) {
	o.t.Helper()
	b.study(view{"sso-refused", func(b *tab) {
		b.open(signOn("dora", time.Now().Add(-time.Hour)))
	}, true}, width)
	b.study(view{"sso", func(b *tab) { b.open(signOn("dora", time.Now())) }, true}, width)
	b.open(signOn("dora", time.Now()))
	b.click(button("Go on"))
	b.says("ann@example.com", "Ann Smith", "dora")
	b.study(view{"people", at("/people"), true}, width)
	b.click(link("Further people"))
	b.says("person-55@example.com")
	b.fill("Find a person", "annie@example.com")
	b.click(button("Search"))
	b.click(link("ann@example.com"))
	b.says("bob@example.com", "finance", "annie@example.com")
	b.study(view{"person", at("/people/ann@example.com"), true}, width)
	b.choose("Lists of kept mail by mail", "hourly")
	b.click(button("Save"))
	b.says("Saved.")
	b.fill("Another delegate", "zoe@example.org")
	b.click(button("Name as delegate"))
	b.study(view{"person-refused", func(*tab) {}, true}, width)
	b.says("There is no such person")
	b.fill("Another delegate", "person-07@example.com")
	b.click(button("Name as delegate"))
	b.says("Saved.", "person-07@example.com")
	b.study(view{"person-delegates", at("/people/ann@example.com?done=1"), true}, width)
	b.click(`//button[@value="person-07@example.com"]`)
	b.study(view{"people-none", at("/people?like=nobody-has-this"), true}, width)
	b.study(view{"person-none", at("/people/zoe@example.org"), true}, width)
}
