package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"strings"
)

// zipped returns a zip file of names and contents, one after the other. Nothing is
// compressed, here and in gz, so that the bytes do not depend on the version of
// Go.
func zipped(pairs ...string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		f, err := w.CreateHeader(&zip.FileHeader{Name: pairs[i], Method: zip.Store})
		if err != nil {
			panic(err) // memory does not fail
		}
		io.WriteString(f, pairs[i+1])
	}
	w.Close()
	return b.String()
}

func gz(s string) string {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.NoCompression)
	if err != nil {
		panic(err) // the level is right
	}
	io.WriteString(w, s)
	w.Close()
	return b.String()
}

const xmlHead = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"

// docx returns the least that word processors open.
func docx() string {
	return zipped(
		"[Content_Types].xml", xmlHead+`<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">`+
			`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>`+
			`<Default Extension="xml" ContentType="application/xml"/>`+
			`<Override PartName="/word/document.xml" `+
			`ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`,
		"_rels/.rels", xmlHead+`<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`+
			`<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" `+
			`Target="word/document.xml"/></Relationships>`,
		"word/document.xml", xmlHead+`<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">`+
			`<w:body><w:p><w:r><w:t>Minutes</w:t></w:r></w:p></w:body></w:document>`)
}

// xlsx returns the least that spreadsheets open.
func xlsx() string {
	return zipped(
		"[Content_Types].xml", xmlHead+`<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">`+
			`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>`+
			`<Override PartName="/xl/workbook.xml" `+
			`ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>`,
		"_rels/.rels", xmlHead+`<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`+
			`<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" `+
			`Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml", xmlHead+`<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheets/></workbook>`)
}

func odt() string {
	return zipped("mimetype", "application/vnd.oasis.opendocument.text",
		"content.xml", xmlHead+`<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"/>`,
		"META-INF/manifest.xml", xmlHead+`<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>`)
}

// pdf is one empty page.
const pdf = "%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[3 " +
	"0 R]/Count 1>>\nendobj\n3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>\nendobj\ntrailer\n<</Root 1 0 R/Size 4>>\n%%EOF\n"

// png is one transparent dot.
const png = "\x89PNG\r\n\x1a\n" +
	"\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89" +
	"\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\xa7V\xbd\xfa\x00\x00\x00\x00IEND\xaeB`\x82"

// files: ordinary attachments of ordinary kinds.
func files() []mail {
	words := part(ascii, minutes)
	with := func(kind, name, content string) string {
		return top(name) + multi("mixed", "=_file", words, file(kind, name, content))
	}
	source := zipped("project/README.md", "# Project\n", "project/src/main.c", "int main(void){return 0;}\n", "project/build.sh",
		"#!/bin/sh\nmake\n")
	return []mail{
		{name: "file-pdf", why: "a PDF", text: with("application/pdf", "minutes.pdf", pdf)},
		{name: "file-pdf-octets", why: "a PDF labelled as any bytes, as web programs do",
			text: with("application/octet-stream", "minutes.pdf", pdf)},
		{name: "file-docx", why: "a document", text: with("application/vnd.openxmlformats-officedocument.wordprocessingml.document",
			"minutes.docx", docx())},
		{name: "file-xlsx", why: "a spreadsheet", text: with("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
			"budget.xlsx", xlsx())},
		{name: "file-odt", why: "an ODF text", text: with("application/vnd.oasis.opendocument.text", "minutes.odt", odt())},
		{name: "file-zip", why: "a zip of text files", text: with("application/zip", "project.zip", source)},
		{name: "file-zip-windows", why: "a zip under the name Windows gives it",
			text: with("application/x-zip-compressed", "photos.zip", zipped("photos/a.png", png, "photos/b.png", png))},
		{name: "file-zip-empty", why: "a zip with nothing in it", text: with("application/zip", "empty.zip", zipped())},
		{name: "file-zip-nested", why: "a zip in a zip", text: with("application/zip", "all.zip", zipped("inner.zip", source))},
		{name: "file-gz", why: "a log in gzip", text: with("application/gzip", "mail.log.1.gz",
			gz(strings.Repeat("Mar  3 09:15:42 mx postfix/smtpd[4711]: connect from localhost[127.0.0.1]\n", 50)))},
		{name: "file-png", why: "a screenshot", text: with("image/png", "Screenshot 2026-03-03 at 09.15.42.png", png)},
		{name: "file-vcard", why: "a business card", text: with("text/vcard", "alice.vcf",
			"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Alice Example\r\nEMAIL:alice@example.org\r\nEND:VCARD\r\n")},
		{name: "file-xml", why: "an electronic invoice", text: with("application/xml", "invoice-4711.xml",
			xmlHead+"<Invoice xmlns=\"urn:oasis:names:specification:ubl:schema:xsd:Invoice-2\"/>\n")},
		{name: "file-binary", why: "any bytes", text: with("application/octet-stream", "dump.bin", strings.Repeat("\x00\x01\x02\xff", 100))},
		{name: "file-text-8bit", why: "a text file sent in eight bits",
			text: top("Notes") + multi("mixed", "=_t8", words,
				part("Content-Type: text/plain; charset=utf-8; name=notes.txt\n"+
					"Content-Disposition: attachment; filename=notes.txt\nContent-Transfer-Encoding: 8bit\n", "Gr\u00fc\u00dfe\n"))},
		{name: "file-eml", why: "a mail saved to disk and attached as a file",
			text: with("application/octet-stream", "saved.eml", strings.ReplaceAll(top("Saved")+ascii+"\n"+minutes, "\n", "\r\n"))},
		{name: "file-whole-body", why: "the mail is the attachment: fax and scan servers", text: top("Fax") + file("image/png", "fax.png", png)},
	}
}
