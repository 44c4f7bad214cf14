package hostile

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// Reading takes a mail apart the way one client does and returns what that
// client would show or save. It looks for what it needs and nothing else: it is
// the proof that a case is fair, not a parser.
type Reading func(mail []byte) []byte

// in applies readings one after the other.
func in(steps ...Reading) Reading {
	return func(b []byte) []byte {
		for _, step := range steps {
			b = step(b)
		}
		return b
	}
}

// section returns the text between the n-th delimiter line, counted from one, and the
// next. A delimiter line is "--" and delim, and nothing after it but blanks
// or a closing "--".
func section(delim string, n int) Reading {
	isDelimiter := func(line string) bool {
		rest, ok := strings.CutPrefix(line, "--"+delim)
		return ok && strings.Trim(rest, "- \t") == ""
	}

	return func(b []byte) []byte {
		var out []byte
		seen := 0
		for line := range bytes.Lines(b) {
			if isDelimiter(strings.TrimRight(string(line), "\r\n")) {
				seen++
			} else if seen == n {
				out = append(out, line...)
			}
		}
		return out
	}
}

// content returns the text after the first empty line.
func content(b []byte) []byte {
	_, rest, _ := bytes.Cut(b, []byte("\n\r\n"))
	if _, short, ok := bytes.Cut(b, []byte("\n\n")); ok && len(short) > len(rest) {
		return short
	}
	return rest
}

// after returns the text after the first occurrence of word.
func after(word string) Reading {
	return func(b []byte) []byte {
		_, rest, _ := bytes.Cut(b, []byte(word))
		return rest
	}
}

// before returns the text before the first occurrence of word.
func before(word string) Reading {
	return func(b []byte) []byte {
		b, _, _ = bytes.Cut(b, []byte(word))
		return b
	}
}

// without drops every occurrence of s, as clients do with bytes that they think
// cannot be meant.
func without(s string) Reading { return swap(s, "") }

// swap reads every old as new.
func swap(old, new string) Reading {
	return func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(old), []byte(new)) }
}

// whole returns the reading of a client that shows bytes as they are.
func whole(b []byte) []byte { return b }

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// fromBase64 ignores characters outside the alphabet (RFC 2045, section 6.8) and
// decodes on after padding.
func fromBase64(b []byte) []byte {
	var out, quantum []byte
	for _, c := range append(b, '=') {
		if strings.IndexByte(base64Alphabet, c) >= 0 {
			quantum = append(quantum, c)
		}
		if len(quantum) == 4 || c == '=' {
			out = append(out, fromQuantum(quantum)...)
			quantum = quantum[:0]
		}
	}
	return out
}

func fromQuantum(q []byte) []byte {
	b, _ := base64.RawStdEncoding.DecodeString(string(q))
	return b
}

// fromURLBase64 decodes like fromBase64 with the alphabet of RFC 4648, section 5.
func fromURLBase64(b []byte) []byte {
	return in(swap("-", "+"), swap("_", "/"), fromBase64)(b)
}

// fromQP undoes escapes in either case and soft line breaks with blanks and any
// line end after the "=", and keeps everything else.
func fromQP(b []byte) []byte {
	var out []byte
	for len(b) > 0 {
		if b[0] != '=' {
			out, b = append(out, b[0]), b[1:]
			continue
		}
		plain, n := fromEscape(b)
		out, b = append(out, plain...), b[n:]
	}
	return out
}

// fromEscape decodes an escape at the start of s, and returns its length.
func fromEscape(b []byte) (plain []byte, n int) {
	if len(b) >= 3 {
		if c, err := hex.DecodeString(string(b[1:3])); err == nil {
			return c, 3
		}
	}
	blanks := len(b) - len(bytes.TrimLeft(b[1:], " \t"))
	for _, end := range []string{"\r\n", "\n", "\r"} {
		if bytes.HasPrefix(b[blanks:], []byte(end)) {
			return nil, blanks + len(end)
		}
	}
	return b[:1], 1
}

// fromUU decodes the lines between "begin" and the empty line.
func fromUU(b []byte) []byte {
	var out []byte
	_, b, _ = bytes.Cut(b, []byte("begin "))
	_, b, _ = bytes.Cut(b, []byte("\n"))
	for line := range bytes.Lines(b) {
		n := int(line[0]-' ') & 63
		if n == 0 {
			break
		}
		out = append(out, fromUULine(line[1:], n)...)
	}
	return out
}

func fromUULine(line []byte, n int) []byte {
	var out []byte
	for len(line) >= 4 && len(out) < n {
		v := uint(line[0]-' ')&63<<18 | uint(line[1]-' ')&63<<12 | uint(line[2]-' ')&63<<6 | uint(line[3]-' ')&63
		out = append(out, byte(v>>16), byte(v>>8), byte(v))
		line = line[4:]
	}
	return out[:min(n, len(out))]
}

// fromYEnc decodes the lines between "=ybegin" and "=yend".
func fromYEnc(b []byte) []byte {
	b = in(after("=ybegin"), after("\n"), before("=yend"), without("\r"), without("\n"))(b)
	var out []byte
	for i := 0; i < len(b); i++ {
		if b[i] == '=' && i+1 < len(b) {
			i++
			b[i] -= 64
		}
		out = append(out, b[i]-42)
	}
	return out
}

// fromBinHex decodes the text between the colons, headers and checksums included. It knows runs only as the escaped 0x90.
func fromBinHex(b []byte) []byte {
	b = in(after("BinHex 4.0"), after(":"), before(":"), without("\r"), without("\n"))(b)
	raw, _ := base64.NewEncoding(hqxAlphabet).WithPadding(base64.NoPadding).DecodeString(string(b))
	return bytes.ReplaceAll(raw, []byte("\x90\x00"), []byte("\x90"))
}
