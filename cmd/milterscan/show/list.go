package show

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy"
)

// Time returns a time as every list shows it: local, with its zone.
func Time(t time.Time) string { return t.Local().Format(TimeFormat) }

// HistoryLine prints what became of a message on one line: with all recipients, the
// client, and the MTA's queue id if it is to be long.
func HistoryLine(w io.Writer, r policy.Record, long bool) {
	whom := Whom(r, fewer)
	if long {
		whom = Whom(r, func(list []string) string { return strings.Join(list, ", ") })
	}
	fmt.Fprintf(w, "%s  %s  %-10s %7s  <%s> to %s: %s%s", r.ID, Time(r.Time), r.Action, Size(r.Size), Printable(r.Sender), Printable(whom),
		Printable(r.Subject), because(r)+watched(r))
	if long {
		fmt.Fprint(w, known(" queue=", r.QueueID)+known(" client=", r.Client)+known(" user=", r.User)+known(" message-id=", r.MessageID))
	}
	fmt.Fprintln(w)
}

// watched names the rules that only watch and would have applied.
func watched(r policy.Record) string {
	if len(r.Watched) == 0 {
		return ""
	}
	return " (watched by " + Printable(strings.Join(r.Watched, ", ")) + ")"
}

// because names the finding and the rule that decided, in brackets.
func because(r policy.Record) string {
	for _, v := range r.Verdicts {
		if v.Action != r.Action || v.Rule == nil || r.Rule != "" && v.Rule.Name != r.Rule {
			continue
		}
		finding := ""
		if v.Because >= 0 && v.Because < len(r.Findings) {
			finding = r.Findings[v.Because].Rule + " by "
		}
		return fmt.Sprintf(" [%s%q]", Printable(finding), Printable(v.Rule.Name))
	}
	return ""
}

// fewer returns the first of some addresses.
func fewer(list []string) string {
	if len(list) == 1 {
		return list[0]
	}
	return fmt.Sprintf("%s and %d more", list[0], len(list)-1)
}
