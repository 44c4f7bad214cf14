package console

import (
	"slices"
	"time"

	"github.com/milterscan/milterscan/policy/keep/history"
)

// The size of a chart, in its own units.
const (
	chartWidth  = 960
	chartHeight = 220
	chartLeft   = 44 // for the numbers
	chartTop    = 10 // for half of the highest number
	chartBottom = 24 // for the times
)

// charted lists the actions that a chart shows, from the bottom upwards.
func charted() []string {
	return []string{"deliver", "hold", "tempfail", "quarantine", "discard", "reject"}
}

// chart is verdicts over time: a column for each span, with a piece for each action.
type chart struct {
	Columns []column
	Lines   []gridLine
	Actions []string // that turn up
	Totals  map[string]int64
	Total   int64
}

// column is one span of time.
type column struct {
	From   time.Time
	When   string // for its title, and the table
	Label  string // below it; "" for most
	X, W   float64
	Pieces []piece
	Counts map[string]int64
	Total  int64
}

// piece is one action in a column.
type piece struct {
	Action string
	Y, H   float64
}

// gridLine is a horizontal line with its number.
type gridLine struct {
	Y     float64
	Label string
}

// newChart makes a chart of the counts of hours: of single ones for a day, of six for a
// week, and of days for longer.
func newChart(v *pages, hours []history.Hour, since, until time.Time, days int) *chart {
	per := map[int]int{1: 1, 7: 6}[days]
	if per == 0 {
		per = 24
	}
	c := &chart{Totals: map[string]int64{}}
	c.columns(hours, since.Local().Truncate(time.Hour), until, time.Duration(per)*time.Hour)
	most := int64(1)
	for i := range c.Columns {
		most = max(most, c.Columns[i].Total)
	}
	top := roundUp(most)
	c.place(v, top, per)
	for _, a := range charted() {
		if c.Totals[a] > 0 {
			c.Actions = append(c.Actions, a)
		}
	}
	return c
}

// columns adds up hours.
func (c *chart) columns(hours []history.Hour, from, until time.Time, per time.Duration) {
	for at := from; at.Before(until); at = at.Add(per) {
		c.Columns = append(c.Columns, column{From: at, Counts: map[string]int64{}})
	}
	for _, h := range hours {
		i := int(h.Begin.Sub(from) / per)
		if i < 0 || i >= len(c.Columns) || !slices.Contains(charted(), h.Value) {
			continue
		}
		c.Columns[i].Counts[h.Value] += h.N
		c.Columns[i].Total += h.N
		c.Totals[h.Value] += h.N
		c.Total += h.N
	}
}

// place works out where everything is.
func (c *chart) place(v *pages, top int64, per int) {
	height, width := float64(chartHeight-chartBottom-chartTop), float64(chartWidth-chartLeft)/float64(len(c.Columns))
	for i := range 5 {
		n := top * int64(i) / 4
		c.Lines = append(c.Lines, gridLine{chartTop + height - height*float64(n)/float64(top), v.locale.number(n)})
	}
	for i := range c.Columns {
		col := &c.Columns[i]
		col.X, col.W = chartLeft+float64(i)*width+width*.12, width*.76
		col.When = v.locale.when(col.From, per)
		if labelled(col.From, i, len(c.Columns), per) {
			col.Label = v.locale.tick(col.From, per)
		}
		y := chartTop + height
		for _, action := range charted() {
			if n := col.Counts[action]; n > 0 {
				h := height * float64(n) / float64(top)
				y -= h
				col.Pieces = append(col.Pieces, piece{action, y, h})
			}
		}
	}
}

// labelled reports whether a column has a label: where several make a day, the first of
// each day, if there is room for it; else every so many.
func labelled(from time.Time, i, columns, per int) bool {
	if per > 1 && per < 24 {
		return from.Local().Hour() < per && i < columns-1
	}
	return i%max(1, columns/8) == 0
}

// roundUp returns the next number of four equal steps that read well.
func roundUp(n int64) int64 {
	for step := int64(1); ; step *= 10 {
		for _, times := range []int64{1, 2, 3, 4, 5, 6, 8} {
			if 4*step*times >= n {
				return 4 * step * times
			}
		}
	}
}

// when writes the beginning of a column.
func (l locale) when(t time.Time, per int) string {
	if per >= 24 {
		return l.day(t)
	}
	return l.day(t) + " " + t.Local().Format("15:04")
}

// tick writes a time below a chart.
func (l locale) tick(t time.Time, per int) string {
	if per == 1 {
		return t.Local().Format("15:04")
	}
	return t.Local().Format(l.short)
}
