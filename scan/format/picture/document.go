package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"io"

	"golang.org/x/image/ccitt"

	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/scratch"
)

// MayShow reports whether a PDF may have pictures that are objects.
func MayShow(c scratch.Content) bool { return archive.PDFMayShow(c) }

// priceRaw is what a pixel costs that only has to be unpacked, in picoseconds.
const priceRaw = 20_000

// documentPicture returns a picture of a document as something to be looked at.
func documentPicture(p archive.PDFPicture) (candidate, error) {
	c := candidate{w: int(p.Width), h: int(p.Height), price: priceRaw, bytes: 5}
	if p.Width < 1 || p.Height < 1 || p.Width > 1<<20 || p.Height > 1<<20 {
		return c, errSize
	}
	switch p.Filter {
	case "DCTDecode", "DCT":
		c.price, c.bytes = formats[1].price, formats[1].bytes
		c.open = func() (*picture, error) { return openJPEG(p) }
	case "CCITTFaxDecode", "CCF":
		c.open = func() (*picture, error) { return openFax(p) }
	case "":
		c.open = func() (*picture, error) { return openRaw(p) }
	default:
		return c, fmt.Errorf("%w: %s", errUnsupported, p.Filter)
	}
	return c, nil
}

// openJPEG decodes a file of JPEG. What it says of its size counts, not the document.
func openJPEG(p archive.PDFPicture) (*picture, error) {
	src, err := p.Open()
	if err != nil {
		return nil, err
	}
	data, _ := io.ReadAll(io.LimitReader(src, mostFile))
	conf, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if int64(conf.Width)*int64(conf.Height) > 2*p.Width*p.Height {
		return nil, errSize
	}
	m, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return newPicture(m), nil
}

// mostFile bounds a file in a document, in bytes.
const mostFile = 16 << 20

// openFax decodes a fax, as far as it goes.
func openFax(p archive.PDFPicture) (*picture, error) {
	src, err := p.Open()
	if err != nil {
		return nil, err
	}
	if p.Fax.K > 0 || p.Fax.Columns > 1<<16 || p.Fax.Columns < 1 {
		return nil, errUnsupported
	}
	sub := ccitt.Group3
	if p.Fax.K < 0 {
		sub = ccitt.Group4
	}
	r := ccitt.NewReader(src, ccitt.MSB, sub, int(p.Fax.Columns), int(p.Height), &ccitt.Options{Align: p.Fax.Aligned, Invert: !p.Fax.Black})
	return rawPicture(r, int(p.Fax.Columns), int(p.Height), 1, nil)
}

// openRaw reads pixels that are not packed in any other way than text is.
func openRaw(p archive.PDFPicture) (*picture, error) {
	src, err := p.Open()
	if err != nil {
		return nil, err
	}
	bits := int(p.Bits)
	if p.Mask || bits == 0 && p.Palette == nil {
		bits = 1
	}
	return rawPicture(src, int(p.Width), int(p.Height), bits, p.Palette)
}

// rawPicture reads lines of pixels with so many bits for a colour. How many colours a pixel
// has follows from how many bytes there are.
func rawPicture(src io.Reader, w, h, bits int, palette []byte) (*picture, error) {
	switch bits {
	case 1, 2, 4, 8, 16:
	default:
		return nil, errUnsupported
	}
	line := func(colours int) int { return (w*colours*bits + 7) / 8 }
	data, err := io.ReadAll(io.LimitReader(src, int64(line(4))*int64(h)))
	colours := 1
	for n := 4; n > 1; n-- {
		if n != 2 && len(data) >= line(n)*h {
			colours = n
			break
		}
	}
	if len(data) < line(colours) {
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	if colours == 3 && bits == 8 {
		return newPicture(rgb(data, w, h)), nil
	}
	p := newPlane(w, h)
	for i := range p.px {
		p.px[i] = 255
	}
	shades := shadesOf(palette, bits)
	for y := range min(h, len(data)/line(colours)) {
		row := data[y*line(colours):]
		for x := range w {
			p.px[y*w+x] = shades(row, x*colours, colours)
		}
	}
	return &picture{luma: p}, nil
}

// rgb returns an image of pixels with three bytes each.
func rgb(data []byte, w, h int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := 0; i < w*h && 3*i+2 < len(data); i++ {
		copy(m.Pix[4*i:], data[3*i:3*i+3])
		m.Pix[4*i+3] = 255
	}
	return m
}

// shadesOf returns how bright a pixel is whose first colour is the i-th value in a row.
func shadesOf(palette []byte, bits int) func(row []byte, i, colours int) byte {
	value := func(row []byte, i int) int {
		if bits == 16 {
			return int(row[2*i])
		}
		at := i * bits
		return int(row[at/8]) >> (8 - bits - at%8) & (1<<bits - 1)
	}
	most := 1<<min(bits, 8) - 1
	return func(row []byte, i, colours int) byte {
		v := value(row, i)
		switch {
		case len(palette) > 0 && colours == 1 && bits <= 8:
			if 3*v+2 < len(palette) {
				return byte((299*int(palette[3*v]) + 587*int(palette[3*v+1]) + 114*int(palette[3*v+2])) / 1000)
			}
			return 255
		case colours == 3:
			return byte((299*v + 587*value(row, i+1) + 114*value(row, i+2)) * 255 / (1000 * most))
		case colours == 4: // ink
			ink := min((299*v+587*value(row, i+1)+114*value(row, i+2))/1000+value(row, i+3), most)
			return byte(255 - ink*255/most)
		}
		return byte(v * 255 / most)
	}
}
