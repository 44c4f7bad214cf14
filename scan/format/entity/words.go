package entity

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/milterscan/milterscan/scan/format/charset"
)

// longestCharset bounds the charset of an encoded word, in bytes.
const longestCharset = 80

// DecodeWords undoes the encoded words (RFC 2047) in a header field's text, as
// tolerantly as mail clients do: inside quotes and words, with blanks in them,
// without their end, with characters split between adjacent words. Bytes
// outside them that are not UTF-8 are read as windows-1252, as are words in an
// unknown charset. Folding is undone. It takes time linear in the length of s.
func DecodeWords(s string) string {
	s = unfold(s)
	if !strings.Contains(s, "=?") {
		return rawText(s)
	}
	var j wordJoiner
	at := 0 // the text before it is dealt with
	for i := 0; i < len(s); {
		next := strings.Index(s[i:], "=?")
		if next < 0 {
			break
		}
		i += next
		w, used := parseWord(s[i:])
		if used == 0 {
			i += 2
			continue
		}
		j.plain(s[at:i])
		j.word(w)
		i += used
		at = i
	}
	j.plain(s[at:])
	j.flush()
	return j.out.String()
}

// encodedWord is an encoded word with its transfer encoding undone.
type encodedWord struct {
	charset string
	text    []byte
}

// parseWord takes the encoded word s starts with apart and says how long it is,
// 0 if it is none.
func parseWord(s string) (w encodedWord, used int) {
	rest := s[len("=?"):]
	mark := strings.IndexByte(rest[:min(len(rest), longestCharset)], '?')
	if mark <= 0 || len(rest) < mark+3 || rest[mark+2] != '?' || strings.ContainsAny(rest[:mark], " \t\"") {
		return w, 0
	}
	w.charset, _, _ = strings.Cut(rest[:mark], "*") // RFC 2231, section 5: a language
	text := rest[mark+3:]
	end, after := strings.Index(text, "?="), len("?=")
	if end < 0 { // cut off: the word ends with the text, or at a blank
		if end, after = strings.IndexAny(text, " \t\""), 0; end < 0 {
			end = len(text)
		}
	}
	switch rest[mark+1] {
	case 'B', 'b':
		w.text = wordBase64(text[:end])
	case 'Q', 'q':
		w.text = wordQ(text[:end])
	default:
		return w, 0
	}
	return w, len(s) - len(text) + end + after
}

func wordBase64(s string) []byte {
	d := base64Decoder{ledger: new(ledger), digits: &standardDigits}
	return d.flush(d.bytes(nil, []byte(s)))
}

// wordQ undoes the Q encoding (RFC 2047, section 4.2).
func wordQ(s string) []byte {
	d := qpDecoder{ledger: new(ledger)}
	return d.text(make([]byte, 0, len(s)), bytes.ReplaceAll([]byte(s), []byte("_"), []byte(" ")))
}

// wordJoiner puts words and plain text together. Adjacent words in one charset
// are joined before it is undone, since mailers split characters between them.
type wordJoiner struct {
	out     strings.Builder
	pending encodedWord
	gap     string // blanks after a word, which count only if no word follows
	within  bool   // a word is before
}

func (j *wordJoiner) plain(s string) {
	if j.within && isBlank(s) {
		j.gap = s
		return
	}
	j.flush()
	j.out.WriteString(rawText(s))
}

func (j *wordJoiner) word(w encodedWord) {
	j.gap = ""
	if j.within && strings.EqualFold(j.pending.charset, w.charset) {
		j.pending.text = append(j.pending.text, w.text...)
		return
	}
	j.flush()
	j.pending, j.within = w, true
}

// flush writes the words before, and the blanks after them.
func (j *wordJoiner) flush() {
	if j.within {
		j.out.WriteString(inCharset(j.pending.charset, j.pending.text))
		j.out.WriteString(j.gap)
	}
	j.pending, j.gap, j.within = encodedWord{}, "", false
}

// inCharset returns text in a charset as UTF-8. In an unknown charset it is taken as
// rawText does.
func inCharset(label string, b []byte) string {
	if s, ok := charset.Decode(label, b); ok {
		return s
	}
	return rawText(string(b))
}

// rawText returns text without a charset: that of Japan where its escapes are, else
// UTF-8 if it is that, else windows-1252.
func rawText(s string) string {
	if strings.Contains(s, "\x1b$B") {
		text, _ := charset.Decode("iso-2022-jp", []byte(s))
		return text
	}
	if utf8.ValidString(s) {
		return s
	}
	text, _ := charset.Decode("windows-1252", []byte(s))
	return text
}
