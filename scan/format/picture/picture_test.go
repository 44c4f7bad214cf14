package picture

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/draw"
	"io"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing/qrcode/decoder"

	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/units"
)

// most is the work for the pictures of a message.
const most = 300 * time.Millisecond

// lookedAt returns what is found in a set.
func lookedAt(t testing.TB, s *Set) (found []Found, work time.Duration) {
	t.Helper()
	b := archive.NewBudget(archive.Limits{Expanded: units.GB, Member: units.GB, Ratio: 1 << 30, Entries: 1 << 20})
	ctx, done := b.Within(context.Background(), most)
	defer done()
	visit := func(m archive.Member, body io.Reader) error {
		f, err := ReadFound(m, body)
		found = append(found, f)
		return err
	}
	notes, err := Format{}.Walk(ctx, s.Seal(), b, visit)
	if err != nil || len(notes) > 0 {
		t.Fatalf("Walk: %v, %v", notes, err)
	}
	return found, b.Worked()
}

func lookedAtFile(t testing.TB, file []byte) ([]Found, time.Duration) {
	t.Helper()
	s := new(Set)
	s.Add(Image, bytes.NewReader(file))
	return lookedAt(t, s)
}

func texts(found []Found) (list []string) {
	for _, f := range found {
		if f.What == Code {
			list = append(list, f.Text)
		}
	}
	return list
}

// TestVariants reads codes as honest senders and others draw them.
func TestVariants(t *testing.T) {
	m := modules(t, link, decoder.ErrorCorrectionLevel_M)
	strong := modules(t, link, decoder.ErrorCorrectionLevel_H)
	black := plain.drawn(m)
	with := func(s style) image.Image { return s.drawn(m) }
	rnd := rand.New(rand.NewPCG(7, 7))
	mirrored := func() image.Image {
		w := black.Rect.Dx()
		return warped(black, w, w, func(x, y float64) (float64, float64) { return float64(w) - x, y })
	}
	logo := strong
	logoDrawn := plain.drawn(logo)
	n := logoDrawn.Rect.Dx()
	draw.Draw(logoDrawn, image.Rect(n*2/5, n*2/5, n*3/5, n*3/5), image.NewUniform(color.NRGBA{200, 30, 30, 255}), image.Point{}, draw.Src)
	for _, v := range []struct {
		name string
		file []byte
	}{
		{"plain", asPNG(t, black)},
		{"rotated 15", asPNG(t, rotated(black, 15))},
		{"rotated 45", asPNG(t, rotated(black, 45))},
		{"rotated 90", asPNG(t, rotated(black, 90))},
		{"rotated 200", asPNG(t, rotated(black, 200))},
		{"mirrored", asPNG(t, mirrored())},
		{"inverted", asPNG(t, with(style{6, 4, color.White, color.Black, false}))},
		{"logo", asPNG(t, logoDrawn)},
		{"JPEG q20", asJPEG(t, black, 20)},
		{"JPEG q20, small", asJPEG(t, with(style{3, 4, color.Black, color.White, false}), 20)},
		{"modules of 1", asPNG(t, with(style{1, 4, color.Black, color.White, false}))},
		{"modules of 2", asPNG(t, with(style{2, 4, color.Black, color.White, false}))},
		{"modules of 1.7", asPNG(t, scaled(black, 1.7/6))},
		{"modules of 40", asPNG(t, with(style{40, 4, color.Black, color.White, false}))},
		{"blue on yellow", asPNG(t, with(style{6, 4, color.NRGBA{20, 30, 140, 255}, color.NRGBA{255, 220, 60, 255}, false}))},
		{"red on white", asPNG(t, with(style{6, 4, color.NRGBA{220, 20, 20, 255}, color.White, false}))},
		{"yellow on white", asPNG(t, with(style{6, 4, color.NRGBA{250, 210, 0, 255}, color.White, false}))},
		{"red on green, as bright", asPNG(t, with(style{6, 4, color.NRGBA{200, 40, 40, 255}, color.NRGBA{20, 115, 40, 255}, false}))},
		{"white on red", asPNG(t, with(style{6, 4, color.White, color.NRGBA{200, 30, 40, 255}, false}))},
		{"grey on grey", asPNG(t, with(style{6, 4, color.Gray{110}, color.Gray{140}, false}))},
		{"dots", asPNG(t, with(style{9, 4, color.Black, color.White, true}))},
		{"no margin", asPNG(t, with(style{6, 0, color.Black, color.White, false}))},
		{"transparent", asPNG(t, with(style{6, 4, color.Black, color.Transparent, false}))},
		{"white on transparent", asPNG(t, with(style{6, 4, color.White, color.Transparent, false}))},
		{"at an angle", asPNG(t, seenAtAngle(black))},
		{"blurred", asPNG(t, blurred(black, 3))},
		{"noise", asPNG(t, shaded(black, func(_, _ int, v float64) float64 { return v*0.6 + 50 + rnd.NormFloat64()*35 }))},
		{"in half shade", asPNG(t, shaded(black, func(x, _ int, v float64) float64 { return v * (0.15 + 0.85*float64(x)/300) }))},
		{"on a photograph", asJPEG(t, pasted(photograph(900, 700, 1), 400, 300, black), 80)},
		{"small on a large photograph", asJPEG(t, pasted(enlarged(photograph(1000, 667, 2), 3), 1900, 1100, with(style{5, 4, color.Black, color.White, false})), 85)},
		{"BMP", asBMP(t, black)},
		{"TIFF", asTIFF(t, black)},
		{"GIF", asGIF(t, 0, black)},
		{"second frame of a GIF", asGIF(t, 100, image.NewGray(black.Rect), black, image.NewGray(black.Rect))},
	} {
		t.Run(v.name, func(t *testing.T) {
			begun := time.Now()
			found, work := lookedAtFile(t, v.file)
			t.Logf("work %v, took %v", work, time.Since(begun))
			if got := texts(found); len(got) != 1 || got[0] != link {
				t.Errorf("found %v", found)
			}
		})
	}
}

// TestSeveral reads all codes of a picture.
func TestSeveral(t *testing.T) {
	on := image.NewNRGBA(image.Rect(0, 0, 900, 900))
	draw.Draw(on, on.Rect, image.White, image.Point{}, draw.Src)
	var want []string
	for i, at := range []image.Point{{20, 20}, {460, 30}, {40, 480}, {480, 500}} {
		text := link + string(rune('0'+i))
		want = append(want, text)
		pasted(on, at.X, at.Y, plain.drawn(modules(t, text, decoder.ErrorCorrectionLevel_M)))
	}
	found, _ := lookedAtFile(t, asPNG(t, on))
	got := texts(found)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}

// rings returns a picture full of what looks like the marks of codes.
func rings(w, h, module int) image.Image {
	img := image.NewGray(image.Rect(0, 0, w, h))
	pitch := 8 * module
	for y := range h {
		for x := range w {
			dx, dy := (x%pitch)/module, (y%pitch)/module
			d := max(max(dx-3, 3-dx), max(dy-3, 3-dy))
			if d == 2 || d > 3 {
				img.SetGray(x, y, color.Gray{255})
			}
		}
	}
	return img
}

// ownCPU returns the processor time that this process has taken.
func ownCPU() time.Duration {
	var used syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// TestHostile: no set of pictures costs more than was allowed, by far, and what was not
// looked at is said.
func TestHostile(t *testing.T) {
	large := asJPEG(t, enlarged(photograph(1000, 750, 3), 4), 70)
	tiny := image.NewGray(image.Rect(0, 0, 40, 40))
	frames := make([]image.Image, 10_000)
	for i := range frames {
		frames[i] = tiny
	}
	lying := asPNG(t, tiny)
	copy(lying[16:], "\x00\x00\xff\xff\x00\x00\xff\xff")
	lie := asBMP(t, tiny)
	copy(lie[18:], "\xff\xff\xff\x7f\xff\xff\xff\x7f")
	tiffLoop := asTIFF(t, tiny)
	for _, h := range []struct {
		name  string
		files [][]byte
		over  bool // it must be said
	}{
		{"rings of 280 by 280", [][]byte{asPNG(t, rings(280, 280, 1))}, true},
		{"rings of 280 by 280, larger", [][]byte{asPNG(t, rings(280, 280, 4))}, true},
		{"rings of a megapixel", [][]byte{asPNG(t, rings(1000, 1000, 2))}, true},
		{"rings of 9 megapixels", [][]byte{asPNG(t, rings(3000, 3000, 3))}, true},
		{"100 pictures of 12 megapixels", slices.Repeat([][]byte{large}, 100), true},
		{"2,000 pictures of rings", slices.Repeat([][]byte{asPNG(t, rings(280, 280, 2))}, 2000), true},
		{"GIF of 10,000 frames", [][]byte{asGIF(t, 100, frames...)}, false},
		{"GIF of 10,000 frames that stay", [][]byte{asGIF(t, 100, slices.Repeat([]image.Image{rings(200, 200, 2)}, 1500)...)}, true},
		{"PNG that lies", [][]byte{lying}, true},
		{"BMP that lies", [][]byte{lie}, true},
		{"TIFF cut off", [][]byte{tiffLoop[:len(tiffLoop)-20]}, false},
		{"noise", [][]byte{asPNG(t, shaded(image.NewGray(image.Rect(0, 0, 1000, 1000)), func(_, _ int, _ float64) float64 { return rand.Float64() * 255 }))}, false},
		{"stripes", [][]byte{asPNG(t, shaded(image.NewGray(image.Rect(0, 0, 1000, 1000)), func(x, y int, _ float64) float64 { return float64((x ^ y) & 1 * 255) }))}, false},
	} {
		t.Run(h.name, func(t *testing.T) {
			s := new(Set)
			for _, f := range h.files {
				s.Add(Image, bytes.NewReader(f))
			}
			begun := ownCPU()
			found, work := lookedAt(t, s)
			took := ownCPU() - begun
			t.Logf("work %v, processor time %v, %d found", work, took, len(found))
			if work > most+most/10 { // the time itself depends on the host
				t.Errorf("it is %v of work", work)
			}
			said := slices.ContainsFunc(found, func(f Found) bool { return f.What == Over || f.What == Damaged || f.What == Broken })
			if h.over && !said {
				t.Errorf("nothing says that not all was looked at: %v", found)
			}
		})
	}
}

// TestHonest: everyday pictures without codes are looked at as a whole.
func TestHonest(t *testing.T) {
	for _, h := range []struct {
		name  string
		files [][]byte
	}{
		{"photograph", [][]byte{asJPEG(t, photograph(1600, 1200, 4), 80)}},
		{"photograph of 12 megapixels", [][]byte{asJPEG(t, enlarged(photograph(1000, 750, 4), 4), 80)}},
		{"30 photographs of a newsletter", slices.Repeat([][]byte{asJPEG(t, photograph(600, 400, 5), 80)}, 30)},
		{"animation", [][]byte{asGIF(t, 10, slices.Repeat([]image.Image{photograph(300, 200, 6)}, 20)...)}},
	} {
		t.Run(h.name, func(t *testing.T) {
			s := new(Set)
			for _, f := range h.files {
				s.Add(Image, bytes.NewReader(f))
			}
			begun := ownCPU()
			found, work := lookedAt(t, s)
			t.Logf("work %v, processor time %v", work, ownCPU()-begun)
			if len(found) > 0 {
				t.Errorf("found %v", found)
			}
		})
	}
}
