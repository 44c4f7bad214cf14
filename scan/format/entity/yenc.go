package entity

import (
	"bytes"
	"hash/crc32"
	"strconv"
	"strings"
)

// yencDecoder undoes yEnc (draft 1.3): from each line "=ybegin" to its "=yend".
// It joins the parts of a file in their order in the text.
type yencDecoder struct {
	*ledger
	open    bool // between =ybegin and =yend
	escaped bool // the fragment before ended in "="
	within  bool // the fragment before had no line end
	parts   int
	size    int64 // bytes of this part so far
	sum     uint32
}

func (y *yencDecoder) line(dst, line []byte) []byte {
	within := y.within
	y.within = line[len(line)-1] != '\n'
	text := line
	if !y.within {
		text = trimEnd(line)
	}
	switch {
	case !within && bytes.HasPrefix(text, []byte("=y")):
		y.keyword(text)
		return dst
	case !y.open:
		return dst
	}
	n := len(dst)
	dst = y.data(dst, text)
	y.size += int64(len(dst) - n)
	y.sum = crc32.Update(y.sum, crc32.IEEETable, dst[n:])
	return dst
}

// data undoes the shift by 42 and, after "=", by 64 more.
func (y *yencDecoder) data(dst, text []byte) []byte {
	for _, c := range text {
		switch {
		case y.escaped:
			y.escaped = false
			dst = append(dst, c-64-42)
		case c == '=':
			y.escaped = true
		default:
			dst = append(dst, c-42)
		}
	}
	return dst
}

// keyword takes a line that begins with "=y".
func (y *yencDecoder) keyword(text []byte) {
	word, fields, _ := strings.Cut(string(text), " ")
	switch word {
	case "=ybegin":
		if y.open {
			y.note("yenc-no-end", 0, len(text))
		}
		if y.parts++; y.parts > 1 {
			y.note("yenc-several-parts", 0, len(text))
		}
		y.open, y.escaped, y.size, y.sum = true, false, 0, 0
	case "=yend":
		y.check(fields, len(text))
		y.open = false
	}
}

// check compares what a part held with what its end says.
func (y *yencDecoder) check(fields string, n int) {
	if !y.open {
		return
	}
	if size, err := strconv.ParseInt(yencField(fields, "size"), 10, 64); err != nil || size != y.size {
		y.note("yenc-size", 0, n)
	}
	sum := yencField(fields, "pcrc32")
	if sum == "" && y.parts == 1 && yencField(fields, "part") == "" {
		sum = yencField(fields, "crc32")
	}
	if want, err := strconv.ParseUint(sum, 16, 32); sum != "" && (err != nil || uint32(want) != y.sum) {
		y.note("yenc-checksum", 0, n)
	}
}

func (y *yencDecoder) end(dst []byte) []byte {
	switch {
	case y.open:
		y.note("yenc-no-end", 0, 0)
	case y.parts == 0:
		y.note("yenc-no-begin", 0, 0)
	}
	return dst
}

// yencField returns the value of a field such as "size=11338" in a keyword line.
func yencField(fields, key string) string {
	for f := range strings.FieldsSeq(fields) {
		if k, v, found := strings.Cut(f, "="); found && k == key {
			return v
		}
	}
	return ""
}

// yencBegin reads a line "=ybegin line=128 size=123 name=FILE" and returns the
// name, which reaches to the end of the line.
func yencBegin(line []byte) (name string, ok bool) {
	fields, found := strings.CutPrefix(string(line), "=ybegin ")
	if !found || yencField(fields, "size") == "" {
		return "", false
	}
	_, name, ok = strings.Cut(fields, "name=")
	return strings.TrimSpace(name), ok
}
