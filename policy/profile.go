package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
)

// The shipped profiles. Each is a list of rules that follows the site's own and
// has an answer for every finding.
const (
	ProfileDefault = "default"  // delivers, or refuses with a reason; hides nothing
	ProfileHosting = "hosting"  // for many domains: infected mail is kept and not delivered, doubtful mail is cleaned
	ProfileTagOnly = "tag-only" // delivers everything but infected mail, marked
	ProfileStrict  = "strict"   // refuses where default marks
)

// Profiles lists the names of the shipped profiles.
func Profiles() []string {
	return []string{ProfileDefault, ProfileHosting, ProfileTagOnly, ProfileStrict}
}

// Profile returns the rules of a shipped profile.
func Profile(name string) ([]Rule, error) {
	var rules []Rule
	switch name {
	case ProfileDefault:
		rules = defaultRules()
	case ProfileHosting:
		rules = hostingRules()
	case ProfileTagOnly:
		rules = tagOnlyRules()
	case ProfileStrict:
		rules = strictRules()
	default:
		return nil, fmt.Errorf("there is no profile %q; there are %s", name, strings.Join(Profiles(), ", "))
	}
	for i := range rules {
		rules[i].Ref.Name = name + "/" + rules[i].Ref.Name
	}
	return rules, nil
}

// ListRules returns the rules of a shipped profile by which the lists of people count. They
// come before the site's own, so that none of these hides what a person has settled. Of mail of an
// allowed sender some findings do not count, the score among them if any finding that adds
// to it is; infected, forbidden or unexamined content always does, and so does a rule
// that refuses mail whatever was found in it.
func ListRules(profile string, skips []Condition) []Rule {
	rules := []Rule{
		{Ref: RuleRef{Name: "blocked-network"}, Scope: Scope{Lists: ByList{Client: []ListName{Blocked}}}, Outcome: unwanted},
		{Ref: RuleRef{Name: "blocked-sender"}, Scope: Scope{Lists: ByList{From: []ListName{Blocked}}}, Outcome: unwanted},
		{Ref: RuleRef{Name: "blocked-author"}, Scope: Scope{Lists: ByList{HeaderFrom: []ListName{Blocked}}}, Outcome: unwanted},
	}
	if len(skips) > 0 {
		rules = append(rules, skipping("allowed-network", ByList{Client: []ListName{Allowed}}, skips),
			skipping("allowed-sender", ByList{From: []ListName{Allowed}}, skips))
	}
	for i := range rules {
		rules[i].Ref.Name = profile + "/" + rules[i].Ref.Name
	}
	return rules
}

// skipping returns the rule by which findings do not count for mail of those who are listed.
func skipping(name string, by ByList, skips []Condition) Rule {
	g := Grounds{When: slices.Clone(skips), Not: []scan.Kind{scan.Forbidden, scan.Infected, scan.Unscannable, scan.Failed}}
	if slices.ContainsFunc(skips, func(c Condition) bool { return c.Covers(Named("spam/*")) }) {
		g.When = append(g.When, AnyScore())
	}
	return Rule{Ref: RuleRef{Name: name}, Scope: Scope{Lists: by, Direction: Inbound | Internal}, Grounds: g, Yields: true}
}

// The outcomes the profiles are made of.
var (
	deliver    = Outcome{}
	refuse     = Outcome{Answer: Reject}
	unwanted   = Outcome{Answer: Reject, Reply: senderBlocked}
	retry      = Outcome{Answer: Tempfail}
	verify     = Outcome{Answer: Tempfail, Reply: senderLater}
	quarantine = Outcome{Answer: Discard, Keep: true}
	marked     = Outcome{Headers: []HeaderField{{"X-Milterscan", "{rule}"}}}
	tagged     = Outcome{Headers: marked.Headers, Tag: "{Dangerous?}"}
	disarmed   = Outcome{Edit: Disarm, Headers: marked.Headers, Else: &marked}
	defused    = Outcome{Edit: Disarm, Headers: marked.Headers, Tag: "{Disarmed}", Else: &marked} // and told to the reader
	cleaned    = Outcome{Edit: Clean, Headers: marked.Headers, Else: &refuse}
)

// Findings that the profiles treat alike, by the names their scanners give them.
var (
	// Checks that ask others and whose silence must not stop the mail.
	optional = named("auth/failed*", "auth/*-temperror", "relay/failed*", "spam/failed*", "greylist/failed", "bounce/failed",
		"rate/failed", "people/lists", "content/names-unknown", "content/failed/contact", "feed/failed*")

	// What cannot be said now about the sender's domain, though others are known.
	unverified = named("relay/sender-unverified")

	programs = named("attachment/name", "attachment/old-name", "attachment/program", "attachment/script", "attachment/shortcut",
		"attachment/disk-image", "attachment/denied-type", "attachment/double-extension", "attachment/disguised-name", "attachment/bidi-name",
		"attachment/blank-name", "attachment/clsid-name", "attachment/control-name", "attachment/long-name")
	memberPrograms = named("attachment/member-*")
	macroNames     = named("attachment/macro-name")
	macros         = named("attachment/macro-autorun", "attachment/macro-stomped", "attachment/macro-xlm", "attachment/dde",
		"attachment/remote-template",
		"attachment/ole-package", "attachment/equation-exploit")
	launchers = named("attachment/pdf-launch", "attachment/shortcut-command", "attachment/remote-shortcut")

	encrypted = named("archive/encrypted-member", "archive/encrypted-names")
	bombs     = named("archive/decoder-limit", "archive/depth", "archive/limit", "archive/member-too-large", "archive/overlapping-members",
		"archive/ratio",
		"archive/too-many-members", "archive/too-much-data", "archive/window-too-large")
	tooComplex = named("mime/message-size", "mime/nesting", "mime/time", "mime/too-many-parts", "mime/boundaries-limit", "mime/boundary-limit",
		"mime/decoded-size", "mime/depth-limit", "mime/field-limit", "mime/fields-limit", "mime/header-limit",
		"mime/names-limit", "mime/names-size", "mime/parameters-limit", "mime/parts-limit",
		"mime/readings-limit", "mime/reread-limit", "mime/wrapped-limit", "attachment/many-paths")
	elsewhere = named("mime/external-body", "mime/partial")

	htmlAttached = named("content/html-attachment", "attachment/svg-script")
	htmlActive   = named("content/applet", "content/embed", "content/event-handler", "content/form", "content/iframe",
		"content/meta-refresh", "content/object", "content/script")
	htmlBody   = append(named("content/link-*", "content/remote-style", "content/web-bug"), htmlActive...)
	badLinks   = named("content/link-bad", "content/link-program", "content/link-script")
	smuggling  = named("content/smuggling")
	remoteBody = named("content/external-body")
	codes      = named("content/qr-lure", "content/qr-unread") // honest mail has photographs and codes
)

// shipped returns a rule of a profile, for any mail.
func shipped(name string, when []Condition, o Outcome) Rule {
	return Rule{Ref: RuleRef{Name: name}, Grounds: Grounds{When: when}, Outcome: o}
}

// going returns the rule for mail in some direction only.
func (r Rule) going(d Directions) Rule {
	r.Scope.Direction = d
	return r
}

func kind(k scan.Kind) []Condition { return []Condition{OfKind(k)} }

// firstRules begin every profile.
func firstRules() []Rule {
	return []Rule{
		shipped("check-unavailable", optional, deliver),
		shipped("sender-unverified", unverified, verify),
		shipped("not-examined", kind(scan.Failed), retry),
	}
}

// lastRules end the profiles that mark what they do not refuse.
func lastRules() []Rule {
	return []Rule{
		shipped("forbidden", kind(scan.Forbidden), refuse),
		shipped("suspicious", kind(scan.Suspicious), marked),
		shipped("unscannable", kind(scan.Unscannable), marked),
		shipped("ambiguous", kind(scan.Ambiguous), marked),
		shipped("malformed", kind(scan.Malformed), deliver),
		shipped("note", kind(scan.Note), deliver),
	}
}

func defaultRules() []Rule {
	return slices.Concat(firstRules(), []Rule{
		shipped("infected", kind(scan.Infected), refuse),
		shipped("program", programs, refuse),
		shipped("program-in-archive", memberPrograms, refuse),
		shipped("macro-name", macroNames, marked),
		shipped("macro", macros, refuse),
		shipped("launcher", launchers, refuse),
		shipped("encrypted-outbound", encrypted, marked).going(Outbound),
		shipped("encrypted", encrypted, refuse),
		shipped("bomb", bombs, refuse),
		shipped("too-complex", tooComplex, refuse),
		shipped("elsewhere", elsewhere, refuse),
	}, lastRules())
}

func hostingRules() []Rule {
	return slices.Concat(firstRules(), []Rule{
		shipped("infected-outbound", kind(scan.Infected), refuse).going(Outbound),
		shipped("infected", kind(scan.Infected), quarantine),
		shipped("program", programs, refuse),
		encryptedProgram(),
		shipped("program-in-archive", memberPrograms, deliver),
		shipped("macro-name", macroNames, marked),
		shipped("macro", macros, cleaned),
		shipped("launcher", launchers, refuse),
		shipped("encrypted", encrypted, marked),
		shipped("bomb", bombs, refuse),
		shipped("too-complex", tooComplex, refuse),
		shipped("elsewhere", elsewhere, refuse),
		shipped("remote-body", remoteBody, refuse),
		uneditablePage(),
		shipped("html-attachment", htmlAttached, defused),
		shipped("html-active", htmlActive, defused),
		shipped("html-body", htmlBody, disarmed),
		shipped("smuggling", smuggling, quarantine),
	}, lastRules())
}

// encryptedProgram refuses a denied name that can be read in an archive whose
// content cannot: nothing else is known of that file.
func encryptedProgram() Rule {
	r := shipped("program-in-encrypted-archive", memberPrograms, refuse)
	r.Grounds.Requires = named("archive/encrypted*")
	return r
}

// uneditablePage refuses pages that act, or whose links run or lead to pages known as bad, in a
// message that cannot be edited since programs read it in different ways: no honest program writes both.
func uneditablePage() Rule {
	r := shipped("html-uneditable", slices.Concat(htmlAttached, htmlActive, badLinks), refuse)
	r.Grounds.Requires = named("mime/uneditable")
	return r
}

func tagOnlyRules() []Rule {
	dangerous := slices.Concat(kind(scan.Forbidden), macros, launchers, bombs, tooComplex, elsewhere, smuggling)
	return slices.Concat(firstRules(), []Rule{
		shipped("infected", kind(scan.Infected), refuse),
		shipped("dangerous", dangerous, tagged),
	}, lastRules())
}

// strictRules refuse whatever default marks. Only what every newsletter holds is
// still marked: no mail is refused for its links alone.
func strictRules() []Rule {
	return slices.Concat(firstRules(), []Rule{
		shipped("infected", kind(scan.Infected), refuse),
		shipped("html-body", htmlBody, marked),
		shipped("picture", codes, marked),
		shipped("elsewhere", slices.Concat(elsewhere, remoteBody), refuse),
		shipped("smuggling", smuggling, refuse),
		shipped("macro", macros, refuse),
		shipped("forbidden", kind(scan.Forbidden), refuse),
		shipped("suspicious", kind(scan.Suspicious), refuse),
		shipped("unscannable", kind(scan.Unscannable), refuse),
		shipped("ambiguous", kind(scan.Ambiguous), refuse),
		shipped("malformed", kind(scan.Malformed), deliver),
		shipped("note", kind(scan.Note), deliver),
	})
}
