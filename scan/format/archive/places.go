package archive

import (
	"io"
	"slices"
)

// Places are stretches of a container in which bytes of its members are as they
// are, one after the other.
type Places []span

// around returns the place that holds the byte at pos.
func (p Places) around(pos int64) (span, bool) {
	i := slices.IndexFunc(p, func(s span) bool { return s.start <= pos && pos < s.end })
	if i < 0 {
		return span{}, false
	}
	return p[i], true
}

// hold reports whether the byte at pos is in one of the places.
func (p Places) hold(pos int64) bool {
	_, ok := p.around(pos)
	return ok
}

// placesOf returns the places of what src reads, as far as it reads the container
// without changing a byte.
func (w *walk) placesOf(src io.Reader) Places {
	for {
		e, ok := src.(*exactly)
		if !ok {
			break
		}
		src = e.r
	}
	section, ok := src.(*io.SectionReader)
	if !ok {
		return nil
	}
	outer, off, n := section.Outer()
	if s, ok := outer.(*cfbContent); ok {
		return s.places(off, n)
	}
	if outer == io.ReaderAt(w.c) {
		return Places{{off, off + n}}
	}
	return nil
}

// places returns those of n bytes of the stream at off. They end early when following
// the chains of all streams would cost more than the file is worth, as streams that
// share their sectors would make it.
func (s *cfbContent) places(off, n int64) Places {
	var all Places
	size := int64(1) << s.shift
	for at, end := off, min(off+n, s.size); at < end && s.f.followed < 4*len(s.f.fat)+4*len(s.f.mini); {
		s.f.followed++
		number, ok := s.number(at >> s.shift)
		start, there := s.f.placeOf(number, s.shift)
		if !ok || !there {
			break
		}
		skip := at & (size - 1)
		length := min(size-skip, end-at)
		all = all.with(span{start + skip, start + skip + length})
		at += length
	}
	return all
}

// with returns p and one more place, which may go on where the last one ends.
func (p Places) with(s span) Places {
	if last := len(p) - 1; last >= 0 && p[last].end == s.start {
		p[last].end = s.end
		return p
	}
	return append(p, s)
}
