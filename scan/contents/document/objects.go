package document

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"regexp"
	"strings"

	"github.com/milterscan/milterscan/scan/scratch"
)

// runnable are the extensions of files that run when they are clicked on in a
// document. Office itself refuses most of them, unless it is old.
var runnable = wordSet(`
	exe com scr pif bat cmd cpl msi msp hta lnk js jse vbs vbe wsf wsh wsc sct ps1 psm1 jar jnlp reg dll ocx
	chm hlp application appref-ms settingcontent-ms search-ms library-ms searchconnector-ms diagcab msix appx gadget
	iso img vhd vhdx one iqy slk xll url scf inf py pyw sh command app`)

func wordSet(list string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}

// savedMail is a storage that only a mail saved by Outlook has (MS-OXMSG, section
// 2.2.3), as it is written in the directory of the file.
const savedMail = "_\x00_\x00n\x00a\x00m\x00e\x00i\x00d\x00_\x00v\x00e\x00r\x00s\x00i\x00o\x00n\x001\x00"

// object judges a stream that is no part of a document's own format. The files
// in a saved mail are attachments.
func (e *examination) object(s stream) error {
	b, err := scratch.ReadAt(s.content, 0, headSize)
	if err != nil {
		return err
	}
	p := packaged{names: []string{base(s.name)}, data: b}
	what := p.program()
	if what == "" {
		if !strings.Contains(s.name, "/") && fileName.MatchString(s.name) && !strings.HasSuffix(s.name, ".xml") {
			e.report.add(ruleEmbedded, "the file "+quote(s.name))
		}
		return nil
	}
	mail := false
	err = e.occurrences(e.part.Content, savedMail, 1, func(int64) error { mail = true; return errStop })
	if !mail {
		e.report.add(rulePackage, quote(p.names[0])+", "+what)
	}
	return err
}

// fileName tells a file from a stream by an extension. A name that is in brackets
// or has no name before its dot belongs to a theme, which is a zip in a stream.
var fileName = regexp.MustCompile(`^[^\x00-\x1f_\[.][^\x00-\x1f]*\.[A-Za-z0-9]{1,5}$`)

// packaged is a file in an object package.
type packaged struct {
	names []string // its label and the paths it came from and goes to
	data  []byte
}

// packaged judges a file in an object package.
func (e *examination) packaged(p packaged) {
	if what := p.program(); what != "" {
		e.report.add(rulePackage, fmt.Sprintf("%s, %s", quote(p.names[0]), what))
		return
	}
	e.report.add(ruleEmbedded, "the file "+quote(p.names[0]))
}

// parsePackage reads what the packager of Windows writes, and MS-OLEDS calls
// native data: two bytes of flags, the label and the path of the file, eight
// bytes, the path it is unpacked to, the size of the data, the data.
func parsePackage(b []byte) (p packaged, ok bool) {
	if len(b) < 8 {
		return p, false
	}
	if binary.LittleEndian.Uint16(b) != 2 {
		return p, false
	}
	b = b[2:]
	for range 2 {
		name, rest, found := bytes.Cut(b, []byte{0})
		if !found || len(name) > 4<<10 {
			return p, false
		}
		p.names, b = append(p.names, string(name)), rest
	}
	p.tail(b)
	return p, true
}

// tail reads what follows the first two names. It may be missing.
func (p *packaged) tail(b []byte) {
	const between = 8
	if len(b) < between {
		return
	}
	path, rest, found := bytes.Cut(b[between:], []byte{0})
	if !found || len(rest) < 4 {
		return
	}
	p.names = append(p.names, string(path))
	size := int64(binary.LittleEndian.Uint32(rest))
	p.data = rest[4:min(int64(len(rest)), 4+size)]
}

// program says why the file is one that runs, "" if it is none.
func (p packaged) program() string {
	for _, n := range p.names {
		n = strings.ToLower(strings.TrimRight(n, ". \x00"))
		if ext := n[strings.LastIndexByte(n, '.')+1:]; runnable[ext] && ext != n {
			return "which ends in ." + ext
		}
	}
	return programMark(p.data)
}

// programMark says what program data is by its first bytes, "" if none.
func programMark(b []byte) string {
	const smallest = 64 // of a file that begins with so little of a mark
	for _, m := range [...]struct{ mark, what string }{
		{"MZ", "a Windows program"},
		{"\x7fELF", "a Linux program"},
		{shellLinkMark, "a Windows shortcut"},
		{"#@~^", "an encoded script"},
		{"ITSF", "compiled help"},
		{oneNoteMark, "a OneNote section"},
	} {
		if bytes.HasPrefix(b, []byte(m.mark)) && len(b) >= smallest {
			return m.what
		}
	}
	if bytes.HasPrefix(b, []byte("#!/")) {
		return "a script"
	}
	return ""
}

// scriptMark says by which words data is a script, "" if it is none.
func scriptMark(b []byte) string {
	head := bytes.ToLower(narrow(b[:min(len(b), headSize)]))
	for _, m := range [...]string{"<hta:application", "wscript.", "createobject(", "activexobject(", "powershell", "<script", "@echo off"} {
		if bytes.Contains(head, []byte(m)) {
			return "which holds " + m
		}
	}
	return ""
}

// Class identifiers of monikers, as they are stored (MS-OSHARED, section
// 2.3.7.1; MS-OLEDS).
const (
	urlMoniker    = "\xe0\xc9\xea\x79\xf9\xba\xce\x11\x8c\x82\x00\xaa\x00\x4b\xa9\x0b"
	fileMoniker   = "\x03\x03\x00\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"
	scriptMoniker = "\xd3\x0b\x29\x06\xaa\x48\xd2\x11\x84\x32\x00\x60\x08\xc3\xfb\xfc"
	soapMoniker   = "\x4d\xb0\x71\xec\x1f\xa7\xd1\x11\x87\x45\x00\xc0\x4f\xb6\xc9\xc8"
)

// link judges a stream that says where a linked object is (MS-OLEDS, section
// 2.3.3).
func (e *examination) link(s stream) error {
	b, err := e.load(s.content, largestModule)
	if err != nil {
		return err
	}
	e.monikers(b)
	return nil
}

// monikers judges all monikers in b.
func (e *examination) monikers(b []byte) {
	if bytes.Contains(b, []byte(scriptMoniker)) || bytes.Contains(b, []byte(soapMoniker)) {
		e.report.add(ruleRemoteTemplate, "a linked object that is a script or a service")
	}
	for _, id := range [...]string{urlMoniker, fileMoniker} {
		for rest := b; ; {
			_, after, found := bytes.Cut(rest, []byte(id))
			if !found {
				break
			}
			rest = after
			if target := monikerTarget(after); target != "" {
				e.loads("a linked object at", target)
			}
		}
	}
}

// monikerTarget returns the address after a moniker's identifier: in UTF-16 after
// its length for an address, in bytes after another two for a file.
func monikerTarget(b []byte) string {
	const longest = 4096
	for _, skip := range [...]int{4, 6} {
		if len(b) < skip+4 {
			return ""
		}
		text := b[skip:min(len(b), skip+longest)]
		if text[1] == 0 {
			return cString(wide(text))
		}
		if s := cString(string(text)); len(s) > 3 && s[0] >= ' ' && s[0] < 0x7f {
			return s
		}
	}
	return ""
}

// cString returns a string up to its first NUL.
func cString(s string) string { s, _, _ = strings.Cut(s, "\x00"); return s }

// longestFont is the room the old equation editor has for a font's name.
const longestFont = 40

// equation judges an object of the equation editor that Office had until 2018.
func (e *examination) equation(s stream) error {
	const enough = 4 << 10
	b, err := scratch.ReadAt(s.content, 0, enough)
	if err != nil {
		return err
	}
	if overruns(b) {
		e.report.add(ruleEquation, "a font name of more than 40 bytes")
		return nil
	}
	e.report.add(ruleEmbedded, "an equation")
	return nil
}

// overruns reports whether the first font record of an equation (MTEF 3, record
// 8) has a name that is too long. The header of the object, 28 bytes, may be
// missing; that of the equation is five bytes.
func overruns(b []byte) bool {
	const objectHeader, equationHeader = 28, 5
	for _, start := range [...]int{objectHeader + equationHeader, equationHeader} {
		if len(b) <= start {
			continue
		}
		r := b[start:]
		for len(r) > 0 && (r[0] == 0x0a || r[0] == 0x01 || r[0] == 0x0b || r[0] == 0x0c || r[0] == 0x0d || r[0] == 0x0e) {
			r = r[1:] // sizes and lines
		}
		const font, tag = 3, 0x08
		if len(r) <= font || r[0] != tag {
			continue
		}
		if n := bytes.IndexByte(r[font:], 0); n > longestFont || n < 0 && len(r) > font+longestFont {
			return true
		}
	}
	return false
}
