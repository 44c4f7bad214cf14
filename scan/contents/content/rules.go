package content

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/markup"
)

// scannerWord is the scanner of all findings of this package.
const scannerWord = "content"

// rule is the name of a finding without the scanner's word.
type rule string

// Findings about pages.
const (
	ruleApplet        rule = "applet"
	ruleAttachment    rule = "html-attachment"
	ruleDisplay       rule = "display-address"
	ruleEmbed         rule = "embed"
	ruleExternal      rule = "external-body"
	ruleForm          rule = "form"
	ruleFrame         rule = "iframe"
	ruleHandler       rule = "event-handler"
	ruleHiddenText    rule = "hidden-text"
	ruleImpersonation rule = "impersonation"
	ruleLimit         rule = "limit"
	ruleNamesUnknown  rule = "names-unknown"
	ruleObject        rule = "object"
	ruleQRLink        rule = "qr-link"
	ruleQRLure        rule = "qr-lure"
	ruleQRUnread      rule = "qr-unread"
	ruleQRUnsupported rule = "qr-unsupported"
	ruleRefresh       rule = "meta-refresh"
	ruleReplyTo       rule = "reply-to"
	ruleScript        rule = "script"
	ruleSmuggling     rule = "smuggling"
	ruleStyle         rule = "remote-style"
	ruleWebBug        rule = "web-bug"
)

// ruleLookalikeDomain is about the hosts of those who say that they write.
const ruleLookalikeDomain rule = "lookalike-domain"

// Findings about links.
const (
	ruleLinkBad       rule = "link-bad"
	ruleLinkHidden    rule = "link-hidden"
	ruleLinkLookalike rule = "link-lookalike"
	ruleLinkMailto    rule = "link-mailto"
	ruleLinkMismatch  rule = "link-mismatch"
	ruleLinkNumeric   rule = "link-numeric"
	ruleLinkProgram   rule = "link-program"
	ruleLinkScript    rule = "link-script"
	ruleLinkUserinfo  rule = "link-userinfo"
)

var catalogue = scan.NewCatalogue(scannerWord, scannerWord,
	"Pages could not be judged, because a part could not be read or the time ran out.",
	scan.Entry(ruleApplet, scan.Suspicious, "The message embeds a Java applet."),
	scan.Entry(ruleDisplay, scan.Note, "The name that is shown for the author is a mail address of another domain than the "+
		"author's; mailing lists write so too."),
	scan.Entry(ruleEmbed, scan.Suspicious, "The message embeds a plug-in's content."),
	scan.Entry(ruleHandler, scan.Suspicious, "An element of the message runs a script at some event."),
	scan.Entry(ruleExternal, scan.Suspicious, "The message shows nothing but what is fetched from elsewhere when it is read."),
	scan.Entry(ruleForm, scan.Suspicious, "The message holds a form, which sends what is typed into it."),
	scan.Entry(ruleHiddenText, scan.Note, "Style hides text of the message from its reader: a line for previews, or words "+
		"to mislead filters."),
	scan.Entry(ruleAttachment, scan.Suspicious, "An HTML file, attached or in an archive, holds a script or a form."),
	scan.Entry(ruleFrame, scan.Suspicious, "The message embeds another page in a frame."),
	scan.Entry(ruleImpersonation, scan.Note,
		"The author is called like one of our people and writes from an address elsewhere that is none of that person's. "+
			"Others may have the same name."),
	scan.Entry("list-*", scan.Suspicious, "The message holds words of a list of the configuration, whose name stands behind the dash."),
	scan.Entry(ruleLimit, scan.Unscannable, "A page is larger, or has more of something, than what is read; the rest was not judged."),
	scan.Entry(ruleLookalikeDomain, scan.Note,
		"The domain of the author, of the sender or of the address for replies could be taken for one of ours: it looks like it, "+
			"differs in one letter, has another suffix, or begins with it."),
	scan.Entry(ruleNamesUnknown, scan.Failed,
		"Some source of people has never been loaded: whether one of ours is called like the author cannot be said."),
	scan.Entry(ruleReplyTo, scan.Note,
		"Replies go to another domain than the author's: the author is said to be one of ours, or the sender is of a third domain "+
			"and the mail was not sent to many."),
	scan.Entry(ruleLinkBad, scan.Suspicious, "A link leads to a place on the list of bad ones."),
	scan.Entry(ruleLinkHidden, scan.Suspicious, "The text of a link does not name where it leads; found only if configured."),
	scan.Entry(ruleLinkLookalike, scan.Suspicious, "A link leads to a host whose name looks like another one, by letters of other scripts."),
	scan.Entry(ruleLinkMailto, scan.Suspicious, "The text of a link names another mail address than the one it writes to."),
	scan.Entry(ruleLinkMismatch, scan.Suspicious, "The text of a link names another place than the one it leads to."),
	scan.Entry(ruleLinkNumeric, scan.Suspicious, "A link leads to a numeric address instead of a name."),
	scan.Entry(ruleLinkProgram, scan.Suspicious, "A link opens a file share or starts a program of the reader's machine."),
	scan.Entry(ruleLinkScript, scan.Suspicious, "A link runs a script, or carries a page of its own."),
	scan.Entry(ruleLinkUserinfo, scan.Suspicious, "A link has a user name before its host, which reads as if that were the place."),
	scan.Entry(ruleRefresh, scan.Suspicious, "The message goes on to another page by itself."),
	scan.Entry(ruleObject, scan.Suspicious, "The message embeds an object."),
	scan.Entry(ruleQRLink, scan.Note,
		"A QR code in a picture, or one that a text or a table draws, leads to a place that is not on the list of "+
			"safe ones. The link counts like any other."),
	scan.Entry(ruleQRLure, scan.Suspicious,
		"A QR code leads to a place of a domain that is neither the author's nor that of any other link, and the "+
			"message shows little else, or comes from somebody who has not logged in here."),
	scan.Entry(ruleQRUnread, scan.Unscannable,
		"Pictures were not, or not all of them, looked at for QR codes: that takes more work than is done for "+
			"one message, or they are damaged."),
	scan.Entry(ruleQRUnsupported, scan.Note,
		"A picture is of a kind in which no QR codes are looked for, or is broken at its beginning, so that no program shows it."),
	scan.Entry(ruleStyle, scan.Suspicious, "The style of the message is fetched from elsewhere, which tells that it is read."),
	scan.Entry(ruleScript, scan.Suspicious, "The message holds a script."),
	scan.Entry(ruleSmuggling, scan.Suspicious,
		"A page makes a file or another page of data it carries, which is how programs are brought past filters."),
	scan.Entry(ruleWebBug, scan.Suspicious, "An image too small to be seen, or from a host known for it, tells that the message is read."),
)

// Catalogue lists every finding of this package.
func Catalogue() []scan.Rule { return catalogue.Rules() }

// book collects the findings about a message.
type book struct {
	scores map[string]float64
	pages  []*report
}

// page returns the report about a part.
func (b *book) page(part int) *report {
	if i := slices.IndexFunc(b.pages, func(r *report) bool { return r.part == part }); i >= 0 {
		return b.pages[i]
	}
	b.pages = append(b.pages, &report{part: part})
	return b.pages[len(b.pages)-1]
}

// report collects the findings about one part.
type report struct {
	part   int
	counts []count
	about  markup.Objection    // the element under examination
	found  *[]markup.Objection // all there is against the page; nil if the caller does not ask
}

// count is one rule with the first reason for it, and how many there are.
type count struct {
	rule   rule
	detail string
	n      int
}

// add counts a finding.
func (r *report) add(as rule, detail string) {
	if r.found != nil {
		r.about.Rule = scannerWord + "/" + string(as)
		*r.found = append(*r.found, r.about)
	}
	if i := slices.IndexFunc(r.counts, func(c count) bool { return c.rule == as }); i >= 0 {
		r.counts[i].n++
		return
	}
	r.counts = append(r.counts, count{as, detail, 1})
}

func (r *report) addf(as rule, format string, args ...any) { r.add(as, fmt.Sprintf(format, args...)) }

// perRule bounds the parts that one rule is reported for; archives of web sites
// hold thousands of pages.
const perRule = 50

// findings returns one for each rule and part.
func (b *book) findings() (found []scan.Finding) {
	made := map[rule]int{}
	for _, r := range b.pages {
		for _, c := range r.counts {
			if made[c.rule]++; made[c.rule] <= perRule {
				found = append(found, b.finding(r.part, c))
			}
		}
	}
	return found
}

func (b *book) finding(part int, c count) scan.Finding {
	name := scannerWord + "/" + string(c.rule)
	detail := c.detail
	if c.n > 1 {
		detail += fmt.Sprintf(", and %d more", c.n-1)
	}
	f := catalogue.Finding(name, part, detail)
	f.Score = b.scores[string(c.rule)]
	return f
}

// quoted bounds how much of a text a detail shows.
const quoted = 120

// printable returns a text in quotes, with everything that cannot be seen escaped.
func printable(s string) string {
	runes := 0
	for i := range s {
		if runes++; runes > quoted {
			return strconv.Quote(s[:i]) + "…"
		}
	}
	return strconv.Quote(s)
}

// enumerate returns "a, b and c".
func enumerate(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
