package attachment

import (
	"fmt"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/scantest"
)

var nameTests = []struct{ name, want, member string }{
	// What everybody sends.
	{"John.Doe.pdf", "", ""},
	{"report.final.docx", "", ""},
	{"mail.2024.pdf", "", ""},
	{"doc.zip.zip", "", ""},
	{"a.wed.doc", "", ""},
	{"archive.tar.gz", "", ""},
	{"John.Doe.CV.2026.v1.2.final.pdf", "", ""},
	{"Minutes of March.pdf", "", ""},
	{"Protokoll März.pdf", "", ""},
	{"会议纪要.docx", "", ""},
	{"דוח\u200f שנתי.pdf", "", ""}, // a mark, not an override
	{"a; b.pdf", "", ""},
	{"mail from x@example.com; the offer.pdf", "", ""},
	{"node.js; an introduction.pdf", "", ""},
	{"Re: node.js: a question.eml", "", ""},
	{"Fwd: example.com is down.eml", "", ""},
	{"What is this?.pdf", "", ""},
	{"100% done.pdf", "", ""},
	{"Alice's and Bob's minutes.pdf", "", ""},
	{`the "real" minutes.pdf`, "", ""},
	{`C:\Documents\minutes.pdf`, "", ""},
	{"image001.png@01DB5F2B.8A7D3F20", "", ""},
	{"photo.jpg", "", ""},
	{"photo (1).jpg.png", "", ""},
	{"page.html", "", ""},
	{"index.2024.html", "", ""},
	{"John.Doe.html", "", ""},
	{"smime.p7s", "", ""},
	{"signature.asc", "", ""},
	{"invite.ics", "", ""},
	{"README", "", ""},
	{".profile", "", ""},
	{"exe", "", ""},
	{"the exe.txt", "", ""},
	{"folded\tname.pdf", "", ""},
	{"name\u00a0with\u00a0hard blanks.pdf", "", ""},
	{"four    .pdf", "", ""},
	{"wide     gap in the middle.pdf", "", ""},
	{strings.Repeat("long name ", 20) + ".pdf", "", ""},
	{"table.csv", "", ""},
	{"drawing.dwg", "", ""},
	{"\u0081\u008d.pdf", "", ""}, // letters of an unknown charset
	{"1.PDF...", "", ""},
	{"WhatsApp Chat with \u202a+44 7700 900123\u202c.txt", "", ""},
	{"\u2068Bob\u2069 and \u2068Ann\u2069.zip", "", ""},
	{"\u202aletter.pdf\u202c", "", ""},
	{"x\u2067gpj\u2069.docx", "", ""},
	{"x\u2066\u202egpj\u2069.docx", "", ""},
	{"\u202e\u202cletter.pdf", "", ""},
	{"INV00123        .PDF", "", ""},
	{"table       .csv", "", ""},
	{"letter          .docx", "", ""},
	{"report.v2         .pdf", "", ""},
	{"letter.pdf          .pdf", "", ""},
	{"Icon\r", "", ""},
	{"._Icon\r", "", ""},
	{"a\x7fb.pdf", "", ""},
	{"Quarterly\r\n figures.pdf", "", ""},
	{"scan\x01.pdf", "", ""},

	// What is denied as it stands.
	{"invoice.exe", "name", "member-name"},
	{"INVOICE.EXE", "name", "member-name"},
	{".exe", "name", "member-name"},
	{"a..exe", "name", "member-name"},
	{"../../payload.exe", "name", "member-name"},
	{`C:\temp\payload.exe`, "name", "member-name"},
	{"a.lnk", "name", "member-name"},
	{"a.searchConnector-ms", "name", "member-name"},
	{"a.msixbundle", "name", "member-name"},
	{"a.iqy", "name", "member-name"},
	{"a.rqy", "name", "member-name"},
	{"a.reg", "name", ""}, // sources have it
	{"a.js", "name", "member-name"},
	{"a.appref-ms", "name", "member-name"},
	{"disc.iso", "name", "member-name"},
	{"notes.one", "name", ""},
	{"help.chm", "name", ""},
	{"a.ace", "name", ""},
	{"driver.inf", "old-name", ""},
	{"user32.dll", "old-name", ""},
	{"page.url", "old-name", ""},
	{"x.maw", "old-name", ""},
	{"table.xlsm", "macro-name", "macro-name"},
	{"letter.docm", "macro-name", "macro-name"},

	// What is denied in disguise.
	{"x.exe.", "disguised-name", "member-trick"},
	{"x.exe ", "disguised-name", "member-trick"},
	{"x.exe . .", "disguised-name", "member-trick"},
	{"x.exe::$DATA", "disguised-name", "member-trick"},
	{"x.exe%00.txt", "disguised-name", "member-trick"},
	{"x.exe;.txt", "disguised-name", "member-trick"},
	{"x.exe;1", "disguised-name", "member-trick"},
	{"x.exe\x00.txt", "control-name disguised-name", "member-trick"},
	{"x.e\x01xe", "control-name disguised-name", "member-trick"},
	{"x.e\nxe", "control-name disguised-name", "member-trick"},
	{"x.exe\u00a0", "disguised-name", "member-trick"},
	{"x\u2024exe", "disguised-name", "member-trick"},
	{"x\uff0eexe", "disguised-name", "member-trick"},
	{"x.\uff45\uff58\uff45", "disguised-name", "member-trick"},
	{"x.e\u200bxe", "disguised-name", "member-trick"},
	{"x.e\u00adxe", "disguised-name", "member-trick"},
	{"x.exe/", "disguised-name", "member-trick"},
	{"'x.exe'", "disguised-name", "member-trick"},
	{`"x.exe"`, "disguised-name", "member-trick"},

	// Tricks whatever the name ends in.
	{"ann\u202efdp.exe", "bidi-name name", "member-name member-trick"},
	{"x\u202egpj.docx", "bidi-name", "member-trick"},
	{"{3050F4D8-98B5-11CF-BB82-00AA00BDCE0B}.txt", "clsid-name", ""},
	{"papers.{3050f4d8-98b5-11cf-bb82-00aa00bdce0b}", "clsid-name", "member-trick"},
	{"invoice.pdf            .exe", "blank-name double-extension name", "member-name member-trick"},
	{"invoice.pdf" + strings.Repeat("\u00a0", 12) + ".exe", "blank-name double-extension name", "member-name member-trick"},
	{"invoice.pdf" + strings.Repeat("\u3000", 12) + ".exe", "blank-name double-extension name", "member-name member-trick"},
	{"a\x00b.pdf", "control-name", "member-trick"},
	{"x\u2067gpj.docx", "bidi-name", "member-trick"},
	{"x\u202egpj\u2069.docx", "bidi-name", "member-trick"}, // closed by what closes something else
	{"x\u2067gpj\u202c.docx", "bidi-name", "member-trick"},
	{"x.\u202bxcod\u202c", "bidi-name", "member-trick"},
	{"x\u2067gpj\u2069.exe", "bidi-name name", "member-name member-trick"},
	{"page\u202a1\u202c.html", "bidi-name", "member-trick"},
	{"a{3050F4D8-98B5-11CF-BB82-00AA00BDCE0B}.exe", "clsid-name name", "member-name member-trick"},
	{"a{3050F4D8-98B5-11CF-BB82-00AA00BDCE0B}.html", "clsid-name", "member-trick"},
	{"invoice.pdf          .zip", "blank-name", "member-trick"},
	{"invoice.html          .pdf", "blank-name", "member-trick"},
	{"invoice          .scr", "blank-name name", "member-name member-trick"},
	{"invoice          .scr.", "blank-name disguised-name", "member-trick"},
	{"invoice          .html", "blank-name", "member-trick"},
	{"a.pdf\rb.zip", "control-name", "member-trick"},
	{"a.html\nb.pdf", "control-name", "member-trick"},
	{"a\x01.exe", "control-name name", "member-name member-trick"},
	{"a\x7fb.exe", "control-name name", "member-name member-trick"},
	{strings.Repeat("a", 300) + ".pdf", "long-name", "member-trick"},
	{strings.Repeat("a", 10_000) + ".exe", "long-name name", "member-name member-trick"},
	{"invoice.pdf.exe", "double-extension name", "member-name member-trick"},
	{"invoice.pdf.exe.", "disguised-name double-extension", "member-trick"},
	{"invoice.pdf .scr", "double-extension name", "member-name member-trick"},
	{"photo.jpg.html", "double-extension", ""}, // a saved web page has such names
	{"photo.jpg_____.exe", "double-extension name", "member-name member-trick"},
}

func TestNames(t *testing.T) {
	s := newScanner(t, DefaultConfig())
	for _, tt := range nameTests {
		t.Run(fmt.Sprintf("%.40q", tt.name), func(t *testing.T) {
			if got := rulesOf(t, s, attach("harmless", tt.name)); got != tt.want {
				t.Errorf("attached: %q, want %q", got, tt.want)
			}
			if got := rulesOf(t, s, inArchive("harmless", tt.name)...); got != tt.member {
				t.Errorf("in an archive: %q, want %q", got, tt.member)
			}
		})
	}
}

// TestEveryNameCounts checks that one bad name among good ones is enough.
func TestEveryNameCounts(t *testing.T) {
	s := newScanner(t, DefaultConfig())
	if got := rulesOf(t, s, attach("x", "a.txt", "b.pdf", "c.exe")); got != "name" {
		t.Errorf("the last of three names: %q", got)
	}
	if got := rulesOf(t, s, attach("x", "c.exe", "d.exe")); got != "name" {
		t.Errorf("two bad names: %q", got)
	}
}

// TestUnreadableMember checks that a name is judged where the content cannot be
// read, as in an encrypted archive.
func TestUnreadableMember(t *testing.T) {
	parts := inArchive("", "x.exe")
	parts[1].Content = nil
	if got := rulesOf(t, newScanner(t, DefaultConfig()), parts...); got != "member-name" {
		t.Errorf("an encrypted member: %q", got)
	}
}

// TestEveryDeniedExtension checks the shipped lists against the profiles' table.
func TestEveryDeniedExtension(t *testing.T) {
	s := newScanner(t, DefaultConfig())
	for ext := range strings.FieldsSeq(deniedList()) {
		if got := rulesOf(t, s, attach("x", "a."+ext)); got != "name" {
			t.Errorf("%s: %q", ext, got)
		}
	}
	for ext := range strings.FieldsSeq(oldNoise) {
		if got := rulesOf(t, s, attach("x", "a."+ext)); got != "old-name" {
			t.Errorf("%s: %q", ext, got)
		}
		if got := rulesOf(t, s, inArchive("x", "a."+ext)...); got != "" {
			t.Errorf("%s in an archive: %q", ext, got)
		}
	}
	for ext := range strings.FieldsSeq(deniedMembers) {
		if !s.names.deny.extensions[ext] {
			t.Errorf("%s is refused in archives only", ext)
		}
		if got := rulesOf(t, s, inArchive("x", "a."+ext)...); got != "member-name" {
			t.Errorf("%s in an archive: %q", ext, got)
		}
	}
}

// TestStructureHasNoName checks the parts that are no files.
func TestStructureHasNoName(t *testing.T) {
	s := newScanner(t, DefaultConfig())
	text := scantest.Bytes([]byte("#!/bin/sh\necho a patch quoted in a mail\n"))
	for _, p := range []scan.Part{
		{Type: "multipart/mixed", Entity: &entity.Entity{}},
		{Type: "text/plain", Entity: &entity.Entity{}, Content: text},
		{Type: "text/html", Entity: &entity.Entity{}, Content: text},
		{Type: "text/plain", Entity: &entity.Entity{Disposition: "inline"}, Content: text},
		{Type: "message/rfc822", Entity: &entity.Entity{}, Content: text},
		{Type: "message/rfc822", Names: []string{"Fwd: welcome to example.com"}, Entity: &entity.Entity{}},
		{Type: "message/delivery-status", Entity: &entity.Entity{}, Content: text},
		{},
	} {
		p.Parent, p.Path = -1, "1"
		if got := rulesOf(t, s, p); got != "" {
			t.Errorf("%s: %q", p.Type, got)
		}
	}
}

// TestForwardedMailNamedBySubject may end in what looks like an extension.
func TestForwardedMailNamedBySubject(t *testing.T) {
	s := newScanner(t, DefaultConfig())
	for name, want := range map[string]string{
		"Getting started with vue.js": "", "Re: example.com": "", "example.com": "", "invoice.js": "name", "invoice 1.exe": "name", "all about .NET and node.js ": "",
	} {
		m := attach("Subject: x\r\n\r\nhello\r\n", name)
		m.Type = "message/rfc822"
		if got := rulesOf(t, s, m); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// TestStreamsAreNoFiles whatever the compound file that holds them is called.
func TestStreamsAreNoFiles(t *testing.T) {
	s := newScanner(t, DefaultConfig())
	for _, sniffed := range []string{"application/x-ole-storage", "application/vnd.ms-publisher", "application/x-ms-installer", "application/msword", "application/vnd.visio", ""} {
		parts := inArchive("x", "\x01CompObj\r")
		parts[0].Content, parts[0].Sniffed = scantest.Bytes([]byte(compoundMark+strings.Repeat("\x00", 500))), sniffed
		if got := rulesOf(t, s, parts...); got != "" {
			t.Errorf("a stream of %q: %q", sniffed, got)
		}
	}
	parts := inArchive("x", "a\x00.pdf")
	parts[0].Sniffed = "application/msword" // but it is no compound file
	if got := rulesOf(t, s, parts...); got != "member-trick" {
		t.Errorf("a member of what is called one: %q", got)
	}
}

// TestOtherNames are what some clients call a file without a name.
func TestOtherNames(t *testing.T) {
	s := newScanner(t, DefaultConfig())
	for _, row := range []struct{ field, value, name, want string }{
		{"Content-Description", "invoice.exe", "", "name"},
		{"Content-Description", " =?utf-8?q?the_invoice=2Eexe?=", "", "name"},
		{"Content-Location", "files/invoice.exe", "", "name"},
		{"Content-Location", "invoice.url", "", "old-name"},
		{"Content-Description", "invoice.exe", "invoice.pdf", ""},
		{"Content-Description", "a page of example.com", "", ""},
		{"Content-Description", "all about node.js", "", ""},
		{"Content-Description", "S/MIME Cryptographic Signature", "", ""},
		{"Content-Location", "http://example.com/a.js", "", ""},
		{"Content-Location", "cid:a.exe", "", ""},
	} {
		p := attach("x", row.name)
		p.Entity.Header.Fields = append(p.Entity.Header.Fields, entity.Field{Name: row.field, Value: row.value})
		if got := rulesOf(t, s, p); got != row.want {
			t.Errorf("%s: %q, named %q: %q, want %q", row.field, row.value, row.name, got, row.want)
		}
	}
	p := attach("x", "")
	p.Type, p.Entity.Disposition = "text/plain", ""
	p.Entity.Header.Fields = append(p.Entity.Header.Fields, entity.Field{Name: "Content-Description", Value: "invoice.exe"})
	if got := rulesOf(t, s, p); got != "" {
		t.Errorf("the text of a message: %q", got)
	}
}
