package picture

import (
	"cmp"
	"math"
	"slices"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/detector"
)

// How much is tried with the marks of one picture of black and white.
const (
	bestMarks = 40 // marks, those that were crossed most often
	mostTries = 48 // sets of three
	blindly   = 4  // of these without a look between the marks
)

// triple are three marks that may be those of one code, the corner first.
type triple struct {
	corner, right, below int // indexes of marks
	dimension            int // modules of a side
	score                float64
}

// triples returns what may be codes, the likeliest first.
func triples(marks []mark) (all []triple) {
	for i := range marks {
		for j := range i {
			for k := range j {
				if t, ok := newTriple(marks, i, j, k); ok {
					all = append(all, t)
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b triple) int { return cmp.Compare(a.score, b.score) })
	return all
}

// newTriple reports whether three marks lie like those of a code: about as large as each
// other, and two of them about as far from the third, about at a right angle.
func newTriple(marks []mark, i, j, k int) (triple, bool) {
	a, b, c := marks[i], marks[j], marks[k]
	small, large := min(a.module, b.module, c.module), max(a.module, b.module, c.module)
	if large > 1.7*small+0.5 {
		return triple{}, false
	}
	t := triple{corner: i, right: j, below: k}
	ab, ac, bc := distance(a, b), distance(a, c), distance(b, c)
	switch {
	case ab >= ac && ab >= bc:
		t.corner, t.right, t.below = k, i, j
		ab, ac, bc = ac, bc, ab
	case ac >= ab && ac >= bc:
		t.corner, t.right, t.below = j, i, k
		ac, bc = bc, ac
	}
	if ab > 1.6*ac || ac > 1.6*ab || ab == 0 || ac == 0 {
		return triple{}, false
	}
	cosine := (ab*ab + ac*ac - bc*bc) / (2 * ab * ac)
	module := (a.module + b.module + c.module) / 3
	modules := (ab + ac) / 2 / module
	if math.Abs(cosine) > 0.4 || modules < 8 || modules > 190 {
		return triple{}, false
	}
	o, r, d := marks[t.corner], marks[t.right], marks[t.below]
	if (r.x-o.x)*(d.y-o.y)-(r.y-o.y)*(d.x-o.x) < 0 {
		t.right, t.below = t.below, t.right
	}
	t.dimension = 17 + 4*int(math.Round((modules+7-17)/4))
	t.score = (ab + ac) * (1 + math.Abs(cosine) + math.Abs(ab-ac)/(ab+ac) + (large-small)/large)
	return t, true
}

func distance(a, b mark) float64 { return math.Hypot(a.x-b.x, a.y-b.y) }

// reading reads the codes of one picture of black and white.
type reading struct {
	*bits
	marks  []mark
	matrix *gozxing.BitMatrix
	spend  func(steps int64) bool // reports false if there is nothing left
	tries  int
	cut    bool // there is more to be tried
}

// codes returns the texts of all codes. Spend is told of the work before it is done.
func codes(f *finder, spend func(int64) bool) (texts []string, cut bool) {
	r := &reading{bits: f.bits, marks: f.marks, spend: spend, cut: f.crowded}
	if len(r.marks) > bestMarks {
		slices.SortStableFunc(r.marks, func(a, b mark) int { return b.seen - a.seen })
		r.cut = r.cut || r.marks[bestMarks].seen > 2
		r.marks = r.marks[:bestMarks]
	}
	for _, t := range triples(r.marks) {
		if r.marks[t.corner].used || r.marks[t.right].used || r.marks[t.below].used {
			continue
		}
		if r.tries >= blindly && !r.timed(t) {
			continue
		}
		if r.tries++; r.tries > mostTries || !spend(r.price(t)) {
			return texts, true
		}
		text, ok := r.read(t)
		if !ok {
			continue
		}
		r.marks[t.corner].used, r.marks[t.right].used, r.marks[t.below].used = true, true, true
		if text != "" {
			texts = append(texts, text)
		}
	}
	return texts, r.cut
}

// timed reports whether the lines between marks change from module to module, as they do
// in codes (section 6.3.5).
func (r *reading) timed(t triple) bool {
	for _, d := range [...]int{t.dimension, t.dimension - 4, t.dimension + 4} {
		if d < 21 || !r.spend(int64(16*d)) {
			continue
		}
		right := 0
		for i := 8; i < d-8; i++ {
			if r.module(t, d, i, 6) == byte(1-i&1) {
				right++
			}
			if r.module(t, d, 6, i) == byte(1-i&1) {
				right++
			}
		}
		if n := 2 * (d - 16); 100*right >= 68*n {
			return true
		}
	}
	return false
}

// module returns a module of a code with so many, as if it lay flat.
func (r *reading) module(t triple, d, x, y int) byte {
	o, right, below := r.marks[t.corner], r.marks[t.right], r.marks[t.below]
	u, v := (float64(x)-3)/float64(d-7), (float64(y)-3)/float64(d-7)
	px, py := int(o.x+u*(right.x-o.x)+v*(below.x-o.x)), int(o.y+u*(right.y-o.y)+v*(below.y-o.y))
	if px < 0 || py < 0 || px >= r.w || py >= r.h {
		return 2
	}
	return r.at(px, py)
}

// price returns what trying costs, in pixels: to look for the small mark in the fourth
// corner, and to read the modules four times.
func (r *reading) price(t triple) int64 {
	side := int64(32 * r.marks[t.corner].module)
	area := min(side*side, int64(r.w)*int64(r.h))
	first := int64(0)
	if r.matrix == nil {
		first = int64(r.w) * int64(r.h)
	}
	return first + area + 80*int64(t.dimension*t.dimension)
}

// read reads the code with these marks.
func (r *reading) read(t triple) (text string, ok bool) {
	defer func() {
		if recover() != nil { // foreign data must not end more than its own code
			text, ok = "", false
		}
	}()
	if r.matrix == nil {
		r.matrix = r.bits.matrix()
	}
	corner, right, below := r.pattern(t.corner), r.pattern(t.right), r.pattern(t.below)
	found, err := detector.NewDetector(r.matrix).ProcessFinderPatternInfo(detector.NewFinderPatternInfo(below, corner, right))
	if err == nil {
		if text, ok := decoded(found.GetBits()); ok {
			return text, true
		}
	}
	for _, more := range [...]int{0, -4, 4} {
		d := t.dimension + more
		if d < 21 || d > 177 {
			continue
		}
		grid, err := detector.Detector_sampleGrid(r.matrix, detector.Detector_createTransform(corner, right, below, nil, d), d)
		if err != nil {
			continue
		}
		if text, ok := decoded(grid); ok {
			return text, true
		}
	}
	return "", false
}

func (r *reading) pattern(i int) *detector.FinderPattern {
	m := r.marks[i]
	return detector.NewFinderPattern1(m.x, m.y, m.module)
}

// matrix returns the picture as the library has it.
func (b *bits) matrix() *gozxing.BitMatrix {
	m, _ := gozxing.NewBitMatrix(b.w, b.h) // of no size only if there is no picture
	for y := range b.h {
		for x, d := range b.dark[y*b.w:][:b.w] {
			if d != 0 {
				m.Set(x, y)
			}
		}
	}
	return m
}

// decoded returns the text of a code by its modules.
func decoded(modules *gozxing.BitMatrix) (string, bool) {
	result, err := decoder.NewDecoder().Decode(modules, nil)
	if err != nil {
		return "", false
	}
	return result.GetText(), true
}
