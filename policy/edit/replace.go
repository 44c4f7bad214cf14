package edit

import (
	"errors"
	"strings"
	"unicode"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
)

var errOtherReading = errors.New("only some readers see this part")

// withdraw makes a change the replacement of its entity by a notice about the
// findings of some edits.
func (w *work) withdraw(c *change, s *site, because []policy.Edit) {
	notice := w.notice(w.title(s.part), w.reason(because))
	var name []string
	if len(s.entity.Names) > 0 || s.entity.Disposition == "attachment" {
		name = []string{w.NoticeName}
	}
	c.fields, c.withdrawn = nil, true
	c.set("Content-Type", contentType("text/plain", []parameter{{"charset", "utf-8"}}, name...))
	c.remove("Content-Disposition")
	if name != nil {
		c.set("Content-Disposition", disposition("inline", name...))
	}
	for _, gone := range [...]string{"Content-MD5", "Content-Description", "Content-Language", "Content-Location", "Content-Features"} {
		c.remove(gone)
	}
	c.body, c.with = text(notice), entity.Identity
	if !isASCII(notice) || widest(c.body) > longestLine {
		c.with = entity.QuotedPrintable
	}
	if c.with == entity.Identity && c.entity.Encoding == entity.Identity {
		c.set("Content-Transfer-Encoding", "7bit")
	}
}

// notice returns the text that is put in place of a part taken out.
func (w *work) notice(name, reason string) string {
	fill := strings.NewReplacer("{name}", name, "{reason}", reason, "{id}", w.ID)
	return fill.Replace(strings.Join(w.Notice, w.newline)) + w.newline
}

// longestTitle bounds how much of a foreign name is shown.
const longestTitle = 100

// title returns the name of a part for a notice.
func (w *work) title(part int) string {
	if part < 0 {
		return "(unnamed)"
	}
	if n := plain(w.Message.Parts[part].Name()); n != "" {
		return `"` + n + `"`
	}
	return "(" + w.Message.Parts[part].Type + ")"
}

// plain returns a foreign name with a question mark in place of every character
// that cannot be seen or turns the direction of the text around it.
func plain(name string) string {
	var b strings.Builder
	n := 0
	for _, r := range name {
		if n++; n > longestTitle {
			b.WriteString("…")
			break
		}
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			r = '?'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// reasons are what recipients are told about findings, by name or kind, the
// first that fits. It says nothing of signatures, rules or scores.
var reasons = [...]struct {
	when policy.Condition
	text string
}{
	{policy.OfKind(scan.Infected), "it contains a virus"},
	{policy.Named("attachment/macro*"), "it contains macros that may act by themselves"},
	{policy.Named("attachment/*"), "files of this kind are not accepted here"},
	{policy.Named("archive/encrypted*"), "it is protected by a password and could not be examined"},
	{policy.Named("mime/encrypted"), "it is encrypted and could not be examined"},
	{policy.Named("content/*"), "its content is not accepted here"},
	{policy.OfKind(scan.Unscannable), "it could not be examined"},
	{policy.OfKind(scan.Failed), "it could not be examined"},
}

// reason returns the gravest reason for some edits, in the words of a notice.
func (w *work) reason(edits []policy.Edit) string {
	for _, r := range reasons {
		for _, e := range edits {
			for _, f := range e.Found {
				if r.when.Matches(w.Found[f]) {
					return r.text
				}
			}
		}
	}
	return "it is not accepted here"
}
