package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"text/template"
)

// picture is a curve as it is drawn: what a mail costs, and below it the memory.
type picture struct {
	Title        string
	Cost         string // what the upper panel shows
	at           []int
	cost, memory []float64
}

func (p *picture) add(n int, cost, memory float64) {
	p.at, p.cost, p.memory = append(p.at, n), append(p.cost, cost), append(p.memory, memory)
}

// The size of a panel, in pixels, and the room around it.
const (
	panelWidth, panelHeight = 460.0, 150.0
	panelLeft, panelTop     = 70.0, 40.0
	panelStep               = panelHeight + 60
)

// panel is one line of a picture.
type panel struct {
	Label         string
	Top, Base     float64
	Line          string // the points of a polyline
	Points        []point
	Marks, Ticks  []tick
	Left, Right   float64
	Middle, Width float64
}

type point struct{ X, Y float64 }

type tick struct {
	At   float64
	Text string
}

// write writes the picture as SVG.
func (p *picture) write(file string) error {
	var b bytes.Buffer
	err := layout.Execute(&b, map[string]any{"Title": p.Title, "Width": panelLeft + panelWidth + 30, "Height": panelTop + 2*panelStep,
		"Panels": []panel{
			p.panel(0, p.Cost, p.cost),
			p.panel(1, "memory (PSS), MB", p.memory),
		}})
	if err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}

// panel draws values over where they were measured; that is drawn by its logarithm, values from 0 on.
func (p *picture) panel(i int, label string, values []float64) panel {
	top := panelTop + float64(i)*panelStep
	d := panel{Label: label, Top: top, Base: top + panelHeight, Left: panelLeft, Right: panelLeft + panelWidth,
		Middle: panelLeft + panelWidth/2, Width: panelWidth}
	most := roomFor(values)
	first, last := math.Log(float64(p.at[0])), math.Log(float64(p.at[len(p.at)-1]))
	var line []string
	for j, v := range values {
		x := panelLeft + panelWidth*(math.Log(float64(p.at[j]))-first)/max(last-first, 1e-9)
		y := d.Base - panelHeight*v/most
		d.Points = append(d.Points, point{x, y})
		d.Ticks = append(d.Ticks, tick{x, count(p.at[j])})
		line = append(line, fmt.Sprintf("%.1f,%.1f", x, y))
	}
	d.Line = strings.Join(line, " ")
	for k := range 3 {
		v := most * float64(k) / 2
		d.Marks = append(d.Marks, tick{d.Base - panelHeight*float64(k)/2, strconv.FormatFloat(v, 'g', 3, 64)})
	}
	return d
}

// roomFor returns the end of an axis that has all values: 1, 2 or 5 times a power of ten.
func roomFor(values []float64) float64 {
	most := 0.0
	for _, v := range values {
		most = max(most, v)
	}
	if most == 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(most)))
	for _, times := range []float64{1, 2, 5} {
		if most <= times*power {
			return times * power
		}
	}
	return 10 * power
}

// count returns a number as people write it.
func count(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// layout has all colours of its own, so that it shows on dark pages too.
var layout = template.Must(template.New("picture").Funcs(template.FuncMap{"f": func(v float64) string { return fmt.Sprintf("%.1f", v) }}).Parse(
	`<svg xmlns="http://www.w3.org/2000/svg" width="{{f .Width}}" height="{{f .Height}}" font-family="sans-serif" font-size="12">
<title>{{html .Title}}</title>
<rect width="100%" height="100%" fill="#fff"/>
{{- range .Panels}}{{$p := .}}
<text x="{{f .Left}}" y="{{f .Top}}" dy="-10" fill="#222">{{html .Label}}</text>
{{- range .Marks}}
<path d="M{{f $p.Left}} {{f .At}}h{{f $p.Width}}" stroke="#ccc"/>
<text x="{{f $p.Left}}" y="{{f .At}}" dx="-6" dy="4" text-anchor="end" fill="#444">{{.Text}}</text>
{{- end}}
{{- range .Ticks}}
<text x="{{f .At}}" y="{{f $p.Base}}" dy="16" text-anchor="middle" fill="#444">{{.Text}}</text>
{{- end}}
<polyline points="{{.Line}}" fill="none" stroke="#06c" stroke-width="2"/>
{{- range .Points}}
<circle cx="{{f .X}}" cy="{{f .Y}}" r="3" fill="#06c"/>
{{- end}}
<text x="{{f .Middle}}" y="{{f .Base}}" dy="32" text-anchor="middle" fill="#222">{{html $.Title}}</text>
{{- end}}
</svg>
`))
