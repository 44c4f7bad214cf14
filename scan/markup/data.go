package markup

import "strings"

// minData is the shortest attribute that is looked at for data, and minPiece the
// shortest piece of a text that may go on in the next line.
const (
	minData  = 256
	minPiece = 40
)

// dataRun measures the longest run of base64, or of numbers between commas.
type dataRun struct{ longest, total, piece, numbers int }

// feed takes in a text by itself.
func (d *dataRun) feed(p []byte) {
	d.total, d.piece, d.numbers = 0, 0, 0
	if len(p) < minData {
		return
	}
	for _, c := range p {
		k := dataKinds[c]
		if k&number != 0 {
			d.numbers++
		} else {
			d.longest, d.numbers = max(d.longest, d.numbers), 0
		}
		switch {
		case k&base64Digit != 0:
			d.piece++
		case k&joint != 0:
			d.join()
		default:
			d.longest, d.total, d.piece = max(d.longest, d.total+d.piece), 0, 0
		}
	}
	d.longest = max(d.longest, d.total+d.piece, d.numbers)
}

// join goes on with the next piece, if the last was no word.
func (d *dataRun) join() {
	switch {
	case d.piece >= minPiece:
		d.total += d.piece
	case d.piece > len("+="): // no more than the sign that joins two strings
		d.longest, d.total = max(d.longest, d.total+d.piece), 0
	}
	d.piece = 0
}

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
