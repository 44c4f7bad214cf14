package document

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/milterscan/milterscan/scan"
)

// Records of a binary workbook (MS-XLS, section 2.3).
const (
	biffBoundSheet = 0x0085
	biffName       = 0x0018
	biffSupBook    = 0x01ae
	biffFormula    = 0x0006
	biffBOF        = 0x0809
)

// macroSheetType is the type of a sheet of Excel 4 macros, in BOUNDSHEET as a
// byte and in BOF as a word (sections 2.4.21 and 2.4.28).
const (
	macroSheetType      = 1
	macroSubstreamType  = 0x0040
	oldMacroSheetHeader = 4
)

// isBIFF reports whether the part is a workbook of Excel 2, 3 or 4, which is a
// file of records without a compound file around it, or of Excel 5 and later in
// the same form. Those within a compound file are judged with it.
func (e *examination) isBIFF() bool {
	return !e.internal && e.beginsWith("\x09\x00\x04\x00", "\x09\x02\x06\x00", "\x09\x04\x06\x00", "\x09\x08\x08\x00", "\x09\x08\x10\x00")
}

// looseBIFF looks into such a file. Of the old ones each is a single sheet, whose
// type is in its first record.
func (e *examination) looseBIFF() error {
	if len(e.head) >= oldMacroSheetHeader+4 && e.head[1] != 0x08 &&
		binary.LittleEndian.Uint16(e.head[oldMacroSheetHeader+2:]) == macroSubstreamType {
		e.report.add(ruleMacroXLM, "a macro sheet of Excel 4 or older")
	}
	return e.records(e.part.Content)
}

// biff is what has been met of a workbook.
type biff struct {
	*examination
	inMacros bool // within a macro sheet
}

// records reads one record after the other until the end, or until they make no
// sense.
func (e *examination) records(c scan.Content) error {
	r := bufio.NewReaderSize(e.priced(c, priceSyntax), 64<<10)
	b := &biff{examination: e}
	var header [4]byte
	for {
		if _, err := io.ReadFull(r, header[:]); err != nil {
			return ended(err)
		}
		id, size := binary.LittleEndian.Uint16(header[:]), int(binary.LittleEndian.Uint16(header[2:]))
		look := biffRecords[id]
		if look == nil {
			if _, err := r.Discard(size); err != nil {
				return ended(err)
			}
			continue
		}
		data := make([]byte, size)
		if _, err := io.ReadFull(r, data); err != nil {
			return ended(err)
		}
		look(b, data)
	}
}

// ended returns the error of a reader, unless that is the end of the data.
func ended(err error) error {
	if isEnd(err) {
		return nil
	}
	return err
}

var biffRecords = map[uint16]func(*biff, []byte){
	biffBOF:        (*biff).begin,
	biffBoundSheet: (*biff).sheet,
	biffName:       (*biff).name,
	biffSupBook:    (*biff).supBook,
	biffFormula:    (*biff).formula,
}

// begin takes the start of a sheet or of the workbook itself.
func (b *biff) begin(data []byte) {
	b.inMacros = len(data) >= 4 && binary.LittleEndian.Uint16(data[2:]) == macroSubstreamType
	if b.inMacros {
		b.report.add(ruleMacroXLM, "a macro sheet")
	}
}

// sheet takes the entry of a sheet: where it begins, whether it is hidden, its type,
// its name.
func (b *biff) sheet(data []byte) {
	const hidden, veryHidden = 1, 2
	if len(data) < 8 || data[5] != macroSheetType {
		return
	}
	how := map[byte]string{hidden: "hidden ", veryHidden: "deeply hidden "}[data[4]&3]
	b.report.add(ruleMacroXLM, how+"macro sheet "+quote(shortString(data[6:])))
}

// shortString reads a string after its length, and in Excel 97 and later after a
// byte that says whether it is in UTF-16.
func shortString(b []byte) string {
	if len(b) < 2 {
		return ""
	}
	n := int(b[0])
	switch {
	case b[1] == 1:
		return wide(b[2:min(len(b), 2+2*n)])
	case b[1] == 0:
		return string(b[2:min(len(b), 2+n)])
	}
	return string(b[1:min(len(b), 1+n)])
}

// autoNames are the reserved names of macros that run by themselves, as built-in
// names write them (MS-XLS, section 2.5.66).
var autoNames = map[byte]string{1: "Auto_Open", 2: "Auto_Close", 10: "Auto_Activate", 11: "Auto_Deactivate"}

// name takes a defined name (section 2.4.150).
func (b *biff) name(data []byte) {
	const builtIn, nameAt = 0x20, 14
	if len(data) <= nameAt+1 {
		return
	}
	n := int(data[3])
	text := data[nameAt:]
	if text[0] <= 1 { // the flags of a string in Excel 97 and later
		text = text[1:]
	}
	label := string(text[:min(n, len(text))])
	if data[0]&builtIn != 0 && label != "" {
		label = autoNames[label[0]]
	}
	if strings.HasPrefix(strings.ToLower(label), "auto_") {
		b.report.add(ruleMacroXLM, "macro that runs by itself: "+quote(label))
	}
}

// supBook names another workbook, or a program and its topic with a byte 3
// between them (section 2.4.271). Classes of objects have a dot in their name.
func (b *biff) supBook(data []byte) {
	if len(data) < 6 {
		return
	}
	text := string(data[5:])
	if data[4] == 1 {
		text = wide(data[5:])
	}
	service, topic, found := strings.Cut(text, "\x03")
	if service = strings.Trim(service, "\x00\x01"); found && !strings.Contains(service, ".") {
		b.report.add(ruleDDE, fmt.Sprintf("link to program %s, topic %s", quote(service), quote(topic)))
	}
}

// reachingFunctions are the functions of Excel 4 macros that reach beyond the
// workbook (section 2.5.198.17).
var reachingFunctions = map[uint16]string{110: "EXEC", 149: "REGISTER", 150: "CALL", 267: "REGISTER.ID"}

// formula looks for such functions in macro sheets: a token for any number of
// arguments, that number, the function.
func (b *biff) formula(data []byte) {
	const tokensAt = 22
	if !b.inMacros || len(data) < tokensAt {
		return
	}
	for i := tokensAt; i+3 < len(data); i++ {
		if t := data[i]; t != 0x22 && t != 0x42 && t != 0x62 {
			continue
		}
		if f := reachingFunctions[binary.LittleEndian.Uint16(data[i+2:])&^0x8000]; f != "" {
			b.report.add(ruleMacroXLM, "calls "+f)
		}
	}
}

// isBinaryLink reports whether the part is an external link of a workbook in the
// binary form of Excel 2007 (MS-XLSB, section 2.1.7.25): it begins with the
// record BrtBeginSupBook.
func (e *examination) isBinaryLink() bool { return e.part.Archived && e.beginsWith("\xe8\x02") }

// binaryLink judges where such a link leads: to a workbook, a program (DDE) or an
// object.
func (e *examination) binaryLink() error {
	const typeAt, isDDE = 3, 1
	if len(e.head) <= typeAt+6 || e.head[2] >= 0x80 || e.head[typeAt] != isDDE {
		return nil
	}
	service, rest := countedString(e.head[typeAt+2:])
	topic, _ := countedString(rest)
	e.report.add(ruleDDE, fmt.Sprintf("link to program %s, topic %s", quote(service), quote(topic)))
	return nil
}

// countedString reads a string in UTF-16 after its length in four bytes.
func countedString(b []byte) (string, []byte) {
	if len(b) < 4 {
		return "", nil
	}
	n := min(int64(len(b)-4), 2*int64(binary.LittleEndian.Uint32(b)))
	return wide(b[4 : 4+n]), b[4+n:]
}
