package archive

import (
	"bytes"
	"slices"

	"github.com/milterscan/milterscan/scan/scratch"
)

func (tarFormat) suffixes() []string { return []string{".tar"} }

func (tarFormat) inside(c Content, taken Places) bool { return len(tarBegins(c, taken)) > 0 }

const (
	tarMark  = "ustar" // of all dialects but that of V7
	tarMarks = 257     // where it is in a header
	tarWays  = 4       // of dividing the content into blocks that are tried
)

// tarBegins returns where in the content an archive may begin: at its first byte, or else
// at the first header in the blocks that GNU tar goes on with, and at the first in any
// other blocks, which 7-Zip looks for.
func tarBegins(c Content, taken Places) []int64 {
	if head := fixed(c, 0, tarBlock); head != nil && tarHeader(head) && !taken.hold(0) {
		return []int64{0}
	}
	var begins []int64
	if at := firstTarHeader(c, taken); at >= 0 {
		begins = append(begins, at)
	}
	eachBegin(c, 0, tarMark, tarMarks, func(head []byte, at int64) bool {
		known := slices.ContainsFunc(begins, func(b int64) bool { return (at-b)%tarBlock == 0 })
		if !known && len(head) >= tarBlock && tarHeader(head[:tarBlock]) && !taken.hold(at) {
			begins = append(begins, at)
		}
		return len(begins) == tarWays
	})
	return begins
}

// spoiledTarHeader reports whether the content begins with a block that is a header but for its
// checksum.
func spoiledTarHeader(c Content) bool {
	block := fixed(c, 0, tarBlock)
	if block == nil {
		return false
	}
	_, size := tarNumber(block[124:136])
	_, sum := tarNumber(block[148:156])
	return size && sum && block[0] != 0 && block[148]|block[149] != 0
}

// firstTarHeader returns the first block with a valid checksum that is in no place that is
// taken, -1 if there is none within sfxSize.
func firstTarHeader(c Content, taken Places) int64 {
	found := int64(-1)
	scratch.Windows(c, 0, tarBlock-1, func(b []byte, off int64) error {
		for at := -off & (tarBlock - 1); at+tarBlock <= int64(len(b)); at += tarBlock {
			switch {
			case off+at > sfxSize:
				return errOver
			case tarHeader(b[at:at+tarBlock]) && !taken.hold(off+at):
				found = off + at
				return errOver
			}
		}
		return nil
	})
	return found
}

// blank reports whether the content is nothing but NUL, as an archive without members is.
func blank(c Content) bool {
	return scratch.Windows(c, 0, 0, func(b []byte, _ int64) error {
		if len(bytes.Trim(b, "\x00")) > 0 {
			return errOver
		}
		return nil
	}) == nil
}
