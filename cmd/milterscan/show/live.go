package show

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy"
)

// Live shows verdicts as they come: on a terminal as a page that is drawn again and again
// in the size that the terminal has by then, elsewhere as lines.
type Live struct {
	palette
	out    io.Writer
	size   func() (columns, rows int, ok bool) // of the terminal; ok is false for anything else
	screen bool
	last   []policy.Record // the newest first
	line   func(policy.Record)
}

// mostLast is how many verdicts are counted and may be on the page.
const mostLast = 5000

// countedFor is how long verdicts are counted on the page.
const countedFor = 5 * time.Minute

// NewLive begins to show. End must be called on a terminal, or it stays as it is.
func NewLive(out io.Writer) *Live {
	f, ok := out.(*os.File)
	if !ok {
		return newLive(out, palette{}, func() (int, int, bool) { return 0, 0, false })
	}
	return newLive(out, colours(out), func() (int, int, bool) { return terminalSize(f) })
}

// NewStream shows verdicts as lines of JSON, on a terminal, too.
func NewStream(out io.Writer) *Live {
	return &Live{out: out, line: func(r policy.Record) { JSON(out, r) }}
}

// The sequences that take a terminal for a separate page, with no cursor and no lines
// that are wrapped, and give it back.
const (
	takeScreen = "\x1b[?1049h\x1b[?25l\x1b[?7l"
	giveScreen = "\x1b[?7h\x1b[?25h\x1b[?1049l"
)

func newLive(out io.Writer, p palette, size func() (int, int, bool)) *Live {
	l := &Live{out: out, palette: p, size: size, line: func(r policy.Record) { HistoryLine(out, r, false) }}
	if _, _, l.screen = size(); l.screen {
		io.WriteString(out, takeScreen)
	}
	return l
}

// Screen reports whether there is a page, so that verdicts of before have a place.
func (l *Live) Screen() bool { return l.screen }

// End gives the terminal back.
func (l *Live) End() {
	if l.screen {
		io.WriteString(l.out, giveScreen)
	}
}

// Show takes further verdicts, the newest first, and shows all that is known. trouble, if not
// nil, is why there may be more.
func (l *Live) Show(fresh []policy.Record, now time.Time, trouble error) {
	if !l.screen {
		for _, r := range slices.Backward(fresh) {
			l.line(r)
		}
		return
	}
	l.last = append(slices.Clone(fresh), l.last...)
	slices.SortStableFunc(l.last, func(a, b policy.Record) int { return b.Time.Compare(a.Time) })
	l.last = l.last[:min(len(l.last), mostLast)]
	_, rows, _ := l.size()
	lines := l.head(now, trouble)
	for _, r := range l.last[:min(len(l.last), max(0, rows-len(lines)))] {
		lines = append(lines, l.verdict(r))
	}
	lines = lines[:min(len(lines), max(1, rows))]
	io.WriteString(l.out, "\x1b[H"+strings.Join(lines, "\x1b[K\r\n")+"\x1b[K\x1b[J")
}

// head returns the lines above the verdicts.
func (l *Live) head(now time.Time, trouble error) []string {
	actions, rules := map[string]int{}, map[string]int{}
	var took []policy.Millis
	for _, r := range l.last {
		if now.Sub(r.Time) > countedFor {
			continue
		}
		actions[r.Action]++
		took = append(took, r.Took)
		if r.Rule != "" {
			rules[r.Rule]++
		}
	}
	slices.Sort(took)
	first := fmt.Sprintf("%smilterscan top%s  %s  last %d min: %d mails", l.bold, l.off,
		now.Local().Format("15:04:05 -0700"), int(countedFor.Minutes()), len(took))
	if n := len(took); n > 0 {
		first += fmt.Sprintf(", median %v, 99 %% %v", took[n/2].Go().Round(100*time.Microsecond), took[n*99/100].Go().Round(100*time.Microsecond))
	}
	if trouble != nil {
		first += "  " + l.bad + FirstLine(trouble.Error()) + l.off
	}
	return []string{first, "verdicts: " + most(actions), "rules: " + most(rules), ""}
}

// most lists what was counted, the most first.
func most(counts map[string]int) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Or(counts[b]-counts[a], strings.Compare(a, b)) })
	for i, name := range names {
		names[i] = fmt.Sprintf("%s %d", Printable(name), counts[name])
	}
	return strings.Join(names, ", ")
}

// verdict returns one line. The terminal cuts what has no room.
func (l *Live) verdict(r policy.Record) string {
	colour := l.good
	switch r.Action {
	case policy.Deliver.String():
	case policy.Tempfail.String(), policy.Hold.String():
		colour = l.mild
	default:
		colour = l.bad
	}
	return fmt.Sprintf("%s  %s%-10s%s %7s %8s  <%s> to %s: %s%s", r.Time.Local().Format("15:04:05"), colour, r.Action, l.off, Size(r.Size),
		r.Took.Go().Round(100*time.Microsecond), Printable(r.Sender), Printable(Whom(r, fewer)), Printable(r.Subject), because(r)+watched(r))
}
