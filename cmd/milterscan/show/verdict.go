package show

import (
	"fmt"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/judge"
)

// Report is the verdict on one file as "scan --json" prints it: the record of the
// message, and where it is. Fields may be added, none renamed.
type Report struct {
	File string `json:"file"`
	policy.Record
}

// FileError is printed for a file that could not be judged.
type FileError struct {
	File  string `json:"file"`
	Error string `json:"error"`
}

// NewReport writes a result down.
func NewReport(file string, r *judge.Result) Report { return Report{file, r.Record()} }

// Line tells a person on one line what became of a message.
func Line(r policy.Record) string {
	w := []string{r.ID, r.Action}
	if r.Direction != "" {
		w = append(w, r.Direction)
	}
	w = append(w, "<"+short(r.Sender)+"> to "+short(Whom(r, fewer)))
	if f := mainFinding(r); f != nil {
		w = append(w, f.Rule+in(short(f.Part)))
	}
	if r.Rule != "" {
		w = append(w, fmt.Sprintf("by rule %q", r.Rule))
	}
	if len(r.Watched) > 0 {
		w = append(w, "watched by "+short(strings.Join(r.Watched, ", ")))
	}
	if !r.Complete {
		w = append(w, "not everything could be examined")
	}
	if r.QueueID != "" {
		w = append(w, "queue id "+short(r.QueueID))
	}
	w = append(w, Size(r.Size), fmt.Sprint(r.Took.Go().Round(time.Millisecond)))
	return policy.Visible(strings.Join(w, " "))
}

// mainFinding returns the finding that decided for the first recipient for which one did.
func mainFinding(r policy.Record) *policy.RecordFinding {
	for _, to := range r.Recipients {
		if to.Because != nil && to.Action == r.Action {
			return to.Because
		}
	}
	for _, to := range r.Recipients {
		if to.Because != nil {
			return to.Because
		}
	}
	return nil
}

// Whom lists the recipients, and what became of the mail to each where that was not the same for
// all. join makes one text of the addresses of each action.
func Whom(r policy.Record, join func([]string) string) string {
	by := map[string][]string{}
	var order []string
	for _, to := range r.Recipients {
		if by[to.Action] == nil {
			order = append(order, to.Action)
		}
		by[to.Action] = append(by[to.Action], to.Recipient)
	}
	var words []string
	for _, action := range order {
		w := join(by[action])
		if len(order) > 1 || action != "" && action != r.Action {
			w += " (" + action + ")"
		}
		words = append(words, w)
	}
	if len(words) == 0 {
		return "nobody yet"
	}
	return strings.Join(words, ", ")
}

// maxShort is how much of a text from a message is printed on a line with others.
const maxShort = 200

func short(s string) string {
	if len(s) <= maxShort {
		return s
	}
	return strings.ToValidUTF8(s[:maxShort], "") + "…"
}
