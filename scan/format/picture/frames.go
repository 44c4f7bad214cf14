package picture

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/milterscan/milterscan/scan/scratch"
)

// frame is one picture of a file that may hold several.
type frame struct {
	content scratch.Content
	shown   int // hundredths of a second; 0 for a picture that stays
}

// How much is read of one file.
const (
	mostFrames = 20_000
	mostPages  = 64
	// readable is for how long a frame must be shown that a telephone reads it, in
	// hundredths of a second.
	readable = 30
)

// chained joins contents, one after the other.
func chained(list ...scratch.Content) scratch.Content {
	s := &Set{ends: []int64{0}}
	for _, c := range list {
		s.items = append(s.items, entry{content: c})
		s.ends = append(s.ends, s.Size()+c.Size())
	}
	return s
}

func section(c scratch.Content, from, to int64) scratch.Content {
	return io.NewSectionReader(c, from, to-from)
}

// gifFrames returns the frames of a GIF, each as a GIF by itself: the first, the last, and
// between them those that are shown so long that they can be read. More says that there
// may be further ones.
func gifFrames(c scratch.Content) (frames []frame, more bool) {
	g := &gifReader{c: c}
	head := g.bytes(13)
	if len(head) < 13 {
		return []frame{{content: c}}, false
	}
	if head[10]&0x80 != 0 {
		g.at += 3 << (head[10]&7 + 1)
	}
	start := section(c, 0, g.at)
	var last frame
	since, n := 0, 0
	for control := int64(-1); ; {
		from := g.at
		switch g.byte() {
		case '!':
			if g.byte() == 0xf9 {
				control = from
				since += g.delay()
			}
			g.blocks()
			continue
		case ',':
			descriptor := g.bytes(9)
			if len(descriptor) == 9 && descriptor[8]&0x80 != 0 {
				g.at += 3 << (descriptor[8]&7 + 1)
			}
			g.at++
			g.blocks()
		default:
			if last.content != nil && since > 0 {
				frames = append(frames, last)
			}
			if len(frames) == 0 {
				return []frame{{content: c}}, false
			}
			return frames, false
		}
		if control >= 0 {
			from = control
		}
		control = -1
		last = frame{content: chained(start, section(c, from, g.at), bytes.NewReader([]byte{';'})), shown: since}
		if n++; n > mostFrames {
			return frames, true
		}
		if len(frames) == 0 || since >= readable {
			frames = append(frames, last)
			since, last = 0, frame{}
		}
	}
}

// gifReader walks over the blocks of a GIF.
type gifReader struct {
	c   scratch.Content
	at  int64
	buf []byte // of the content from off on
	off int64
}

func (g *gifReader) bytes(n int) []byte {
	if g.at < g.off || g.at+int64(n) > g.off+int64(len(g.buf)) {
		g.off = g.at
		g.buf, _ = scratch.ReadAt(g.c, g.at, max(n, 16<<10))
	}
	b := g.buf[g.at-g.off:]
	b = b[:min(n, len(b))]
	g.at += int64(len(b))
	return b
}

// byte returns the next byte, that of the end after the last one.
func (g *gifReader) byte() byte {
	if b := g.bytes(1); len(b) > 0 {
		return b[0]
	}
	return ';'
}

// delay returns how long the frame is shown whose control block follows.
func (g *gifReader) delay() int {
	at := g.at
	b := g.bytes(4)
	g.at = at
	if len(b) < 4 {
		return 0
	}
	return max(int(binary.LittleEndian.Uint16(b[2:])), 2)
}

// blocks skips blocks up to the empty one.
func (g *gifReader) blocks() {
	for n := g.byte(); n > 0 && n != ';' || n == ';' && g.at < g.c.Size(); n = g.byte() {
		g.at += int64(n)
	}
}

// webpFrames returns the frames of an animated WebP, each as a WebP by itself.
func webpFrames(c scratch.Content) (frames []frame, more bool) {
	head, _ := scratch.ReadAt(c, 0, 16)
	if len(head) < 16 || string(head[12:16]) != "VP8X" {
		return []frame{{content: c}}, false
	}
	for at := int64(12); at+8 <= c.Size(); {
		b, _ := scratch.ReadAt(c, at, 24)
		if len(b) < 8 {
			break
		}
		size := int64(binary.LittleEndian.Uint32(b[4:]))
		if string(b[:4]) == "ANMF" && len(b) == 24 && size > 16 {
			shown := (int(b[20]) | int(b[21])<<8 | int(b[22])<<16) / 10
			inner := section(c, at+24, min(at+8+size, c.Size()))
			if len(frames) == mostFrames {
				return frames, true
			}
			frames = append(frames, frame{webpOf(inner, b[14:20]), max(shown, 1)})
		}
		at += 8 + size + size&1
	}
	if len(frames) == 0 {
		return []frame{{content: c}}, false
	}
	return longOnes(frames), false
}

// longOnes leaves out frames shown for too short a time, but for the first and the last.
func longOnes(frames []frame) []frame {
	var kept []frame
	for i, f := range frames {
		if i == 0 || i == len(frames)-1 || f.shown >= readable {
			kept = append(kept, f)
		}
	}
	return kept
}

// webpOf returns the chunks of one frame of a size as a file. One that can be seen through
// has a header that says so.
func webpOf(chunks scratch.Content, size []byte) scratch.Content {
	var extended []byte
	if b, _ := scratch.ReadAt(chunks, 0, 4); string(b) == "ALPH" {
		const alpha = 0x10
		extended = append([]byte{'V', 'P', '8', 'X', 10, 0, 0, 0, alpha, 0, 0, 0}, size...)
	}
	head := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(4+int64(len(extended))+chunks.Size()))
	return chained(bytes.NewReader(append(append(head, "WEBP"...), extended...)), chunks)
}

// tiffPages returns the pages of a TIFF, each as a TIFF by itself.
func tiffPages(c scratch.Content) (pages []frame, more bool) {
	head, _ := scratch.ReadAt(c, 0, 8)
	if len(head) < 8 {
		return []frame{{content: c}}, false
	}
	var order binary.AppendByteOrder = binary.LittleEndian
	number := binary.LittleEndian.Uint32
	short := binary.LittleEndian.Uint16
	if head[0] == 'M' {
		order, number, short = binary.BigEndian, binary.BigEndian.Uint32, binary.BigEndian.Uint16
	}
	seen := map[uint32]bool{}
	for at := number(head[4:]); at != 0 && !seen[at]; {
		if len(pages) == mostPages {
			return pages, true
		}
		seen[at] = true
		start := order.AppendUint32(bytes.Clone(head[:4]), at)
		pages = append(pages, frame{content: chained(bytes.NewReader(start), section(c, 8, c.Size()))})
		b, _ := scratch.ReadAt(c, int64(at), 2)
		if len(b) < 2 {
			break
		}
		next, _ := scratch.ReadAt(c, int64(at)+2+12*int64(short(b)), 4)
		if len(next) < 4 {
			break
		}
		at = number(next)
	}
	if len(pages) == 0 {
		return []frame{{content: c}}, false
	}
	return pages, false
}

// framesOf returns the pictures in a file.
func framesOf(f *format, c scratch.Content) ([]frame, bool) {
	switch f.name {
	case "gif":
		return gifFrames(c)
	case "webp":
		return webpFrames(c)
	case "tiff":
		return tiffPages(c)
	}
	return []frame{{content: c}}, false
}
