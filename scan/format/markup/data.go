package markup

import "strings"

// minData is the shortest attribute that is looked at for data, and minPiece the
// shortest piece of a text that may go on in the next line.
const (
	minData  = 256
	minPiece = 40
)

// dataRun measures the longest run of base64, or of numbers between commas. It
// does not see runs shorter than minPiece.
type dataRun struct{ longest, total, piece int }

// feed takes in a text by itself.
func (d *dataRun) feed(p []byte) {
	if len(p) < minData {
		return
	}
	for i := 0; ; {
		start, end := run(p, i, number)
		if start == end {
			break
		}
		d.longest = max(d.longest, end-start)
		i = end
	}
	for i := 0; ; {
		start, end := run(p, i, base64Digit)
		if start == end {
			break
		}
		i = start + d.chain(p[start:])
	}
}

// run finds the next minPiece bytes or more of a kind, from i on. It looks for
// a byte of another kind from the far end, so most bytes are never looked at.
func run(p []byte, i int, kind byte) (start, end int) {
	for i+minPiece <= len(p) {
		j := i + minPiece - 1
		for j >= i && dataKinds[p[j]]&kind != 0 {
			j--
		}
		if j >= i {
			i = j + 1
			continue
		}
		end = i + minPiece
		for end < len(p) && dataKinds[p[end]]&kind != 0 {
			end++
		}
		return i, end
	}
	return len(p), len(p)
}

// chain measures pieces of base64 that go on one after the other, and returns
// how much of p they take.
func (d *dataRun) chain(p []byte) int {
	d.total, d.piece = 0, 0
	for i, c := range p {
		switch k := dataKinds[c]; {
		case k&base64Digit != 0:
			d.piece++
			continue
		case k&joint != 0 && d.join():
			continue
		}
		d.end()
		return i + 1
	}
	d.end()
	return len(p)
}

// join goes on with the next piece, if the last was no word.
func (d *dataRun) join() bool {
	if d.piece >= minPiece {
		d.total += d.piece
	} else if d.piece > len("+=") { // more than the sign that joins two strings
		return false
	}
	d.piece = 0
	return true
}

func (d *dataRun) end() { d.longest = max(d.longest, d.total+d.piece) }

const (
	base64Digit = 1 << iota
	joint
	number
)

// dataKinds says of each byte what it may be part of.
var dataKinds = func() (kinds [256]byte) {
	for c := range kinds {
		if isAlphanumeric(byte(c)) || c == '+' || c == '/' || c == '=' {
			kinds[c] |= base64Digit
		}
		if strings.IndexByte("\"' \t\r\n\\,", byte(c)) >= 0 {
			kinds[c] |= joint
		}
		if isHex(byte(c)) || strings.IndexByte("xX, \t\r\n", byte(c)) >= 0 {
			kinds[c] |= number
		}
	}
	return kinds
}()
