package hostile

import (
	"strings"
)

// everyday: damage that broken mailers do every day, in addition to the families above.
func everyday() []Case {
	cases := inBoth(compositePlaces(), everydayComposite)
	return append(cases, inBoth(leafPlaces(), everydayLeaf)...)
}

func everydayComposite(e encoding) []variant {
	armed := attachment(e).text()
	second := in(section("foo", 2), opened(e))
	longLine := strings.Repeat("x", 5000)
	const unindented = "a client that takes a line without a colon for a continuation"
	return []variant{
		{name: "type-continued-unindented", why: unindented, entity: entity{"Content-Type: multipart/mixed;\r\nboundary=foo\r\n",
			multipart("foo", armed)}, read: second},
		{name: "type-continued-unindented-quoted", why: unindented,
			entity: entity{"Content-Type: multipart/mixed;\r\nboundary=\"foo\"\r\n", multipart("foo", armed)}, read: second},
		{name: "type-continued-unindented-twice", why: unindented,
			entity: entity{"Content-Type: multipart/mixed;\r\ncharset=utf-8;\r\nboundary=foo\r\n", multipart("foo", armed)}, read: second},
		{name: "type-bare-cr", why: "a client that takes CR for a line end",
			entity: entity{"Content-Type: multipart/mixed;\r boundary=foo\r\n", multipart("foo", armed)}, read: second},
		{name: "type-bare-cr-inside", why: "a client that drops stray CR",
			entity: entity{"Content-Type: multi\rpart/mixed; boundary=foo\r\n", multipart("foo", armed)}, read: second},
		{name: "type-mime-broken", why: "a client that passes over what it cannot read",
			entity: entity{"Content-Type: MULTIPART/Mixed; boundary=foo; x=1; x=2\r\n", multipart("foo", armed)}, read: second},
		{name: "preamble-long-line", why: "every client: a preamble is text", tidy: true,
			entity: entity{mixedFoo, longLine + crlf + multipart("foo", armed)}, read: second},
		{name: "epilogue-long-line", why: "every client: an epilogue is text", tidy: true,
			entity: entity{mixedFoo, multipart("foo", armed) + longLine}, read: second},
		layout("part-header-long", "a client that reads long headers", "--foo\r\nX-Long: "+longLine+crlf+armed+"--foo--\r\n",
			in(section("foo", 1), opened(e)), true),
		layout("part-header-junk-key", "a client that passes over names it cannot read", "--foo\r\nTwo Words: x\r\n"+armed+"--foo--\r\n",
			in(section("foo", 1), opened(e)), false),
		layout("part-header-8-bit-key", "a client that passes over names it cannot read", "--foo\r\n\xe4\xf6: x\r\n"+armed+"--foo--\r\n",
			in(section("foo", 1), opened(e)), false),
		layout("part-header-8-bit-value", "every client", "--foo\r\nContent-Description: \xe4\xf6\r\n"+armed+"--foo--\r\n",
			in(section("foo", 1), opened(e)), true),
		layout("part-header-fold-first", "a client that passes over it", "--foo\r\n folded from nothing\r\n"+armed+"--foo--\r\n",
			in(section("foo", 1), opened(e)), false),
		layout("part-header-nul", "a client that does not mind", "--foo\r\nContent-Description: a\x00b\r\n"+armed+"--foo--\r\n",
			in(section("foo", 1), opened(e)), false),
		layout("part-header-1000", "a client that reads long headers", "--foo\r\n"+strings.Repeat("X-Field: x\r\n", 1000)+armed+"--foo--\r\n",
			in(section("foo", 1), opened(e)), true),
		layout("part-header-cr-only", "a client that takes CR for a line end",
			"--foo\r\n"+strings.ReplaceAll(octets+attached+encodingIs+e.name+crlf, crlf,
				"\r")+crlf+crlf+e.to(EICAR())+"--foo--\r\n", in(section("foo", 1), opened(e)), false),
		layout("part-header-cr-only-all", "a client that takes CR for a line end",
			"--foo\r\n"+strings.ReplaceAll(octets+attached+encodingIs+e.name+crlf+crlf, crlf,
				"\r")+e.to(EICAR())+"--foo--\r\n", in(section("foo", 1), after("\r\r"), e.from), false),
		layout("mbox-from-inside", "a client that knows mailbox marks",
			"--foo\r\nFrom alice@example.org Mon Mar  2 10:00:00 2026\r\n"+armed+"--foo--\r\n", in(section("foo", 1), opened(e)), false),
		layout("second-of-same-name", "every client", multipart("foo", octets+attached+crlf+"harmless\r\n", armed),
			in(section("foo", 3), opened(e)), true),
		layout("second-of-three", "every client", multipart("foo", octets+attached+crlf+"a\r\n", armed, octets+attached+crlf+"b\r\n"),
			in(section("foo", 3), opened(e)), true),
		layout("html-part", "every client", multipart("foo", strings.Replace(armed, "application/octet-stream", "text/html", 1)), second, true),
	}
}

func everydayLeaf(e encoding) []variant {
	body := e.to(EICAR())
	field := encodingIs + e.name + crlf
	return []variant{
		{name: "ordinary", why: "every client", tidy: true, entity: attachment(e), read: opened(e)},
		{name: "text-plain", why: "every client", tidy: true, entity: entity{plainText + field, body}, read: opened(e)},
		{name: "text-html", why: "every client", tidy: true, entity: entity{"Content-Type: text/html; charset=utf-8\r\n" + field, body},
			read: opened(e)},
		{name: "no-type", why: "every client: text is the default", tidy: true, entity: entity{field, body}, read: opened(e)},
		{name: "unknown-type", why: "every client: unknown is a file", tidy: true, entity: entity{"Content-Type: x-a/x-b\r\n" + field, body},
			read: opened(e)},
		{name: "image-type", why: "every client: the virus is in the bytes", tidy: true,
			entity: entity{"Content-Type: image/jpeg; name=pic.jpg\r\n" + field, body}, read: opened(e)},
		{name: "no-line-end-at-end", why: "every client", tidy: true,
			entity: entity{octets + attached + field, strings.TrimRight(body, crlf)}, read: opened(e)},
		{name: "lf-only", why: "every client that takes LF for a line end", tidy: true,
			entity: entity{strings.ReplaceAll(octets+attached+field, crlf, "\n"), strings.ReplaceAll(body, crlf, "\n")}, read: in(after(e.name),
				e.from)},
		{name: "inline", why: "every client", tidy: true, entity: entity{octets + "Content-Disposition: inline\r\n" + field, body},
			read: opened(e)},
		{name: "disposition-nonsense", why: "every client: unknown is an attachment", tidy: true,
			entity: entity{octets + "Content-Disposition: x-hidden\r\n" + field, body}, read: opened(e)},
		{name: "x-content-fields", why: "every client: the true field counts", tidy: true,
			entity: entity{octets + "X-Content-Transfer-Encoding: 7bit\r\n" + field, body}, read: opened(e)},
		{name: "field-lower-case", why: "every client", tidy: true, entity: entity{strings.ToLower(octets + field), body}, read: opened(e)},
		{name: "field-upper-case", why: "every client", tidy: true, entity: entity{strings.ToUpper(octets + field), body}, read: opened(e)},
	}
}

// quotedMail: mail inside mail, attached, quoted or bounced.
func quotedMail() []Case {
	vs := inBoth(compositePlaces(), func(e encoding) []variant {
		armed := attachment(e).text()
		mail := letterhead + mixedFoo + crlf + multipart("foo", armed)
		second := in(section("foo", 2), opened(e))
		report := "--bar\r\n" + note + "--bar\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; " +
			"mx.example.com\r\n\r\nFinal-Recipient: rfc822; bob@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n--bar\r\nContent-Type: "
		reportHead := "Content-Type: multipart/report; report-type=delivery-status; boundary=bar\r\n"
		const finds = "a reader who opens the quoted mail; old mailers sent bounces so"
		return []variant{
			{name: "attached", why: "every client", tidy: true, read: in(content, content, second),
				entity: entity{"Content-Type: message/rfc822\r\n", mail}},
			{name: "attached-named", why: "every client", tidy: true, read: in(content, content, second),
				entity: entity{"Content-Type: message/rfc822; name=mail.eml\r\nContent-Disposition: attachment; filename=mail.eml\r\n", mail}},
			{name: "attached-as-file", why: "a client that opens .eml files", tidy: true, read: in(content, content, second),
				entity: entity{octets + "Content-Disposition: attachment; filename=mail.eml\r\n", mail}},
			{name: "attached-as-text", why: "a client that opens .eml files", tidy: true, read: in(content, content, second),
				entity: entity{"Content-Type: text/plain; name=mail.eml\r\n", mail}},
			{name: "attached-twice", why: "every client", tidy: true, read: in(content, content, content, second),
				entity: entity{"Content-Type: message/rfc822\r\n", letterhead + "Content-Type: message/rfc822\r\n\r\n" + mail}},
			{name: "attached-mbox-line", why: "a client that knows mailbox marks", read: in(content, content, second),
				entity: entity{"Content-Type: message/rfc822\r\n", "From alice@example.org Mon Mar  2 10:00:00 2026\r\n" + mail}},
			{name: "attached-empty-lines-first", why: "a client that passes over empty lines before a header",
				read: in(content, after("\r\n"), content, second), entity: entity{"Content-Type: message/rfc822\r\n", crlf + mail}},
			{name: "bounce-text", why: finds, tidy: true, read: second,
				entity: entity{plainText, "Your message could not be delivered.\r\n\r\n------ This is a copy of the message, " +
					"including all the headers. ------\r\n\r\n" + mail}},
			{name: "bounce-text-single", why: finds, tidy: true, read: in(after("papers.dat"), opened(e)),
				entity: entity{plainText, "Your message could not be delivered.\r\n\r\n   ----- Original message follows -----\r\n\r\n" +
					letterhead + armed}},
			{name: "bounce-report", why: "every client", tidy: true, read: second,
				entity: entity{reportHead, report + "message/rfc822\r\n\r\n" + mail + "--bar--\r\n"}},
			{name: "bounce-report-headers", why: "a client that shows text/rfc822-headers like a mail", tidy: true, read: second,
				entity: entity{reportHead, report + "text/rfc822-headers\r\n\r\n" + mail + "--bar--\r\n"}},
			{name: "bounce-report-text", why: "a client that opens what looks like a mail", tidy: true, read: second,
				entity: entity{reportHead, report + "text/plain\r\n\r\n" + mail + "--bar--\r\n"}},
			{name: "status-part", why: "a client that shows the second block of the status", tidy: true, read: second,
				entity: entity{"Content-Type: message/delivery-status\r\n", "Reporting-MTA: dns; mx.example.com\r\n\r\n" + mail}},
			{name: "mbox-file", why: "a client that opens mailbox files", tidy: true, read: second,
				entity: entity{"Content-Type: application/mbox\r\n", "From alice@example.org Mon Mar  2 10:00:00 2026\r\n" + mail}},
			{name: "http-message", why: "a client that lists attachments of anything", tidy: true, read: in(content, content, second),
				entity: entity{"Content-Type: message/x-unheard-of\r\n", mail}},
		}
	})
	return vs
}
