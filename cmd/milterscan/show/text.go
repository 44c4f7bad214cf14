// Package show prints verdicts and records: JSON for programs, text for people.
package show

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/milterscan/milterscan/policy"
)

// palette is the escape sequences for a terminal, all empty for anything else.
type palette struct{ good, bad, mild, bold, off string }

// colours returns the palette for w.
func colours(w io.Writer) palette {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" {
		return palette{}
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return palette{}
	}
	return palette{good: "\x1b[32m", bad: "\x1b[31m", mild: "\x1b[33m", bold: "\x1b[1m", off: "\x1b[0m"}
}

// WriteReport prints a report for a person.
func WriteReport(w io.Writer, r Report) {
	c := colours(w)
	colour := c.good
	if r.Action != "deliver" {
		colour = c.bad
	}
	fmt.Fprintf(w, "%s%s%s: %s%s%s", c.bold, Printable(r.File), c.off, colour, r.Action, c.off)
	if !r.Complete {
		fmt.Fprintf(w, " %s(not everything could be examined)%s", c.mild, c.off)
	}
	fmt.Fprintln(w)
	if r.Reply != "" {
		fmt.Fprintf(w, "  the client is told: %s\n", Printable(r.Reply))
	}
	for _, v := range r.Recipients {
		explainRecipient(w, v, len(r.Recipients) > 1)
	}
	writeWatched(w, r.Record)
	for _, f := range r.Findings {
		fmt.Fprintf(w, "  %s%-11s%s %-34s %s%s\n", c.mild, f.Kind, c.off, Printable(f.Rule), at(f.Part), FirstLine(f.Detail))
	}
	if r.MoreFindings > 0 {
		fmt.Fprintf(w, "  and %d findings more\n", r.MoreFindings)
	}
	for _, e := range r.Edits {
		fmt.Fprintf(w, "  edit: %s %s%s %s\n", e.Kind, at(e.Part), Printable(e.Name), Printable(e.Value))
	}
}

// writeWatched names the rules that only watch and would have applied.
func writeWatched(w io.Writer, r policy.Record) {
	seen := map[string]bool{}
	for _, v := range r.Verdicts {
		for _, m := range v.Matches {
			if !m.Observed || seen[m.Rule.Name] {
				continue
			}
			seen[m.Rule.Name] = true
			because := ""
			if m.Finding >= 0 && m.Finding < len(r.Findings) {
				f := r.Findings[m.Finding]
				because = " because of " + Printable(f.Rule) + in(f.Part)
			}
			fmt.Fprintf(w, "  watched by rule %q%s: would %s\n", m.Rule.Name, because, Printable(m.Does))
		}
	}
}

func explainRecipient(w io.Writer, v policy.RecordRecipient, several bool) {
	switch {
	case v.Because != nil:
		fmt.Fprintf(w, "  %s%s by rule %q because of %s%s\n", whom(v, several), v.Action, v.Rule, Printable(v.Because.Rule), in(v.Because.Part))
	case v.Rule != "":
		fmt.Fprintf(w, "  %s%s by rule %q\n", whom(v, several), v.Action, v.Rule)
	case several:
		fmt.Fprintf(w, "  %s%s\n", whom(v, several), v.Action)
	}
	if l := v.Listed; l != nil {
		fmt.Fprintf(w, "  %s%s\n", whom(v, several), byEntry(l))
	}
	if v.Limit != nil {
		fmt.Fprintf(w, "  %s%s\n", whom(v, several), byLimit(v.Limit))
	}
}

// listed says what an entry of a list does to a sender.
var listed = map[string]string{"allow": "allowed", "block": "blocked"}

// byEntry says which entry of a list decided.
func byEntry(l *policy.RecordListed) string {
	text := fmt.Sprintf("%s by an entry of %s: %s", listed[l.Act], l.Owner, l.Pattern)
	if l.Authenticated {
		text += ", if authenticated"
	}
	return Printable(text)
}

// byLimit says by whose limit of the score it was decided.
func byLimit(l *policy.RecordLimit) string {
	return Printable(fmt.Sprintf("own limit %g of %s", l.Score, l.Owner))
}

func whom(v policy.RecordRecipient, several bool) string {
	if !several {
		return ""
	}
	return "<" + Printable(v.Recipient) + ">: "
}

func at(part string) string {
	if part == "" {
		return ""
	}
	return "[" + Printable(part) + "] "
}

func in(part string) string {
	if part == "" {
		return ""
	}
	return " in part " + Printable(part)
}

// FirstLine returns the first line of a text from a mail, made visible.
func FirstLine(s string) string {
	first, _, _ := strings.Cut(s, "\n")
	return Printable(first)
}

// Printable makes characters visible that would move the cursor, hide others or
// turn the writing direction.
func Printable(s string) string { return policy.Visible(s) }

// JSON prints v as one line of JSON, with everything invisible in it escaped.
func JSON(out io.Writer, v any) { out.Write(append(policy.JSON(inUTC(v)), '\n')) }

// Size returns a number of bytes in a short form.
func Size(n int64) string {
	switch {
	case n < 10_000:
		return fmt.Sprintf("%d B", n)
	case n < 10_000_000:
		return fmt.Sprintf("%d KB", n>>10)
	}
	return fmt.Sprintf("%d MB", n>>20)
}
