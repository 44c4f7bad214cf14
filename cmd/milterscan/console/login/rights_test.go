package login

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestRolesHaveTheirRights: the table, written a second time as a matrix, so that a
// change of it is made on purpose. Columns are as in Roles.
func TestRolesHaveTheirRights(t *testing.T) {
	matrix := map[Right]string{
		SeeOwn:            "----y",
		SeeOverview:       "yyy--",
		SeeMessages:       "yyyy-",
		SeeQuarantine:     "yyyy-",
		SeeContent:        "yyyyy",
		DownloadParts:     "y--y-",
		Release:           "yy-yy",
		Forward:           "y----",
		Delete:            "y--yy",
		SeeLists:          "yyyy-",
		AllowSenders:      "yy-yy",
		Teach:             "yy-yy",
		AnswerRequests:    "yy-y-",
		SeePeople:         "yyyy-",
		ChangePeople:      "yy-y-",
		MarkHandled:       "yy-y-",
		Export:            "yyyy-",
		SeeRules:          "yyy--",
		SeeConfiguration:  "y-y--",
		Rehearse:          "yy---",
		TryConfigurations: "y----",
		SeeAudit:          "y-y--",
		ManageUsers:       "y----",
		UseAPI:            "yyyy-",
	}
	for _, r := range Rights() {
		if matrix[r] == "" {
			t.Errorf("%q is not in the matrix", r)
		}
	}
	for right, row := range matrix {
		if !slices.Contains(Rights(), right) {
			t.Errorf("%q is not in the table", right)
		}
		for i, role := range Roles() {
			if want := row[i] == 'y'; (Person{Role: role, Delegated: Delegated(Capabilities())}).May(right) != want {
				t.Errorf("%s may %s: want %v", role, right, want)
			}
		}
		for _, role := range []Role{"", "root", "Administrator", "administrator "} {
			if (Person{Role: role, Delegated: Rights()}).May(right) {
				t.Errorf("%q may %s", role, right)
			}
		}
	}
	if (Person{Role: Administrator}).May("fly") || !Right("fly").Changes() {
		t.Error("an unknown right is one")
	}
	for _, right := range Rights() {
		if right.Changes() && (Person{Role: Auditor}).May(right) {
			t.Errorf("an auditor may %s", right)
		}
	}
}

func TestWhoSeesWhat(t *testing.T) {
	admin, desk := Person{Role: Administrator}, Person{Role: HelpDesk}
	dom := Person{Role: Domain, Domains: []string{"example.com", ".sub.example.net"}, Delegated: []Right{Release}}
	to := func(a ...string) Mail { return Mail{Sender: "x@elsewhere.example", Recipients: a, Class: "suspicious"} }
	for _, c := range []struct {
		about string
		who   Person
		mail  Mail
		sees  bool
		opens bool // may release
	}{
		{"an administrator, anything", admin, to("a@b.example"), true, true},
		{"an administrator, a virus", admin, Mail{Class: "infected"}, true, true},
		{"an auditor releases nothing", Person{Role: Auditor}, to("a@b.example"), true, false},
		{"nobody", Person{}, to("a@example.com"), false, false},
		{"nobody, with a domain", Person{Domains: []string{"example.com"}}, to("a@example.com"), false, false},
		{"the help desk, spam", desk, to("a@b.example"), true, true},
		{"the help desk, a virus", desk, Mail{Class: "infected"}, true, false},
		{"the help desk, what was not looked into", desk, Mail{Class: "unscannable"}, true, false},
		{"the help desk, a message that is not kept", desk, Mail{}, true, false},
		{"the help desk, by name of the class", Person{Role: HelpDesk, Classes: []string{"infected"}}, Mail{Class: "infected"}, true, true},
		{"the help desk, another class than named", Person{Role: HelpDesk, Classes: []string{"infected"}}, to("a@b.example"), true, false},
		{"a domain's own", dom, to("a@example.com"), true, true},
		{"a domain's own, in capitals and brackets", dom, to("<A@EXAMPLE.com.>"), true, true},
		{"one of several", dom, to("a@other.example", "b@example.com"), true, true},
		{"another domain's", dom, to("a@other.example"), false, false},
		{"a subdomain of one that is named alone", dom, to("a@x.example.com"), false, false},
		{"a subdomain of one that is named with a dot", dom, to("a@x.sub.example.net"), true, true},
		{"the domain itself, where its subdomains are named", dom, to("a@sub.example.net"), false, false},
		{"a name that ends alike", dom, to("a@notexample.com"), false, false},
		{"the domain in the local part", dom, to("\"a@example.com\"@other.example"), false, false},
		{"no recipients", dom, to(), false, false},
		{"no domain", dom, to("example.com"), false, false},
		{"sent by the domain", dom, Mail{Sender: "a@example.com", Ours: true, Recipients: []string{"x@other.example"}, Class: "policy"}, true, true},
		{"only claimed to be sent by it", dom, Mail{Sender: "a@example.com", Recipients: []string{"x@other.example"}, Class: "policy"}, false, false},
		{"a virus for the domain", dom, Mail{Recipients: []string{"a@example.com"}, Class: "infected"}, true, false},
		{"a domain administrator of nothing", Person{Role: Domain}, to("a@example.com"), false, false},
		{"an empty domain", Person{Role: Domain, Domains: []string{""}}, to("a@example.com", "postmaster", ""), false, false},
	} {
		if got := c.who.Sees(c.mail); got != c.sees {
			t.Errorf("%s: sees %v", c.about, got)
		}
		if got := c.who.MayWith(Release, c.mail); got != c.opens {
			t.Errorf("%s: may release %v", c.about, got)
		}
	}
}

// TestRecipientsSeeTheirOwn: a recipient sees what is kept back from its addresses, and of
// those classes only that the host shows; it releases less than it sees.
func TestRecipientsSeeTheirOwn(t *testing.T) {
	ann := Person{Role: Recipient, Addresses: []string{"ann@example.com", "sales@example.com"}, Classes: []string{"suspicious", "forbidden", "infected"},
		Releases: []string{"suspicious", "infected"}}
	back := func(class string, to ...string) Mail {
		return Mail{Sender: "x@elsewhere.example", Recipients: []string{"ann@example.com", "ben@example.com"}, Class: class, Back: to}
	}
	grave := func(m Mail, kinds ...string) Mail { m.Grave = kinds; return m }
	for _, c := range []struct {
		about string
		who   Person
		mail  Mail
		sees  bool
		opens bool // may release
	}{
		{"its own", ann, back("suspicious", "ann@example.com"), true, true},
		{"its own, written in another way", ann, back("suspicious", "<Ann@EXAMPLE.com.>"), true, true},
		{"of another address of its own", ann, back("suspicious", "sales@example.com"), true, true},
		{"another's", ann, back("suspicious", "ben@example.com"), false, false},
		{"one that it has had, kept back from another", ann, back("suspicious", "ben@example.com"), false, false},
		{"one that is kept for nobody", ann, back("suspicious"), false, false},
		{"one that is not kept", ann, back("", "ann@example.com"), false, false},
		{"of a class that is shown, not released", ann, back("forbidden", "ann@example.com"), true, false},
		{"of a class that is not shown", ann, back("policy", "ann@example.com"), false, false},
		{"a virus, whatever is configured", ann, back("infected", "ann@example.com"), false, false},
		{"with a virus that did not decide", ann, grave(back("suspicious", "ann@example.com"), "infected"), false, false},
		{"with an attachment that may not be released", ann, grave(back("suspicious", "ann@example.com"), "forbidden"), true, false},
		{"with what was not looked into", ann, grave(back("suspicious", "ann@example.com"), "unscannable"), true, false},
		{"an address that ends alike", ann, back("suspicious", "joann@example.com"), false, false},
		{"another domain", ann, back("suspicious", "ann@example.org"), false, false},
		{"no address", ann, back("suspicious", "", "ann"), false, false},
		{"sent in its name", ann, Mail{Sender: "ann@example.com", Ours: true, Class: "suspicious", Back: []string{"ben@example.com"}}, false, false},
		{"without addresses", Person{Role: Recipient, Classes: ann.Classes}, back("suspicious", "ann@example.com", ""), false, false},
		{"without classes", Person{Role: Recipient, Addresses: ann.Addresses}, back("policy", "ann@example.com"), false, false},
	} {
		if got := c.who.Sees(c.mail); got != c.sees {
			t.Errorf("%s: sees %v", c.about, got)
		}
		if got := c.who.MayWith(SeeContent, c.mail); got != c.sees {
			t.Errorf("%s: may see its content %v", c.about, got)
		}
		if got := c.who.MayWith(Release, c.mail); got != c.opens {
			t.Errorf("%s: may release %v", c.about, got)
		}
	}
	if !ann.Bound() || fmt.Sprint(ann.Own([]string{"Ann@example.com", "ben@example.com"})) != "[Ann@example.com]" {
		t.Error("a recipient is shown who else has had its mail")
	}
}

func TestOwn(t *testing.T) {
	all := []string{"a@example.com", "b@other.example", "c@example.com"}
	if got := (Person{Role: Domain, Domains: []string{"example.com"}}).Own(all); fmt.Sprint(got) != "[a@example.com c@example.com]" {
		t.Error(got)
	}
	if got := (Person{Role: HelpDesk}).Own(all); len(got) != 3 {
		t.Error(got)
	}
	if got := (Person{}).Own(all); len(got) != 0 {
		t.Error(got)
	}
	if all[1] != "b@other.example" {
		t.Error("the caller's list was changed")
	}
}

func TestRoleIsRead(t *testing.T) {
	var r Role
	if err := r.UnmarshalText([]byte("auditor")); err != nil || r != Auditor {
		t.Error(r, err)
	}
	if err := r.UnmarshalText([]byte("root")); err == nil || !strings.Contains(err.Error(), "helpdesk") {
		t.Error(err)
	}
	if err := r.UnmarshalText([]byte("recipient")); err == nil {
		t.Error("a person was made a recipient")
	}
}

// TestDelegated: what a host leaves to administrators of domains are rights of the role, each by one word; what it
// does not leave to them is not theirs, and others lose nothing by it.
func TestDelegated(t *testing.T) {
	by := map[Right]string{}
	for _, word := range Capabilities() {
		given := Delegated([]string{word})
		if len(given) == 0 {
			t.Errorf("%s gives nothing", word)
		}
		dora := Person{Role: Domain, Domains: []string{"example.com"}, Delegated: given}
		for _, right := range Rights() {
			if dora.May(right) != slices.Contains(given, right) {
				t.Errorf("%s: may %s %v", word, right, dora.May(right))
			}
		}
		for _, right := range given {
			if !Domain.Has(right) || by[right] != "" {
				t.Errorf("%s gives %q, which is none of the role or %q gives, too", word, right, by[right])
			}
			by[right] = word
		}
	}
	for _, right := range Rights() {
		if Domain.Has(right) && by[right] == "" {
			t.Errorf("no word gives the right to %s", right)
		}
		if got := (Person{Role: Domain}).May(right) || (Person{Role: Domain, Delegated: Delegated([]string{"all", "", "Release"})}).May(right); got {
			t.Errorf("without a word that gives it, the role may %s", right)
		}
	}
	desk := Person{Role: HelpDesk, Token: true, Only: []Right{Release}}
	if !desk.May(Release) || desk.May(SeeMessages) || !desk.Has(SeeMessages) {
		t.Error("what a token is for and what its owner has are mixed up")
	}
}

// TestTableIsDocumented: docs/console-access.md shows the tables as they are.
func TestTableIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/console-access.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{markdown(), delegation()} {
		if !strings.Contains(string(page), want) {
			t.Errorf("docs/console-access.md lacks this table:\n%s", want)
		}
	}
}

// delegation writes what may be left to administrators of domains as the page shows it.
func delegation() string {
	var b strings.Builder
	b.WriteString("| `may` has | an administrator of domains may |\n|---|---|\n")
	for _, word := range Capabilities() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", word, names(Delegated([]string{word})))
	}
	return b.String()
}

// markdown writes the table as the page shows it.
func markdown() string {
	var b strings.Builder
	b.WriteString("| |")
	for _, role := range Roles() {
		fmt.Fprintf(&b, " %s |", role)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(Roles())) + "\n")
	for _, row := range table {
		fmt.Fprintf(&b, "| %s |", row.right)
		for _, role := range Roles() {
			b.WriteString(cell(role, row.right, row.opens))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func cell(role Role, right Right, opens bool) string {
	switch {
	case !role.Has(right):
		return " – |"
	case opens && !(Person{Role: role}).opensClass(infected):
		return " by class |"
	}
	return " yes |"
}
