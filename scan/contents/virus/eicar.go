package virus

import (
	"bytes"
	"encoding/binary"

	"github.com/milterscan/milterscan/scan/scratch"
)

// eicarName is what ClamAV calls the test string.
const eicarName = "Eicar-Test-Signature"

// eicar is the test string of the European Institute for Computer Antivirus
// Research, in two halves so that virus scanners leave this file alone.
var eicar = []byte(`X5O!P%@AP[4\PZX54(P^)7CC)7}` + `$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`)

// stride is how many bytes there are from one pair of bytes that is looked at to the next. It is one less than the string
// is long: wherever the string is, one of these pairs is in it.
const stride = 68 - 1

// pairs has a bit for each two bytes, in little endian, that are next to each other in eicar.
var pairs = func() (t [1 << 16 / 64]uint64) {
	for i := range stride {
		pair := binary.LittleEndian.Uint16(eicar[i:])
		t[pair/64] |= 1 << (pair % 64)
	}
	return t
}()

// hasEICAR reports whether the test string is anywhere in b.
func hasEICAR(b []byte) bool {
	for at := 0; at+1 < len(b); at += stride {
		pair := binary.LittleEndian.Uint16(b[at:])
		if pairs[pair/64]>>(pair%64)&1 != 0 && isAround(b, at) {
			return true
		}
	}
	return false
}

// isAround reports whether the pair of bytes at a place of b is of the test string.
func isAround(b []byte, at int) bool {
	for i := range stride {
		if begin := at - i; eicar[i] == b[at] && eicar[i+1] == b[at+1] && begin >= 0 && bytes.HasPrefix(b[begin:], eicar) {
			return true
		}
	}
	return false
}

// eicarSearch looks for the test string in a content given piece by piece.
type eicarSearch struct {
	found bool
	seam  []byte // the end of what was written, too short to hold the string
}

// Watches have large contents searched while they are opened for what the built-in engine, which is always there,
// would read them again for.
func Watches() []scratch.Watch {
	return []scratch.Watch{{Key: eicarKey{}, Begin: func(scratch.Content) scratch.Watcher { return new(eicarSearch) }}}
}

type eicarKey struct{}

// See takes the next piece.
func (s *eicarSearch) See(b []byte) {
	keep := len(eicar) - 1
	if s.found {
		return
	}
	s.seam = append(s.seam, b[:min(keep, len(b))]...)
	s.found = hasEICAR(s.seam) || hasEICAR(b)
	if len(b) >= keep {
		s.seam = append(s.seam[:0], b[len(b)-keep:]...)
	} else if extra := len(s.seam) - keep; extra > 0 {
		s.seam = append(s.seam[:0], s.seam[extra:]...)
	}
}
