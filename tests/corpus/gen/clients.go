package main

import "strings"

// clients: the shapes of mail that well-known clients make.
func clients() []mail {
	who := "From: \"Alice Example\" <alice@example.org>\nTo: \"Bob Example\" <bob@example.com>\n"
	gif := file("image/gif", "image001.gif",
		"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")
	page := part("Content-Type: text/html;\n\tcharset=\"us-ascii\"\nContent-Transfer-Encoding: quoted-printable\n",
		qp("<html xmlns:o=\"urn:schemas-microsoft-com:office:office\"><head><!--[if !mso]><style>v\\:* "+
			"{behavior:url(#default#VML);}</style><![endif]--></head><body lang=EN-US><p class=MsoNormal>Hello<o:p></o:p></p></body></html>\n"))
	words := part("Content-Type: text/plain;\n\tcharset=\"us-ascii\"\nContent-Transfer-Encoding: 7bit\n", "Hello\n")
	outlook := func(boundary string, each ...string) string {
		return "Content-Type: multipart/mixed;\n\tboundary=\"" + boundary + "\"\n\nThis is a multipart message in MIME format.\n\n" +
			parts(boundary, each...) + "\n"
	}
	return []mail{
		{name: "outlook", why: "Outlook's text and HTML", text: who +
			"Subject: RE: Minutes\nMIME-Version: 1.0\nContent-Type: " +
			"multipart/alternative;\n\tboundary=\"----=_NextPart_000_0012_01DCAB1E.5C3D2A10\"\nX-Mailer: Microsoft Outlook " +
			"16.0\nThread-Index: AQHcqxIbQWxpY2U=\nContent-Language: en-us\n\nThis is a multipart message in MIME " +
			"format.\n\n" + parts("----=_NextPart_000_0012_01DCAB1E.5C3D2A10", words+"\n", page+"\n") + "\n"},
		{name: "outlook-attachment", why: "Outlook with a picture and a file",
			text: who + "Subject: Minutes\nMIME-Version: 1.0\n" + outlook("----=_NextPart_000_0013_01DCAB1E.5C3D2A10", words, gif,
				file("application/pdf", "minutes.pdf", pdf))},
		{name: "outlook-express", why: "Outlook Express 6", text: who +
			"Subject: Minutes\nDate: Tue, 3 Mar 2026 09:15:42 +0100\nMIME-Version: 1.0\nX-Priority: 3\nX-MSMail-Priority: " +
			"Normal\nX-Mailer: Microsoft Outlook Express 6.00.2900.5931\n" + outlook("----=_NextPart_000_0001", words)},
		{name: "exchange", why: "Exchange: long headers, base64 for everything",
			text: "X-MS-Exchange-Organization-SCL: -1\nx-ms-traffictypediagnostic: AB1PR01MB1234:EE_\nx-microsoft-antispam-message-info:\n " +
				strings.Repeat("QUJDREVGR0hJSktMTU5PUA", 30) + "\n" + who +
				"Subject: =?utf-8?B?TWludXRlcw==?=\nMIME-Version: 1.0\nContent-Type: text/plain; " +
				"charset=\"utf-8\"\nContent-Transfer-Encoding: base64\n\n" + b64("Hello\r\n")},
		{name: "exchange-stub", why: "Exchange's table of attachments that it moved",
			text: who + "Subject: Minutes\nMIME-Version: 1.0\n" + multi("mixed", "_004_AB1PR01MB1234_",
				multi("related", "_003_AB1PR01MB1234_", multi("alternative", "_000_AB1PR01MB1234_", words, page)), gif)},
		{name: "apple-mail", why: "Apple Mail puts files between pieces of text",
			text: who + "Subject: Minutes\nMime-Version: 1.0 (Mac OS X Mail 16.0 \\(3774.600.62\\))\nX-Mailer: Apple Mail (2.3774.600.62)\n" +
				multi("mixed", "Apple-Mail=_5B6F6C0E-2C2A-4F0B-9B7E-0C8D1A2B3C4D", words, file("application/pdf", "minutes.pdf", pdf),
					part("Content-Transfer-Encoding: 7bit\n"+ascii, "\nand below\n"))},
		{name: "apple-double", why: "a Macintosh file in two halves (RFC 1740)",
			text: who + "Subject: Minutes\nMime-Version: 1.0\n" + multi("mixed", "Apple-Mail-1", words,
				multi("appledouble", "Apple-Mail-2", part("Content-Type: application/applefile; "+
					"name=\"minutes.pdf\"\nContent-Transfer-Encoding: base64\n"+
					"Content-Disposition: attachment; filename=\"minutes.pdf\"\n",
					b64("\x00\x05\x16\x07\x00\x02\x00\x00Mac "+
						"OS X        \x00\x02\x00\x00\x00\x09\x00\x00\x002\x00\x00\x00 \x00\x00\x00\x02\x00\x00\x00R\x00\x00\x00\x00"+
						strings.Repeat("\x00", 32))), file("application/pdf", "minutes.pdf", pdf)))},
		{name: "apple-single-binhex", why: "a Macintosh file in BinHex, as in 1995",
			text: who + "Subject: Minutes\nMime-Version: 1.0\n" +
				multi("mixed", "=_hqx", words, part("Content-Type: application/mac-binhex40; name=\"note.hqx\"\n",
					"(This file must be converted with BinHex 4.0)\n\n:\"QPdEf4G!RMSEA\"dEfA3!!!!!!#!!!!!!!!dFaRh3!!!!!!!!3%`:\n")), notes: "malformed"},
	}
}

// moreClients: further shapes of mail that clients make.
func moreClients() []mail {
	who := "From: \"Alice Example\" <alice@example.org>\nTo: \"Bob Example\" <bob@example.com>\n"
	gif := file("image/gif", "image001.gif",
		"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")
	page := part("Content-Type: text/html;\n\tcharset=\"us-ascii\"\nContent-Transfer-Encoding: quoted-printable\n",
		qp("<html xmlns:o=\"urn:schemas-microsoft-com:office:office\"><head><!--[if !mso]><style>v\\:* "+
			"{behavior:url(#default#VML);}</style><![endif]--></head><body lang=EN-US><p class=MsoNormal>Hello<o:p></o:p></p></body></html>\n"))
	words := part("Content-Type: text/plain;\n\tcharset=\"us-ascii\"\nContent-Transfer-Encoding: 7bit\n", "Hello\n")
	return []mail{
		{name: "thunderbird", why: "Thunderbird, format=flowed",
			text: "Message-ID: <8f9a@example.org>\nDate: Tue, 3 Mar 2026 09:15:42 +0100\nMIME-Version: 1.0\n" +
				"User-Agent: Mozilla Thunderbird\nContent-Language: de-DE\n" + who +
				"Subject: Minutes\nContent-Type: text/plain; charset=UTF-8; format=flowed\nContent-Transfer-Encoding: 8bit\n\n" +
				"Dies ist ein langer Absatz, der \nweich umbrochen ist.\n> quoted \n> text\n-- \nAlice\n"},
		{name: "thunderbird-attachment", why: "Thunderbird with a file",
			text: who + "Subject: Minutes\nMIME-Version: 1.0\n" +
				"Content-Type: multipart/mixed; boundary=\"------------qZt0Y8v2W1kF0j9sO3mN4b5V\"\n\n" +
				"This is a multi-part message in MIME format.\n" +
				parts("------------qZt0Y8v2W1kF0j9sO3mN4b5V",
					part("Content-Type: text/plain; charset=UTF-8; format=flowed\nContent-Transfer-Encoding: 7bit\n", "Hello\n\n"),
					part("Content-Type: application/pdf; name=\"minutes.pdf\"\n"+
						"Content-Disposition: attachment; filename=\"minutes.pdf\"\nContent-Transfer-Encoding: base64\n", b64(pdf)+"\n"))},
		{name: "gmail", why: "the web mail's text and HTML", text: "MIME-Version: 1.0\nDate: Tue, 3 Mar 2026 09:15:42 +0100\n" +
			"Message-ID: <CAB+x=Yz@mail.example.org>\nSubject: Minutes\n" + who +
			"Content-Type: multipart/alternative; boundary=\"0000000000001b2c3d064f5a6b7c\"\n\n" +
			parts("0000000000001b2c3d064f5a6b7c", part("Content-Type: text/plain; charset=\"UTF-8\"\n", "Hello\n"),
				part("Content-Type: text/html; charset=\"UTF-8\"\n", "<div dir=\"ltr\">Hello</div>\n"))},
		{name: "gmail-attachment", why: "with the id of an attachment",
			text: who + "Subject: Minutes\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"000000000000aabb\"\n\n" +
				parts("000000000000aabb", multi("alternative", "000000000000aabc", words, page),
					part("Content-Type: application/pdf; name=\"minutes.pdf\"\n"+
						"Content-Disposition: attachment; filename=\"minutes.pdf\"\nContent-Transfer-Encoding: base64\n"+
						"X-Attachment-Id: f_m7x0\nContent-ID: <f_m7x0>\n", b64(pdf)))},
		{name: "lotus-notes", why: "Notes writes boundaries with blanks and equals signs",
			text: who + "Subject: Minutes\nMIME-Version: 1.0\nX-Mailer: Lotus Notes Release 8.5.3\n" +
				"Content-Type: multipart/related; boundary=\"=_related 0031A2B4C1258DAB_=\"\n\n--=_related 0031A2B4C1258DAB_=\n" +
				multi("alternative", "=_alternative 0031A2B5C1258DAB_=", words, page) + "--=_related 0031A2B4C1258DAB_=\n" + gif +
				"--=_related 0031A2B4C1258DAB_=--\n"},
		{name: "groupwise", why: "GroupWise's boundaries", text: who +
			"Subject: Minutes\nMime-Version: 1.0\nX-Mailer: Novell GroupWise Internet Agent 8.0.0\n" +
			"Content-Type: multipart/alternative; boundary=\"=__Part1A2B3C4D.0__=\"\n\n" +
			"This is a MIME message. If you are reading this text, you may want to \n" +
			"consider changing to a mail reader or gateway that understands how to \nproperly handle MIME multipart messages.\n\n" +
			parts("=__Part1A2B3C4D.0__=", words, page)},
		{name: "eudora", why: "Eudora: an inline style and a file by its own parameters",
			text: who + "Subject: Minutes\nMime-Version: 1.0\nX-Mailer: QUALCOMM Windows Eudora Version 7.1.0.9\n" +
				"Content-Type: multipart/mixed;\n\tboundary=\"=====================_98765432==_\"\n\n" +
				parts("=====================_98765432==_", part("Content-Type: text/plain; charset=\"us-ascii\"; format=flowed\n",
					"Hello\n"), part("Content-Type: application/pdf; name=\"minutes.pdf\";\n"+
					" x-mac-type=\"50444620\"; x-mac-creator=\"4341524F\"\nContent-Transfer-Encoding: base64\n"+
					"Content-Disposition: attachment; filename=\"minutes.pdf\"\n", b64(pdf)))},
		{name: "pine", why: "Pine: boundary of digits and dashes, Content-ID in a text part",
			text: who + "Subject: Minutes\nMIME-Version: 1.0\n" +
				"Content-Type: MULTIPART/MIXED; BOUNDARY=\"-1463811839-1804289383-1772525742=:4711\"\n\n" +
				"  This message is in MIME format.  The first part should be readable text,\n" +
				"  while the remaining parts are likely unreadable without MIME-aware tools.\n\n" +
				parts("-1463811839-1804289383-1772525742=:4711", part("Content-Type: TEXT/PLAIN; charset=US-ASCII\n", "Hello\n"),
					part("Content-Type: TEXT/PLAIN; charset=US-ASCII; name=\"patch.diff\"\nContent-Transfer-Encoding: BASE64\n"+
						"Content-ID: <Pine.LNX.4.64.4711@host.example.org>\nContent-Description: patch\n"+
						"Content-Disposition: attachment; filename=\"patch.diff\"\n", b64("--- a\n+++ b\n")))},
		{name: "mutt", why: "mutt's random boundary", text: who +
			"Subject: Minutes\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"y0ulUmNC+osPPQO6\"\n" +
			"Content-Disposition: inline\nUser-Agent: Mutt/2.2.9\n\n\n" +
			parts("y0ulUmNC+osPPQO6", part("Content-Type: text/plain; charset=us-ascii\nContent-Disposition: inline\n", "Hello\n"),
				part("Content-Type: text/x-diff; charset=us-ascii\nContent-Disposition: attachment; filename=\"fix.patch\"\n",
					"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"))},
	}
}

// programs: the shapes of mail that programs make, and phones.
func programs() []mail {
	who := "From: \"Alice Example\" <alice@example.org>\nTo: \"Bob Example\" <bob@example.com>\n"
	gif := file("image/gif", "image001.gif",
		"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")
	page := part("Content-Type: text/html;\n\tcharset=\"us-ascii\"\nContent-Transfer-Encoding: quoted-printable\n",
		qp("<html xmlns:o=\"urn:schemas-microsoft-com:office:office\"><head><!--[if !mso]><style>v\\:* "+
			"{behavior:url(#default#VML);}</style><![endif]--></head><body lang=EN-US><p class=MsoNormal>Hello<o:p></o:p></p></body></html>\n"))
	words := part("Content-Type: text/plain;\n\tcharset=\"us-ascii\"\nContent-Transfer-Encoding: 7bit\n", "Hello\n")
	return []mail{
		{name: "mailx", why: "mailx sends no MIME", text: "To: bob@example.com\nSubject: backup ok\n" +
			"Message-Id: <20260303@host.example.org>\nDate: Tue,  3 Mar 2026 03:00:01 +0100 (CET)\nFrom: root <root@host.example.org>\n\nok\n"},
		{name: "phpmailer", why: "PHPMailer's boundary, MD5 in it",
			text: "Date: Tue, 3 Mar 2026 09:15:42 +0100\n" + who +
				"Subject: Your order\nX-Mailer: PHPMailer 6.8.0 (https://github.example/PHPMailer)\nMIME-Version: 1.0\n" +
				"Content-Type: multipart/alternative;\n boundary=\"b1_9e107d9d372bb6826bd81d3542a419d6\"\n" +
				"Content-Transfer-Encoding: 8bit\n\nThis is a multi-part message in MIME format.\n" +
				parts("b1_9e107d9d372bb6826bd81d3542a419d6", part(utf8, "Thank you\n"), part(html, "<p>Thank you</p>\n"))},
		{name: "multipart-7bit", why: "an encoding on a multipart is allowed if it encodes nothing",
			text: who + "Subject: Minutes\nMIME-Version: 1.0\nContent-Transfer-Encoding: 7bit\n" + multi("mixed", "=_7", words, gif)},
		{name: "squirrelmail", why: "SquirrelMail's boundary and its line on top",
			text: who + "Subject: Minutes\nUser-Agent: SquirrelMail/1.4.23\nMIME-Version: 1.0\n" +
				"Content-Type: multipart/mixed;boundary=\"----=_20260303091542_47110\"\nX-Priority: 3 (Normal)\n" +
				"Importance: Normal\n\n" + parts("----=_20260303091542_47110",
				part("Content-Type: text/plain; charset=\"iso-8859-1\"\nContent-Transfer-Encoding: 8bit\n", "Hello\n"), gif)},
		{name: "iphone", why: "a phone: base64 text, and a picture without a text behind it",
			text: "Content-Type: multipart/mixed; boundary=Apple-Mail-3A4B5C6D-7E8F-4A0B-9C1D-2E3F4A5B6C7D\n" +
				"Content-Transfer-Encoding: 7bit\n" + who + "Mime-Version: 1.0 (1.0)\nSubject: Photo\n" +
				"X-Mailer: iPhone Mail (22D63)\n\n\n" + parts("Apple-Mail-3A4B5C6D-7E8F-4A0B-9C1D-2E3F4A5B6C7D",
				part("Content-Type: text/plain; charset=us-ascii\nContent-Transfer-Encoding: 7bit\n", "\n"),
				part("Content-Type: image/png; name=IMG_0815.png; x-apple-part-url=3A4B\n"+
					"Content-Disposition: inline; filename=IMG_0815.png\nContent-Transfer-Encoding: base64\n", b64(png)),
				part("Content-Type: text/plain; charset=us-ascii\nContent-Transfer-Encoding: 7bit\n", "\n\nSent from my phone\n"))},
		{name: "yahoo", why: "boundaries of digits and underscores",
			text: who + "Subject: Minutes\nMIME-Version: 1.0\nContent-Type: multipart/alternative; \n" +
				"\tboundary=\"----=_Part_123456_789012345.1772525742000\"\n\n" + parts("----=_Part_123456_789012345.1772525742000", words, page)},
		{name: "javamail", why: "JavaMail folds parameters and ends fields with a blank",
			text: who + "Subject: Report\nMIME-Version: 1.0\nContent-Type: multipart/mixed; \n" +
				"\tboundary=\"----=_Part_0_1804289383.1772525742000\"\n\n" +
				parts("----=_Part_0_1804289383.1772525742000", words, file("application/pdf", "report.pdf", pdf))},
		{name: "python", why: "Python's email package", text: "Content-Type: " +
			"multipart/mixed; boundary=\"===============1804289383846930886==\"\nMIME-Version: 1.0\nSubject: Report\n" + who + "\n" +
			parts("===============1804289383846930886==", part("Content-Type: text/plain; charset=\"us-ascii\"\nMIME-Version: 1.0\n"+
				"Content-Transfer-Encoding: 7bit\n", "Hello\n"),
				part("Content-Type: application/octet-stream\nMIME-Version: 1.0\nContent-Transfer-Encoding: base64\n"+
					"Content-Disposition: attachment; filename=\"report.pdf\"\n", b64(pdf)))},
	}
}
