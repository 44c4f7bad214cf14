package virus

import (
	"bytes"
	"slices"

	"github.com/milterscan/milterscan/scan/scratch"
)

// eicarName is what ClamAV calls the test string.
const eicarName = "Eicar-Test-Signature"

// eicar is the test string of the European Institute for Computer Antivirus
// Research, in two halves so that virus scanners leave this file alone.
var eicar = []byte(`X5O!P%@AP[4\PZX54(P^)7CC)7}` + `$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`)

// anchor is the stretch of eicar that is looked for first: searching is fastest
// for something short that begins with two bytes which rarely are together.
var anchor = eicar[anchorAt : anchorAt+16]

const anchorAt = 26

// hasEICAR reports whether the test string is anywhere in b.
func hasEICAR(b []byte) bool {
	for at := anchorAt; at < len(b); {
		i := bytes.Index(b[at:], anchor)
		if i < 0 {
			return false
		}
		at += i
		if bytes.HasPrefix(b[at-anchorAt:], eicar) {
			return true
		}
		at++
	}
	return false
}

// eicarSearch looks for the test string in a content given piece by piece.
type eicarSearch struct {
	found bool
	seam  []byte // the end of what was written, too short to hold the string
}

// Watches have large contents searched while they are opened for what the engines would read them again for.
func Watches(engines []Config) []scratch.Watch {
	if !slices.ContainsFunc(engines, func(c Config) bool { return c.Type == TypeHashes }) {
		return nil
	}
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
