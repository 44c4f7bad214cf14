package bombs

import (
	"archive/zip"
	"bytes"
	"fmt"
	"image"
	"image/png"
	"strings"
)

// mostPage is how much a page is that is read as a text, in bytes; a zip around it makes it small.
const mostPage = 19 << 20

// page returns a zip with a page that begins with one text and goes on with another until it is
// as large as a page can be.
func (s Shape) page(suffix, begin, again, end string) []byte {
	text := begin + strings.Repeat(again, min(mostPage, max(1, s.Members)*max(1, s.Size))/len(again)) + end
	return s.zipped(1, func(w *zip.Writer, i int) { s.add(w, s.name(i)+suffix, []byte(text)) })
}

// tags returns a page of the shortest elements.
func (s Shape) tags() []byte { return s.page(".html", "", "<p>x", "") }

// attributes returns a page of elements with attributes, which is a document in XML as well.
func (s Shape) attributes() []byte { return s.page(".svg", "<svg>", "<a b='c' d='e'/>\n", "</svg>") }

// links returns a page of addresses.
func (s Shape) links() []byte {
	return s.page(".html", "", "<img src=http://e.example/a.gif width=1 height=1>", "")
}

// lateSheet returns a page that is read twice: what it hides is known at its end, and none of the
// many rules is about anything in it.
func (s Shape) lateSheet() []byte {
	var rules strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&rules, "div p.a b.c%d p { display: none }\n", i)
	}
	return s.page(".html", "x", "<p class=a><b>x</b>", "<style>"+rules.String()+"</style>")
}

// picture returns a picture that looks as if there were codes in all of it.
func (s Shape) picture() []byte {
	side := 100 + min(s.Members, 4900)
	p := image.NewGray(image.Rect(0, 0, side, side))
	for i := range p.Pix {
		x, y := i%side, i/side
		if ring := max(abs(x%28/4-3), abs(y%28/4-3)); ring == 2 {
			p.Pix[i] = 0xff // the mark of a corner, which has one light ring
		}
	}
	var out bytes.Buffer
	png.Encode(&out, p) // memory takes everything
	return out.Bytes()
}

func abs(n int) int { return max(n, -n) }
