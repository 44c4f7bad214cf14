package archive

import (
	"errors"

	"github.com/milterscan/milterscan/scan/scratch"
)

// headRoom is how many bytes eachBegin shows after a beginning, if there are as many.
const headRoom = 512

// errOver ends a search.
var errOver = errors.New("over")

// eachBegin calls fits with all that may be the beginnings of an archive that has mark
// before bytes after its beginning, until one fits, and returns that place, -1 if none
// within sfxSize of from does. head is at least headRoom bytes where there are as many, and
// is not to be kept.
func eachBegin(c Content, from int64, mark string, before int64, fits func(head []byte, at int64) bool) int64 {
	found := int64(-1)
	scratch.Windows(c, from, 2*headRoom, func(b []byte, off int64) error {
		for at := int64(0); ; at++ {
			next := scratch.Find(b[at:], mark)
			if next < 0 {
				return nil
			}
			at += int64(next)
			switch head := at - before; {
			case off+head > sfxSize:
				return errOver
			case head >= 0 && fits(b[head:], off+head):
				found = off + head
				return errOver
			}
		}
	})
	return found
}
