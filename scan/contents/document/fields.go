package document

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
)

// longestField bounds the part kept of one field's code, in bytes; deepestField
// how many fields may be inside each other.
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

// spelled returns the text of a QUOTE field that gives it in character codes.
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

// isTable reports whether the part is a text that a spreadsheet may be asked to
// open.
func (e *examination) isTable() bool {
	return e.isFile() && !e.internal && (e.hasExtension(".csv", ".tsv", ".txt", ".slk", ".dif", ".prn", ".tab", ".iqy", ".xls") ||
		strings.HasPrefix(e.part.Type, "text/") || strings.HasPrefix(e.part.Sniffed, "text/"))
}

// services are the programs that formulas ask for a value.
var services = wordSet(`cmd cmd.exe msexcel excel powershell powershell.exe pwsh mshta rundll32 regsvr32
	certutil bitsadmin wscript cscript wmic msiexec explorer dde`)

// table looks for formulas that start programs, in texts of any length: a cell
// that begins with a sign of formulas and has the form service|topic!item.
func (e *examination) table() error {
	const before, behind = 256, 1 << 10
	return e.windows(e.part.Content, before+behind, func(b []byte, _ int64) error {
		for i := 0; ; i++ {
			bar := bytes.IndexByte(b[i:], '|')
			if bar < 0 {
				return nil
			}
			i += bar
			if f := programFormula(b[max(i-before, 0):i], b[i:min(i+behind, len(b))]); f != "" {
				e.report.add(ruleDDE, "formula "+quote(f))
				return errStop
			}
		}
	})
}

// programFormula returns the formula around a bar, "" if there is none that starts a
// program.
func programFormula(before, behind []byte) string {
	const longest = 40 // of the program's name, in UTF-16
	if !services[lastWord(before[max(len(before)-longest, 0):])] {
		return ""
	}
	before, behind = bytes.ReplaceAll(before, []byte{0}, nil), bytes.ReplaceAll(behind, []byte{0}, nil)
	cell := before[bytes.LastIndexAny(before, "\r\n,;|\t\"")+1:]
	cell = bytes.TrimLeft(cell, " '")
	behind, _, _ = bytes.Cut(behind, []byte("\n"))
	if len(cell) == 0 || bytes.IndexByte([]byte("=+-@"), cell[0]) < 0 || bytes.IndexByte(behind, '!') < 0 {
		return ""
	}
	return strings.TrimSpace(string(cell) + string(behind))
}

// lastWord returns the word at the end of b in lower case, with blanks after it.
func lastWord(b []byte) string {
	b = bytes.TrimRight(b, " \x00")
	start := len(b)
	for start > 0 && (b[start-1] == 0 || b[start-1] == '.' || isAlphanumeric(b[start-1])) {
		start--
	}
	return strings.ToLower(strings.ReplaceAll(string(b[start:]), "\x00", ""))
}

func isAlphanumeric(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

// narrow returns text without the zero bytes of UTF-16.
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
