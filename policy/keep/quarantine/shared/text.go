package shared

import (
	"bytes"
	"strings"
)

// PostgreSQL has no NUL in JSONB, and senders may have one in any text. So U+E000 and a letter are written for it; the same
// for U+E000 itself, which no text needs.
const (
	nul      = `\u0000`
	mark     = "\ue000"
	markNUL  = mark + "0"
	markMark = mark + "E"
)

// escape returns JSON without NUL, of which unescape makes the same text. Valid JSON has a backslash in strings only, and
// this is JSON that encoding/json has written: a NUL in it is "\u0000".
func escape(text []byte) []byte {
	if !bytes.Contains(text, []byte(nul)) && !bytes.Contains(text, []byte(mark)) {
		return text
	}
	var b bytes.Buffer
	for i := 0; i < len(text); {
		rest := text[i:]
		switch {
		case bytes.HasPrefix(rest, []byte(mark)):
			b.WriteString(markMark)
			i += len(mark)
		case bytes.HasPrefix(rest, []byte(nul)):
			b.WriteString(markNUL)
			i += len(nul)
		case rest[0] == '\\' && len(rest) > 1:
			b.Write(rest[:2])
			i += 2
		default:
			b.WriteByte(rest[0])
			i++
		}
	}
	return b.Bytes()
}

// unescape returns what escape has read.
func unescape(text []byte) []byte {
	if !bytes.Contains(text, []byte(mark)) {
		return text
	}
	return []byte(strings.NewReplacer(markNUL, nul, markMark, mark).Replace(string(text)))
}
