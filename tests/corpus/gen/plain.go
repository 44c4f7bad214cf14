package main

import "strings"

// plain: mail without MIME, or hardly with any.
func plain() []mail {
	from := "From: alice@example.org\n"
	return []mail{
		{name: "plain", why: "the simplest mail with MIME", text: top("Minutes") + ascii + "\n" + minutes},
		{name: "no-mime", why: "RFC 822 mail, as cron and old scripts send it",
			text: "From: root@example.org\nTo: admin@example.org\nSubject: Cron <root@host> run-parts /etc/cron.daily\nDate: " +
				"Tue, 3 Mar 2026 06:25:01 +0100\n\n/etc/cron.daily/backup:\n12 files copied\n"},
		{name: "only-from", why: "a header with nothing but From is all that some devices send", text: from + "\nThe door is open.\n"},
		{name: "empty-body", why: "a mail may have no words at all", text: top("Did you get it?") + ascii + "\n"},
		{name: "no-body", why: "without a body the empty line may be missing (RFC 5322, section 2.1)",
			text: from + "To: bob@example.com\nSubject: No body at all\nDate: Tue, 3 Mar 2026 09:00:00 +0000\n"},
		{name: "lf-only", why: "mail that passed a UNIX pipe has bare LF", text: top("Line feeds") + ascii + "\n" + minutes, raw: true},
		{name: "lf-only-multipart", why: "the same for a multipart",
			text: top("Line feeds") + multi("mixed", "=_lf", part(ascii, minutes), file("text/csv", "a.csv", "a;b\n1;2\n")), raw: true},
		{name: "no-line-end-at-end", why: "the last line may lack its end", text: strings.TrimSuffix(top("Cut")+ascii+"\n"+minutes, "\n")},
		{name: "body-of-blanks", why: "a phone sends a blank where nobody wrote anything", text: top("Blank") + ascii + "\n \n"},
		{name: "many-empty-lines", why: "forms come as mostly empty lines",
			text: top("Form") + ascii + "\n" + strings.Repeat("\n", 120) + "ok\n"},
		{name: "trailing-whitespace", why: "people leave blanks and tabs at the end of lines",
			text: top("Blanks") + ascii + "\nHello   \nworld\t\t\n  \t \nBye \n"},
		{name: "tabs", why: "tables made of tabs", text: top("Table") + ascii + "\nName\tQuantity\tPrice\nPaper\t12\t3.50\n"},
		{name: "dots", why: "lines that are dots, undone by the MTA", text: top("Dots") + ascii + "\n.\n..\n...\n.hidden\n"},
		{name: "signature-line", why: "a signature is set off by two dashes and a blank",
			text: top("Hello") + ascii + "\nHello\n\n-- \nAlice Example\nhttps://www.example.org/\n"},
		{name: "form-feed", why: "printed reports have form feeds", text: top("Report") + ascii + "\nPage 1\n\f\nPage 2\n\f\n"},
		{name: "backspaces", why: "manual pages underline with backspaces",
			text: top("man page") + ascii + "\nN\bNA\bAM\bME\bE\n     _\bf_\bi_\bl_\be\n"},
		{name: "escape-sequences", why: "build logs have colours", text: top("Build failed") + ascii + "\n\x1b[31merror:\x1b[0m undefined: x\n"},
		{name: "long-line", why: "a paragraph in one line of 5000 characters",
			text: top("Long line") + utf8 + "\n" + strings.Repeat("word ", 1000) + "\n"},
		{name: "very-long-line", why: "JSON in one line of 120 kB",
			text: top("Export") + ascii + "\n{" + strings.Repeat("\"key\":\"value\",", 8600) + "\"end\":1}\n"},
		{name: "cr-in-text", why: "a progress bar in a log has lone CR; most MTAs leave it",
			text: strings.ReplaceAll(top("Log")+ascii+"\n10%\r20%\r30%\rdone\n", "\n", "\r\n"), raw: true, notes: "malformed"},
		{name: "mixed-line-ends", why: "a script pasted a UNIX file between DOS lines",
			text: strings.ReplaceAll(top("Mixed")+ascii+"\nfirst\n", "\n", "\r\n") + "second\nthird\nfourth\r\n", raw: true, notes: "malformed"},
		{name: "nul-in-body", why: "an old database pads fields with zeros; Postfix keeps them",
			text: top("Record") + ascii + "\nfield one\x00\x00\x00field two\n", notes: "malformed"},
		{name: "type-without-version", why: "many scripts forget MIME-Version; everybody reads it as MIME",
			text: from + "Subject: x\nContent-Type: text/plain; charset=utf-8\n\nGr\u00fc\u00dfe\n", notes: "malformed"},
		{name: "version-comment", why: "a comment in MIME-Version is allowed (RFC 2045, section 4)",
			text: from + "MIME-Version: 1.0 (produced by MetaSend Vx.x)\nContent-Type: text/plain\n\nHello\n"},
		{name: "type-text-alone", why: "\"text\" without a subtype is what early MIME mailers wrote",
			text: from + "MIME-Version: 1.0\nContent-Type: text\n\nHello\n", notes: "malformed"},
		{name: "type-7-lines", why: "a type with many parameters, folded at each",
			text: from + "MIME-Version: 1.0\nContent-Type: text/plain;\n charset=utf-8;\n format=flowed;\n delsp=yes;\n " +
				"reply-type=original;\n x-unix-mode=0644;\n name=note.txt\n\nHello\n"},
	}
}

// headers: odd but lawful header fields.
func headers() []mail {
	body := ascii + "\n" + minutes
	h := func(lines string) string { return "From: alice@example.org\n" + lines + "MIME-Version: 1.0\n" + body }
	return []mail{
		{name: "subject-8bit-latin1", why: "old mailers put Latin-1 into headers as it is", text: h("Subject: Gr\xfc\xdfe aus K\xf6ln\n")},
		{name: "subject-8bit-utf8", why: "internationalised mail has UTF-8 headers (RFC 6532)",
			text: "From: J\u00f6rg <j\u00f6rg@example.org>\nTo: bob@example.com\nSubject: Gr\u00fc\u00dfe\nMIME-Version: 1.0\n" + body},
		{name: "subject-encoded", why: "the ordinary encoded word", text: h("Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=\n")},
		{name: "subject-encoded-folded", why: "a character may be split over two words by careless mailers",
			text: h("Subject: =?utf-8?B?R3LD?=\n =?utf-8?B?vMOfZQ==?=\n")},
		{name: "subject-encoded-long", why: "words over 75 characters are common",
			text: h("Subject: =?utf-8?Q?" + strings.Repeat("=C3=BC", 60) + "?=\n")},
		{name: "subject-looks-encoded", why: "text about encoded words", text: h("Subject: What does =? mean in a header, and ?= at the end?\n")},
		{name: "subject-empty", why: "an empty subject", text: h("Subject:\n")},
		{name: "subject-folded-blank", why: "folded at a double blank, so that a line begins with two",
			text: h("Subject: A rather long subject that goes on\n  and on\n\tand on\n")},
		{name: "subject-missing-blank", why: "no blank behind the colon", text: h("Subject:Minutes\nX-Mailer:Script\n")},
		{name: "names-lower-case", why: "field names in lower case, as some libraries write them",
			text: "from: alice@example.org\nto: bob@example.com\nsubject: Minutes\nmime-version: 1.0\ncontent-type: text/plain; " +
				"charset=us-ascii\ncontent-transfer-encoding: 7bit\n\n" + minutes},
		{name: "names-upper-case", why: "field names in capitals, as mainframes write them",
			text: "FROM: ALICE@EXAMPLE.ORG\nTO: BOB@EXAMPLE.COM\nSUBJECT: MINUTES\nMIME-VERSION: 1.0\nCONTENT-TYPE: TEXT/PLAIN; " +
				"CHARSET=US-ASCII\n\nMINUTES ATTACHED\n"},
		{name: "comments", why: "comments in address and date (RFC 5322, section 3.2.2)",
			text: h("To: bob@example.com (Bob (the second) Example)\nDate: Tue, 3 Mar 2026 09:15:42 +0100 (CET)\n")},
		{name: "groups", why: "undisclosed recipients are an empty group", text: h("To: undisclosed-recipients:;\n")},
		{name: "from-two", why: "two authors need a Sender (RFC 5322, section 3.6.2)",
			text: "From: alice@example.org, carol@example.org\nSender: office@example.org\nTo: bob@example.com\nMIME-Version: 1.0\n" + body},
		{name: "from-quoted", why: "quotes, commas and an at sign in a display name",
			text: "From: \"Example, Alice \\\"Al\\\" @work\" <alice@example.org>\nMIME-Version: 1.0\n" + body},
		{name: "from-percent", why: "a source route from old times",
			text: "From: <@relay.example.net:alice@example.org>\nMIME-Version: 1.0\n" + body},
		{name: "received-30", why: "a forwarded mail with thirty hops",
			text: strings.Repeat("Received: from a.example.net (a.example.net [192.0.2.1])\n\tby b.example.net (Postfix) with "+
				"ESMTPS id 4F0DC1\n\tfor <bob@example.com>; Tue, 3 Mar 2026 09:15:43 +0100 (CET)\n", 30) + h("")},
		{name: "references-100", why: "a long thread has long References",
			text: h("References:" + strings.Repeat("\n <20260303081542.4711@mail.example.org>", 100) + "\n")},
		{name: "to-500", why: "five hundred recipients in To", text: h("To: " + strings.TrimSuffix(strings.Repeat("bob@example.com,\n ", 500),
			",\n ") + "\n")},
		{name: "header-line-2000", why: "an unfolded header line of 2000 characters, as web programs write them",
			text: h("X-Session: " + strings.Repeat("0123456789", 200) + "\n")},
		{name: "dkim-arc", why: "DKIM and ARC fill a header",
			text: "ARC-Seal: i=1; a=rsa-sha256; d=example.net; s=arc; t=1772525742; cv=none;\n b=" + strings.Repeat("Qm9iQWxp",
				20) + "\nARC-Message-Signature: i=1; a=rsa-sha256; c=relaxed/relaxed; d=example.net; s=arc;\n" +
				" h=from:to:subject; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\n b=" + strings.Repeat("Qm9iQWxp", 20) +
				"\nARC-Authentication-Results: i=1; mx.example.net; dkim=pass header.d=example.org; spf=pass\n" +
				"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=example.org; s=mail;\n" +
				"\tt=1772525742; h=From:To:Subject:Date:From;\n\tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\n\tb=" +
				strings.Repeat("QWxpY2VF", 40) + "\n" + h("Subject: Signed by many\n")},
		{name: "long-field-name", why: "a field name of 70 characters", text: h("X-" + strings.Repeat("Very-Long-", 7) + "Name: 1\n")},
		{name: "field-name-odd", why: "any printable character but the colon may stand in a name", text: h("X_Mail'er$v2.0!: yes\nX-.: 1\n")},
		{name: "empty-fields", why: "fields without a value", text: h("Cc:\nX-Empty:\nX-Blank: \nReply-To: \n")},
		{name: "date-odd", why: "two-digit years and zone names (RFC 5322, section 4.3)", text: h("Date: 3 Mar 26 09:15 EST\n")},
		{name: "resent", why: "mail sent on by its receiver",
			text: "Resent-From: bob@example.com\nResent-To: carol@example.net\nResent-Date: Wed, 4 Mar 2026 10:00:00 " +
				"+0100\nResent-Message-ID: <r1@example.com>\n" + h("")},
		{name: "mbox-from", why: "a mail taken out of a mailbox file keeps its From line",
			text: "From alice@example.org Tue Mar  3 09:15:42 2026\n" + h("Subject: From a mailbox\n"), notes: "malformed"},
		{name: "status-fields", why: "mailbox files carry their own fields",
			text: h("Status: RO\nX-Status: A\nX-Keywords:\nX-UID: 4711\nX-Mozilla-Status: 0001\nX-Mozilla-Status2: 00000000\n")},
	}
}
