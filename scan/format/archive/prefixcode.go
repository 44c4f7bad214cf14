package archive

import "errors"

// maxCode is the length of the longest code word of a prefixCode, in bits.
const maxCode = 16

var errCode = errors.New("impossible Huffman code")

// prefixCode is a canonical Huffman code: words in the order of their length,
// and of their symbols where that is equal.
type prefixCode struct {
	count   [maxCode + 1]int
	symbols []uint16 // in the order of their words
	only    int      // the symbol that needs no bits, if there are no words
}

// single makes a code of one symbol, which takes no bits.
func (p *prefixCode) single(symbol int) {
	*p = prefixCode{symbols: p.symbols[:0], only: symbol}
}

// build makes the code of which the i-th symbol has a word of lengths[i] bits, or
// none if that is 0.
func (p *prefixCode) build(lengths []uint8) error {
	*p = prefixCode{symbols: p.symbols[:0], only: -1}
	for _, n := range lengths {
		if n > maxCode {
			return errCode
		}
		p.count[n]++
	}
	p.count[0] = 0
	room := 1
	var next [maxCode + 2]int
	for n := 1; n <= maxCode; n++ {
		if room = room<<1 - p.count[n]; room < 0 {
			return errCode
		}
		next[n+1] = next[n] + p.count[n]
	}
	p.symbols = append(p.symbols, make([]uint16, next[maxCode+1])...)
	for symbol, n := range lengths {
		if n > 0 {
			p.symbols[next[n]] = uint16(symbol)
			next[n]++
		}
	}
	return nil
}

// read reads one word.
func (p *prefixCode) read(in *bits) (int, error) {
	if p.only >= 0 {
		return p.only, nil
	}
	ahead := int(in.peek(maxCode))
	first, index := 0, 0
	for n := 1; n <= maxCode; n++ {
		code := ahead>>(maxCode-n) - first
		if code < p.count[n] {
			in.skip(uint(n))
			return int(p.symbols[index+code]), nil
		}
		index += p.count[n]
		first = (first + p.count[n]) << 1
	}
	return 0, errCode
}
