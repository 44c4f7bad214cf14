package picture

import (
	"math"
	"slices"
)

// mark is one of the three marks in the corners of a code (ISO/IEC 18004, section 6.3.3):
// through its middle, any line is dark, light, dark, light, dark by 1:1:3:1:1.
type mark struct {
	x, y   float64
	module float64 // size of a module in pixels
	seen   int     // lines that crossed it, twice those that did so on the slant as well
	used   bool    // by a code that was read
}

// How much is looked for in one picture of black and white. Pictures full of marks are made
// to cost time.
const (
	mostCrossings = 1 << 15 // lines that look as if they crossed a mark
	mostMarks     = 256
)

// finder finds marks.
type finder struct {
	*bits
	marks     []mark
	crossings int
	crowded   bool // there are more marks than are kept
	looked    int  // pixels
}

// find returns the marks of a picture, dark on light.
func find(b *bits) *finder {
	f := &finder{bits: b}
	step := 1
	if b.h > 512 {
		step = 2
	}
	for y := 0; y < b.h && !f.crowded; y += step {
		f.row(y)
	}
	return f
}

// row finds marks that a row crosses.
func (f *finder) row(y int) {
	line := f.dark[y*f.w:][:f.w]
	f.looked += len(line)
	var runs [5]int // the last five; the last of them is dark
	start, colour := 0, byte(0)
	for x := 0; x <= len(line); x++ {
		if x < len(line) && line[x] == colour {
			continue
		}
		copy(runs[:], runs[1:])
		runs[4] = x - start
		if colour == 1 && like(&runs) {
			f.crossed(&runs, x, y)
		}
		start, colour = x, colour^1
	}
}

// like reports whether runs are near 1:1:3:1:1.
func like(runs *[5]int) bool {
	total := 0
	for _, n := range runs {
		if n == 0 {
			return false
		}
		total += n
	}
	if total < 7 {
		return false
	}
	module := float64(total) / 7
	most := module * 0.6
	off := func(n int, want float64) bool { return math.Abs(float64(n)-want*module) > most*want }
	if total < 18 { // a pixel more or less is much
		most = max(most, 0.95)
		off = func(n int, want float64) bool { return math.Abs(float64(n)-want*module) > most }
	}
	return !off(runs[0], 1) && !off(runs[1], 1) && !off(runs[2], 3) && !off(runs[3], 1) && !off(runs[4], 1)
}

// crossed looks whether a mark is where runs end at x in row y.
func (f *finder) crossed(runs *[5]int, x, y int) {
	if f.crossings++; f.crossings > mostCrossings {
		f.crowded = true
		return
	}
	total := runs[0] + runs[1] + runs[2] + runs[3] + runs[4]
	middle := float64(x-runs[4]-runs[3]) - float64(runs[2])/2
	cy, down := f.across(int(middle), y, 0, 1, 2*runs[2])
	if down == 0 || apart(down, total) {
		return
	}
	cx, across := f.across(int(middle), int(cy), 1, 0, 2*runs[2])
	if across == 0 || apart(across, total) {
		return
	}
	m := mark{x: cx, y: cy, module: float64(across+down) / 14, seen: 1}
	if _, slanting := f.across(int(cx), int(cy), 1, 1, 2*runs[2]); slanting > 0 {
		m.seen++
	}
	f.add(m)
}

// apart reports whether two sizes of a mark are too different.
func apart(a, b int) bool { return 5*max(a, b)-5*min(a, b) > 3*min(a, b)+10 }

// across measures the mark around a dark pixel in one direction: where its middle is,
// and how long it is; 0 if there is none.
func (f *finder) across(x, y, dx, dy, most int) (middle float64, length int) {
	var runs [5]int
	at := func(i int) byte {
		px, py := x+i*dx, y+i*dy
		if px < 0 || py < 0 || px >= f.w || py >= f.h {
			return 2
		}
		f.looked++
		return f.at(px, py)
	}
	i := 0
	for k, colour := range [...]byte{1, 0, 1} {
		for at(i) == colour && runs[2-k] <= most {
			runs[2-k]++
			i--
		}
	}
	begin := i + 1
	i = 1
	for k, colour := range [...]byte{1, 0, 1} {
		for at(i) == colour && runs[2+k] <= most {
			runs[2+k]++
			i++
		}
	}
	if !like(&runs) {
		return 0, 0
	}
	from := x*dx + y*dy + begin
	return float64(from+runs[0]+runs[1]) + float64(runs[2])/2, i - begin
}

// add takes in a mark, which may be known. Of those that one line crossed, as lines cross
// any noise, none is kept for long where there are many.
func (f *finder) add(m mark) {
	for i := range f.marks {
		k := &f.marks[i]
		if math.Abs(k.x-m.x) <= k.module*1.5 && math.Abs(k.y-m.y) <= k.module*1.5 && math.Abs(k.module-m.module) <= max(1, k.module/2) {
			n := float64(k.seen)
			k.x, k.y, k.module = (k.x*n+m.x)/(n+1), (k.y*n+m.y)/(n+1), (k.module*n+m.module)/(n+1)
			k.seen += m.seen
			return
		}
	}
	if len(f.marks) >= mostMarks {
		f.marks = slices.DeleteFunc(f.marks, func(k mark) bool { return k.seen <= 2 && k.y+4*k.module < m.y })
	}
	if len(f.marks) >= mostMarks {
		f.crowded = true
		return
	}
	f.marks = append(f.marks, m)
}
