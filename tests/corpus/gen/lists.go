package main

import "strings"

// lists: what mailing list software adds and wraps.
func lists() []mail {
	listed := "List-Id: Minutes <minutes.lists.example.org>\nList-Unsubscribe: <mailto:minutes-leave@lists.example.org>,\n " +
		"<https://lists.example.org/leave>\nList-Post: <mailto:minutes@lists.example.org>\nPrecedence: list\nSender: " +
		"minutes-bounces@lists.example.org\n"
	const footer = "_______________________________________________\nMinutes mailing list -- minutes@lists.example.org\nTo " +
		"unsubscribe send an email to minutes-leave@lists.example.org\n"
	words := part(ascii, minutes)
	return []mail{
		{name: "list-footer-text", why: "a footer below plain text", text: listed + top("[Minutes] Monday") + ascii + "\n" + minutes + footer},
		{name: "list-footer-part", why: "Mailman adds its footer as a part",
			text: listed + top("[Minutes] Monday") + multi("mixed", "===============47110815==", words,
				part("Content-Type: text/plain; charset=\"us-ascii\"\nMIME-Version: 1.0\nContent-Transfer-Encoding: "+
					"7bit\nContent-Disposition: inline\n", footer))},
		{name: "list-footer-base64", why: "old list software appends text behind a base64 body; every client ignores it",
			text: listed + top("[Minutes] Monday") + "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n" +
				b64(minutes) + "\n" + footer, notes: "malformed"},
		{name: "list-footer-qp", why: "the same behind quoted-printable",
			text: listed + top("[Minutes] Monday") + "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n" +
				qp("Gr\u00fc\u00dfe\n") + footer},
		{name: "list-footer-epilogue", why: "the same behind the last delimiter",
			text: listed + top("[Minutes] Monday") + multi("mixed", "=_l", words, file("text/csv", "a.csv", "a;b\n")) + footer},
		{name: "list-footer-html", why: "text behind </html>", text: listed + top("[Minutes] Monday") + html +
			"\n<html><body>Hello</body></html>\n" + footer},
		{name: "list-digest-mime", why: "Mailman's digest: mixed, text, digest, text",
			text: listed + top("Minutes Digest, Vol 12, Issue 3") + multi("mixed", "===============1==",
				part(ascii, "Today's Topics:\n\n   1. Monday\n"), multi("digest", "===============2==",
					"Content-Type: message/rfc822\nMIME-Version: 1.0\n\n"+top("Monday")+ascii+"Message: 1\n\n"+minutes,
					"Content-Type: message/rfc822\n\n"+top("Tuesday")+multi("mixed", "=_i", words, words)), part(ascii, footer))},
		{name: "list-digest-plain", why: "a digest in plain text (RFC 1153)",
			text: listed + top("Minutes Digest, Vol 12, Issue 3") + ascii +
				"\nToday's Topics:\n\n   1. " +
				"Monday\n\n\n----------------------------------------------------------------------\n\nMessage: 1\nDate: Tue, 3 Mar " +
				"2026 09:15:42 +0100\nFrom: Alice <alice@example.org>\nSubject: [Minutes] Monday\nContent-Type: text/plain; " +
				"charset=us-ascii\n\n" + minutes + "\n------------------------------\n\nEnd of Minutes Digest, Vol 12, Issue " +
				"3\n**************************************\n"},
		{name: "list-moderation", why: "a held mail shown to the moderator, with the request beside it",
			text: listed + top("Minutes post from x@example.net requires approval") + multi("mixed", "===============3==",
				part(ascii, "As list administrator, your authorization is requested\n"), part("Content-Type: message/rfc822\nMIME-Version: 1.0\n",
					top("Hello")+ascii+"\nHello\n"), part("Content-Type: message/rfc822\nMIME-Version: 1.0\n", "Content-Type: text/plain; "+
					"charset=\"us-ascii\"\nMIME-Version: 1.0\nSubject: confirm 4711\nSender: minutes-request@lists.example.org\n\nIf "+
					"you reply to this message, Mailman will discard the held message.\n"))},
		{name: "list-scrubbed", why: "an archive took the attachment out",
			text: listed + top("[Minutes] Monday") + ascii + "\n" + minutes +
				"-------------- next part --------------\nA non-text attachment was scrubbed...\nName: minutes.pdf\nType: " +
				"application/pdf\nSize: 4711 bytes\nDesc: not available\nURL: <https://lists.example.org/attachments/minutes.pdf>\n"},
		{name: "majordomo", why: "a command answer with quoted commands",
			text: top("Majordomo results") + ascii +
				"\n--\n\n>>>> lists\nMajordomo@example.org serves the following lists:\n\n  minutes\n>>>> end\nEND OF COMMANDS\n"},
		{name: "newsgroup", why: "a news article by mail",
			text: "Path: news.example.org!not-for-mail\nNewsgroups: comp.mail.mime\nXref: news.example.org comp.mail.mime:4711\nLines: 6\n" +
				top("Re: boundaries") + ascii + "\n" + minutes},
	}
}

// texts: plain text that looks like something else.
func texts() []mail {
	text := func(body string) string { return top("Text") + ascii + "\n" + body }
	return []mail{
		{name: "uuencoded", why: "a uuencoded file in the text, as UNIX users sent them",
			text: text("Here it is:\n\n" + uu("notes.txt", strings.Repeat("Line of the notes.\n", 8)) + "\nBye\n")},
		{name: "uuencoded-begin-word", why: "a sentence that starts with begin", text: text("We can\nbegin 1 hour later, if you like.\nend\n")},
		{name: "uuencoded-begin-mode", why: "an explanation of uuencode", text: text("A file starts with\nbegin 644 name\nand ends with\nend\n")},
		{name: "yenc-explained", why: "an explanation of yEnc",
			text: text("The first line is\n\n   =ybegin line=128 size=4711 name=x.txt\n\nand so on.\n")},
		{name: "base64-in-text", why: "a key in a text",
			text: text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExamplePublicKeyOfNobodyAtAll0123456789ab alice@example.org\n\nThe hash is\n\n" +
				b64(strings.Repeat("hash of something ", 12)))},
		{name: "qp-in-text", why: "a text about quoted-printable", text: text("A soft line break is =\nand an umlaut is =C3=BC or =fc.\n")},
		{name: "patch", why: "a patch by git format-patch", text: "From 4f0dc1a5b6c7d8e9f0a1b2c3d4e5f60718293a4b Mon Sep 17 00:00:00 2001\n" +
			top("[PATCH 1/2] entity: read on") + ascii +
			"\nSay why.\n\nSigned-off-by: Alice Example <alice@example.org>\n---\n entity.go | 2 +-\n 1 file changed, 1 " +
			"insertion(+), 1 deletion(-)\n\ndiff --git a/entity.go b/entity.go\nindex 1234567..89abcde 100644\n--- " +
			"a/entity.go\n+++ b/entity.go\n@@ -1,3 +1,3 @@\n-old\n+new\n-- \n2.39.5\n", notes: "malformed"},
		{name: "patch-binary", why: "a binary patch in git's base85",
			text: text("diff --git a/x.png b/x.png\nnew file mode 100644\nGIT binary patch\nliteral " +
				"70\nzcmeAS@N?(olHy`uVBq!ia0vp^0wB!61|;P_|4#%`jKx9jP7LeL$-D$|Tc0kDAs\nliteral 0\nHcmV?d00001\n\n")},
		{name: "mail-in-text", why: "a mail pasted into the text, headers and all",
			text: text("I got this:\n\n" + top("Offer") + multi("mixed", "=_pasted", part(ascii, "Buy\n"), part(ascii, "now\n")))},
		{name: "mail-quoted", why: "the same, quoted",
			text: text("> From: x@example.net\n> Content-Type: multipart/mixed; boundary=\"abc\"\n>\n> --abc\n> Content-Type: " +
				"text/plain\n>\n> Hello\n> --abc--\n")},
		{name: "headers-in-text", why: "a text that begins like a header",
			text: top("Text") + ascii + "\nNote: this is not a header.\nSubject: neither is this\n\nBut this is text.\n"},
		{name: "flowed", why: "format=flowed with space stuffing (RFC 3676)",
			text: top("Flowed") + "Content-Type: text/plain; charset=us-ascii; format=flowed; delsp=yes\n\nA paragraph that " +
				"\ngoes on. \n From here it is stuffed.\n>> quoted \n>> twice\n"},
		{name: "from-escaped", why: "a line that begins with From, escaped by a mailbox",
			text: text("Hello\n>From now on we meet on Mondays.\n")},
		{name: "from-inside", why: "and not escaped", text: text("Hello\n\nFrom now on we meet on Mondays.\n")},
		{name: "source-code", why: "C, shell and HTML in a text",
			text: text("#include <stdio.h>\nint main(void) { puts(\"<script>alert(1)</script>\"); }\n\n#!/bin/sh\nrm -rf \"$TMP\"\n")},
		{name: "rot13", why: "a joke", text: text("Jul qvq gur puvpxra pebff gur ebnq?\n")},
		{name: "ascii-art", why: "a picture of characters", text: text("  /\\_/\\\n ( o.o )\n  > ^ <\n--------\n========\n=_=_=_=_\n")},
		{name: "hexdump", why: "a dump", text: text("0000000 7f45 4c46 0201 0100 0000 0000 0000 0000\n0000020 0300 3e00 0100 0000\n")},
		{name: "csv-body", why: "a table as the body", text: top("Table") +
			"Content-Type: text/csv; charset=us-ascii; header=present\n\na,b,c\n1,2,3\n"},
		{name: "json-body", why: "a program's message", text: top("Alert") +
			"Content-Type: application/json\n\n{\"alert\":\"disk\",\"value\":97}\n"},
		{name: "markdown-rule", why: "a rule of dashes and a fenced block",
			text: text("# Title\n\n---\n\n```\n--boundary\nContent-Type: text/plain\n\nx\n--boundary--\n```\n"), notes: "malformed"},
		{name: "pem-request", why: "a certificate request for the authority",
			text: text("-----BEGIN CERTIFICATE REQUEST-----\n" + b64(strings.Repeat("\x30\x82\x02\x5a\x01", 50)) +
				"-----END CERTIFICATE REQUEST-----\n")},
	}
}

// newsletters: bulk mail that people asked for.
func newsletters() []mail {
	page := "<html><body><table width=\"600\"><tr><td><a href=\"https://click.example.net/u/?qs=abcdef\">Read " +
		"more</a></td></tr></table><img src=\"https://click.example.net/o.gif?u=4711\" width=\"1\" height=\"1\" alt=\"\"></body></html>\n"
	head := "List-Unsubscribe: <https://click.example.net/u/4711>\nList-Unsubscribe-Post: " +
		"List-Unsubscribe=One-Click\nFeedback-ID: 4711:example\nX-CSA-Complaints: abuse@example.net\n"
	return []mail{
		{name: "newsletter", why: "a newsletter with a pixel and counted links",
			text: head + top("News in March") + multi("alternative", "=_news",
				part("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n",
					qp("Read more: https://click.example.net/u/?qs=abcdef\n")), part("Content-Type: text/html; "+
					"charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n", qp(page))), notes: "suspicious"},
		{name: "newsletter-one-line", why: "HTML in a single line of 60 kB",
			text: head + top("News") + html + "\n" + strings.Repeat("<td>cell</td>", 4600) + "\n"},
		{name: "newsletter-base64-long-lines", why: "base64 in one line, against RFC 2045, by a web program",
			text: head + top("News") + "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\n" +
				strings.ReplaceAll(b64(strings.Repeat("<p>news</p>\n", 200)), "\n", "") + "\n", notes: "malformed"},
		{name: "newsletter-preheader", why: "a hidden line for previews, padded with characters without width",
			text: head + top("News") + html + "\n" +
				"<div style=\"display:none\">Preview&zwnj;&nbsp;\u200c\u00a0\u200c\u00a0</div><p>News</p>\n", notes: "suspicious"},
		{name: "receipt", why: "an order confirmation with structured data",
			text: top("Your order 4711") + html + "\n<html><body><script " +
				"type=\"application/ld+json\">{\"@context\":\"http://schema.example.org\"}</script><p>Thank " +
				"you</p></body></html>\n", notes: "suspicious"},
		{name: "survey-form", why: "a survey with a form in the HTML",
			text: top("How did we do?") + html + "\n<form action=\"https://survey.example.net/\" method=\"post\"><input " +
				"type=\"radio\" name=\"a\" value=\"1\"><button>Send</button></form>\n", notes: "suspicious"},
		{name: "password-reset", why: "a link with a long token", text: top("Reset your password") + ascii +
			"\nhttps://www.example.net/reset?token=" + strings.Repeat("0123456789abcdef", 8) + "\n"},
	}
}

// calendars: invitations and answers.
func calendars() []mail {
	event := "BEGIN:VCALENDAR\nPRODID:-//Example//EN\nVERSION:2.0\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:4711@example.org\n" +
		"DTSTAMP:20260303T081542Z\nDTSTART:20260309T090000Z\nDTEND:20260309T100000Z\nSUMMARY:Meeting\n" +
		"ORGANIZER;CN=Alice:mailto:alice@example.org\nATTENDEE;RSVP=TRUE:mailto:bob@example.com\nEND:VEVENT\nEND:VCALENDAR\n"
	calendar := part("Content-Type: text/calendar; charset=\"utf-8\"; method=REQUEST\nContent-Transfer-Encoding: base64\n",
		b64(strings.ReplaceAll(event, "\n", "\r\n")))
	invite := file("application/ics", "invite.ics", strings.ReplaceAll(event, "\n", "\r\n"))
	words := part(ascii, "You are invited.\n")
	return []mail{
		{name: "calendar", why: "an invitation as an alternative",
			text: top("Invitation: Meeting") + multi("alternative", "=_cal", words, part(html, "<p>You are invited.</p>\n"), calendar)},
		{name: "calendar-and-file", why: "and once more as a file",
			text: top("Invitation: Meeting") + multi("mixed", "=_out", multi("alternative", "=_cal", words, calendar), invite)},
		{name: "calendar-alone", why: "Exchange sends the bare calendar",
			text: top("Meeting") + "Content-Type: text/calendar; charset=utf-8; method=REPLY\nContent-Class: " +
				"urn:content-classes:calendarmessage\n\n" + strings.Replace(event, "REQUEST", "REPLY", 1)},
		{name: "calendar-7bit-folded", why: "folded lines of a calendar begin with a blank",
			text: top("Meeting") + "Content-Type: text/calendar; charset=us-ascii; method=PUBLISH; component=VEVENT\n\n" + strings.Replace(event,
				"SUMMARY:Meeting", "SUMMARY:A meeting with a rather long title that has to be folded somewh\n ere in the middle of a word", 1)},
	}
}

// untidy: mail that breaks a rule in a way that all programs read alike.
func untidy() []mail {
	words, data := part(ascii, minutes), file("text/csv", "minutes.csv", "a;b\n1;2\n")
	return []mail{
		{name: "untidy-type-semicolon", why: "a semicolon too many",
			text: top("x") + "Content-Type: text/plain; charset=us-ascii;\n\nHello\n", notes: "malformed"},
		{name: "untidy-type-blank-equals", why: "blanks round the equals sign",
			text: top("x") + "Content-Type: text/plain; charset = us-ascii\n\nHello\n", notes: "malformed"},
		{name: "untidy-type-no-blank", why: "no blank anywhere", text: top("x") + "Content-Type:multipart/mixed;boundary=bb\n\n" + parts("bb",
			words, data)},
		{name: "untidy-encoding-blank", why: "a blank behind the encoding",
			text: top("x") + "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable \n\n" + qp("Gr\u00fc\u00dfe\n")},
		{name: "untidy-encoding-utf8", why: "a charset where the encoding belongs",
			text: top("x") + "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: utf-8\n\nHello\n", notes: "malformed"},
		{name: "untidy-encoding-8-bit", why: "\"8-bit\" instead of \"8bit\"",
			text: top("x") + "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8-bit\n\nGr\u00fc\u00dfe\n", notes: "malformed"},
		{name: "untidy-encoding-empty", why: "an empty encoding", text: top("x") + ascii + "Content-Transfer-Encoding:\n\nHello\n",
			notes: "malformed"},
		{name: "untidy-version-twice", why: "MIME-Version twice, by two programs",
			text: "MIME-Version: 1.0\n" + top("x") + ascii + "\nHello\n", notes: "malformed"},
		{name: "untidy-same-type-twice", why: "the same Content-Type twice, by two programs", text: top("x") + ascii + ascii + "\nHello\n",
			notes: "malformed"},
		{name: "untidy-name-colon-blank", why: "a blank before the colon in a field that does not matter (RFC 5322, section 4.5)",
			text: "X-Header : yes\n" + top("x") + ascii + "\nHello\n", notes: "malformed"},
		{name: "untidy-part-version", why: "MIME-Version and From in a part",
			text: top("x") + multi("mixed", "=_pv", part("MIME-Version: 1.0\nFrom: x@example.org\n"+ascii, "Hello\n"), data)},
		{name: "untidy-double-subject", why: "two subjects by a form program", text: "Subject: one\n" + top("two") + ascii + "\nHello\n",
			notes: "malformed"},
		{name: "untidy-base64-blank-lines", why: "empty lines in base64",
			text: top("x") + "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n\n" +
				strings.ReplaceAll(b64(strings.Repeat(minutes, 3)), "\n", "\n\n")},
		{name: "untidy-base64-short-lines", why: "lines of 60", text: top("x") +
			"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n" + fold(strings.ReplaceAll(b64(strings.Repeat(minutes, 3)), "\n",
			""), 60)},
		{name: "untidy-base64-no-padding", why: "no padding at the end",
			text: top("x") + "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n" + strings.TrimRight(b64("Hello, Bob"),
				"=\n") + "\n", notes: "malformed"},
		{name: "untidy-qp-long-line", why: "a quoted-printable line of 300 characters",
			text: top("x") + "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n" + strings.Repeat("word ",
				60) + "=C3=BC\n", notes: "malformed"},
		{name: "untidy-qp-bare-equals", why: "links with bare equals signs in quoted-printable",
			text: top("x") + "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: " +
				"quoted-printable\n\nhttps://www.example.org/?id=4711&x=yz\n", notes: "malformed"},
		{name: "untidy-qp-lower-case", why: "escapes in lower case",
			text: top("x") + "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: " +
				"quoted-printable\n\nGr=c3=bc=c3=9fe\n", notes: "malformed"},
		{name: "untidy-qp-8bit", why: "8-bit characters left in quoted-printable",
			text: top("x") + "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: " +
				"quoted-printable\n\nGr\u00fc=C3=9Fe\n", notes: "malformed"},
		{name: "untidy-double-close", why: "the last delimiter twice", text: top("x") + multi("mixed", "=_dc", words, data) + "--=_dc--\n",
			notes: "malformed"},
		{name: "untidy-alternative-one-empty", why: "an alternative whose text is empty",
			text: top("x") + multi("alternative", "=_ae", part(ascii, ""), part(html, "<p>Hello</p>\n"))},
	}
}

// encodings: transfer encodings used lawfully but seldom.
func encodings() []mail {
	return []mail{
		{name: "encoding-binary", why: "declared binary, as BDAT allows",
			text: top("x") + "Content-Type: application/octet-stream\nContent-Transfer-Encoding: binary\n\n\x01\x02\xff\xfe\n"},
		{name: "encoding-8bit-html", why: "UTF-8 HTML in eight bits", text: top("x") + html + "\n<p>Gr\u00fc\u00dfe</p>\n"},
		{name: "encoding-base64-text", why: "text in base64 with DOS line ends",
			text: top("x") + "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: BASE64\n\n" + b64(strings.ReplaceAll(minutes,
				"\n", "\r\n"))},
		{name: "encoding-qp-everything", why: "quoted-printable of everything",
			text: top("x") + "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: Quoted-Printable\n\n=48=65=6C=6C=6F=0D=0A\n"},
		{name: "encoding-qp-trailing-blank", why: "an escaped blank at the end of a line, and a soft break behind a blank",
			text: top("x") + "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nHello=20\nworld =\nand all\n"},
		{name: "encoding-comment", why: "a comment behind the encoding (RFC 2045, section 6.1 by its grammar)",
			text: top("x") + "Content-Type: text/plain; charset=us-ascii (Plain text)\nContent-Transfer-Encoding: 7bit (nothing " +
				"to do)\n\nHello\n", notes: "malformed"},
		{name: "encoding-uuencode-declared", why: "x-uuencode as a transfer encoding, by old gateways",
			text: top("x") + "Content-Type: text/plain; name=notes.txt\nContent-Transfer-Encoding: x-uuencode\n\n" + uu("notes.txt",
				"Notes of an old gateway.\n"), notes: "malformed"},
		{name: "encoding-message-8bit", why: "8bit on an attached mail is allowed",
			text: top("Fwd") + "Content-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\n" + top("Inner") + utf8 + "\nGr\u00fc\u00dfe\n"},
		{name: "encoding-message-base64", why: "an attached mail in base64, against RFC 2046, as some gateways send it",
			text: top("Fwd") + multi("mixed", "=_mb", part(ascii, minutes),
				part("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n",
					b64(strings.ReplaceAll(top("Inner")+ascii+"\n"+minutes, "\n", "\r\n")))), notes: "malformed"},
	}
}
