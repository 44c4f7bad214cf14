package markup

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Drawing is a picture of dark and light cells that a text draws with characters, or a
// table with the colours of its cells.
type Drawing struct {
	Width, Height int
	Dark          []bool // by row
}

// The drawings of a page that are kept, and how large they may be. The smallest that is of
// interest is a code for telephones (ISO/IEC 18004), of 21 cells in both directions.
const (
	leastCells   = 21
	mostCells    = 400
	mostDrawings = 16
	mostTables   = 64        // inside each other
	longestDrawn = 512 << 10 // bytes of text
)

// drawer collects what a page draws.
type drawer struct {
	text   []byte // lines from the first with a character that draws
	over   bool   // there was more
	tables []table
	deeper int // tables inside those
	found  []Drawing
}

// table is one table that is being read.
type table struct {
	rows  [][]bool
	below []span // cells of rows above that reach down
}

// span is a cell that reaches into further rows.
type span struct {
	at, width, rows int
	dark            bool
}

// draws reports whether a text has characters that draw.
func draws(s []byte) bool {
	return bytes.Contains(s, []byte("#######")) || !isASCII(s) && (bytes.Contains(s, []byte("\xe2\x96")) || bytes.Contains(s, []byte("\xe2\xac")))
}

// add takes in text as it is in the source.
func (d *drawer) add(s []byte) {
	if len(d.text) == 0 && !draws(s) {
		return
	}
	if len(d.text)+len(s) > longestDrawn {
		d.over = true
		return
	}
	d.text = append(d.text, bytes.ReplaceAll(s, []byte("\ufe0f"), nil)...)
}

// line ends a line.
func (d *drawer) line() {
	if len(d.text) > 0 {
		d.add([]byte{'\n'})
	}
}

// start looks at an element with a background.
func (d *drawer) start(name string, attrs []Attr, background string) {
	switch name {
	case "table":
		if len(d.tables) >= mostTables {
			d.deeper++
			d.over = true
			return
		}
		d.tables = append(d.tables, table{})
	case "tr":
		if n := len(d.tables); n > 0 && d.deeper == 0 {
			d.tables[n-1].row()
		}
	case "td", "th":
		if n := len(d.tables); n > 0 && d.deeper == 0 {
			d.tables[n-1].cell(countOf(attrs, "colspan"), countOf(attrs, "rowspan"), isDark(background))
		}
	}
}

// end ends a table.
func (d *drawer) end(name string) {
	switch n := len(d.tables); {
	case name != "table":
	case d.deeper > 0:
		d.deeper--
	case n > 0:
		d.keep(d.tables[n-1].drawing())
		d.tables = d.tables[:n-1]
	}
}

func countOf(attrs []Attr, name string) int {
	for _, a := range attrs {
		if a.Name == name {
			n, _ := strconv.Atoi(strings.TrimSpace(a.Value))
			return min(max(n, 1), mostCells)
		}
	}
	return 1
}

// row begins a row.
func (t *table) row() {
	if len(t.rows) <= mostCells {
		t.rows = append(t.rows, nil)
	}
	for i := range t.below {
		t.below[i].rows--
	}
	t.below = slices.DeleteFunc(t.below, func(s span) bool { return s.rows <= 0 })
}

// cell adds a cell to the last row.
func (t *table) cell(columns, rows int, dark bool) {
	if len(t.rows) == 0 {
		t.row()
	}
	last := &t.rows[len(t.rows)-1]
	t.reach(last)
	if len(*last) > mostCells {
		return
	}
	if rows > 1 && len(t.below) < mostCells {
		t.below = append(t.below, span{len(*last), columns, rows, dark})
	}
	for range columns {
		*last = append(*last, dark)
	}
}

// reach adds the cells from above that come next.
func (t *table) reach(row *[]bool) {
	for i := 0; i < len(t.below); i++ {
		if s := t.below[i]; s.at == len(*row) && len(*row) <= mostCells {
			for range s.width {
				*row = append(*row, s.dark)
			}
			i = -1
		}
	}
}

// drawing returns what the colours of a table draw.
func (t *table) drawing() Drawing {
	width, height := 0, len(t.rows)
	for i := range t.rows {
		width = max(width, len(t.rows[i]))
	}
	if width < leastCells || height < leastCells || width > mostCells || height > mostCells {
		return Drawing{}
	}
	out := Drawing{width, height, make([]bool, width*height)}
	for y, row := range t.rows {
		copy(out.Dark[y*width:], row)
	}
	return out
}

// keep keeps a drawing that is neither mostly dark nor mostly light: codes are neither.
func (d *drawer) keep(drawn Drawing) {
	dark := 0
	for _, is := range drawn.Dark {
		if is {
			dark++
		}
	}
	switch {
	case 8*dark < len(drawn.Dark), 8*dark > 7*len(drawn.Dark), len(drawn.Dark) == 0:
	case len(d.found) >= mostDrawings:
		d.over = true
	default:
		d.found = append(d.found, drawn)
	}
}

// isDark reports whether a background, as color returns it, is dark.
func isDark(background string) bool {
	hex, ok := strings.CutPrefix(background, "#")
	n, err := strconv.ParseUint(hex, 16, 32)
	if !ok || err != nil || len(hex) != 6 {
		return false
	}
	return 299*(n>>16)+587*(n>>8&255)+114*(n&255) < 128_000
}

// drawings returns everything drawn, once the page is read.
func (d *drawer) drawings() []Drawing {
	for len(d.tables) > 0 {
		d.end("table")
	}
	var lines []string
	for line := range strings.Lines(string(d.text)) {
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			continue
		}
		if !isArt(line) {
			d.art(lines)
			lines = lines[:0]
			continue
		}
		lines = append(lines, line)
	}
	d.art(lines)
	return d.found
}

// isArt reports whether a line is made of characters that draw alone.
func isArt(line string) bool {
	drawn := 0
	for _, r := range line {
		cells, ok := glyphs[r]
		if !ok {
			return false
		}
		if cells != 0 {
			drawn++
		}
	}
	return drawn > 0 || strings.Contains(line, "\u00a0\u00a0\u00a0\u00a0\u00a0") || len(line) >= leastCells
}

// How many dots a character is drawn with.
const dotsAcross, dotsDown = 2, 4

// art keeps what lines draw. A character is twice as high as wide, but where that would
// make a picture that is high, and characters that are square one that is not.
func (d *drawer) art(lines []string) {
	across := 0
	for _, l := range lines {
		across = max(across, utf8.RuneCountInString(l))
	}
	if len(lines) < (leastCells+1)/2 || across < leastCells || across > mostCells || len(lines) > mostCells {
		return
	}
	down := dotsDown
	if 10*across < 15*len(lines) {
		down = dotsAcross
	}
	out := Drawing{across * dotsAcross, len(lines) * down, make([]bool, across*dotsAcross*len(lines)*down)}
	for y, line := range lines {
		x := 0
		for _, r := range line {
			for dot := range dotsAcross * down {
				dx, dy := dot%dotsAcross, dot/dotsAcross
				if glyphs[r]>>(dy*dotsDown/down*dotsAcross+dx)&1 != 0 {
					out.Dark[(y*down+dy)*out.Width+x*dotsAcross+dx] = true
				}
			}
			x++
		}
	}
	d.keep(out)
}

// glyphs are the characters that draw, each with its dots from the left and the top.
var glyphs = map[rune]uint8{
	' ': 0, '\u00a0': 0, '\u3000': 0, '\u2591': 0, '\u25a1': 0, '\u2b1c': 0,
	'#': 0xff, '\u2588': 0xff, '\u2593': 0xff, '\u2592': 0xff, '\u25a0': 0xff, '\u2b1b': 0xff, '\u25fc': 0xff,
	'\u2580': 0x0f, '\u2584': 0xf0, '\u258c': 0x55, '\u2590': 0xaa,
	'\u2596': 0x50, '\u2597': 0xa0, '\u2598': 0x05, '\u259d': 0x0a, '\u259a': 0xa5, '\u259e': 0x5a,
	'\u2599': 0xf5, '\u259b': 0x5f, '\u259c': 0xaf, '\u259f': 0xfa,
}
