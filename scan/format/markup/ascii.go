package markup

import "math/bits"

// bytesOf is text in either of its types.
type bytesOf interface{ ~string | ~[]byte }

// Texts are looked at in words of eight bytes, as far as they are ASCII. These words have
// the same byte eight times.
const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones // the bits that no ASCII has
)

// eight returns the next eight bytes as a word; the compiler makes one load of it.
func eight[T bytesOf](s T, i int) uint64 {
	_ = s[i+7]
	return uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
		uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
}

func isASCII[T bytesOf](s T) bool {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		if eight(s, i)&highs != 0 {
			return false
		}
	}
	for ; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// letters counts what shows in a text: all but blanks, controls and characters
// without width.
func letters(s []byte) (n int) {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		w := eight(s, i)
		if w&highs != 0 {
			return n + wideLetters(s[i:])
		}
		shows := (w + (0x80-'!')*ones) &^ (w + ones) // the high bits are set of bytes from "!" to "~"
		n += bits.OnesCount64(shows & highs)
	}
	for ; i < len(s); i++ {
		if s[i] >= 0x80 {
			return n + wideLetters(s[i:])
		}
		if s[i]-'!' <= '~'-'!' {
			n++
		}
	}
	return n
}
