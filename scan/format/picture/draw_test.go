package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/encoder"
	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

const link = "https://login.example.net/a?session=8f2b17"

// modules returns a code as a matrix.
func modules(t testing.TB, text string, level decoder.ErrorCorrectionLevel) *Matrix {
	t.Helper()
	code, err := encoder.Encoder_encode(text, level, map[gozxing.EncodeHintType]interface{}{})
	if err != nil {
		t.Fatal(err)
	}
	m := code.GetMatrix()
	out := NewMatrix(m.GetWidth(), m.GetHeight())
	for y := range out.Height {
		for x := range out.Width {
			if m.Get(x, y) == 1 {
				out.Set(x, y)
			}
		}
	}
	return out
}

// style is how a code is drawn.
type style struct {
	module, quiet int // pixels, modules
	dark, light   color.Color
	dots          bool
}

var plain = style{module: 6, quiet: 4, dark: color.Black, light: color.White}

// drawn returns a picture of a matrix.
func (s style) drawn(m *Matrix) *image.NRGBA {
	side := (m.Width + 2*s.quiet) * s.module
	img := image.NewNRGBA(image.Rect(0, 0, side, side))
	draw.Draw(img, img.Rect, image.NewUniform(s.light), image.Point{}, draw.Src)
	for y := range m.Height {
		for x := range m.Width {
			if !m.Dark[y*m.Width+x] {
				continue
			}
			r := image.Rect(0, 0, s.module, s.module).Add(image.Pt((x+s.quiet)*s.module, (y+s.quiet)*s.module))
			if !s.dots {
				draw.Draw(img, r, image.NewUniform(s.dark), image.Point{}, draw.Src)
				continue
			}
			half := float64(s.module) / 2
			for py := r.Min.Y; py < r.Max.Y; py++ {
				for px := r.Min.X; px < r.Max.X; px++ {
					if math.Hypot(float64(px-r.Min.X)+0.5-half, float64(py-r.Min.Y)+0.5-half) <= half {
						img.Set(px, py, s.dark)
					}
				}
			}
		}
	}
	return img
}

// warped returns a picture through which every pixel is looked up in another.
func warped(src image.Image, w, h int, from func(x, y float64) (float64, float64)) *image.NRGBA {
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			sum := [3]float64{}
			for k := range 4 {
				fx, fy := from(float64(x)+0.25+0.5*float64(k&1), float64(y)+0.25+0.5*float64(k>>1))
				var c color.Color = color.White
				if p := image.Pt(int(math.Floor(fx)), int(math.Floor(fy))); p.In(src.Bounds()) {
					c = src.At(p.X, p.Y)
				}
				r, g, b, _ := c.RGBA()
				sum[0], sum[1], sum[2] = sum[0]+float64(r>>8), sum[1]+float64(g>>8), sum[2]+float64(b>>8)
			}
			out.Set(x, y, color.NRGBA{byte(sum[0] / 4), byte(sum[1] / 4), byte(sum[2] / 4), 255})
		}
	}
	return out
}

func rotated(src image.Image, degrees float64) image.Image {
	side := float64(src.Bounds().Dx())
	size := int(side * 1.45)
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	middle := float64(size) / 2
	return warped(src, size, size, func(x, y float64) (float64, float64) {
		dx, dy := x-middle, y-middle
		return dx*cos + dy*sin + side/2, -dx*sin + dy*cos + side/2
	})
}

func scaled(src image.Image, by float64) image.Image {
	w, h := float64(src.Bounds().Dx())*by, float64(src.Bounds().Dy())*by
	return warped(src, int(w), int(h), func(x, y float64) (float64, float64) { return x / by, y / by })
}

// seenAtAngle returns a picture as a camera sees it from the side.
func seenAtAngle(src image.Image) image.Image {
	side := float64(src.Bounds().Dx())
	return warped(src, int(side), int(side), func(x, y float64) (float64, float64) {
		k := 1 + 0.25*(y/side)
		return (x-side/2)*k*1.05 + side/2, y * k * 0.95
	})
}

func blurred(src image.Image, n int) *image.NRGBA {
	b := src.Bounds()
	out := image.NewNRGBA(b)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			var sum, count uint32
			for dy := -n; dy <= n; dy++ {
				for dx := -n; dx <= n; dx++ {
					if p := image.Pt(x+dx, y+dy); p.In(b) {
						r, _, _, _ := src.At(p.X, p.Y).RGBA()
						sum += r >> 8
						count++
					}
				}
			}
			out.Set(x, y, color.Gray{byte(sum / count)})
		}
	}
	return out
}

func shaded(src image.Image, how func(x, y int, v float64) float64) *image.NRGBA {
	b := src.Bounds()
	out := image.NewNRGBA(b)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, _, _, _ := src.At(x, y).RGBA()
			out.Set(x, y, color.Gray{byte(max(0, min(255, how(x, y, float64(r>>8)))))})
		}
	}
	return out
}

// enlarged returns a picture with n by n pixels for each.
func enlarged(m *image.NRGBA, n int) *image.NRGBA {
	out := image.NewNRGBA(image.Rect(0, 0, m.Rect.Dx()*n, m.Rect.Dy()*n))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			copy(out.Pix[y*out.Stride+4*x:][:4], m.Pix[y/n*m.Stride+4*(x/n):])
		}
	}
	return out
}

// photograph returns a picture without a code, as cameras take them.
func photograph(w, h int, seed uint64) *image.NRGBA {
	rnd := rand.New(rand.NewPCG(seed, 1))
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	type blob struct{ x, y, r, c float64 }
	var blobs []blob
	for range 12 {
		blobs = append(blobs, blob{rnd.Float64() * float64(w), rnd.Float64() * float64(h), rnd.Float64() * float64(w) / 6, rnd.Float64() * 255})
	}
	for y := range h {
		for x := range w {
			v := 90 + 80*float64(y)/float64(h)
			for _, b := range blobs {
				if dx, dy := float64(x)-b.x, float64(y)-b.y; dx*dx+dy*dy < b.r*b.r {
					v = 0.5*v + 0.5*b.c
				}
			}
			v += rnd.NormFloat64() * 6
			g := byte(max(0, min(255, v)))
			out.SetNRGBA(x, y, color.NRGBA{g, byte(float64(g) * 0.9), byte(255 - g/2), 255})
		}
	}
	return out
}

func pasted(on *image.NRGBA, x, y int, what image.Image) *image.NRGBA {
	draw.Draw(on, what.Bounds().Add(image.Pt(x, y)), what, what.Bounds().Min, draw.Over)
	return on
}

func asPNG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asJPEG(t testing.TB, m image.Image, quality int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asBMP(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := bmp.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asTIFF(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := tiff.Encode(&b, m, &tiff.Options{Compression: tiff.Deflate}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var greys = color.Palette{color.White, color.Black, color.Gray{128}}

func paletted(m image.Image) *image.Paletted {
	p := image.NewPaletted(m.Bounds(), greys)
	draw.Draw(p, p.Rect, m, m.Bounds().Min, draw.Src)
	return p
}

// asGIF returns an animation.
func asGIF(t testing.TB, delay int, frames ...image.Image) []byte {
	t.Helper()
	g := &gif.GIF{}
	for _, f := range frames {
		g.Image = append(g.Image, paletted(f))
		g.Delay = append(g.Delay, delay)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
