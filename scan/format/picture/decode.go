package picture

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"io"

	// Formats that are read.
	"image/gif"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"

	"github.com/milterscan/milterscan/scan/scratch"
)

// format is a format of pictures.
type format struct {
	name   string
	magic  []string // "?" is any byte
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
	price  int64 // picoseconds to decode a pixel
	bytes  int64 // of memory that a pixel takes while it is decoded, at most
}

var formats = [...]format{
	{"png", []string{"\x89PNG\r\n\x1a\n"}, png.DecodeConfig, png.Decode, 20_000, 9},
	{"jpeg", []string{"\xff\xd8"}, jpeg.DecodeConfig, jpeg.Decode, 14_000, 5},
	{"gif", []string{"GIF87a", "GIF89a"}, gif.DecodeConfig, gif.Decode, 8_000, 3},
	{"webp", []string{"RIFF????WEBPVP8"}, webp.DecodeConfig, webp.Decode, 40_000, 9},
	{"bmp", []string{"BM????\x00\x00\x00\x00"}, bmp.DecodeConfig, bmp.Decode, 10_000, 5},
	{"tiff", []string{"MM\x00\x2A", "II\x2A\x00"}, tiff.DecodeConfig, tiff.Decode, 25_000, 9},
}

// progressive is JPEG that is decoded in several passes, for which all of it is kept.
var progressive = format{"jpeg", nil, jpeg.DecodeConfig, jpeg.Decode, 30_000, 16}

// isProgressive reports whether a file of JPEG has a frame header of that kind (ITU-T
// T.81, section B.2.2) before its picture begins.
func isProgressive(c scratch.Content) bool {
	for at, head := int64(2), []byte(nil); ; at += 2 + int64(head[2])<<8 + int64(head[3]) {
		head, _ = scratch.ReadAt(c, at, 4)
		switch {
		case len(head) < 4 || head[0] != 0xff, head[1] == 0xda:
			return false
		case head[1] == 0xc2:
			return true
		}
	}
}

// formatOf returns the format that begins like this; nil if it is none.
func formatOf(head []byte) *format {
	for i := range formats {
		for _, magic := range formats[i].magic {
			if begins(head, magic) {
				return &formats[i]
			}
		}
	}
	return nil
}

func begins(head []byte, magic string) bool {
	if len(head) < len(magic) {
		return false
	}
	for i := range magic {
		if magic[i] != '?' && magic[i] != head[i] {
			return false
		}
	}
	return true
}

// smallest is the least width of a code, in pixels.
const smallest = 21

// IsSmall reports whether what begins like this, a PNG or a GIF, says that it is too
// small for a code, as spacers and counters are.
func IsSmall(head []byte) bool {
	switch {
	case begins(head, "\x89PNG\r\n\x1a\n") && len(head) >= 24:
		return tooSmall(int(be32(head[16:])), int(be32(head[20:])))
	case begins(head, "GIF8?a") && len(head) >= 10:
		return tooSmall(int(head[6])|int(head[7])<<8, int(head[8])|int(head[9])<<8)
	}
	return false
}

// Glance is how much of a picture Flaw wants to see, in bytes.
const Glance = 33

// Flaw returns why what begins like this, a PNG, does not say how large it is, in the words of the search for codes; "" where more than
// the beginning tells.
func Flaw(head []byte) string {
	f := formatOf(head)
	if f == nil || f.name != "png" || len(head) < Glance {
		return ""
	}
	_, _, err := f.sizeOf(bytes.NewReader(head[:Glance]))
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ""
	}
	return f.flaw(err)
}

// flaw says why a picture does not say how large it is.
func (f *format) flaw(err error) string { return f.name + ": " + err.Error() }

func be32(b []byte) uint32 {
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

func tooSmall(w, h int) bool { return w >= 0 && h >= 0 && min(w, h) < smallest }

var (
	errDecoder = errors.New("the decoder gave up")
	errSize    = errors.New("it has no size")
)

// safely calls f and turns a panic into an error.
func safely[T any](f func() (T, error)) (value T, err error) {
	defer func() {
		if recover() != nil {
			err = errDecoder
		}
	}()
	return f()
}

// sizeOf returns what a picture says of its size.
func (f *format) sizeOf(c scratch.Content) (w, h int, err error) {
	conf, err := safely(func() (image.Config, error) { return f.config(scratch.Reader(c)) })
	if err == nil && (conf.Width < 1 || conf.Height < 1) {
		err = errSize
	}
	return conf.Width, conf.Height, err
}

// picture is a picture that was decoded, in all ways it may be looked at.
type picture struct {
	image image.Image // nil if luma is all there is
	luma  *plane
}

// newPicture returns an image with its shades.
func newPicture(m image.Image) *picture { return &picture{m, lumaOf(m)} }

// lumaOf returns how bright an image is, on white where it can be seen through.
func lumaOf(m image.Image) *plane {
	r := m.Bounds()
	p := newPlane(r.Dx(), r.Dy())
	switch m := m.(type) {
	case *image.YCbCr:
		p.rows(func(y int, line []byte) { copy(line, m.Y[y*m.YStride:]) })
	case *image.Gray:
		p.rows(func(y int, line []byte) { copy(line, m.Pix[y*m.Stride:]) })
	case *image.Paletted:
		var shades [256]byte
		for i, c := range m.Palette {
			shades[i&255] = shade(c)
		}
		p.rows(func(y int, line []byte) {
			for x := range line {
				line[x] = shades[m.Pix[y*m.Stride+x]]
			}
		})
	case *image.RGBA:
		p.rows(func(y int, line []byte) {
			for x := range line {
				px := m.Pix[y*m.Stride+4*x:]
				line[x] = byte((19595*uint32(px[0])+38470*uint32(px[1])+7471*uint32(px[2]))>>16) + 255 - px[3]
			}
		})
	case *image.NRGBA:
		p.rows(func(y int, line []byte) {
			for x := range line {
				px := m.Pix[y*m.Stride+4*x:]
				v := (19595*uint32(px[0]) + 38470*uint32(px[1]) + 7471*uint32(px[2])) >> 16
				line[x] = byte((v*uint32(px[3]) + 255*(255-uint32(px[3]))) / 255)
			}
		})
	case *image.NYCbCrA:
		p.rows(func(y int, line []byte) {
			for x := range line {
				a := uint32(m.A[y*m.AStride+x])
				line[x] = byte((uint32(m.Y[y*m.YStride+x])*a + 255*(255-a)) / 255)
			}
		})
	default:
		p.rows(func(y int, line []byte) {
			for x := range line {
				line[x] = shade(m.At(r.Min.X+x, r.Min.Y+y))
			}
		})
	}
	return p
}

func (p *plane) rows(f func(y int, line []byte)) {
	for y := range p.h {
		f(y, p.px[y*p.w:][:p.w])
	}
}

// shade returns how bright a colour is on white.
func shade(c color.Color) byte {
	if c == nil {
		return 255
	}
	r, g, b, a := c.RGBA()
	return byte((19595*r+38470*g+7471*b)>>24) + byte((0xffff-a)>>8)
}

// fewColours reports whether an image has few colours, as drawings have and photographs
// have not: only in those it is worth looking at colours by themselves.
func fewColours(m image.Image) bool {
	const samples, most = 64, 40
	r := m.Bounds()
	seen := map[uint32]bool{}
	for i := range samples * samples {
		x, y := r.Min.X+(i%samples*r.Dx())/samples, r.Min.Y+(i/samples*r.Dy())/samples
		red, green, blue, _ := m.At(x, y).RGBA()
		if seen[red>>12<<8|green>>12<<4|blue>>12] = true; len(seen) > most {
			return false
		}
	}
	return true
}

// channel returns one of the colours red, green and blue of an image, or with a number
// beyond these its shades on black; nil if there is none of interest.
func channel(m image.Image, n int) *plane {
	switch m := m.(type) {
	case *image.Gray, *image.Gray16, nil:
		return nil
	case *image.YCbCr:
		if n > 2 {
			return nil
		}
	case interface{ Opaque() bool }:
		if n > 2 && m.Opaque() {
			return nil
		}
	}
	r := m.Bounds()
	p := newPlane(r.Dx(), r.Dy())
	coloured := n > 2
	p.rows(func(y int, line []byte) {
		for x := range line {
			red, green, blue, alpha := m.At(r.Min.X+x, r.Min.Y+y).RGBA()
			coloured = coloured || red>>13 != green>>13 || green>>13 != blue>>13
			switch v := [...]uint32{red, green, blue, (red + green + blue) / 3}[n]; {
			case n > 2:
				line[x] = byte(v >> 8)
			default:
				line[x] = byte((v + 0xffff - alpha) >> 8)
			}
		}
	})
	if !coloured {
		return nil
	}
	return p
}
