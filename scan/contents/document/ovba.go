package document

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// Macros are kept in compressed containers (MS-OVBA, section 2.4.1): a
// signature byte, then chunks of up to 4096 bytes each. A chunk is a sequence of
// groups of eight tokens after a byte of flags; a token is one byte of text, or
// a copy of text that came before it in the same chunk.

const (
	containerMark = 0x01
	chunkSize     = 4096
)

// errContainer is what a container that ends early or makes no sense gives.
var errContainer = errors.New("damaged compressed container")

// decompress unpacks the container at the start of b, up to limit bytes. With an
// error it returns what could be unpacked. Data after the last chunk is no error:
// streams keep remains of older versions.
func decompress(b []byte, limit int) ([]byte, error) {
	if len(b) < 3 || b[0] != containerMark {
		return nil, errContainer
	}
	var out []byte
	b = b[1:]
	for len(b) >= 2 {
		h := binary.LittleEndian.Uint16(b)
		size := int(h&0x0fff) + 3
		if h>>12&7 != 3 {
			break
		}
		chunk := b[2:min(size, len(b))]
		var err error
		if h&0x8000 == 0 {
			out = append(out, chunk[:min(chunkSize, len(chunk))]...)
		} else if out, err = appendChunk(out, chunk); err != nil {
			return out, err
		}
		if len(out) > limit {
			return out[:limit], errTooLarge
		}
		b = b[min(size, len(b)):]
	}
	if len(out) == 0 {
		return nil, errContainer
	}
	return out, nil
}

// errTooLarge is the error of data that unpacks to more than a limit.
var errTooLarge = errors.New("it unpacks to more than the limit")

// appendChunk unpacks the token sequences of one chunk onto out.
func appendChunk(out, chunk []byte) ([]byte, error) {
	start := len(out)
	for len(chunk) > 0 {
		flags := chunk[0]
		chunk = chunk[1:]
		for bit := 0; bit < 8 && len(chunk) > 0; bit++ {
			if len(out)-start >= chunkSize {
				return out, nil
			}
			if flags>>bit&1 == 0 {
				out = append(out, chunk[0])
				chunk = chunk[1:]
				continue
			}
			if len(chunk) < 2 {
				return out, errContainer
			}
			var ok bool
			if out, ok = appendCopy(out, start, binary.LittleEndian.Uint16(chunk)); !ok {
				return out, errContainer
			}
			chunk = chunk[2:]
		}
	}
	return out, nil
}

// appendCopy obeys a copy token (section 2.4.1.3.19.2): the further into the
// chunk, the more of its bits are the distance.
func appendCopy(out []byte, start int, token uint16) ([]byte, bool) {
	done := len(out) - start
	if done == 0 {
		return out, false
	}
	width := max(4, bits.Len(uint(done-1)))
	length := int(token&(0xffff>>width)) + 3
	distance := int(token>>(16-width)) + 1
	if distance > done {
		return out, false
	}
	length = min(length, chunkSize-done)
	for range length {
		out = append(out, out[len(out)-distance])
	}
	return out, true
}
