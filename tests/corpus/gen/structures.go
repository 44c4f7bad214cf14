package main

import "strings"

// structures: lawful but unusual multiparts.
func structures() []mail {
	words, data := part(ascii, minutes), file("text/csv", "minutes.csv", "a;b\n1;2\n")
	withBoundary := func(declared, used string) string {
		return top("Minutes") + "Content-Type: multipart/mixed; boundary=" + declared + "\n\n" + parts(used, words, data)
	}
	return []mail{
		{name: "mixed", why: "text and an attachment", text: top("Minutes") + multi("mixed", "=_1", words, data)},
		{name: "alternative", why: "text and HTML", text: top("Minutes") + multi("alternative", "=_alt", words,
			part(html, "<p>Please find the minutes attached.</p>\n"))},
		{name: "mixed-alternative", why: "the usual nesting", text: top("Minutes") + multi("mixed", "=_out",
			multi("alternative", "=_in", words, part(html, "<p>Hi</p>\n")), data)},
		{name: "mixed-one-part", why: "a multipart with a single part is lawful (RFC 2046, section 5.1.3)",
			text: top("Minutes") + multi("mixed", "=_one", words)},
		{name: "mixed-no-part-header", why: "a part may begin with its empty line at once: it is plain text",
			text: top("Minutes") + multi("mixed", "=_nh", "\nHello\n", data)},
		{name: "mixed-empty-part", why: "Lotus and some phones add an empty text part",
			text: top("Minutes") + multi("mixed", "=_e", words, part(ascii, ""), data)},
		{name: "mixed-empty-file", why: "an attachment of zero bytes",
			text: top("Minutes") + multi("mixed", "=_z", words, file("text/plain", "empty.txt", ""))},
		{name: "preamble-epilogue", why: "the note for old readers, and words behind the end",
			text: top("Minutes") + "Content-Type: multipart/mixed; boundary=\"=_p\"\n\nThis is a multi-part message in MIME " +
				"format.\nIf you can read this, your mailer is old.\n\n" + parts("=_p", words, data) + "\nEnd of MIME message\n"},
		{name: "preamble-long", why: "a preamble with a line of 5000 characters",
			text: top("Minutes") + "Content-Type: multipart/mixed; boundary=\"=_p\"\n\n" + strings.Repeat("= ", 2500) + "\n" + parts("=_p",
				words, data)},
		{name: "boundary-unquoted", why: "a token needs no quotes", text: withBoundary("simple-boundary", "simple-boundary")},
		{name: "boundary-all-characters", why: "every character RFC 2046 allows",
			text: withBoundary("\"aZ09'()+_,-./:=? x\"", "aZ09'()+_,-./:=? x")},
		{name: "boundary-70", why: "the longest boundary allowed",
			text: withBoundary("\""+strings.Repeat("b", 70)+"\"", strings.Repeat("b", 70))},
		{name: "boundary-one", why: "the shortest", text: withBoundary("x", "x")},
		{name: "boundary-dashes", why: "boundaries that begin with dashes, as many mailers make them",
			text: withBoundary("\"------------0A0B0C0D\"", "------------0A0B0C0D")},
		{name: "boundary-only-dashes", why: "nothing but dashes", text: withBoundary("\"----\"", "----"), notes: "malformed"},
		{name: "boundary-looks-encoded", why: "a boundary with =? and ?= in it", text: withBoundary("\"=?=_next_?=\"", "=?=_next_?=")},
	}
}

// nestedStructures: boundaries and nesting that are lawful but unusual.
func nestedStructures() []mail {
	words, data := part(ascii, minutes), file("text/csv", "minutes.csv", "a;b\n1;2\n")
	withBoundary := func(declared, used string) string {
		return top("Minutes") + "Content-Type: multipart/mixed; boundary=" + declared + "\n\n" + parts(used, words, data)
	}
	letter := top("Inner") + ascii + "\n" + minutes
	return []mail{
		{name: "boundary-equals-unquoted", why: "Eudora and others forgot the quotes round \"=\"",
			text: withBoundary("=====================_12345==_", "=====================_12345==_"), notes: "malformed"},
		{name: "boundary-prefixes", why: "inner and outer boundaries of which one begins like the other",
			text: top("Minutes") + multi("mixed", "NextPart", multi("alternative", "NextPart-001", words, part(html, "<p>Hi</p>\n")),
				data), notes: "malformed"},
		{name: "boundary-folded", why: "the boundary on a line of its own, behind a tab",
			text: top("Minutes") + "Content-Type: multipart/mixed;\n\tboundary=\"----=_NextPart_000_0001_01DC.A1B2C3D4\"\n\n" +
				parts("----=_NextPart_000_0001_01DC.A1B2C3D4", words, data)},
		{name: "boundary-blanks-behind", why: "blanks behind a delimiter are allowed (RFC 2046, section 5.1.1)",
			text: top("Minutes") + "Content-Type: multipart/mixed; boundary=bb\n\n--bb  \n" + words + "--bb \n" + data +
				"--bb-- \n", notes: "malformed"},
		{name: "boundary-upper-name", why: "the parameter's name in capitals",
			text: top("Minutes") + "Content-Type: MULTIPART/MIXED; BOUNDARY=\"XyZ\"; CHARSET=\"us-ascii\"\n\n" + parts("XyZ", words, data)},
		{name: "no-last-boundary", why: "the end is missing, as from a mailer that was cut off; everybody shows all parts",
			text: strings.TrimSuffix(withBoundary("cut", "cut"), "--cut--\n"), notes: "malformed"},
		{name: "delimiter-in-text", why: "text that talks about another mail's delimiters",
			text: top("Boundaries") + "Content-Type: multipart/mixed; boundary=foo\n\n" + parts("foo",
				part(ascii, "The delimiter line is\n\n    --bar\n\nand the end is --bar-- of course.\n> --bar\n--bar\n"), data), notes: "malformed"},
		{name: "dashes-in-text", why: "horizontal lines made of dashes",
			text: top("Lines") + multi("mixed", "=_d", part(ascii, "Title\n-----\n\n--------------------\n-- \nAlice\n--\n"), data)},
		{name: "nested-5", why: "five levels, as long threads of forwards have them",
			text: top("Deep") + multi("mixed", "l1", multi("mixed", "l2",
				multi("related", "l3", multi("alternative", "l4", words, part(html, "<p>x</p>\n")))), data)},
		{name: "parallel", why: "an old subtype", text: top("Minutes") + multi("parallel", "=_par", words, data)},
		{name: "unknown-multipart", why: "an unknown subtype is read as mixed", text: top("Minutes") + multi("x-something", "=_x", words, data)},
		{name: "byteranges", why: "a web robot mails what it fetched",
			text: top("Fetched") + multi("byteranges", "THIS_STRING",
				part("Content-Type: text/plain\nContent-Range: bytes 0-5/100\n",
					"Hello\n"), part("Content-Type: text/plain\nContent-Range: bytes 50-55/100\n", "world\n"))},
		{name: "form-data", why: "a web form forwarded as it came",
			text: top("Form") + multi("form-data", "AaB03x", part("Content-Disposition: form-data; name=\"field1\"\n", "Joe\n"),
				part("Content-Disposition: form-data; name=\"files\"; filename=\"file1.txt\"\nContent-Type: text/plain\n", "contents\n"))},
		{name: "forwarded", why: "a mail attached", text: top("Fwd: Inner") + multi("mixed", "=_f", words,
			part("Content-Type: message/rfc822\nContent-Disposition: attachment; filename=\"Inner.eml\"\n", letter))},
		{name: "forwarded-alone", why: "a mail that is only another mail", text: top("Fwd: Inner") + "Content-Type: message/rfc822\n\n" + letter},
		{name: "forwarded-nested", why: "a forward of a forward of a forward",
			text: top("Fwd") + "Content-Type: message/rfc822\n\n" + top("Fwd") + "Content-Type: message/rfc822\n\n" + top("Fwd") + multi("mixed",
				"=_n", words, data)},
		{name: "forwarded-same-boundary", why: "two forwards made by the same mailer with the same boundary, one after the other",
			text: top("Fwd") + multi("mixed", "outer", part("Content-Type: message/rfc822\n", top("a")+multi("mixed", "same", words)),
				part("Content-Type: message/rfc822\n", top("b")+multi("mixed", "same", words, data)))},
		{name: "forwarded-no-header", why: "an attached mail with hardly a header",
			text: top("Fwd") + multi("mixed", "=_nh", words, part("Content-Type: message/rfc822\n", "Subject: x\n\nHello\n"))},
		{name: "digest", why: "a digest, whose parts are mails by default",
			text: top("List digest, Vol 1, Issue 1") + multi("digest", "=_dig", "\n"+top("one")+ascii+"\nFirst.\n",
				"\n"+top("two")+ascii+"\nSecond.\n")},
		{name: "attachments-120", why: "a scanner that sends every page by itself", text: top("Scan") + multi("mixed", "=_many", pages(120)...)},
		{name: "disposition-odd", why: "a disposition nobody knows counts as attachment (RFC 2183, section 2.8)",
			text: top("Minutes") + multi("mixed", "=_do", words,
				part("Content-Type: text/plain\nContent-Disposition: signal; handling=optional\n", "x\n"))},
		{name: "disposition-dates", why: "all the parameters RFC 2183 knows",
			text: top("Minutes") + multi("mixed", "=_dd", words,
				part("Content-Type: text/plain\nContent-Disposition: attachment; filename=a.txt;\n creation-date=\"Wed, 12 Feb 1997 "+
					"16:29:51 -0500\";\n modification-date=\"Wed, 12 Feb 1997 16:29:51 -0500\"; size=2\nContent-Description: (note) "+
					"text\nContent-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\nContent-Language: en, de\nContent-Duration: 3\n", "x\n"))},
	}
}

// pages returns n small files.
func pages(n int) []string {
	var out []string
	for i := range n {
		out = append(out, file("text/plain", "page"+string(rune('a'+i%26))+".txt", "Page\n"))
	}
	return out
}

// related: pictures inside HTML.
func related() []mail {
	const gif = "GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00" +
		"!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
	picture := part("Content-Type: image/gif; name=\"logo.gif\"\nContent-ID: <logo@example.org>\nContent-Disposition: "+
		"inline; filename=\"logo.gif\"\nContent-Transfer-Encoding: base64\n", b64(gif))
	page := part(html, "<html><body><p>Hello</p><img src=\"cid:logo@example.org\" alt=\"\"></body></html>\n")
	return []mail{
		{name: "related", why: "HTML with a picture by cid", text: top("Picture") + multi("related", "=_rel", page, picture)},
		{name: "related-type-start", why: "with the parameters RFC 2387 asks for",
			text: top("Picture") + "Content-Type: multipart/related; boundary=\"=_rts\";\n\ttype=\"text/html\"; " +
				"start=\"<root@example.org>\"\n\n" + parts("=_rts", picture,
				part("Content-ID: <root@example.org>\n"+html, "<img src=\"cid:logo@example.org\">\n"))},
		{name: "related-in-alternative", why: "Outlook's nesting",
			text: top("Picture") + multi("alternative", "=_a", part(ascii, "Hello\n"), multi("related", "=_r", page, picture))},
		{name: "alternative-in-related", why: "Apple Mail's nesting",
			text: top("Picture") + multi("related", "=_r", multi("alternative", "=_a", part(ascii, "Hello\n"), page), picture)},
		{name: "related-location", why: "pictures by Content-Location (RFC 2557)",
			text: top("Page") + multi("related", "=_l", part("Content-Location: http://www.example.org/\n"+html, "<img src=\"logo.gif\">\n"),
				part("Content-Type: image/gif\nContent-Location: http://www.example.org/logo.gif\nContent-Transfer-Encoding: base64\n", b64(gif)))},
		{name: "html-only", why: "HTML without a text", text: top("HTML") + html +
			"\n<!DOCTYPE html><html><head><title>x</title></head><body>Hello</body></html>\n"},
		{name: "html-fragment", why: "HTML without html or body", text: top("HTML") + html + "\nHello<br>world &amp; all &copy &nbsp\n"},
		{name: "enriched", why: "text/enriched (RFC 1896)", text: top("Rich") + multi("alternative", "=_en", part(ascii, "Now is the time\n"),
			part("Content-Type: text/enriched; charset=us-ascii\n", "<bold>Now</bold> is the time\n"))},
		{name: "amp", why: "an AMP alternative between text and HTML",
			text: top("AMP") + multi("alternative", "=_amp", part(ascii, "Hello\n"),
				part("Content-Type: text/x-amp-html; charset=\"UTF-8\"\n", "<!doctype html><html amp4email><body>Hello</body></html>\n"), part(html,
					"<p>Hello</p>\n"))},
		{name: "watch-html", why: "Apple's reduced alternative", text: top("Watch") + multi("alternative", "=_w", part(ascii, "Hello\n"),
			part("Content-Type: text/watch-html; charset=utf-8\n", "<b>Hello</b>\n"), part(html, "<p>Hello</p>\n"))},
	}
}
