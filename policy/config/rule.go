package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan/units"
)

// Rule is one rule of the site's own.
type Rule struct {
	// What the log and reports call the rule.
	Name string `toml:"name" example:"\"partners may send programs\""`

	// Which way the mail goes: "inbound", "outbound", "internal"; "relayed" is
	// inbound mail for domains that are not yours.
	Direction []policy.Directions `toml:"direction" example:"[\"inbound\"]"`
	// The client's address: "192.0.2.0/24", "2001:db8::1", "file:/path" for a
	// file with one of these on each line, or "list:blocked" or "list:allowed" for
	// the networks that the recipient, its domain or the host have listed.
	Client []string `toml:"client" example:"[\"192.0.2.0/24\", \"2001:db8::/32\"]"`
	// The country the client is in, by its two letters; it matches nothing where geo.country
	// does not know it.
	Country []policy.Country `toml:"country" example:"[\"DE\", \"AT\"]"`
	// The number of the client's autonomous system, as geo.asn knows it.
	ASN []int64 `toml:"asn" example:"[64496]"`
	// The envelope sender: "user@example.com", "@example.com" for a domain,
	// ".example.com" for its subdomains, "<>" for the null sender,
	// "file:/path" for a file with one of these on each line, or "list:blocked" or
	// "list:allowed" for the senders that the recipient, its domain or the host have
	// listed.
	From []string `toml:"from" example:"[\"@partner.example\", \"file:partners.txt\"]"`
	// The envelope recipient, in the same forms, or "group:finance" for those in a
	// group of people, of whom [[people.source]] knows. In "from" a group of a rule that
	// delivers is for mail from your own clients only, since anybody can write an address.
	To []string `toml:"to" example:"[\"lab@example.com\", \"group:finance\"]"`
	// Recipients the rule is not for after all, in the same forms.
	NotTo []string `toml:"not_to" example:"[\"boss@example.com\"]"`
	// The login name of the client, "*" for any, "none" for mail without one.
	Auth []policy.Login `toml:"auth" example:"[\"*\"]"`
	// The addresses in the From field, which anybody can forge, in the same
	// forms as the sender.
	HeaderFrom []string `toml:"header_from" example:"[\".partner.example\"]"`
	// When the message came, by the clock of this host or of a time zone:
	// "mon-fri 08:00-18:00", "sat,sun", "22:00-06:00 Europe/Berlin".
	Hours []policy.Hours `toml:"hours" example:"[\"mon-fri 08:00-18:00\"]"`
	// The size of the message, at least.
	MinSize units.Size `toml:"min_size" example:"\"1KB\""`
	// The size of the message, at most; "0B" for no limit.
	MaxSize units.Size `toml:"max_size" example:"\"20MB\""`

	// The findings the rule is for: a kind ("infected"), a rule of the list in
	// findings.md ("attachment/*"), such a name with a score of the finding's own
	// ("spam/rspamd >= 8"), or the score of all ("score >= 5"). Without
	// "when" and "part" the rule is for the message itself and all findings; but
	// if it delivers, not for the kinds infected and failed.
	When []policy.Condition `toml:"when" example:"[\"attachment/name\", \"score >= 5\"]"`
	// Names, paths or media types of the parts the findings are about, or of what
	// these are in: "*.jar", "image/*". Without "when" it is for the parts
	// themselves, whatever is found in them; but if it delivers, not for the kinds
	// infected and failed.
	Part []string `toml:"part" example:"[\"*.jar\"]"`
	// What must have been found as well, all of it, anywhere in the message.
	Requires []policy.Condition `toml:"requires" example:"[\"auth/dmarc-pass\"]"`
	// What must not have been found, none of it, anywhere in the message.
	Unless []policy.Condition `toml:"unless" example:"[\"archive/encrypted*\"]"`

	Outcome

	// Only log that the rule matched.
	Observe bool `toml:"observe" example:"false"`

	origin   Origin
	compiled policy.Rule
}

// Outcome is what becomes of mail a rule matches.
type Outcome struct {
	// The answer: "deliver", "tempfail", "hold" (in the MTA's queue), "discard",
	// "quarantine" (discard, with a copy) or "reject". Without it, the keys below
	// still take effect and later rules decide.
	Action string `toml:"action" example:"\"deliver\""`
	// The reply for tempfail and reject: "550 5.7.1 We do not take this." The
	// message's id follows it. Without it, a sentence that fits.
	Reply string `toml:"reply" example:"\"550 5.7.1 We do not take this.\""`
	// Keep a copy in the quarantine, safe on disk before the answer.
	Keep bool `toml:"keep" example:"false"`
	// For "reject": let the sender ask the recipient for the message. A copy is kept, and
	// the reply has a link to a page; see [people.appeal]. The rule then waits for the
	// whole message.
	Appeal bool `toml:"appeal" example:"false"`
	// How to change the part a finding is about: "rename" its file; "disarm"
	// the page, "text" makes plain text of it; "clean" takes members out of
	// archives and macros out of documents; "replace" puts a notice in its place.
	// Signed and encrypted mail is never edited; see "else".
	Edit string `toml:"edit" example:"\"rename\""`
	// A mark before the subject: "{Spam?}".
	Tag string `toml:"tag" example:"\"{Partner}\""`
	// The text to put into the message, by its name in [[edit.banner]]. Signed and
	// encrypted mail gets none.
	Banner string `toml:"banner" example:"\"legal\""`
	// Header fields put on top, in which {rule} is the finding's rule, {detail}
	// what it says, {id} the message's id, {score} its score, {bar} a star for each
	// point of it, {scored} the findings that make it, {client} the client's address
	// and {user} its login name: { X-Milterscan = "{rule} [{id}]" }.
	Headers map[string]string `toml:"headers" example:"{ X-Milterscan = \"{rule} [{id}]\" }"`
	// Who gets the message as well.
	Copy []string `toml:"copy" example:"[\"archive@example.com\"]"`
	// Who gets it instead.
	Redirect []string `toml:"redirect" example:"[\"admin@example.com\"]"`
	// Who is told: addresses; "recipients" for those in [local] domains from whom the
	// message is kept back; "sender-if-internal" for its sender, if it is from us.
	Notify []string `toml:"notify" example:"[\"admin@example.com\"]"`
	// What becomes of it if the edit cannot be made; without it, it is refused:
	// { action = "quarantine" }.
	Else *Outcome `toml:"else" example:"{ action = \"quarantine\" }"`
}

// answers are the actions a rule can name.
var answers = map[string]policy.Answer{
	"deliver": policy.Deliver, "tempfail": policy.Tempfail, "hold": policy.Hold,
	"discard": policy.Discard, "quarantine": policy.Discard, "reject": policy.Reject,
}

var edits = map[string]policy.EditKind{
	"": policy.NoEdit, "rename": policy.Rename, "disarm": policy.Disarm,
	"text": policy.Simplify, "clean": policy.Clean, "replace": policy.Replace,
}

// compile makes a policy's rule of the one at path.
func (b *binder) compile(path string, place int, r *Rule) {
	r.origin = Origin{b.file, b.line(path)}
	if r.Name == "" {
		r.Name = "rule " + strconv.Itoa(place+1)
	}
	c := policy.Rule{Ref: policy.RuleRef{Name: r.Name, File: b.file, Line: r.origin.Line}}
	c.Scope = policy.Scope{
		Auth:  r.Auth,
		To:    b.addresses(path+".to", r.To),
		NotTo: b.addresses(path+".not_to", r.NotTo),
		Size:  policy.SizeRange{Min: r.MinSize, Max: r.MaxSize},
		Hours: r.Hours, Country: r.Country, ASN: b.systems(path+".asn", r.ASN),
	}
	c.Scope.Client, c.Scope.Lists.Client = listed[policy.Network](b, path+".client", r.Client)
	c.Scope.From, c.Scope.Lists.From = listed[policy.AddressPattern](b, path+".from", r.From)
	c.Scope.HeaderFrom, c.Scope.Lists.HeaderFrom = listed[policy.AddressPattern](b, path+".header_from", r.HeaderFrom)
	for _, d := range r.Direction {
		c.Scope.Direction |= d
	}
	c.Grounds = policy.Grounds{When: r.When, Part: r.Part, Requires: r.Requires, Unless: r.Unless}
	c.Outcome = b.outcome(path, &r.Outcome)
	switch {
	case r.Observe:
		c.Mode = policy.Watches
	case r.Action == "":
		c.Mode = policy.Adds
	}
	b.emptyLists(path, r)
	if err := c.Check(); err != nil {
		b.wrong(path, "%v", err)
	} else if c.Mode == policy.Adds && r.Outcome.none() {
		b.wrong(path, "the rule does nothing; give it an action, such as \"reject\"")
	}
	r.compiled = c
}

// emptyLists refuses a condition without values: nothing could say whether it
// means no address or all of them.
func (b *binder) emptyLists(path string, r *Rule) {
	for key, n := range map[string]int{
		"direction": len(r.Direction), "client": len(r.Client), "from": len(r.From), "to": len(r.To), "not_to": len(r.NotTo),
		"auth": len(r.Auth), "hours": len(r.Hours), "country": len(r.Country), "asn": len(r.ASN),
		"header_from": len(r.HeaderFrom), "when": len(r.When), "part": len(r.Part), "requires": len(r.Requires), "unless": len(r.Unless),
	} {
		if _, set := b.origins[join(path, key)]; set && n == 0 {
			b.wrong(join(path, key), "the list is empty; leave it out if any value will do")
		}
	}
}

// none reports whether the outcome asks for nothing.
func (o *Outcome) none() bool {
	return o.Action == "" && !o.Keep && !o.Appeal && o.Edit == "" && o.Tag == "" && o.Banner == "" &&
		len(o.Headers)+len(o.Copy)+len(o.Redirect)+len(o.Notify) == 0
}

func (b *binder) outcome(path string, o *Outcome) policy.Outcome {
	out := policy.Outcome{
		Answer: answers[o.Action],
		Keep:   o.Keep || o.Action == "quarantine",
		Edit:   edits[o.Edit],
		Tag:    o.Tag,
		Banner: o.Banner,
		Add:    b.recipients(path+".copy", o.Copy),
		Only:   b.recipients(path+".redirect", o.Redirect),
		Notify: b.told(path+".notify", o.Notify),
		Reply:  b.reply(path+".reply", o.Reply),
	}
	if o.Appeal {
		out.Appeal = policy.Appealable() // as far as the host hears appeals; see Config.hearing
	}
	if _, ok := answers[o.Action]; !ok && o.Action != "" {
		b.wrong(path+".action", "there is no action %q; %s", o.Action, suggest(o.Action, answers))
	}
	if _, ok := edits[o.Edit]; !ok {
		b.wrong(path+".edit", "there is no edit %q; %s", o.Edit, suggest(o.Edit, edits))
	}
	for _, name := range slices.Sorted(maps.Keys(o.Headers)) {
		out.Headers = append(out.Headers, policy.HeaderField{Name: name, Value: o.Headers[name]})
	}
	if o.Else != nil {
		e := b.outcome(path+".else", o.Else)
		out.Else = &e
	}
	return out
}

// recipients checks addresses mail is sent to.
func (b *binder) recipients(path string, list []string) []string {
	for i, a := range list {
		if !isAddress(a) {
			b.wrong(fmt.Sprintf("%s[%d]", path, i), "%q is no address; write \"user@example.com\"", a)
		}
	}
	return list
}

// reply reads "550 5.7.1 Text".
func (b *binder) reply(path, s string) policy.Reply {
	if s == "" {
		return policy.Reply{}
	}
	code, rest, _ := strings.Cut(s, " ")
	enhanced, text, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(code)
	if err != nil || strings.Count(enhanced, ".") != 2 || text == "" {
		b.wrong(path, "%q is no reply; write a code, an enhanced code and a text, such as \"550 5.7.1 We do not take this.\"", s)
		return policy.Reply{}
	}
	return policy.Reply{Code: n, Enhanced: enhanced, Text: text}
}
