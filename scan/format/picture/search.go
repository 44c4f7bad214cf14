package picture

import (
	"image"

	"github.com/milterscan/milterscan/scan/format/archive"
)

// inPicture looks for codes in a picture: first as it is, and if there are none, in the
// ways in which it is harder to see, as far as the work allows.
func (s *search) inPicture(item int, p *picture) {
	small := p.luma.shrunk(mostPixels)
	n, whole := s.inPlane(item, small)
	if !whole {
		s.found(item, Over, tooMuch)
	}
	if n > 0 || !whole {
		return
	}
	if max(small.w, small.h) <= 720 {
		if n, ok := s.more(item, 4*len(small.px), small.grown); !ok || n > 0 {
			return
		}
	} else if n, ok := s.more(item, len(small.px)/2, func() *plane { return small.shrunk(len(small.px) / 3) }); !ok || n > 0 {
		return
	}
	if s.inTiles(item, p.luma) {
		return
	}
	if p.image == nil || !fewColours(p.image) {
		return
	}
	for i := range 4 {
		if !s.spare(int64(len(p.luma.px)), priceChannel) {
			return
		}
		s.budget.Work(int64(len(p.luma.px)), priceChannel)
		c := channel(p.image, i)
		if c == nil {
			continue
		}
		if n, ok := s.more(item, min(len(c.px), mostPixels), func() *plane { return c.shrunk(mostPixels) }); !ok || n > 0 {
			return
		}
	}
}

// spare reports whether work may be done that is not needed, so that all pictures to come
// can still be looked at.
func (s *search) spare(n int64, price archive.Price) bool {
	return s.ctx.Err() == nil && s.budget.Affords(n*int64(price)+s.later, 1)
}

// more looks at another view of a picture, of about so many pixels, if that can be spared.
func (s *search) more(item, pixels int, view func() *plane) (n int, ok bool) {
	if !s.spare(int64(pixels), 4*priceLook+priceScale) {
		return 0, false
	}
	s.budget.Work(int64(pixels), priceScale)
	n, ok = s.inPlane(item, view())
	return n, ok
}

// inTiles looks at pieces of a picture that is too large to be looked at as it is. It
// reports whether there is a code in any.
func (s *search) inTiles(item int, p *plane) bool {
	if len(p.px) <= mostPixels {
		return false
	}
	const side, step = 1000, 700
	for y := 0; y < p.h; y += step {
		for x := 0; x < p.w; x += step {
			r := image.Rect(x, y, x+side, y+side)
			n, ok := s.more(item, side*side, func() *plane { return p.part(r) })
			if n > 0 {
				return true
			}
			if !ok {
				return false
			}
		}
	}
	return false
}

// inPlane looks for codes in shades of grey, dark on light and light on dark. It returns
// how many there are, and whether the work allowed to see.
func (s *search) inPlane(item int, p *plane) (n int, whole bool) {
	radius := max(12, min(p.w, p.h)/9)
	views := [...]func() *bits{p.split, func() *bits { return p.adapted(radius) }}
	whole = true
	for _, view := range views {
		if !s.affords(int64(len(p.px)), priceLook) {
			return n, false
		}
		b := view()
		for _, light := range [...]bool{false, true} {
			if light {
				if !s.affords(int64(len(p.px)), priceLook) {
					return n, false
				}
				b = b.inverted()
			}
			got, all := s.inBits(item, b)
			n += got
			whole = whole && all
		}
		if n > 0 {
			return n, whole
		}
	}
	return n, whole
}

// inBits looks for codes in black and white.
func (s *search) inBits(item int, b *bits) (n int, whole bool) {
	b = b.framed()
	f := find(b)
	if !s.affords(int64(max(f.looked-len(b.dark), 0)), priceLook) {
		return 0, false
	}
	if len(f.marks) < 3 {
		return 0, !f.crowded
	}
	texts, cut := codes(f, func(steps int64) bool { return s.affords(steps, priceStep) })
	for _, t := range texts {
		s.found(item, Code, t)
	}
	return len(texts), !cut
}
