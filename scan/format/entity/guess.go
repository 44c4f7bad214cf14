package entity

import (
	"bytes"
	"strings"
)

// mostDashLines is how many different lines that begin with dashes are kept.
const mostDashLines = 1000

// dashLines are the lines of a body that could be delimiters.
type dashLines struct {
	order []string // what follows the two dashes, blanks at the end dropped, as first met
	count map[string]*dashLine
}

type dashLine struct {
	times int
	field bool // a field follows it
	at    int64
}

// dashLines looks through a span for lines that could be delimiters.
func (r *rereader) dashLines(s Span) *dashLines {
	d := &dashLines{count: map[string]*dashLine{}}
	var last *dashLine
	r.lines(s, func(line []byte, at int64) bool {
		if last != nil && startsField(line) {
			last.field = true
		}
		last = nil
		if bytes.HasPrefix(line, dashes) {
			last = d.add(bytes.TrimRight(line[2:], " \t\r\n"), at)
		}
		return true
	})
	return d
}

func (d *dashLines) add(text []byte, at int64) *dashLine {
	if l := d.count[string(text)]; l != nil {
		l.times++
		return l
	}
	if len(d.order) >= mostDashLines || len(text) > lineBytes/4 {
		return nil
	}
	l := &dashLine{times: 1, at: at}
	d.order = append(d.order, string(text))
	d.count[string(text)] = l
	return l
}

// uses reports whether some line is, or begins with, the delimiter of b.
func (d *dashLines) uses(b string) bool {
	if d.count[b] != nil {
		return true
	}
	for _, text := range d.order {
		if strings.HasPrefix(text, b) {
			return true
		}
	}
	return false
}

// guesses returns the boundaries the lines suggest: those that fields follow, or a
// closing delimiter, or that are used again; and the first line of all.
func (d *dashLines) guesses() []string {
	var list []string
	for i, text := range d.order {
		l := d.count[text]
		switch {
		case text == "" || strings.Trim(text, "-") == "" && !l.field:
		case i == 0, l.field, l.times > 1, d.count[text+"--"] != nil:
			list = append(list, text)
		}
	}
	return list
}
