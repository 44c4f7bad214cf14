package archive

import "testing"

// der writes elements of DER in each other, the tag first.
func der(tag byte, content ...string) string {
	var all string
	for _, c := range content {
		all += c
	}
	length := string([]byte{byte(len(all))})
	if len(all) > 127 {
		length = string([]byte{0x82, byte(len(all) >> 8), byte(len(all))})
	}
	return string([]byte{tag}) + length + all
}

// The object identifiers of data, of signed and of compressed data (RFC 5652, 3274).
const (
	derData       = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
	derSigned     = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
	derCompressed = "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09"
	derZlib       = "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x08"
)

func FuzzCMS(f *testing.F) {
	version := "\x02\x01\x01"
	content := func(text string) string { return der(0x30, derData, der(0xa0, der(0x04, text))) }
	fuzzFormat(f, cmsFormat{},
		[]byte(der(0x30, derSigned, der(0xa0, der(0x30, version, der(0x31), content(eicar), der(0x31))))),
		[]byte(der(0x30, derCompressed, der(0xa0, der(0x30, "\x02\x01\x00", der(0x30, derZlib), content("\x78\x9c"+string(deflated(f, eicar))))))),
		[]byte("\x30\x80"+derSigned+"\xa0\x80\x30\x80"+version+"\x31\x00\x30\x80"+derData+"\xa0\x80\x24\x80\x04\x03abc\x04\x02de\x00\x00\x00\x00\x00\x00\x31\x00\x00\x00\x00\x00\x00\x00"))
}

func FuzzCalendar(f *testing.F) {
	fuzzFormat(f, calendarFormat{},
		[]byte("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nATTACH;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=\"a.txt\":\r\n aGVsbG8=\r\nX-ALT-DESC;FMTTYPE=text/html:<b>x\\nb\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"),
		[]byte("BEGIN:VCARD\r\nPHOTO;ENCODING=b;TYPE=PNG:aGVsbG8=\r\nKEY:data:text/plain;base64,aGVsbG8=\r\nNOTE;ENCODING=QUOTED-PRINTABLE:a=\r\n=3D\r\nEND:VCARD\r\n"))
}

func FuzzCarried(f *testing.F) {
	fuzzFormat(f, carriedFormat{},
		[]byte("<a href=\"data:text/plain;base64,aGVsbG8=\" download=a.txt>x</a><style>@import url(data:text/css,a%20b)</style>"),
		[]byte("x = 'data:application/zip;base64,UEsD' + 'BBQ='; data:,hello"))
}

func FuzzMIME(f *testing.F) {
	fuzzFormat(f, mimeFormat{},
		[]byte("MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Location: a\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--b--\r\n"),
		[]byte("%PDF-1.7\nMIME-Version: 1.0\nContent-Type: text/html\n\n<html>"))
}
