package policy

import (
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
)

// Limits of what a foreign name or a finding may put into a reply or a header.
const (
	maxName        = 60
	maxHeaderValue = 200
	maxHeaders     = 32
)

// sentence is all that senders are told about findings of some kind: the reply
// must not teach them which signature, score or rule they met. "%" is replaced by
// the attachment; see facts.attachment.
type sentence struct {
	when  Condition
	reply Reply
}

// sentences are searched in order; the last ones, by kind, are for findings that
// have no separate sentence. The codes are those of RFC 3463, sections 3.2 to 3.8.
var sentences = [...]sentence{
	{OfKind(scan.Infected), Reply{550, "5.7.1", "it contains a virus"}},
	{Named("attachment/too-large"), Reply{552, "5.3.4", "% is larger than is accepted"}},
	{Named("attachment/too-many"), Reply{552, "5.3.4", "it has more attachments than are accepted"}},
	{Named("attachment/*"), Reply{550, "5.7.1", "% is of a kind that is not accepted"}},
	{Named(PartFound), Reply{550, "5.7.1", "% is of a kind that is not accepted"}},
	{Named("archive/encrypted*"), Reply{550, "5.7.1",
		"% is protected by a password and cannot be examined; please send it without one, or agree with the recipient on another way"}},
	{Named("mime/message-size"), Reply{552, "5.3.4", "it is larger than is accepted"}},
	{Named("mime/partial"), Reply{554, "5.6.1", "it is only a piece of a message"}},
	{Named("mime/external-body"), Reply{554, "5.6.1", "its content is stored elsewhere"}},
	{Named("content/external-body"), Reply{554, "5.6.1", "its content is stored elsewhere"}},
	{Named("content/*"), Reply{550, "5.7.1", "its content is not accepted"}},
	{Named("relay/sender-domain"), Reply{550, "5.1.8", "the sender's domain does not exist"}},
	{Named("relay/null-mx"), Reply{550, "5.7.27", "the sender's domain accepts no mail"}},
	{Named("relay/*"), Reply{550, "5.7.1", "this server does not relay for you"}},
	{Named("recipient/unknown"), Reply{550, "5.1.1", "there is no such recipient"}},
	{Named("auth/*"), Reply{550, "5.7.1", "the sender could not be authenticated"}},
	{Named("spam/*"), Reply{550, "5.7.1", "it looks like unsolicited mail"}},
	{OfKind(scan.Unscannable), Reply{554, "5.6.0", "% cannot be examined within the limits of this server"}},
	{OfKind(scan.Ambiguous), Reply{554, "5.6.0", "the structure of % can be read in more than one way"}},
	{OfKind(scan.Malformed), Reply{554, "5.6.0", "the structure of % is damaged"}},
}

// byPolicy is the sentence where no other fits: a rule that this site has written.
var byPolicy = Reply{550, "5.7.1", "not accepted here by local policy"}

// probed is the reply to the probe of "milterscan setup".
const probed = "This is milterscan: its probe has arrived."

// Probed returns the reply to the probe of "milterscan setup". The id is that of
// the message.
func Probed(id string) Reply {
	return Reply{550, "5.7.1", probed + " [" + printable(id, maxName) + "]"}
}

// IsProbed reports whether an SMTP reply with this text answers the probe.
func IsProbed(text string) bool { return strings.Contains(text, probed) }

// later is the reply to every temporary failure whose rule sets no text.
var later = Reply{451, "4.3.0", "The message could not be examined now; please try again later."}

// The replies that do not come from a rule or a finding. No other package knows
// codes of SMTP.
var (
	MailUnavailable   = Reply{451, "4.3.0", "Mail filter cannot take the message now, try again later"}
	NoStorage         = Reply{451, "4.3.1", "Mail filter has no room for the message now, try again later"}
	ShuttingDown      = Reply{421, "4.3.2", "Mail filter is shutting down, try again later"}
	TooManyRecipients = Reply{452, "4.5.3", "Too many recipients"}
	Refused           = Reply{550, "5.7.1", "Message refused"}
	TryLater          = Reply{451, "4.3.0", "Try again later"}
	NoQueue           = Reply{451, "4.7.1", "The message is held and there is no queue to hold it in"}
	TooLarge          = Reply{552, "5.3.4", "Message refused: it is larger than is accepted."}
	NoRelay           = Reply{550, "5.7.1", "This server does not relay mail for you."}
	NotKnownYet       = Reply{451, "4.7.1", "We do not know you yet; please try again in a few minutes."}
	senderBlocked     = Reply{550, "5.7.1", "The recipient does not accept mail from this sender."}
	senderLater       = Reply{451, "4.1.8", "The sender's domain cannot be verified now; please try again later."}
)

// NotNow returns the reply where something here is out of order while a message is
// looked at.
func NotNow(id string) Reply {
	return Reply{451, "4.3.0", "The message cannot be processed now, try again later [" + id + "]"}
}

// replyFor words a refusal: the rule's own text, or the sentence for the
// finding; and the id, by which the postmaster finds the rest in the log.
func (f *facts) replyFor(g ground) Reply {
	r := g.outcome.Reply
	switch {
	case r.Code != 0:
	case g.outcome.Answer == Tempfail:
		r = later
	default:
		r = f.category(g)
		r.Text = "Message refused: " + r.Text + "."
	}
	if f.in.ID != "" {
		r.Text += " [" + printable(f.in.ID, maxName) + "]"
	}
	return r
}

// category returns the sentence for a ground, with the attachment's name in it.
func (f *facts) category(g ground) Reply {
	i := f.reason(g)
	if i == itself {
		return byPolicy
	}
	found := f.in.Found[i]
	for _, s := range sentences {
		if s.when.matches(found) {
			r := s.reply
			r.Text = strings.Replace(r.Text, "%", f.attachment(found), 1)
			return r
		}
	}
	return byPolicy
}

// attachment names the part a finding points at: `attachment "a.pdf"`, or
// `the file "a.exe" in attachment "b.zip"`, or "it" for the whole message.
func (f *facts) attachment(found scan.Finding) string {
	p := f.part(found)
	if p == nil {
		return "it"
	}
	p = f.document(p)
	outer, inside := p, ""
	for outer.Archived && outer.Parent >= 0 && outer.Parent < len(f.in.Parts) && &f.in.Parts[outer.Parent] != p {
		outer = &f.in.Parts[outer.Parent]
	}
	if name := quotable(p); outer != p && name != "" {
		inside = `the file "` + name + `" in `
	}
	if name := quotable(outer); name != "" {
		return inside + `attachment "` + name + `"`
	}
	return inside + "a part of it"
}

// document returns the outermost document that a part is a piece of, or the part itself:
// people know "offer.docx", and nothing of "word/_rels/settings.xml.rels" in it.
func (f *facts) document(p *scan.Part) *scan.Part {
	known := p
	for p.Archived && p.Parent >= 0 && p.Parent < len(f.in.Parts) && &f.in.Parts[p.Parent] != p {
		p = &f.in.Parts[p.Parent]
		if isDocument(p) {
			known = p
		}
	}
	return known
}

// documents are the extensions of files that people open as one, though they hold
// others.
var documents = named("*.doc?", "*.doc", "*.dot", "*.dot?", "*.xls", "*.xls?", "*.xlt?", "*.xlam", "*.ppt", "*.ppt?", "*.pps?",
	"*.pot?", "*.od?", "*.ot?",
	"*.rtf", "*.pdf", "*.one", "*.pub", "*.vsd?", "*.vsd", "*.eml", "*.msg", "*.ics", "*.vcf", "*.html", "*.htm", "*.svg")

func isDocument(p *scan.Part) bool {
	const end = 16 // bytes of a name: more than any of the patterns, which all are about its end
	name := p.Name()
	name = strings.ToLower(name[max(0, len(name)-end):])
	return slices.ContainsFunc(documents, func(c Condition) bool { return matchGlob(c.pattern, name) })
}

// quotable returns a part's name as it may be between quotes.
func quotable(p *scan.Part) string {
	return strings.ReplaceAll(printable(p.Name(), maxName), `"`, "'")
}

// holdReason returns the text that the MTA's queue shows with a held message. Only
// administrators see it, so it may name the rule.
func (f *facts) holdReason(g ground) string {
	why := g.rule.Ref.Name
	if i := f.reason(g); i != itself {
		why += ": " + f.in.Found[i].Rule
	}
	if f.in.ID != "" {
		why += " [" + f.in.ID + "]"
	}
	return printable(why, maxHeaderValue)
}

// printable makes s fit for a line that goes out: printable ASCII, runs of
// blanks made one, "?" for everything else, at most limit bytes.
func printable(s string, limit int) string {
	var b strings.Builder
	for _, r := range s {
		if b.Len() >= limit {
			break
		}
		if r < ' ' || r > '~' {
			r = '?'
		}
		if r != ' ' || b.Len() > 0 && !strings.HasSuffix(b.String(), " ") {
			b.WriteByte(byte(r))
		}
	}
	return strings.TrimRight(b.String(), " ")
}
