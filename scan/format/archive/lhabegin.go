package archive

func (lhaFormat) inside(c Content, taken Places) bool { return lhaBegin(c, taken) >= 0 }

// lhaFalse is how many marks of headers that are none may come before an archive; what
// has more is taken for one, and its walk says what it is.
const lhaFalse = 64

// lhaBegin returns where an archive begins: at the first byte, or further in, as in
// programs that unpack themselves. It is -1 if there is none within sfxSize.
func lhaBegin(c Content, taken Places) int64 {
	if lhaMark(piece(c, 0, lhaFixed)) && !taken.hold(0) {
		return 0
	}
	first, tries := int64(-1), 0
	for _, mark := range [...]string{"-lh", "-lz", "-pm"} {
		at := eachBegin(c, 0, mark, lhaMethod, func(head []byte, at int64) bool {
			if !lhaMark(head) || taken.hold(at) {
				return false
			}
			if tries++; tries > lhaFalse {
				return true
			}
			h, err := readLHA(c, at)
			return err == nil && h.data <= c.Size() && h.packed <= c.Size()
		})
		if first < 0 || at >= 0 && at < first {
			first = at
		}
	}
	return first
}
