package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// book is lists that a test has written down, a line for each entry: "bob@ours.example allow
// ann@example.net", "authenticated" after it, and until when.
type book struct {
	entries map[string]ListEntry
	firm    string
	limits  map[string]float64 // of recipients as the envelope has them
}

const theHost = "host"

var listTime = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func newBook(firm string, lines ...string) *book {
	b := &book{entries: map[string]ListEntry{}, firm: firm}
	for i, line := range lines {
		w := strings.Fields(line)
		e := ListEntry{ID: int64(i + 1), Owner: w[0], Pattern: w[2], Block: w[1] == "block"}
		for _, word := range w[3:] {
			switch word {
			case "authenticated":
				e.Authenticated = true
			case "expired":
				e.Expires = listTime.Add(-time.Second)
			case "soon":
				e.Expires = listTime.Add(time.Second)
			}
		}
		b.entries[fmt.Sprint(e.Owner, " ", e.Pattern, e.Authenticated)] = e
	}
	return b
}

func (b *book) Owners(recipient string) []string { return OwnersOf(recipient, theHost) }
func (b *book) Firm(blocks bool) bool {
	return strings.Contains(b.firm, map[bool]string{true: "block", false: "allow"}[blocks])
}

func (b *book) Limit(recipient string) (OwnLimit, bool) {
	l, ok := b.limits[recipient]
	return OwnLimit{Owner: "main-" + recipient, Score: l}, ok
}

func (b *book) Entry(owner, pattern string, authenticated bool) (ListEntry, bool) {
	e, ok := b.entries[fmt.Sprint(owner, " ", pattern, authenticated)]
	return e, ok
}

func (b *book) Owned(owner string) (o Owned) {
	for _, e := range b.entries {
		if e.Owner != owner {
			continue
		}
		if p, err := netip.ParsePrefix(e.Pattern); err == nil {
			o.Lengths.Add(p)
			continue
		}
		o.Senders = true
		o.AllowsProved = o.AllowsProved || e.Authenticated && !e.Block
		o.BlocksProved = o.BlocksProved || e.Authenticated && e.Block
	}
	return o
}

var skipped = named("spam/*", "content/*", "auth/*", "greylist/*")

// listed returns the default profile with the lists, after which come own rules.
func listedPolicy(t testing.TB, name string, own ...Rule) *Policy {
	shipped, err := Profile(name)
	if err != nil {
		t.Fatal(err)
	}
	return mustNew(t, slices.Concat(ListRules(name, skipped), own, shipped))
}

// spamRule is what sites write: it refuses by score, before the message by a list.
func spamRules() []Rule {
	return []Rule{shipped("listed", named("spam/dns-list"), refuse), shipped("score", []Condition{ScoreAtLeast(5)}, refuse)}
}

var proof = scan.Finding{Kind: scan.Note, Scanner: "auth", Rule: "auth/dmarc-pass", Part: scan.WholeMessage}

// fromAnn is mail from ann@news.sender.example, whose author is Ann@Shop.example, to bob and amy.
func fromAnn(found ...scan.Finding) Input {
	return Input{
		Stage: scan.StageMessage, Found: found,
		Envelope: scan.Envelope{Client: netip.MustParseAddrPort("192.0.2.7:25"), Sender: "Ann@News.Sender.example",
			Recipients: []string{"Bob@ours.example"}, Received: listTime},
		Header: entity.Header{Fields: []entity.Field{{Name: "From", Value: " Ann <Ann@Shop.example>"}}},
	}
}

// TestPrecedence says which of several entries decides about mail that looks like spam.
func TestPrecedence(t *testing.T) {
	spam := scan.Finding{Kind: scan.Note, Scanner: "spam", Rule: "spam/spamassassin", Part: scan.WholeMessage, Score: 9}
	const neither, allowed, blocked = "score", "", "blocked"
	for _, c := range []struct {
		lists string // entries, with ";" in between
		firm  string
		proof bool
		want  string
	}{
		{"", "block", false, neither},
		{"bob@ours.example allow ann@news.sender.test", "block", false, allowed},
		{"bob@ours.example block ann@news.sender.test", "block", false, blocked},
		{"bob@ours.example allow ann@news.sender.test expired", "block", false, neither},
		{"bob@ours.example block ann@news.sender.test expired", "block", false, neither},
		{"bob@ours.example allow ann@news.sender.test soon", "block", false, allowed},
		{"amy@ours.example allow ann@news.sender.test", "block", false, neither},
		{"amy@ours.example block ann@news.sender.test", "block", false, neither},
		{"ours.example allow @news.sender.test", "block", false, allowed},
		{".example allow @news.sender.test", "block", false, allowed},
		{".ours.example block @news.sender.test", "block", false, neither},
		{"theirs.example block @news.sender.test", "block", false, neither},
		{"host allow .sender.test", "block", false, allowed},
		{"host block .test", "block", false, blocked},
		{"host block @sender.test", "block", false, neither},
		{"host block .news.sender.test", "block", false, neither},
		// Of one owner, the narrowest decides.
		{"bob@ours.example allow @news.sender.test; bob@ours.example block ann@news.sender.test", "block", false, blocked},
		{"bob@ours.example block @news.sender.test; bob@ours.example allow ann@news.sender.test", "block", false, allowed},
		{"bob@ours.example block .sender.test; bob@ours.example allow @news.sender.test", "block", false, allowed},
		{"bob@ours.example block .test; bob@ours.example allow .sender.test", "block", false, allowed},
		{"bob@ours.example allow .test; bob@ours.example block .sender.test", "block", false, blocked},
		// The nearer owner decides, unless what a wider one says is firm.
		{"bob@ours.example allow ann@news.sender.test; host block .test", "", false, allowed},
		{"bob@ours.example allow ann@news.sender.test; host block .test", "allow", false, allowed},
		{"bob@ours.example allow ann@news.sender.test; host block .test", "block", false, blocked},
		{"bob@ours.example allow ann@news.sender.test; ours.example block .test", "block", false, blocked},
		{"bob@ours.example allow ann@news.sender.test; ours.example block .test", "", false, allowed},
		{"bob@ours.example block .test; host allow ann@news.sender.test", "block", false, blocked},
		{"bob@ours.example block .test; host allow ann@news.sender.test", "", false, blocked},
		{"bob@ours.example block .test; host allow ann@news.sender.test", "block allow", false, allowed},
		{"ours.example allow .test; host block .test; bob@ours.example block .test", "", false, blocked},
		{"ours.example allow .test; host block .test", "", false, allowed},
		{"host block .test; host allow ann@news.sender.test; bob@ours.example block .sender.test", "block", false, blocked},
		// The author: who is blocked as such is blocked, and is allowed if its domain is proved.
		{"bob@ours.example block ann@shop.example", "block", false, blocked},
		{"bob@ours.example block @shop.example", "block", false, blocked},
		{"bob@ours.example allow ann@shop.example", "block", false, neither},
		{"bob@ours.example allow ann@shop.example", "block", true, neither},
		{"bob@ours.example allow ann@shop.example authenticated", "block", false, neither},
		{"bob@ours.example allow ann@shop.example authenticated", "block", true, allowed},
		{"bob@ours.example allow @shop.example authenticated", "block", true, allowed},
		{"bob@ours.example allow ann@news.sender.test authenticated", "block", true, neither}, // only Shop is proved
		{"bob@ours.example allow @shop.example authenticated; bob@ours.example block ann@shop.example", "block", true, blocked},
		{"bob@ours.example block @shop.example; bob@ours.example allow @shop.example authenticated", "block", true, allowed},
		{"bob@ours.example block @shop.example; bob@ours.example allow @shop.example authenticated", "block", false, blocked},
		{"bob@ours.example block ann@shop.example authenticated", "block", false, neither},
		{"bob@ours.example block ann@shop.example authenticated", "block", true, blocked},
		// Who is blocked as sender is not let through as author, nor the other way round.
		{"bob@ours.example block @news.sender.test; bob@ours.example allow ann@shop.example authenticated", "block", true, blocked},
		{"bob@ours.example allow ann@news.sender.test; bob@ours.example block .example", "block", false, blocked},
		{"bob@ours.example allow ann@news.sender.test; bob@ours.example block @shop.example", "block", false, blocked},
		// Networks.
		{"bob@ours.example allow 192.0.2.0/24", "block", false, allowed},
		{"bob@ours.example block 192.0.2.7/32", "block", false, blocked},
		{"bob@ours.example block 192.0.2.8/32", "block", false, neither},
		{"bob@ours.example block 192.0.2.0/24; bob@ours.example allow 192.0.2.7/32", "block", false, allowed},
		{"bob@ours.example allow 192.0.0.0/16; bob@ours.example block 192.0.2.0/24", "block", false, blocked},
		{"bob@ours.example allow ann@news.sender.test; bob@ours.example block 192.0.2.0/24", "block", false, blocked},
		{"host block 2001:db8::/32", "block", false, neither},
	} {
		p := listedPolicy(t, ProfileDefault, spamRules()...)
		in := fromAnn(spam)
		in.Envelope.Sender = "Ann@News.Sender.test"
		if c.proof {
			in.Found = append(in.Found, proof)
		}
		in.Lists = newBook(c.firm, split(c.lists)...)
		d := p.Decide(in)
		got := strings.TrimPrefix(d.Rule.Name, "default/")
		if strings.HasPrefix(got, "blocked") {
			got = blocked
		}
		if d.Answer == Deliver {
			got = allowed
		}
		if got != c.want {
			t.Errorf("%s (firm %s, proof %v): %s by %q, want %q", c.lists, c.firm, c.proof, d.Answer, got, c.want)
		}
		if e := d.Verdicts[0].Listed; (e != nil) != (c.want != neither) || e != nil && e.Block != (c.want == blocked) {
			t.Errorf("%s: the entry is %+v", c.lists, e)
		}
	}
}

func split(lists string) (lines []string) {
	for line := range strings.SplitSeq(lists, ";") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// TestListsBeforeTheMessage refuses at RCPT what is blocked whatever the message will be.
func TestListsBeforeTheMessage(t *testing.T) {
	bad := scan.Finding{Kind: scan.Suspicious, Scanner: "spam", Rule: "spam/dns-list", Part: scan.WholeMessage}
	grey := scan.Finding{Kind: scan.Note, Scanner: "greylist", Rule: "greylist/first-seen", Part: scan.WholeMessage, Recipient: "Bob@ours.example"}
	later := shipped("greylisting", named("greylist/first-seen"), retry)
	for _, c := range []struct {
		lists string
		found []scan.Finding
		want  string
	}{
		{"bob@ours.example block ann@news.sender.example", nil, "reject"},
		{"host block 192.0.2.0/24", nil, "reject"},
		{"bob@ours.example block ann@shop.example", nil, "deliver"},
		{"amy@ours.example block ann@news.sender.example", nil, "deliver"},
		{"bob@ours.example block ann@news.sender.example; bob@ours.example allow @news.sender.example", nil, "reject"},
		{"bob@ours.example block ann@news.sender.example; bob@ours.example allow @bank.example authenticated", nil, "reject"},
		{"bob@ours.example block @news.sender.example; bob@ours.example allow ann@news.sender.example authenticated", nil, "deliver"},
		{"bob@ours.example block ann@news.sender.example authenticated", nil, "deliver"},
		{"", []scan.Finding{bad}, "reject"},
		{"", []scan.Finding{grey}, "tempfail"},
		{"bob@ours.example allow ann@news.sender.example", []scan.Finding{bad, grey}, "deliver"},
		{"bob@ours.example allow ann@shop.example", []scan.Finding{bad}, "reject"},
		{"bob@ours.example allow ann@shop.example authenticated", []scan.Finding{bad, grey}, "pending"},
		{"amy@ours.example allow ann@shop.example authenticated", []scan.Finding{bad}, "reject"},
		{"host allow 192.0.2.0/24", []scan.Finding{grey}, "deliver"},
	} {
		p := listedPolicy(t, ProfileDefault, append(spamRules(), later)...)
		in := fromAnn(c.found...)
		in.Stage, in.Header = scan.StageRcpt, entity.Header{}
		in.Lists = newBook("block", split(c.lists)...)
		d := p.Decide(in)
		got := d.Answer.String()
		if d.Pending {
			got = "pending"
		}
		// Of an allowed author nothing is known yet, so a score, or nothing, may still refuse.
		if got != c.want && !(c.want == "deliver" && got == "pending") {
			t.Errorf("%s, %v: %s by %v, want %s", c.lists, c.found, got, d.Rule, c.want)
		}
		if d.Answer == Reject && len(c.found) == 0 && !strings.HasPrefix(d.Reply.String(), "550 5.7.1 The recipient does not accept mail from this sender") {
			t.Errorf("%s: %v", c.lists, d.Reply)
		}
		in.Envelope.AuthUser = "joe" // one of ours, or a message that is released
		if d := p.Decide(in); d.Answer == Reject && strings.Contains(d.Rule.Name, "blocked") {
			t.Errorf("%s: %v by %v before the message from a client of ours", c.lists, d.Answer, d.Rule)
		}
		for _, s := range []scan.Stage{scan.StageConnect, scan.StageHelo, scan.StageMail} {
			in := fromAnn()
			in.Stage, in.Header, in.Envelope.Recipients = s, entity.Header{}, nil
			in.Lists = newBook("block", split(c.lists)...)
			if d := p.Decide(in); d.Answer != Deliver {
				t.Errorf("%s: %v at %v", c.lists, d.Answer, s)
			}
		}
	}
	p := listedPolicy(t, ProfileDefault)
	if p.Refuses(scan.StageRcpt) || p.RefusesListed(scan.StageMail) || !p.RefusesListed(scan.StageRcpt) {
		t.Error("without entries nothing is asked before the message; with them, RCPT is")
	}
}

// TestOneListDecidesForOne refuses for the one who has blocked the sender, delivers to the one
// who has allowed it, and tells the first nothing of it.
func TestOneListDecidesForOne(t *testing.T) {
	spam := scan.Finding{Kind: scan.Note, Scanner: "spam", Rule: "spam/spamassassin", Part: scan.WholeMessage, Score: 9}
	p := listedPolicy(t, ProfileDefault, spamRules()...)
	in := fromAnn(spam)
	in.Envelope.Recipients = []string{"amy@ours.example", "bob@ours.example", "cat@ours.example"}
	in.Lists = newBook("block", "amy@ours.example block @news.sender.example", "bob@ours.example allow @news.sender.example")
	d := p.Decide(in)
	if d.Answer != Deliver || !slices.Equal(d.Drop, []string{"amy@ours.example", "cat@ours.example"}) {
		t.Errorf("%v without %v", d.Answer, d.Drop)
	}
	if len(d.Notices) != 1 || d.Notices[0].Recipient != "cat@ours.example" {
		t.Errorf("notices %+v", d.Notices)
	}
	for i, want := range []int64{1, 2, 0} {
		if e := d.Verdicts[i].Listed; (e == nil) != (want == 0) || e != nil && e.ID != want {
			t.Errorf("recipient %d: %+v, want entry %d", i, e, want)
		}
	}
}

// TestAllowedIsNotTrusted goes through all kinds of findings and all profiles: an allowed sender
// gets through by no entry what is infected, forbidden or was not examined, nor what a rule of the
// host refuses whatever it holds.
func TestAllowedIsNotTrusted(t *testing.T) {
	every := newBook("block", "host allow .example", "host allow ann@news.sender.example", "host allow @shop.example authenticated", "host allow 192.0.2.0/24")
	names := []string{"spam/x", "content/x", "auth/x", "greylist/x", "attachment/name", "virus/x", "archive/x", "mime/x", "relay/x"}
	kept := []scan.Kind{scan.Forbidden, scan.Infected, scan.Unscannable, scan.Failed}
	for _, name := range Profiles() {
		with := listedPolicy(t, name)
		for k := scan.Note; k <= scan.Failed; k++ {
			for _, rule := range names {
				f := scan.Finding{Kind: k, Scanner: "x", Rule: rule, Part: scan.WholeMessage, Detail: "x"}
				in := fromAnn(f, proof)
				plain := with.Decide(in)
				in.Lists = every
				d := with.Decide(in)
				skips := strings.HasPrefix(rule, "spam/") || strings.HasPrefix(rule, "content/") || strings.HasPrefix(rule, "auth/") || strings.HasPrefix(rule, "greylist/")
				switch {
				case slices.Contains(kept, k) || !skips:
					if d.Answer != plain.Answer || !d.sameEffect(plain) {
						t.Errorf("%s: %v %s of an allowed sender: %s, of others %s", name, k, rule, d.Words(), plain.Words())
					}
				case d.Answer != Deliver || len(d.Changes()) > 0:
					t.Errorf("%s: %v %s of an allowed sender: %s", name, k, rule, d.Words())
				}
			}
		}
	}
	for _, own := range []Rule{
		fromRule("no", "@news.sender.example", refuse), {Ref: RuleRef{Name: "no"}, Outcome: refuse}, {Ref: RuleRef{Name: "hide"}, Outcome: quarantine},
		{Ref: RuleRef{Name: "no"}, Grounds: Grounds{Requires: named("auth/*")}, Outcome: refuse},
		{Ref: RuleRef{Name: "network"}, Scope: Scope{Client: []Network{{netip.MustParsePrefix("192.0.2.0/24")}}}, Outcome: retry},
	} {
		in := fromAnn(proof)
		in.Lists = every
		if d := listedPolicy(t, ProfileDefault, own).Decide(in); d.Answer != own.Outcome.Answer {
			t.Errorf("%v: %v for an allowed sender", own, d.Answer)
		}
	}
	add := Rule{Ref: RuleRef{Name: "archive"}, Mode: Adds, Outcome: Outcome{Add: []string{"archive@ours.example"}}}
	in := fromAnn(scan.Finding{Kind: scan.Note, Scanner: "spam", Rule: "spam/x", Part: scan.WholeMessage, Score: 9})
	in.Lists = every
	if d := listedPolicy(t, ProfileDefault, append([]Rule{add}, spamRules()...)...).Decide(in); d.Answer != Deliver || len(d.Add) != 1 {
		t.Errorf("%s: what is added to all mail is not added to that of an allowed sender", d.Words())
	}
}

// TestListsNeverSoften decides about random mail by random rules, with an entry that allows it and
// without: what is infected, forbidden or was not examined has the same effect.
func TestListsNeverSoften(t *testing.T) {
	tried := 0
	for seed := range uint64(3000) {
		d := newDice(seed)
		var own []Rule
		for i := range d.IntN(5) {
			own = append(own, d.rule(i))
		}
		with, err := New(slices.Concat(ListRules(ProfileDefault, pick(d, skipped, named("*/*"), kind(scan.Suspicious))), own, defaultRules()), Local{})
		if err != nil {
			t.Fatal(err)
		}
		in := fromAnn()
		in.Parts = parts
		for _, f := range d.findings(1 + d.IntN(3)) {
			if slices.Contains([]scan.Kind{scan.Forbidden, scan.Infected, scan.Unscannable, scan.Failed}, f.Kind) {
				in.Found = append(in.Found, f)
			}
		}
		if len(in.Found) == 0 {
			continue
		}
		tried++
		before := with.Decide(in)
		in.Found = append(in.Found, proof, finds["spam"])
		in.Lists = newBook("block", pick(d, "host", "ours.example", "bob@ours.example")+" allow "+pick(d, ".example", "ann@news.sender.example", "192.0.2.0/24", "@shop.example authenticated"))
		if after := with.Decide(in); after.Answer < before.Answer {
			t.Errorf("seed %d: %s becomes %s\n%v\n%v", seed, before.Words(), after.Words(), own, in.Found)
		}
	}
	if tried < 500 {
		t.Errorf("%d mails", tried)
	}
}

// TestForgedAuthors shows From fields that are more than one address: no entry that wants
// authentication is met by one of them.
func TestForgedAuthors(t *testing.T) {
	spam := scan.Finding{Kind: scan.Note, Scanner: "spam", Rule: "spam/spamassassin", Part: scan.WholeMessage, Score: 9}
	p := listedPolicy(t, ProfileDefault, spamRules()...)
	for from, want := range map[string]Answer{
		" ann@shop.example":                               Deliver,
		` "ann@shop.example" <eve@evil.example>`:          Reject,
		" ann@shop.example, eve@evil.example":             Reject,
		" eve@evil.example (ann@shop.example)":            Reject,
		" <eve@evil.example>\r\nFrom: <ann@shop.example>": Reject,
		" ann@shop.example.evil.example":                  Reject,
		" ann@shop.example@evil.example":                  Reject,
		"":                                                Reject,
		" Ann <ANN@SHOP.EXAMPLE>":                         Deliver,
	} {
		in := fromAnn(spam, proof)
		in.Header.Fields = []entity.Field{{Name: "From", Value: from}}
		if a, b, ok := strings.Cut(from, "\r\nFrom:"); ok {
			in.Header.Fields = []entity.Field{{Name: "From", Value: a}, {Name: "From", Value: b}}
		}
		in.Lists = newBook("block", "host allow @shop.example authenticated")
		if d := p.Decide(in); d.Answer != want {
			t.Errorf("From:%s: %v", from, d.Answer)
		}
		// Of several authors one who is blocked is enough.
		in.Lists = newBook("block", "host block ann@shop.example")
		if d := p.Decide(in); strings.Contains(strings.ToLower(from), "ann@shop.example") && !strings.Contains(from, "shop.example.") && !strings.Contains(from, "shop.example@") && d.Rule.Name != "default/blocked-author" {
			t.Errorf("From:%s: %v by %v", from, d.Answer, d.Rule)
		}
	}
}

// TestDomainsOfOtherScripts finds the entry of a domain by both of its forms.
func TestDomainsOfOtherScripts(t *testing.T) {
	p := listedPolicy(t, ProfileDefault)
	for _, c := range []struct{ sender, recipient string }{
		{"x@bücher.example", "bob@ours.example"}, {"x@xn--bcher-kva.example", "bob@ours.example"}, {"x@BÜCHER.example", "bob@ours.example"},
		{"y@sender.example", "amy@bücher.example"}, {"y@sender.example", "amy@XN--BCHER-KVA.example"},
	} {
		in := fromAnn()
		in.Envelope.Sender, in.Envelope.Recipients = c.sender, []string{c.recipient}
		in.Lists = newBook("block", "bob@ours.example block @xn--bcher-kva.example", "xn--bcher-kva.example block y@sender.example")
		if d := p.Decide(in); d.Answer != Reject {
			t.Errorf("%v: %v", c, d.Answer)
		}
	}
	for _, sender := range []string{"", "<>", "postmaster", "@", "a@", "a@b@", "@.", "\xff@\xff"} {
		in := fromAnn()
		in.Envelope.Sender = sender
		in.Lists = newBook("block", "host block .com", "host block @example.com")
		if d := p.Decide(in); d.Answer != Deliver {
			t.Errorf("%q: %v", sender, d.Answer)
		}
	}
}
