package charset

import (
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/transform"
)

// utf7 decodes UTF-7 (RFC 2152): text in ASCII in which "+" begins a run of
// base64 that holds UTF-16. It decodes what no encoder should have encoded as
// well, since "+ADw-script" is how markup was hidden from filters.
type utf7 struct {
	shifted bool
	fresh   bool   // just after "+": "+-" is a plus sign
	bits    uint32 // not yet used, the last n of them
	n       uint
	high    rune // the first half of a surrogate pair, 0 if none
}

// Reset makes the decoder as new.
func (u *utf7) Reset() { *u = utf7{} }

// Transform decodes as transform.Transformer says. It fails only for want of
// room.
func (u *utf7) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for _, c := range src {
		// One byte makes at most a replacement, a character and itself.
		if len(dst)-nDst < 3*utf8.UTFMax {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += len(u.next(dst[:nDst], c)) - nDst
		nSrc++
	}
	if atEOF && u.high != 0 {
		if len(dst)-nDst < utf8.UTFMax {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += utf8.EncodeRune(dst[nDst:], utf8.RuneError)
		u.high = 0
	}
	return nDst, nSrc, nil
}

// next appends what one more byte makes to out, which has room for it.
func (u *utf7) next(out []byte, c byte) []byte {
	switch {
	case !u.shifted && c == '+':
		*u = utf7{shifted: true, fresh: true}
		return out
	case !u.shifted:
		return plain(out, c)
	}
	if v, ok := base64Digit(c); ok {
		u.fresh = false
		return u.digit(out, v)
	}
	out, u.high = broken(out, u.high), 0
	wasFresh := u.fresh
	u.shifted, u.fresh = false, false
	switch {
	case c == '-' && wasFresh:
		return append(out, '+')
	case c == '-':
		return out
	}
	return plain(out, c)
}

// digit takes six more bits and appends the character they complete, if any.
func (u *utf7) digit(out []byte, v uint32) []byte {
	u.bits, u.n = u.bits<<6|v, u.n+6
	if u.n < 16 {
		return out
	}
	u.n -= 16
	unit := rune(u.bits >> u.n & 0xffff)
	u.bits &= 1<<u.n - 1
	return u.unit(out, unit)
}

// unit appends what a UTF-16 code unit completes.
func (u *utf7) unit(out []byte, unit rune) []byte {
	if u.high != 0 {
		pair := utf16.DecodeRune(u.high, unit)
		u.high = 0
		if pair != utf8.RuneError {
			return utf8.AppendRune(out, pair)
		}
		out = utf8.AppendRune(out, utf8.RuneError)
	}
	if unit >= 0xd800 && unit < 0xdc00 {
		u.high = unit
		return out
	}
	return utf8.AppendRune(out, unit) // a lone low half becomes U+FFFD
}

// broken appends U+FFFD for half a pair that got no second half.
func broken(out []byte, high rune) []byte {
	if high == 0 {
		return out
	}
	return utf8.AppendRune(out, utf8.RuneError)
}

// plain appends a byte outside base64, which is its own character; 8-bit bytes have no
// meaning.
func plain(out []byte, c byte) []byte {
	if c >= utf8.RuneSelf {
		return utf8.AppendRune(out, utf8.RuneError)
	}
	return append(out, c)
}

func base64Digit(c byte) (uint32, bool) {
	switch {
	case c >= 'A' && c <= 'Z':
		return uint32(c - 'A'), true
	case c >= 'a' && c <= 'z':
		return uint32(c-'a') + 26, true
	case c >= '0' && c <= '9':
		return uint32(c-'0') + 52, true
	case c == '+':
		return 62, true
	case c == '/':
		return 63, true
	}
	return 0, false
}
