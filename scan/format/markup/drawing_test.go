package markup

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// checkered is a picture of cells that is the same in no two rows.
func checkered(side int) [][]bool {
	rows := make([][]bool, side)
	for y := range rows {
		rows[y] = make([]bool, side)
		for x := range rows[y] {
			rows[y][x] = (x*y+x/3+y/2)%3 == 0 || x == 0 || y == 0
		}
	}
	return rows
}

// lines draws cells with the characters for them; with four, two rows in one line.
func lines(rows [][]bool, end string, glyphs ...string) string {
	var b strings.Builder
	step := len(glyphs) / 2
	for y := 0; y < len(rows); y += step {
		for x := range rows[y] {
			n := 0
			for d := range step {
				if y+d < len(rows) && rows[y+d][x] {
					n |= 1 << d
				}
			}
			b.WriteString(glyphs[n])
		}
		b.WriteString(end)
	}
	return b.String()
}

// cells draws cells as a table.
func cells(rows [][]bool, cell func(dark bool, n int) string) string {
	var b strings.Builder
	b.WriteString("<table cellspacing=0>")
	for _, row := range rows {
		b.WriteString("<tr>")
		for x := 0; x < len(row); {
			n := 1
			for x+n < len(row) && row[x+n] == row[x] {
				n++
			}
			b.WriteString(cell(row[x], n))
			x += n
		}
		b.WriteString("</tr>\n")
	}
	return b.String() + "</table>"
}

// shows reports whether a drawing shows the cells, each made of so many dots.
func (d Drawing) shows(rows [][]bool, across, down int) bool {
	if d.Width < len(rows[0])*across || d.Height < len(rows)*down {
		return false
	}
	for y, row := range rows {
		for x, dark := range row {
			if d.Dark[(y*down+down/2)*d.Width+x*across+across/2] != dark {
				return false
			}
		}
	}
	return true
}

func TestDrawings(t *testing.T) {
	rows := checkered(25)
	each := func(style func(bool) string) func(bool, int) string {
		return func(dark bool, n int) string { return strings.Repeat("<td "+style(dark)+"></td>", n) }
	}
	pick := func(dark, light string) func(bool) string {
		return func(is bool) string {
			if is {
				return dark
			}
			return light
		}
	}
	half := lines(rows, "\n", " ", "▀", "▄", "█")
	for _, d := range []struct {
		name, page   string
		across, down int
	}{
		{"half blocks", "<pre>" + half + "</pre>", 2, 2},
		{"half blocks after words", "<p>Scan this:</p><pre>" + half + "</pre><p>Thank you</p>", 2, 2},
		{"lines ended by br", "<p>" + strings.ReplaceAll(strings.ReplaceAll(half, " ", "&nbsp;"), "\n", "<br>\n") + "</p>", 2, 2},
		{"a block for each line", "<div>" + strings.ReplaceAll(strings.ReplaceAll(half, " ", "&nbsp;"), "\n", "</div>\n<div>") + "</div>", 2, 2},
		{"references", "<pre>" + strings.NewReplacer("█", "&#9608;", "▀", "&#x2580;", "▄", "&lhblk;").Replace(half) + "</pre>", 2, 2},
		{"two blocks a cell", "<pre>" + lines(rows, "\n", "  ", "██") + "</pre>", 4, 4},
		{"signs", "<pre>" + lines(rows, "\n", "  ", "##") + "</pre>", 4, 4},
		{"squares", "<pre>" + lines(rows, "\n", "⬜", "⬛") + "</pre>", 2, 2},
		{"squares as pictures", "<pre>" + lines(rows, "\n", "⬜\ufe0f", "⬛\ufe0f") + "</pre>", 2, 2},
		{"colours of cells", cells(rows, each(pick("bgcolor=#000000", "bgcolor='#FFFFFF'"))), 1, 1},
		{"names of colours", cells(rows, each(pick("bgcolor=black", "bgcolor=white"))), 1, 1},
		{"style of cells", cells(rows, each(pick("style='background:#000'", "style='background-color: #fff'"))), 1, 1},
		{"style by numbers", cells(rows, each(pick("style='background:rgb(0, 0, 0)'", ""))), 1, 1},
		{"wide cells", cells(rows, func(dark bool, n int) string {
			return fmt.Sprintf("<td colspan=%d %s></td>", n, pick("bgcolor=black", "")(dark))
		}), 1, 1},
		{"a table in a table", "<table><tr><td>" + cells(rows, each(pick("bgcolor=black", "bgcolor=white"))) + "</td></tr></table>", 1, 1},
		{"without end tags", strings.NewReplacer("</td>", "", "</tr>", "", "</table>", "").Replace(cells(rows, each(pick("bgcolor=black", "bgcolor=white")))), 1, 1},
	} {
		p := page(t, "<html><body>"+d.page+"</body></html>")
		if !slices.ContainsFunc(p.Drawings, func(drawn Drawing) bool { return drawn.shows(rows, d.across, d.down) }) {
			t.Errorf("%s: %d drawings, none of which shows it\n%.300s", d.name, len(p.Drawings), d.page)
		}
	}
	for name, text := range map[string]string{"half blocks": "Hello,\r\n\r\n" + strings.ReplaceAll(half, "\n", "\r\n") + "\r\nBye\r\n", "signs": lines(rows, "\n", "  ", "##")} {
		p, err := ReadText(source(text, "utf-8"), DefaultLimits())
		if err != nil || len(p.Drawings) != 1 || p.Letters > 20 && name == "half blocks" {
			t.Errorf("%s in plain text: %d drawings, %d letters, error %v", name, len(p.Drawings), p.Letters, err)
		}
	}
}

func TestNoDrawings(t *testing.T) {
	for name, in := range map[string]string{
		"a bar of progress":    "<p>████████░░ 80 %</p>",
		"a table of words":     "<table>" + strings.Repeat("<tr>"+strings.Repeat("<td>x</td>", 30)+"</tr>", 30) + "</table>",
		"a striped table":      "<table>" + strings.Repeat("<tr bgcolor=#eeeeee>"+strings.Repeat("<td>x</td>", 30)+"</tr><tr>"+strings.Repeat("<td>x</td>", 30)+"</tr>", 30) + "</table>",
		"a line of signs":      "<pre>" + strings.Repeat("#", 78) + "\n# Title\n" + strings.Repeat("#", 78) + "</pre>",
		"half blocks unseen":   "<pre style='display:none'>" + lines(checkered(25), "\n", " ", "▀", "▄", "█") + "</pre>",
		"too few rows":         "<pre>" + lines(checkered(25)[:8], "\n", " ", "▀", "▄", "█") + "</pre>",
		"a table without ends": strings.Repeat("<table><tr><td>", 500),
	} {
		if p := page(t, in); len(p.Drawings) > 0 {
			t.Errorf("%s: %d drawings", name, len(p.Drawings))
		}
	}
}

// TestDrawingsAreBounded: pages that draw without end cost what their text costs.
func TestDrawingsAreBounded(t *testing.T) {
	for name, in := range map[string]string{
		"wide cells":    "<table>" + strings.Repeat("<tr><td colspan=1000000 rowspan=1000000 bgcolor=black>", 50_000),
		"blocks":        "<pre>" + strings.Repeat(strings.Repeat("█ ", 200)+"\n", 10_000),
		"a single line": "<pre>" + strings.Repeat("█ ", 1_000_000),
		"many tables": strings.Repeat(cells(checkered(22), func(dark bool, n int) string {
			return fmt.Sprintf("<td colspan=%d bgcolor=%v>", n, map[bool]string{true: "black", false: "white"}[dark])
		}), 200),
		"tables in each": strings.Repeat("<table><tr><td bgcolor=black colspan=400>", 20_000),
	} {
		begun := time.Now()
		p := page(t, in)
		if took := time.Since(begun); took > 20*time.Second || len(p.Drawings) > mostDrawings {
			t.Errorf("%s: %d drawings after %v", name, len(p.Drawings), took)
		}
	}
}
