package unpack

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/milterscan/milterscan/scan"
)

// traveller is a file that travels inside something else.
type traveller struct {
	name string
	body []byte
	want []byte // what must be a part in the end
}

// travellers are what no wrapping may hide.
func travellers(t *testing.T) []traveller {
	eicar := []byte(`X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD` + `-ANTIVIRUS-TEST-FILE!$H+H*`)
	program := append([]byte("MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00"), make([]byte, 48)...)
	program[60] = 64
	program = append(program, "PE\x00\x00\x4c\x01\x01\x00"...)
	program = append(program, bytes.Repeat([]byte{0, 1, 2, 3, 0xfe, 0xff, '\r', '\n', '.', '=', '%', '"', '<', '&', 'a'}, 40)...)
	return []traveller{
		{"eicar.com", eicar, eicar},
		{"setup.exe", program, program},
		{"files.zip", zipped(t, "setup.exe", string(program)), program},
	}
}

// way is one in which a file travels: the mail that brings it. Which says whether
// the file's own name comes along.
type way struct {
	mail  func(traveller) string
	named bool
}

// attached is a mail with one attachment.
func attached(mediaType, name string, body []byte) string {
	return "Subject: x\r\n" + multipart("out", text, leaf("Content-Type: "+mediaType+"; name=\""+name+"\"\r\nContent-Disposition: attachment; filename=\""+name+"\"", body))
}

// folded is text in lines of RFC 5545.
func folded(line string) string {
	var b strings.Builder
	for len(line) > 74 {
		b.WriteString(line[:74] + "\r\n ")
		line = line[74:]
	}
	return b.String() + line + "\r\n"
}

func calendar(lines ...string) []byte {
	return []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1@example.org\r\n" + strings.Join(lines, "") + "SUMMARY:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
}

func card(lines ...string) []byte {
	return []byte("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ann\r\n" + strings.Join(lines, "") + "END:VCARD\r\n")
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// percent escapes everything but letters and digits.
func percent(b []byte) string {
	return strings.ReplaceAll(url.QueryEscape(string(b)), "+", "%20")
}

func utf16LE(s string) []byte {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return b
}

// references writes every character as a reference of HTML.
func references(s string) string {
	var b strings.Builder
	for _, c := range s {
		fmt.Fprintf(&b, "&#%d;", c)
	}
	return b.String()
}

// textWays are those through calendars, cards and texts of the web.
func textWays() map[string]way {
	page := func(s string) func(traveller) string {
		return func(f traveller) string {
			r := strings.NewReplacer("{name}", f.name, "{base64}", b64(f.body), "{percent}", percent(f.body))
			return leaf("Content-Type: text/html", []byte(r.Replace(s)))
		}
	}
	file := func(name, s string) func(traveller) string {
		return func(f traveller) string {
			r := strings.NewReplacer("{name}", f.name, "{base64}", b64(f.body), "{percent}", percent(f.body))
			return attached("application/octet-stream", name, []byte(r.Replace(s)))
		}
	}
	event := func(line string) func(traveller) string {
		return func(f traveller) string {
			r := strings.NewReplacer("{name}", f.name, "{base64}", b64(f.body), "{percent}", percent(f.body))
			return leaf("Content-Type: text/calendar; method=REQUEST", calendar(folded(r.Replace(line))))
		}
	}
	contact := func(line string) func(traveller) string {
		return func(f traveller) string {
			r := strings.NewReplacer("{name}", f.name, "{base64}", b64(f.body), "{percent}", percent(f.body))
			return attached("text/vcard", "ann.vcf", card(folded(r.Replace(line))))
		}
	}
	return map[string]way{
		"calendar":                    {event("ATTACH;FMTTYPE=x/y;ENCODING=BASE64;VALUE=BINARY;X-FILENAME={name}:{base64}"), true},
		"calendar, RFC 8607":          {event("ATTACH;VALUE=BINARY;ENCODING=BASE64;FILENAME=\"{name}\":{base64}"), true},
		"calendar, Oracle":            {event("ATTACH;ENCODING=BASE64;VALUE=BINARY;X-ORACLE-FILENAME={name}:{base64}"), true},
		"calendar, Apple":             {event("attach;encoding=base64;value=binary;x-apple-filename={name}:{base64}"), true},
		"calendar, no encoding":       {event("ATTACH;VALUE=BINARY:{base64}"), false},
		"calendar, other property":    {event("X-STUFF;ENCODING=b;X-NAME={name}:{base64}"), true},
		"calendar, data:":             {event("ATTACH;X-FILENAME={name}:data:application/octet-stream;base64,{base64}"), true},
		"calendar, data: in percents": {event("ATTACH;VALUE=URI;X-FILENAME={name}:data:,{percent}"), true},
		"calendar, data: parameter":   {event("DESCRIPTION;ALTREP=\"data:application/zip;name={name};base64,{base64}\":x"), true},
		"calendar, junk before": {func(f traveller) string {
			return attached("application/octet-stream", "a.ics", append([]byte("\r\n\r\njunk\r\n"), calendar(folded("ATTACH;ENCODING=BASE64;VALUE=BINARY:"+b64(f.body)))...))
		}, false},
		"calendar in UTF-16": {func(f traveller) string {
			return attached("text/calendar", "a.ics", utf16LE(string(calendar(folded("ATTACH;ENCODING=BASE64;VALUE=BINARY:"+b64(f.body))))))
		}, false},
		"calendar, LF": {func(f traveller) string {
			return attached("text/calendar", "a.ics", bytes.ReplaceAll(calendar(folded("ATTACH;ENCODING=BASE64;VALUE=BINARY:"+b64(f.body))), []byte("\r\n"), []byte("\n")))
		}, false},
		"calendar in a zip": {func(f traveller) string {
			return attached("application/zip", "a.zip", zippedBytes("a.ics", calendar(folded("ATTACH;ENCODING=BASE64;VALUE=BINARY:"+b64(f.body)))))
		}, false},
		"card":                {contact("PHOTO;ENCODING=b;TYPE=JPEG:{base64}"), false},
		"card, key":           {contact("item1.KEY;X-FILENAME={name};ENCODING=B:{base64}"), true},
		"card, 2.1":           {contact("LOGO;JPEG;BASE64:{base64}"), false},
		"card, 2.1, encoding": {contact("SOUND;WAVE;ENCODING=BASE64:{base64}"), false},
		"card, 2.1, unfolded": {func(f traveller) string {
			var lines strings.Builder
			for rest := b64(f.body); rest != ""; rest = rest[min(len(rest), 72):] {
				lines.WriteString(rest[:min(len(rest), 72)] + "\r\n")
			}
			return attached("text/x-vcard", "ann.vcf", card("PHOTO;ENCODING=BASE64:\r\n"+lines.String()+"\r\n"))
		}, false},
		"card, agent":               {contact("AGENT:BEGIN:VCARD\\nFN:Bob\\nKEY\\;ENCODING=b\\;X-FILENAME={name}:{base64}\\nEND:VCARD\\n"), true},
		"card, agent of an agent":   {contact("AGENT:BEGIN:VCARD\\nAGENT:BEGIN:VCARD\\\\nPHOTO\\\\\\;ENCODING=b:{base64}\\\\nEND:VCARD\\\\n\\nEND:VCARD\\n"), false},
		"card, agent as an address": {contact("AGENT;VALUE=uri:data:application/zip;base64,{base64}"), false},
		"text": {func(f traveller) string {
			return leaf("Content-Type: text/plain", []byte("Open data:application/zip;base64,"+b64(f.body)+" please"))
		}, false},
		"text, in brackets": {func(f traveller) string {
			return leaf("Content-Type: text/plain", []byte("Open <data:application/zip;name="+f.name+";base64,"+b64(f.body)+">"))
		}, true},
		"text, folded": {func(f traveller) string {
			return leaf("Content-Type: text/plain", []byte("data:application/zip;base64,\r\n"+lined(f.body)))
		}, false},
		"text as a file":            {file("a.txt", "data:application/zip;base64,{base64}\n"), false},
		"card, 4.0":                 {contact("PHOTO:data:image/jpeg;base64,{base64}"), false},
		"card, 4.0, escaped":        {contact("PHOTO;VALUE=uri:data:image/jpeg\\;base64\\,{base64}"), false},
		"page, link":                {page(`<p>x</p><a href="data:application/zip;base64,{base64}" download="{name}">x</a>`), true},
		"page, name first":          {page(`<a download='{name}' href='data:application/zip;base64,{base64}'>x</a>`), true},
		"page, percents":            {page(`<a href="data:application/octet-stream,{percent}" download="{name}">x</a>`), true},
		"page, no quotes":           {page(`<a href=data:application/zip;base64,{base64} download={name}>x</a>`), true},
		"page, frame":               {page(`<iframe src="data:application/x-msdownload;base64,{base64}"></iframe>`), false},
		"page, picture":             {page(`<img src="data:image/png;base64,{base64}">`), false},
		"page, object":              {page(`<object data = " DATA:application/pdf;Base64,{base64}"></object>`), false},
		"page, style":               {page(`<div style="background:url(data:image/png;base64,{base64})">x</div>`), false},
		"page, style import":        {page(`<style>@import "data:text/css;base64,{base64}";</style>`), false},
		"page, strings of a script": {page(`<script>a = "data:application/zip;base64,"` + "\r\n + " + `'{base64}'</script>`), false},
		"page in UTF-16, no mark": {func(f traveller) string {
			return attached("text/html", "a.html", utf16LE(`<html><a href="data:application/zip;base64,` + b64(f.body) + `" download="` + f.name + `">x</a>`)[2:])
		}, true},
		"page, refresh":             {page(`<meta http-equiv=refresh content="0;url=data:application/zip;base64,{base64}">`), false},
		"page, script":              {page(`<script>a.download = "{name}"; a.href = "data:application/zip;base64,{base64}"; a.click()</script>`), true},
		"page, references":          {page(`<a href="` + references("data:application/zip;base64,") + `{base64}" download="{name}">x</a>`), true},
		"page, line ends in scheme": {page("<a href=\"da\r\nta:application/zip;base64,{base64}\" download=\"{name}\">x</a>"), true},
		"page, name in the type":    {page(`<a href="data:application/zip;name={name};base64,{base64}">x</a>`), true},
		"page in UTF-16": {func(f traveller) string {
			return attached("text/html", "a.html", utf16LE(`<html><a href="data:application/zip;base64,`+b64(f.body)+`" download="`+f.name+`">x</a>`))
		}, true},
		"page that begins like a PDF":      {page("%PDF-1.7\r\n<html><a href=\"data:application/zip;base64,{base64}\" download=\"{name}\">x</a>"), true},
		"page that begins like RTF":        {file("a.html", "{\\rtf1 <html><a href=\"data:application/zip;base64,{base64}\" download=\"{name}\">x</a>"), true},
		"page that begins like a calendar": {page("BEGIN:VCALENDAR\r\n<html><a href=\"data:application/zip;base64,{base64}\" download=\"{name}\">x</a>"), true},
		"page behind NULs":                 {file("a.htm", strings.Repeat("\x00", 2000)+"<html><a href=\"data:application/zip;base64,{base64}\" download=\"{name}\">x</a>"), true},
		"page behind a mark of UTF-16":     {page("\xff\xfe<html><a href=\"data:application/zip;base64,{base64}\" download=\"{name}\">x</a>"), true},
		"page behind a block of tar":       {page("a.txt" + strings.Repeat("\x00", 507) + "<html><a href=\"data:application/zip;base64,{base64}\" download=\"{name}\">x</a>"), true},
		"page as a file":                   {file("a.html", `<html><a href="data:application/zip;base64,{base64}" download="{name}">x</a>`), true},
		"picture, SVG":                     {file("a.svg", `<svg xmlns="http://www.w3.org/2000/svg"><a xlink:href="data:application/zip;base64,{base64}" download="{name}">x</a></svg>`), true},
		"picture, image":                   {file("a.svg", `<svg><image href="data:image/png;base64,{base64}"/></svg>`), false},
		"style sheet":                      {file("a.css", `a { src: url('data:font/woff;base64,{base64}') }`), false},
		"XML":                              {file("a.xml", `<?xml version="1.0"?><a><file>data:application/zip;base64,{base64}</file></a>`), false},
		"XML, attribute":                   {file("a.xml", `<?xml version="1.0"?><a><file href="data:application/zip;base64,{base64}"/></a>`), false},
		"page in a page": {func(f traveller) string {
			inner := `<a href="data:application/zip;base64,` + b64(f.body) + `" download="` + f.name + `">x</a>`
			return leaf("Content-Type: text/html", []byte(`<iframe src="data:text/html;base64,`+b64([]byte(inner))+`"></iframe>`))
		}, true},
	}
}

func zippedBytes(name string, body []byte) []byte {
	return zipped(&testing.T{}, name, string(body))
}

// Whatever a file travels in, it is a part of its own in the end, and so is what is
// in it.
func TestFilesInsideTexts(t *testing.T) { travel(t, textWays()) }

// lineWays are those through lines of digits in texts.
func lineWays() map[string]way {
	encode := func(f traveller, digits string, checksum bool) string {
		var b strings.Builder
		b.WriteString("begin 0100644 " + f.name + "\r\n")
		for rest := f.body; len(rest) > 0; rest = rest[min(len(rest), 45):] {
			line := append(bytes.Clone(rest[:min(len(rest), 45)]), 0, 0)
			n := len(line) - 2
			b.WriteByte(digits[n])
			for i := 0; i < n; i += 3 {
				q := int(line[i])<<16 | int(line[i+1])<<8 | int(line[i+2])
				b.Write([]byte{digits[q>>18], digits[q>>12&63], digits[q>>6&63], digits[q&63]})
			}
			if checksum {
				b.WriteByte(digits[n])
			}
			b.WriteString("\r\n")
		}
		return b.String() + digits[:1] + "\r\nend\r\n"
	}
	const xx = "+-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	const uu = "`!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_"
	inText := func(digits string, checksum bool) way {
		return way{func(f traveller) string {
			return "Subject: x\r\n\r\nSee below.\r\n" + encode(f, digits, checksum) + "Regards\r\n"
		}, true}
	}
	asFile := func(digits, suffix string) way {
		return way{func(f traveller) string { return attached("text/plain", "a"+suffix, []byte(encode(f, digits, false))) }, true}
	}
	inZip := func(name string, encode func(traveller) string) way {
		return way{func(f traveller) string {
			return attached("application/zip", "a.zip", zippedBytes(name, []byte(encode(f))))
		}, name != "a.b64" && name != "a.dat" && name != "a.pem"}
	}
	quoted := func(before string, encode func(traveller) string) way {
		return way{func(f traveller) string {
			lines := strings.ReplaceAll("Hello,\r\n"+encode(f)+"Regards\r\n", "\r\n", "\r\n"+before)
			return "Subject: x\r\n\r\nSomebody wrote:\r\n" + before + lines + "\r\n"
		}, true}
	}
	return map[string]way{
		"uuencode in a zip":       inZip("a.uue", func(f traveller) string { return encode(f, uu, false) }),
		"xxencode in a zip":       inZip("b.dat", func(f traveller) string { return "Notes\r\n\r\n" + encode(f, xx, true) }),
		"yEnc in a zip":           inZip("a.yenc", yEnc),
		"yEnc as a file":          {func(f traveller) string { return attached("application/octet-stream", "a.yenc", []byte(yEnc(f))) }, true},
		"base64 in a zip":         inZip("a.b64", func(f traveller) string { return lined(f.body) }),
		"base64, named otherwise": inZip("a.dat", func(f traveller) string { return lined(f.body) }),
		"base64 as in PEM": inZip("a.pem", func(f traveller) string {
			return "-----BEGIN CERTIFICATE-----\r\n" + lined(f.body) + "-----END CERTIFICATE-----\r\n"
		}),
		"begin-base64 in a zip":  inZip("a.txt", func(f traveller) string { return "begin-base64 7 " + f.name + "\r\n" + lined(f.body) + "====\r\n" }),
		"yEnc in a mail in zip":  inZip("a.eml", func(f traveller) string { return "Subject: x\r\nMIME-Version: 1.0\r\n\r\n" + yEnc(f) }),
		"uuencode, quoted":       quoted("> ", func(f traveller) string { return encode(f, uu, false) }),
		"uuencode, quoted twice": quoted(">> ", func(f traveller) string { return encode(f, uu, true) }),
		"uuencode, indented":     quoted("\t", func(f traveller) string { return encode(f, uu, false) }),
		"xxencode, quoted":       quoted("> ", func(f traveller) string { return encode(f, xx, false) }),
		"begin-base64, quoted":   quoted("| ", func(f traveller) string { return "begin-base64 7 " + f.name + "\r\n" + lined(f.body) + "====\r\n" }),
		"uuencode":               inText(uu, false), "uuencode with checksums": inText(uu, true), "uuencoded file": asFile(uu, ".uue"),
		"xxencode": inText(xx, false), "xxencode with checksums": inText(xx, true), "xxencoded file": asFile(xx, ".xxe"),
	}
}

func TestFilesInLinesOfDigits(t *testing.T) { travel(t, lineWays()) }

func travel(t *testing.T, ways map[string]way) {
	for name, w := range ways {
		for _, f := range travellers(t) {
			t.Run(name+"/"+f.name, func(t *testing.T) {
				limits := testLimits
				limits.Archive.Depth = 8
				m := open(t, limits, w.mail(f))
				if !slices.ContainsFunc(m.Parts, func(p scan.Part) bool { return holds(p, f.body) && (!w.named || slices.Contains(p.Names, f.name)) }) {
					t.Errorf("the file is no part; there are %s", listed(m))
				}
				if !slices.ContainsFunc(m.Parts, func(p scan.Part) bool { return holds(p, f.want) }) {
					t.Errorf("what is in the file is no part; there are %s", listed(m))
				}
			})
		}
	}
}

func holds(p scan.Part, body []byte) bool {
	if p.Content == nil || p.Content.Size() < int64(len(body)) {
		return false
	}
	b, _ := io.ReadAll(scan.Reader(p.Content))
	return bytes.Equal(bytes.TrimRight(b, "\r\n\x00"), bytes.TrimRight(body, "\r\n\x00"))
}

// listed is what a message was taken apart into.
func listed(m *scan.Message) string {
	var b strings.Builder
	for _, p := range m.Parts {
		fmt.Fprintf(&b, "\n\t%s %q %s %s", p.Path, p.Names, p.Type, p.Sniffed)
		if p.Content != nil {
			fmt.Fprintf(&b, " %d bytes", p.Content.Size())
		}
	}
	for _, n := range m.Notes {
		fmt.Fprintf(&b, "\n\t%s: %s", n.Rule, n.Detail)
	}
	return b.String()
}
