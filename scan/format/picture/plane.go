package picture

import (
	"image"
	"math"
)

// plane is a picture in shades of grey.
type plane struct {
	w, h int
	px   []byte // by row; 0 is black
}

func newPlane(w, h int) *plane { return &plane{w, h, make([]byte, w*h)} }

// mostPixels is how large a plane is looked at.
const mostPixels = 1 << 20

// shrunk returns the plane with so many pixels in each direction made one that it has at
// most so many.
func (p *plane) shrunk(most int) *plane {
	k := int(math.Ceil(math.Sqrt(float64(p.w) * float64(p.h) / float64(most))))
	if k <= 1 {
		return p
	}
	out := newPlane(max(p.w/k, 1), max(p.h/k, 1))
	sums := make([]uint32, out.w)
	for y := range out.h {
		clear(sums)
		rows := min(k, p.h)
		for dy := range rows {
			line := p.px[(y*k+dy)*p.w:][:p.w]
			for x := range sums {
				for _, v := range line[x*k : min(x*k+k, p.w)] {
					sums[x] += uint32(v)
				}
			}
		}
		for x, s := range sums {
			out.px[y*out.w+x] = byte(s / uint32(rows*min(k, p.w)))
		}
	}
	return out
}

// grown returns the plane with two pixels for each in both directions, with shades in
// between.
func (p *plane) grown() *plane {
	out := newPlane(2*p.w, 2*p.h)
	for y := range out.h {
		y0 := y / 2
		y1 := min(max(y0-1+2*(y&1), 0), p.h-1)
		a, b := p.px[y0*p.w:][:p.w], p.px[y1*p.w:][:p.w]
		line := out.px[y*out.w:][:out.w]
		for x := range line {
			x0 := x / 2
			x1 := min(max(x0-1+2*(x&1), 0), p.w-1)
			line[x] = byte((9*int(a[x0]) + 3*int(a[x1]) + 3*int(b[x0]) + int(b[x1])) / 16)
		}
	}
	return out
}

// part returns a copy of a rectangle of the plane.
func (p *plane) part(r image.Rectangle) *plane {
	r = r.Intersect(image.Rect(0, 0, p.w, p.h))
	out := newPlane(r.Dx(), r.Dy())
	for y := range out.h {
		copy(out.px[y*out.w:][:out.w], p.px[(r.Min.Y+y)*p.w+r.Min.X:])
	}
	return out
}

// bits are a plane in black and white.
type bits struct {
	w, h int
	dark []byte // 1 for dark
}

func (b *bits) at(x, y int) byte { return b.dark[y*b.w+x] }

// inverted turns dark to light.
func (b *bits) inverted() *bits {
	out := &bits{b.w, b.h, make([]byte, len(b.dark))}
	for i, d := range b.dark {
		out.dark[i] = d ^ 1
	}
	return out
}

// split returns the pixels darker than one threshold for all (Otsu's, which parts the shades
// into the two groups that differ most).
func (p *plane) split() *bits {
	var counts [256]int
	for _, v := range p.px {
		counts[v]++
	}
	sum := 0
	for v, n := range counts {
		sum += v * n
	}
	best, threshold, below, belowSum := -1.0, 0, 0, 0
	for v, n := range counts {
		if below += n; below == 0 {
			continue
		}
		above := len(p.px) - below
		if above == 0 {
			break
		}
		belowSum += v * n
		d := float64(belowSum)/float64(below) - float64(sum-belowSum)/float64(above)
		if between := float64(below) * float64(above) * d * d; between > best {
			best, threshold = between, v
		}
	}
	out := &bits{p.w, p.h, make([]byte, len(p.px))}
	for i, v := range p.px {
		if int(v) <= threshold {
			out.dark[i] = 1
		}
	}
	return out
}

// adapted returns the pixels darker than those around it, within so many in each
// direction.
func (p *plane) adapted(radius int) *bits {
	out := &bits{p.w, p.h, make([]byte, len(p.px))}
	columns := make([]int32, p.w) // sums of the rows in the window
	rows := 0
	add := func(y int, sign int32) {
		rows += int(sign)
		for x, v := range p.px[y*p.w:][:p.w] {
			columns[x] += sign * int32(v)
		}
	}
	for y := range min(radius, p.h) {
		add(y, 1)
	}
	for y := range p.h {
		if y+radius < p.h {
			add(y+radius, 1)
		}
		if y-radius-1 >= 0 {
			add(y-radius-1, -1)
		}
		p.adaptRow(out, y, radius, rows, columns)
	}
	return out
}

func (p *plane) adaptRow(out *bits, y, radius, rows int, columns []int32) {
	sum, n := int64(0), 0
	for x := range min(radius, p.w) {
		sum += int64(columns[x])
		n++
	}
	line, dark := p.px[y*p.w:][:p.w], out.dark[y*p.w:][:p.w]
	for x, v := range line {
		if x+radius < p.w {
			sum += int64(columns[x+radius])
			n++
		}
		if x-radius-1 >= 0 {
			sum -= int64(columns[x-radius-1])
			n--
		}
		// What hardly differs from the pixels around it is light: paper has a grain.
		if int64(v)*int64(n*rows)*64 < sum*61 {
			dark[x] = 1
		}
	}
}

// margin is how much light is put around a picture before it is looked at: codes are cut
// out without one.
const margin = 16

// framed returns the picture with light around it.
func (b *bits) framed() *bits {
	out := &bits{b.w + 2*margin, b.h + 2*margin, make([]byte, (b.w+2*margin)*(b.h+2*margin))}
	for y := range b.h {
		copy(out.dark[(y+margin)*out.w+margin:], b.dark[y*b.w:][:b.w])
	}
	return out
}
