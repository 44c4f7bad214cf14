package archive

import (
	"bufio"
	"io"

	"github.com/milterscan/milterscan/scan/scratch"
)

// What a decoder of RAR 5 takes for a block of packed data, and for the codes at its beginning, whatever comes of them.
const (
	priceRARBlock Price = 100_000
	priceRARCodes Price = 8_000_000
)

// codecSealed is codecRAR where the blocks of packed data cannot be seen.
var codecSealed = codec{in: 60_000, out: 2 * priceBits}

// The flags of a block of packed data, and what its checksum comes to.
const (
	rar5Codes    = 0x80 // codes are at its beginning
	rar5LastOne  = 0x40
	rar5BlockSum = 0x5a
)

// chargeCodes charges for the codes of all files of a RAR 5: there may be codes for every 50 bytes, and
// nothing may come of them. The data of encrypted files have a price that makes up for it.
func (w *rarWalk) chargeCodes() {
	if w.by != nil {
		w.cost = codecSealed
	}
	at := max(0, findEarly(w.walk.c, rarMagic))
	if string(fixed(w.walk.c, at, int64(len(rar5Magic)))) != rar5Magic {
		return
	}
	at += int64(len(rar5Magic))
	for range w.budget.Entries {
		f, end, err := nextRAR5(w.walk.c, at)
		if err != nil || end <= at || w.ctx.Err() != nil {
			return
		}
		if !f.stored && f.packed > 0 && f.packed <= end {
			w.chargeBlocks(io.NewSectionReader(w.walk.c, end-f.packed, f.packed))
		}
		at = end
	}
}

// chargeBlocks charges for the blocks of the data of a file, up to the last one, or to data that is none.
func (w *rarWalk) chargeBlocks(data io.Reader) {
	in := bufio.NewReaderSize(data, scratch.Size)
	for w.ctx.Err() == nil {
		head, _ := in.Peek(5)
		if len(head) < 3 {
			return
		}
		flags, sizes := head[0], int(head[0]>>3&3)+1
		if sizes > 3 || len(head) < 2+sizes {
			return
		}
		sum, size := flags^head[1], 0
		for i, b := range head[2 : 2+sizes] {
			sum ^= b
			size |= int(b) << (8 * i)
		}
		if sum != rar5BlockSum {
			return
		}
		w.budget.Work(1, priceRARBlock)
		if flags&rar5Codes != 0 {
			w.budget.Work(1, priceRARCodes)
		}
		if _, err := in.Discard(2 + sizes + size); err != nil || flags&rar5LastOne != 0 {
			return
		}
	}
}
