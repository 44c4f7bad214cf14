package document

import (
	"regexp"
	"strconv"
	"strings"
)

// longestField is what is kept of one field's code, in bytes; deepestField how
// many fields may stand inside each other.
const (
	longestField = 8 << 10
	deepestField = 50
)

// fields follows the fields of a text: each has a code, which is evaluated when
// it ends, and a result. A field's code may be cut into any number of runs and
// hold further fields.
type fields struct {
	judge func(code string)
	stack []*field
}

type field struct {
	code   strings.Builder
	result bool // the code is complete
}

func (f *fields) begin() {
	if len(f.stack) < deepestField {
		f.stack = append(f.stack, &field{})
	}
}

// text adds to the code of the innermost field.
func (f *fields) text(t string) {
	if n := len(f.stack); n > 0 && !f.stack[n-1].result {
		code := &f.stack[n-1].code
		code.WriteString(t[:min(len(t), max(longestField-code.Len(), 0))])
	}
}

// separate ends the code: the result follows.
func (f *fields) separate() {
	if n := len(f.stack); n > 0 {
		f.stack[n-1].result = true
	}
}

// end judges the innermost field. What a QUOTE field spells becomes part of the
// field around it.
func (f *fields) end() {
	n := len(f.stack)
	if n == 0 {
		return
	}
	code := f.stack[n-1].code.String()
	f.stack = f.stack[:n-1]
	f.judge(code)
	if text, ok := spelled(code); ok {
		f.text(text)
		f.judge(text)
	}
}

// close judges what was never ended.
func (f *fields) close() {
	for len(f.stack) > 0 {
		f.end()
	}
}

// spelled is the text of a QUOTE field that gives it in character codes.
func spelled(code string) (string, bool) {
	words := strings.Fields(code)
	if len(words) < 2 || !strings.EqualFold(words[0], "QUOTE") {
		return "", false
	}
	var b strings.Builder
	for _, w := range words[1:] {
		n, err := strconv.ParseUint(strings.Trim(w, `"`), 0, 16)
		if err != nil {
			return "", false
		}
		b.WriteRune(rune(n))
	}
	return b.String(), true
}

var (
	ddeField  = regexp.MustCompile(`(?i)^[\s"]*DDE(AUTO)?([\s"\\]|$)`)
	loadField = regexp.MustCompile(`(?i)^[\s"]*(INCLUDETEXT|LINK|RD|IMPORT|INCLUDEPICTURE|INCLUDE)[\s"]+(.*)$`)
	quoted    = regexp.MustCompile(`"([^"]*)"|\S+`)
)

// field judges the code of one field.
func (e *examination) field(code string) {
	if ddeField.MatchString(code) {
		e.report.add(ruleDDE, "field "+quote(strings.TrimSpace(code)))
		return
	}
	m := loadField.FindStringSubmatch(code)
	if m == nil {
		return
	}
	for _, w := range quoted.FindAllString(m[2], 8) {
		target := strings.ReplaceAll(strings.Trim(w, `"`), `\\`, `\`)
		if strings.Contains(w, `\\\\`) {
			target = `\` + target // a doubled \\host
		}
		switch strings.ToUpper(m[1]) {
		case "INCLUDEPICTURE", "IMPORT":
			e.refers("a picture from", target)
		default:
			e.loads("a field loads", target)
		}
	}
}

// programFormula is a formula that asks a program for a value: a cell that begins
// with one of the signs of a formula and has the notation service|topic.
var programFormula = regexp.MustCompile(`(?i)(?:^|[,;\t"'\r\n])[ ]*[=+\-@][^,;\t\r\n|]{0,100}?\b(cmd|cmd\.exe|msexcel|excel|powershell|pwsh|mshta|rundll32|regsvr32|certutil|bitsadmin|wscript|cscript|wmic|msiexec|explorer|dde)[ ]*\|[ ]*['"/!\-]?`)

// isTable reports whether the part is a text that a spreadsheet may be asked to
// open.
func (e *examination) isTable() bool {
	return e.isFile() && !e.internal && (e.hasExtension(".csv", ".tsv", ".txt", ".slk", ".dif", ".prn", ".tab", ".iqy", ".xls") ||
		strings.HasPrefix(e.part.Type, "text/") || strings.HasPrefix(e.part.Sniffed, "text/"))
}

// table looks for formulas that start programs, in texts of any length.
func (e *examination) table() error {
	const window, overlap = 64 << 10, 512
	for off := int64(0); off < e.part.Content.Size(); off += window - overlap {
		if err := e.ctx.Err(); err != nil {
			return err
		}
		b, err := readAt(e.part.Content, off, window)
		if err != nil {
			return err
		}
		if m := programFormula.Find(narrow(b)); m != nil {
			e.report.add(ruleDDE, "formula "+quote(strings.TrimSpace(string(m))))
			return nil
		}
	}
	return nil
}

// narrow is text without the zero bytes of UTF-16.
func narrow(b []byte) []byte {
	if strings.IndexByte(string(b[:min(len(b), 64)]), 0) < 0 {
		return b
	}
	out := make([]byte, 0, len(b)/2)
	for _, c := range b {
		if c != 0 {
			out = append(out, c)
		}
	}
	return out
}
