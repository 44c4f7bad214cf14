package main

import "strings"

// carried: files that texts carry, and show or hand over.
func carried() []mail {
	const (
		png = "\x89PNG\r\n\x1a\n" +
			"\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde" +
			"\x00\x00\x00\x0cIDATx\x9cc\xf8\xcf\xc0\x00\x00\x03\x01\x01\x00\xc9\xfe\x92\xef\x00\x00\x00\x00IEND\xaeB`\x82"
	)
	line := func(s string) string { return strings.ReplaceAll(b64(s), "\n", "") }
	event := "BEGIN:VCALENDAR\nPRODID:-//Example//EN\nVERSION:2.0\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:4712@example.org\n" +
		"DTSTAMP:20260303T081542Z\nDTSTART:20260309T090000Z\nSUMMARY:Meeting\n" +
		"X-ALT-DESC;FMTTYPE=text/html:<html><body><p>See the <a href=\"https://www.example.org/map\">m\n ap</a>.</p></body></html>\n" +
		"ATTACH;FMTTYPE=image/png;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=map.png:\n " + fold(line(png), 74) + "END:VEVENT\nEND:VCALENDAR\n"
	event = strings.ReplaceAll(event, "\n", "\r\n")
	card := "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Alice Example\r\nEMAIL:alice@example.org\r\nPHOTO;ENCODING=b;TYPE=PNG:" + line(png) +
		"\r\nEND:VCARD\r\n"
	icons := strings.Repeat("<img alt=\"\" src=\"data:image/png;base64,"+line(png)+"\">\n", 250)
	report := "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\">\n" +
		"<link rel=\"stylesheet\" href=\"data:text/css,p%20%7Bmargin%3A0%7D\">\n" +
		"<style>body " +
		"{ background: url(data:image/svg+xml,%3Csvg%20xmlns%3D%22http%3A%2F%2Fwww.w3.org%2F2000%2Fsvg%22%2F%3E) }</style></head>\n" +
		"<body><p>Results: none. Raw data: 1, 2, 3</p></body></html>\n"
	invoice := signedFile("<?xml version=\"1.0\"?>\n" +
		"<p:FatturaElettronica xmlns:p=\"http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.2\"/>\n")
	return []mail{
		{name: "carried-calendar", why: "an invitation with a picture and a page in it",
			text: top("Invitation: Meeting") + multi("alternative", "=_cal", part(ascii, "You are invited.\n"),
				part("Content-Type: text/calendar; charset=\"utf-8\"; method=REQUEST\nContent-Transfer-Encoding: base64\n", b64(event)))},
		{name: "carried-card", why: "a card with a photo", text: top("Card") +
			multi("mixed", "=_c", part(ascii, "My card.\n"), file("text/vcard", "alice.vcf", card))},
		{name: "carried-icons", why: "a newsletter with hundreds of icons in its text",
			text: top("News") + "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\n" +
				b64("<html><body><p>News</p>\n"+icons+"</body></html>\n")},
		{name: "carried-report", why: "a page as one file, as statistics programs save it",
			text: top("Report") + multi("mixed", "=_r", part(ascii, "The report.\n"), file("text/html", "report.html", report))},
		{name: "signed-invoice", why: "an invoice as Italian programs sign it",
			text: top("Invoice") + multi("mixed", "=_s", part(ascii, "The invoice.\n"),
				file("application/pkcs7-mime", "IT01234567890_00001.xml.p7m", invoice))},
		{name: "signed-invoice-text", why: "and as a text in base64, as some of them do",
			text: top("Invoice") + multi("mixed", "=_s", part(ascii, "The invoice.\n"),
				file("application/octet-stream", "IT01234567890_00002.xml.p7m", b64(invoice)))},
		{name: "carried-words", why: "addresses that are words",
			text: top("Data") + ascii + "\nThe raw data: it is in the file (data: 1, 2).\n" +
				"An address such as \"data:text/html,<b>x</b>\" is no file.\n"},
	}
}

// signedFile returns signed-data (RFC 5652) of a content below 32 KB without signers, in
// pieces of unknown length as signing programs write them.
func signedFile(content string) string {
	const oid, unknown, end = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07", "\x80", "\x00\x00"
	octets := "\x24" + unknown + "\x04\x82" + string([]byte{byte(len(content) >> 8), byte(len(content))}) + content + end
	data := "\x30" + unknown + oid + "\x01\xa0" + unknown + octets + end + end
	return "\x30" + unknown + oid + "\x02\xa0" + unknown + "\x30" + unknown + "\x02\x01\x01\x31\x00" + data + "\x31\x00" + end + end + end
}
