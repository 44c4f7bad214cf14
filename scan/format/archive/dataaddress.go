package archive

import (
	"bytes"
	"io"
	"path"
	"strings"
)

const (
	dataScheme  = "data:"
	dataHead    = 2 << 10  // bytes before the comma that are looked at
	longestHead = 64 << 10 // bytes that may come before the comma in a text
	nameOfData  = "data"   // of what has no name and is not saved
)

// dataAddress is the head of a data: address (RFC 2397): what it says of the file
// that follows its comma.
type dataAddress struct {
	kind   string // media type
	names  []string
	base64 bool
	data   []byte // what follows the comma in what it was read from
}

// newDataAddress reads the head of an address. What has the scheme and no type,
// parameter or comma after it is a word of a text.
func newDataAddress(b []byte) (dataAddress, bool) {
	b = bytes.TrimLeft(b, " \t\r\n")
	if !hasFold(b, dataScheme) {
		return dataAddress{}, false
	}
	head, data, ok := bytes.Cut(b[len(dataScheme):], []byte(","))
	if !ok || len(head) > dataHead || !isDataHead(head) {
		return dataAddress{}, false
	}
	a := dataAddress{data: data}
	for i, field := range strings.Split(string(head), ";") {
		field = unpercented(strings.TrimSpace(field))
		name, value, _ := strings.Cut(field, "=")
		switch name = strings.ToLower(strings.TrimSpace(name)); {
		case i == 0:
			a.kind = name
		case name == "base64":
			a.base64 = true
		case strings.HasSuffix(name, "name"):
			a.names = append(a.names, strings.Trim(value, `" `))
		}
	}
	return a, true
}

// isDataHead reports whether a head has the form of one: nothing, a type, or
// parameters.
func isDataHead(head []byte) bool {
	kind, _, _ := bytes.Cut(head, []byte(";"))
	kind = bytes.TrimSpace(kind)
	slash := bytes.IndexByte(kind, '/')
	return (len(kind) == 0 || slash > 0 && !bytes.ContainsAny(kind, " \t\r\n<>\"'")) && !bytes.ContainsAny(head, "<>")
}

// member returns the file of the address, called otherwise if nothing in it says how.
func (a dataAddress) member(otherwise string) Member {
	if otherwise == "" {
		otherwise = nameOfData
	}
	m := Member{Names: distinct(a.names...), Type: a.kind, Size: -1}
	if len(m.Names) == 0 {
		m.Names = []string{otherwise}
	}
	return m
}

// saved returns the member under the names that browsers give a file they save: what
// the page says, or the type.
func (a dataAddress) saved(names []string) Member {
	m := a.member("download" + savedAs[a.kind])
	m.Names = distinct(append(names, m.Names...)...)
	for i, n := range m.Names {
		if path.Ext(n) == "" {
			m.Names[i] += savedAs[a.kind]
		}
	}
	return m
}

// savedAs are the extensions that browsers add for a type.
var savedAs = map[string]string{
	"application/hta": ".hta", "application/x-hta": ".hta", "application/x-msdownload": ".exe", "application/x-msdos-program": ".exe",
	"application/vnd.microsoft.portable-executable": ".exe", "application/x-dosexec": ".exe", "application/x-msi": ".msi",
	"application/x-ms-shortcut": ".lnk", "application/x-ms-application": ".application", "application/java-archive": ".jar",
	"application/x-java-archive": ".jar", "application/javascript": ".js", "text/javascript": ".js", "application/x-javascript": ".js",
	"text/vbscript": ".vbs", "application/x-bat": ".bat", "application/x-sh": ".sh", "application/x-iso9660-image": ".iso",
	"application/zip": ".zip", "application/x-zip-compressed": ".zip", "application/x-7z-compressed": ".7z", "application/vnd.rar": ".rar",
	"application/x-rar-compressed": ".rar", "application/gzip": ".gz", "application/pdf": ".pdf", "text/html": ".html",
	"application/xhtml+xml": ".xhtml", "image/svg+xml": ".svg", "text/plain": ".txt", "text/csv": ".csv", "application/msword": ".doc",
	"application/vnd.ms-excel": ".xls", "text/calendar": ".ics", "text/vcard": ".vcf", "message/rfc822": ".eml", "application/rtf": ".rtf",
}

// decode reads the file out of what follows the comma.
func (a dataAddress) decode(in io.ByteReader) io.Reader {
	if a.base64 {
		return newUnbase64(&unescapedDigits{in: in})
	}
	return newUnpercent(in)
}

// body returns the file of an address that was read whole.
func (a dataAddress) body() io.Reader { return a.decode(&byteReader{at: a.data, r: eof{}}) }

// unescapedDigits undoes escapes among digits of base64, where a percent sign is
// nothing else: the only ones in use are those of "+", "/", "=" and line ends. It
// ends at a fragment.
type unescapedDigits struct {
	in io.ByteReader
}

// ReadByte reads as io.ByteReader says.
func (u *unescapedDigits) ReadByte() (byte, error) {
	c, err := u.in.ReadByte()
	switch {
	case err != nil:
		return 0, err
	case c == '#':
		return 0, io.EOF
	case c == '%':
		return u.coded()
	case c == '\\':
		return u.inString()
	}
	return c, nil
}

// coded returns the byte whose code follows in two digits, a blank if none does.
func (u *unescapedDigits) coded() (byte, error) {
	high, err := u.in.ReadByte()
	if err != nil {
		return 0, err
	}
	low, err := u.in.ReadByte()
	if err != nil {
		return 0, err
	}
	a, ok := hexDigit(high)
	b, too := hexDigit(low)
	if !ok || !too {
		return ' ', nil
	}
	return a<<4 | b, nil
}

// inString returns what an escape in a string of a script means.
func (u *unescapedDigits) inString() (byte, error) {
	c, err := u.in.ReadByte()
	switch c {
	case 'n', 'r', 't':
		return ' ', err
	case 'x':
		return u.coded()
	case 'u':
		u.in.ReadByte()
		u.in.ReadByte()
		return u.coded()
	}
	return c, err
}
