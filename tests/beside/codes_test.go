package beside

import (
	"bytes"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/encoder"

	"github.com/milterscan/milterscan/tests/sample"
)

// modules are those of a code: true for dark.
type modules [][]bool

// codeOf returns the code of a link.
func codeOf(t *testing.T, link string) modules {
	t.Helper()
	code, err := encoder.Encoder_encode(link, decoder.ErrorCorrectionLevel_H, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := code.GetMatrix()
	return newModules(m.GetWidth(), func(x, y int) bool { return m.Get(x, y) == 1 })
}

// noCode returns as many modules that are no code.
func noCode(side int) modules {
	r := rand.New(rand.NewPCG(4, 4))
	return newModules(side, func(int, int) bool { return r.IntN(2) == 1 })
}

func newModules(side int, dark func(x, y int) bool) modules {
	m := make(modules, side)
	for y := range m {
		m[y] = make([]bool, side)
		for x := range m[y] {
			m[y][x] = dark(x, y)
		}
	}
	return m
}

const margin = 4 // modules

// drawn returns a picture with so many pixels for a module.
func (m modules) drawn(pixels int, dark, light color.Color) *image.NRGBA {
	side := (len(m) + 2*margin) * pixels
	img := image.NewNRGBA(image.Rect(0, 0, side, side))
	draw.Draw(img, img.Rect, image.NewUniform(light), image.Point{}, draw.Src)
	for y := range m {
		for x, isDark := range m[y] {
			if isDark {
				r := image.Rect(0, 0, pixels, pixels).Add(image.Pt((x+margin)*pixels, (y+margin)*pixels))
				draw.Draw(img, r, image.NewUniform(dark), image.Point{}, draw.Src)
			}
		}
	}
	return img
}

func (m modules) black() *image.NRGBA { return m.drawn(6, color.Black, color.White) }

// rotated returns a picture turned by so many degrees. Each pixel is the mean of n by n places.
func rotated(src *image.NRGBA, degrees float64, n int) image.Image {
	side := float64(src.Rect.Dx())
	out := image.NewNRGBA(image.Rect(0, 0, int(side*1.45), int(side*1.45)))
	draw.Draw(out, out.Rect, image.White, image.Point{}, draw.Src)
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	middle := float64(out.Rect.Dx()) / 2
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			sum := 0
			for k := range n * n {
				dx, dy := float64(x)+(0.5+float64(k%n))/float64(n)-middle, float64(y)+(0.5+float64(k/n))/float64(n)-middle
				v := 255
				if p := image.Pt(int(math.Floor(dx*cos+dy*sin+side/2)), int(math.Floor(-dx*sin+dy*cos+side/2))); p.In(src.Rect) {
					v = int(src.NRGBAAt(p.X, p.Y).R)
				}
				sum += v
			}
			out.Set(x, y, color.Gray{byte(sum / (n * n))})
		}
	}
	return out
}

// withLogo returns a picture with something in its middle.
func withLogo(img *image.NRGBA) image.Image {
	n := img.Rect.Dx()
	draw.Draw(img, image.Rect(n*2/5, n*2/5, n*3/5, n*3/5), image.NewUniform(color.NRGBA{200, 30, 30, 255}), image.Point{}, draw.Src)
	return img
}

// onPhotograph returns a picture on a larger one that is noisy.
func onPhotograph(img *image.NRGBA) image.Image {
	r := rand.New(rand.NewPCG(9, 9))
	out := image.NewNRGBA(image.Rect(0, 0, 900, 700))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			v := byte(60 + x/8 + r.IntN(40))
			out.Set(x, y, color.NRGBA{v, v / 2, 255 - v, 255})
		}
	}
	draw.Draw(out, img.Rect.Add(image.Pt(400, 300)), img, image.Point{}, draw.Src)
	return out
}

func asPNG(m image.Image) sample.File {
	var b bytes.Buffer
	png.Encode(&b, m)
	return sample.File{Name: "picture.png", Type: "image/png", Content: b.Bytes()}
}

func asJPEG(m image.Image, quality int) sample.File {
	var b bytes.Buffer
	jpeg.Encode(&b, m, &jpeg.Options{Quality: quality})
	return sample.File{Name: "picture.jpg", Type: "image/jpeg", Content: b.Bytes()}
}

func asGIF(m image.Image) sample.File {
	var b bytes.Buffer
	gif.Encode(&b, m, nil)
	return sample.File{Name: "picture.gif", Type: "image/gif", Content: b.Bytes()}
}

// inPDF returns a document whose page shows a picture.
func inPDF(m image.Image) sample.File {
	f, side := asJPEG(m, 90), m.Bounds().Dx()
	b := bytes.NewBufferString("%PDF-1.4\n")
	var at []int
	const show = "q 300 0 0 300 100 300 cm /I Do Q"
	for _, object := range []string{
		"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>>",
		fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(show), show),
		fmt.Sprintf("<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/DCTDecode/Length %d>>\n"+
			"stream\n%s\nendstream", side, side, len(f.Content), f.Content),
	} {
		at = append(at, b.Len())
		fmt.Fprintf(b, "%d 0 obj\n%s\nendobj\n", len(at), object)
	}
	start := b.Len()
	fmt.Fprintf(b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, n := range at {
		fmt.Fprintf(b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(b, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, start)
	return sample.File{Name: "letter.pdf", Type: "application/pdf", Content: b.Bytes()}
}

// inWord returns a document of Word that holds a picture.
func inWord(m image.Image) sample.File {
	const types = `<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
		`<Default Extension="png" ContentType="image/png"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
		`<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`
	const relations = `<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="a" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>`
	const document = `<?xml version="1.0" encoding="UTF-8"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">` +
		`<w:body><w:p><w:r><w:t>Please scan.</w:t></w:r></w:p></w:body></w:document>`
	f := sample.Zip("letter.docx", sample.File{Name: "[Content_Types].xml", Content: []byte(types)}, sample.File{Name: "_rels/.rels", Content: []byte(relations)},
		sample.File{Name: "word/document.xml", Content: []byte(document)}, sample.File{Name: "word/media/image1.png", Content: asPNG(m).Content})
	f.Type = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	return f
}

// inBlocks draws modules with characters, two in one above each other.
func (m modules) inBlocks() string {
	var b strings.Builder
	dark := func(x, y int) bool { return y < len(m) && m[y][x] }
	for y := 0; y < len(m); y += 2 {
		for x := range m {
			b.WriteRune([]rune(" ▄▀█")[bit(dark(x, y))<<1|bit(dark(x, y+1))])
		}
		b.WriteString("\r\n")
	}
	return b.String()
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// inTable draws modules with the cells of a table.
func (m modules) inTable() string {
	var b strings.Builder
	b.WriteString("<table cellspacing=0 cellpadding=0>")
	for y := range m {
		b.WriteString("\r\n<tr>")
		for _, dark := range m[y] {
			fmt.Fprintf(&b, "<td width=4 height=4 bgcolor=%s></td>", [...]string{"white", "black"}[bit(dark)])
		}
		b.WriteString("</tr>")
	}
	return b.String() + "</table>"
}

// codes are mails in which a code leads elsewhere.
func codes(t *testing.T) point {
	const please = "Your mailbox is full. Please scan the code to go on.\r\n"
	yes := codeOf(t, "https://login.evil.test/a?session=8f2b17")
	no := noCode(len(yes))
	p := point{title: "Codes for telephones", about: "A QR code leads to `https://login.evil.test/…`. Beside it: the same picture with modules that are no code."}
	add := func(name string, mail func(modules) string) {
		p.tricks = append(p.tricks, trick{name: name, with: arrived(mail(yes)), less: arrived(mail(no))})
	}
	blue, yellow, red := color.NRGBA{20, 30, 140, 255}, color.NRGBA{255, 220, 60, 255}, color.NRGBA{200, 30, 40, 255}
	for _, v := range []struct {
		name string
		file func(modules) sample.File
	}{
		{"PNG", func(m modules) sample.File { return asPNG(m.black()) }},
		{"turned by 15°", func(m modules) sample.File { return asPNG(rotated(m.black(), 15, 2)) }},
		{"turned by 45°", func(m modules) sample.File { return asPNG(rotated(m.black(), 45, 2)) }},
		{"turned by 45°, with jagged edges", func(m modules) sample.File { return asPNG(rotated(m.black(), 45, 1)) }},
		{"turned by 200°", func(m modules) sample.File { return asPNG(rotated(m.black(), 200, 2)) }},
		{"white on black", func(m modules) sample.File { return asPNG(m.drawn(6, color.White, color.Black)) }},
		{"with a logo", func(m modules) sample.File { return asPNG(withLogo(m.black())) }},
		{"JPEG of quality 20", func(m modules) sample.File { return asJPEG(m.black(), 20) }},
		{"modules of 2 pixels", func(m modules) sample.File { return asPNG(m.drawn(2, color.Black, color.White)) }},
		{"blue on yellow", func(m modules) sample.File { return asPNG(m.drawn(6, blue, yellow)) }},
		{"white on red", func(m modules) sample.File { return asPNG(m.drawn(6, color.White, red)) }},
		{"on a photograph", func(m modules) sample.File { return asJPEG(onPhotograph(m.black()), 80) }},
		{"GIF", func(m modules) sample.File { return asGIF(m.black()) }},
		{"in a PDF", func(m modules) sample.File { return inPDF(m.black()) }},
		{"in a document of Word", func(m modules) sample.File { return inWord(m.black()) }},
	} {
		add(v.name, func(m modules) string { return enclosing("Mailbox full", "plain", please, v.file(m), "attachment") })
	}
	add("of block characters", func(m modules) string {
		return page("<p>" + please + "</p><pre>" + html.EscapeString(m.inBlocks()) + "</pre>")
	})
	add("of cells of a table", func(m modules) string { return page("<p>" + please + "</p>" + m.inTable()) })
	return p
}
