package hostile

import (
	"encoding/base64"
	"fmt"
	"strings"
)

const crlf = "\r\n"

// encoding is a transfer encoding, with the way there and the way back.
type encoding struct {
	name string
	to   func([]byte) string
	from Reading
}

func b64() encoding { return encoding{"base64", toBase64, fromBase64} }

func qp() encoding { return encoding{"quoted-printable", toQP, fromQP} }

// other returns the encoding a program would wrongly undo.
func (e encoding) other() encoding {
	if e.name == "base64" {
		return qp()
	}
	return b64()
}

// short returns the encoding's name in a case's name.
func (e encoding) short() string {
	if e.name == "quoted-printable" {
		return "qp"
	}
	return e.name
}

// toBase64 returns base64 in lines of 76 characters (RFC 2045, section 6.8).
func toBase64(b []byte) string {
	return fill(base64.StdEncoding.EncodeToString(b), 76)
}

// fill breaks s into lines of width characters, each ended by CRLF.
func fill(s string, width int) string {
	var out strings.Builder
	for len(s) > width {
		out.WriteString(s[:width] + crlf)
		s = s[width:]
	}
	return out.String() + s + crlf
}

// toQP returns quoted-printable that escapes every other byte, needed or not: the
// payload must not be in the mail unencoded.
func toQP(b []byte) string { return strings.Join(qpLines(b), "="+crlf) + crlf }

// qpLines returns b in quoted-printable, cut into lines but not yet joined.
func qpLines(b []byte) []string {
	var lines []string
	var line strings.Builder
	for i, c := range b {
		line.WriteString(qpByte(c, i))
		if line.Len() >= 60 {
			lines = append(lines, line.String())
			line.Reset()
		}
	}
	return append(lines, line.String())
}

func qpByte(c byte, i int) string {
	if i%2 == 0 || c < '!' || c > '~' || c == '=' {
		return fmt.Sprintf("=%02X", c)
	}
	return string(rune(c))
}

// toUU returns the body of a uuencoded file, between "begin" and "end"; zero is the
// character for six zero bits, a blank or a backtick.
func toUU(b []byte, zero byte) string {
	var out strings.Builder
	for len(b) > 0 {
		n := min(45, len(b))
		out.WriteString(uuLine(b[:n], zero) + crlf)
		b = b[n:]
	}
	return out.String() + string(rune(zero)) + crlf
}

func uuLine(b []byte, zero byte) string {
	out := []byte{uuChar(byte(len(b)), zero)}
	for i := 0; i < len(b); i += 3 {
		var q [3]byte
		copy(q[:], b[i:])
		v := uint(q[0])<<16 | uint(q[1])<<8 | uint(q[2])
		for shift := 18; shift >= 0; shift -= 6 {
			out = append(out, uuChar(byte(v>>shift&63), zero))
		}
	}
	return string(out)
}

func uuChar(v, zero byte) byte {
	if v == 0 {
		return zero
	}
	return v + ' '
}

// toYEnc returns the body of a yEnc file, between "=ybegin" and "=yend".
func toYEnc(b []byte) string {
	var out []byte
	for _, c := range b {
		c += 42
		if c == 0 || c == '\n' || c == '\r' || c == '=' {
			out = append(out, '=')
			c += 64
		}
		out = append(out, c)
	}
	return string(out) + crlf
}

const hqxAlphabet = "!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr"

// toBinHex returns a whole BinHex 4.0 file with its leading sentence.
func toBinHex(name string, data []byte) string {
	raw := append([]byte{byte(len(name))}, name+"\x00TEXTttxt\x00\x00"...)
	raw = append(raw, byte(len(data)>>24), byte(len(data)>>16), byte(len(data)>>8), byte(len(data)), 0, 0, 0, 0)
	raw = withCRC(raw)
	raw = append(raw, withCRC(data)...)
	raw = append(raw, withCRC(nil)...)
	raw = []byte(strings.ReplaceAll(string(raw), "\x90", "\x90\x00"))
	text := base64.NewEncoding(hqxAlphabet).WithPadding(base64.NoPadding).EncodeToString(raw)
	return "(This file must be converted with BinHex 4.0)" + crlf + crlf + fill(":"+text+":", 64)
}

// withCRC appends the CRC of BinHex (CCITT, starting from zero).
func withCRC(b []byte) []byte {
	var crc uint16
	for _, c := range b {
		crc ^= uint16(c) << 8
		for range 8 {
			carry := crc & 0x8000
			crc <<= 1
			if carry != 0 {
				crc ^= 0x1021
			}
		}
	}
	return append(append([]byte(nil), b...), byte(crc>>8), byte(crc))
}
