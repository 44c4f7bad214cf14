package picture

import (
	"bytes"
	"encoding/binary"

	"github.com/milterscan/milterscan/scan/scratch"
)

// Matrix is a picture of dark and light cells, as texts and tables draw codes.
type Matrix struct {
	Width, Height int
	Dark          []bool // by row
}

// NewMatrix returns a matrix that is all light.
func NewMatrix(width, height int) *Matrix {
	return &Matrix{width, height, make([]bool, width*height)}
}

// Set makes a cell dark. Cells outside are none.
func (m *Matrix) Set(x, y int) {
	if x >= 0 && x < m.Width && y >= 0 && y < m.Height {
		m.Dark[y*m.Width+x] = true
	}
}

// Content returns the matrix as an item of the sort Raster.
func (m *Matrix) Content() scratch.Content {
	b := binary.LittleEndian.AppendUint32(nil, uint32(m.Width))
	b = binary.LittleEndian.AppendUint32(b, uint32(m.Height))
	for _, d := range m.Dark {
		if d {
			b = append(b, 1)
		} else {
			b = append(b, 0)
		}
	}
	return bytes.NewReader(b)
}

// How wide the margin around a matrix is, in cells, and how large a cell is drawn, in pixels.
const (
	quietZone = 4
	cellSize  = 4
)

// mostCells bounds a matrix.
const mostCells = 400 * 400

// rasterPlane draws the matrix in a content; it returns nil if there is none.
func rasterPlane(c scratch.Content) *plane {
	head, _ := scratch.ReadAt(c, 0, 8)
	if len(head) < 8 {
		return nil
	}
	w, h := int(binary.LittleEndian.Uint32(head)), int(binary.LittleEndian.Uint32(head[4:]))
	if w < 1 || h < 1 || w > mostCells || h > mostCells/w {
		return nil
	}
	cells, _ := scratch.ReadAt(c, 8, w*h)
	if len(cells) < w*h {
		return nil
	}
	p := newPlane((w+2*quietZone)*cellSize, (h+2*quietZone)*cellSize)
	for y := range p.h {
		for x := range p.w {
			cx, cy := x/cellSize-quietZone, y/cellSize-quietZone
			p.px[y*p.w+x] = 255
			if cx >= 0 && cy >= 0 && cx < w && cy < h && cells[cy*w+cx] != 0 {
				p.px[y*p.w+x] = 0
			}
		}
	}
	return p
}
