package main

import "strings"

// reports: mail that programs write.
func reports() []mail {
	explain := part(ascii, "This is the mail system at host mx.example.com.\n\nYour message could not be delivered.\n")
	status := part("Content-Description: Delivery report\nContent-Type: message/delivery-status\n",
		"Reporting-MTA: dns; mx.example.com\nX-Postfix-Queue-ID: 4F0DC1\nArrival-Date: Tue,  3 Mar 2026 09:15:43 +0100 "+
			"(CET)\n\nFinal-Recipient: rfc822; carol@example.com\nOriginal-Recipient: rfc822;carol@example.com\nAction: "+
			"failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 <carol@example.com>: unknown\n")
	original := top("Inner") + multi("mixed", "=_orig", part(ascii, minutes), file("text/csv", "a.csv", "a;b\n"))
	returned := part("Content-Description: Undelivered Message\nContent-Type: message/rfc822\n", original)
	report := func(kind string, each ...string) string {
		return "Return-Path: <>\nFrom: MAILER-DAEMON@example.com (Mail Delivery System)\nTo: alice@example.org\nSubject: " +
			"Undelivered Mail Returned to Sender\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\nContent-Type: " +
			"multipart/report; report-type=" + kind + ";\n\tboundary=\"4F0DC1.1772525743/mx.example.com\"\n\n" +
			parts("4F0DC1.1772525743/mx.example.com", each...)
	}
	return []mail{
		{name: "dsn", why: "a bounce (RFC 3464)", text: report("delivery-status", explain, status, returned)},
		{name: "dsn-headers", why: "a bounce with only the headers",
			text: report("delivery-status", explain, status, part("Content-Type: text/rfc822-headers\n", top("Inner")))},
		{name: "dsn-headers-multipart", why: "the headers of a multipart: a boundary, and nothing it could divide",
			text: report("delivery-status", explain, status, part("Content-Type: text/rfc822-headers\n",
				top("Inner")+"Content-Type: multipart/mixed; boundary=\"gone\"\n"))},
		{name: "dsn-cut", why: "a bounce quotes only the first kilobytes: the inner multipart is never closed",
			text: report("delivery-status", explain, status, part("Content-Type: message/rfc822\n",
				strings.TrimSuffix(original, "--=_orig--\n"))), notes: "malformed"},
		{name: "dsn-cut-base64", why: "cut in the middle of base64",
			text: report("delivery-status", explain, status, part("Content-Type: message/rfc822\n",
				original[:strings.LastIndex(original, "\n--=_orig--")-3])), notes: "malformed"},
		{name: "dsn-delayed", why: "a warning", text: report("delivery-status", explain, strings.Replace(status, "failed", "delayed", 1))},
		{name: "dsn-utf8", why: "the international form (RFC 6533)",
			text: report("delivery-status", explain, strings.Replace(status, "message/delivery-status", "message/global-delivery-status", 1),
				strings.Replace(returned, "message/rfc822", "message/global", 1))},
		{name: "bounce-qmail", why: "qmail bounces are plain text with the mail below",
			text: "From: MAILER-DAEMON@example.com\nTo: alice@example.org\nSubject: failure notice\n\nHi. This is the qmail-send " +
				"program at example.com.\nI'm afraid I wasn't able to deliver your message to the following " +
				"addresses.\n\n<carol@example.com>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a " +
				"copy of the message.\n\nReturn-Path: <alice@example.org>\n" + original},
		{name: "bounce-sendmail-old", why: "bounces before DSN",
			text: "From: Mail Delivery Subsystem <MAILER-DAEMON@example.com>\nTo: alice@example.org\nSubject: Returned mail: " +
				"User unknown\n\n   ----- Transcript of session follows -----\n550 carol... User unknown\n\n   ----- Unsent message " +
				"follows -----\n" + top("Inner") + ascii + "\n" + minutes},
		{name: "bounce-exim", why: "Exim's plain form",
			text: "From: Mail Delivery System <Mailer-Daemon@example.com>\nTo: alice@example.org\nSubject: Mail delivery failed: " +
				"returning message to sender\n\nThis message was created automatically by mail delivery software.\n\n  " +
				"carol@example.com\n    Unrouteable address\n\n------ This is a copy of the message, including all the headers. " +
				"------\n\n" + top("Inner") + ascii + "\n" + minutes},
		{name: "mdn", why: "a read receipt (RFC 8098)", text: report("disposition-notification",
			part(ascii, "This is a Return Receipt for the mail that you sent.\n"), part("Content-Type: message/disposition-notification\n",
				"Reporting-UA: example.com; Mailer 1.0\nFinal-Recipient: rfc822;bob@example.com\nOriginal-Message-ID: "+
					"<20260303081542.4711@mail.example.org>\nDisposition: manual-action/MDN-sent-manually; displayed\n"))},
		{name: "arf", why: "an abuse report (RFC 5965)", text: report("feedback-report", part(ascii, "This is an email abuse report.\n"),
			part("Content-Type: message/feedback-report\n",
				"Feedback-Type: abuse\nUser-Agent: SomeGenerator/1.0\nVersion: 1\n"),
			part("Content-Type: message/rfc822\nContent-Disposition: inline\n", original))},
		{name: "vacation", why: "an automatic answer", text: "Auto-Submitted: auto-replied (vacation)\nPrecedence: bulk\n" +
			top("Out of office: Minutes") + ascii + "\nI am away until Monday.\n"},
		{name: "dmarc-report", why: "a DMARC report in gzip",
			text: "From: noreply-dmarc@example.net\nTo: dmarc@example.org\nSubject: Report Domain: example.org\nMIME-Version: 1.0\n" +
				file("application/gzip", "example.net!example.org!1772409600!1772496000.xml.gz", gz("<feedback/>\n"))},
		{name: "dmarc-report-zip", why: "the same in zip",
			text: "From: noreply-dmarc@example.net\nTo: dmarc@example.org\nSubject: Report Domain: example.org\nMIME-Version: 1.0\n" +
				file("application/zip", "example.net!example.org!1772409600!1772496000.zip",
					zipped("example.net!example.org!1772409600!1772496000.xml", "<feedback/>\n"))},
		{name: "tls-report", why: "a TLS report (RFC 8460)",
			text: "From: tls@example.net\nTo: tlsrpt@example.org\nSubject: Report Domain: example.org\nTLS-Report-Domain: " +
				"example.org\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=\"tlsrpt\"; " +
				"boundary=\"----=_tls\"\n\n" + parts("----=_tls", part(ascii, "This is an aggregate TLS report.\n"),
				file("application/tlsrpt+gzip", "example.net!example.org!1772409600!1772496000!001.json.gz", gz("{}\n")))},
		{name: "challenge", why: "an SMTP dialogue quoted in a report to the postmaster",
			text: top("Postfix SMTP server: errors from unknown[192.0.2.1]") + ascii +
				"\nTranscript of session follows.\n\n Out: 220 mx.example.com ESMTP Postfix\n In:  EHLO x\n Out: 250 " +
				"mx.example.com\n In:  MAIL FROM:<a@example.net>\n In:  DATA\n In:  .\n"},
		{name: "logwatch", why: "a log digest, full of odd words",
			text: top("Logwatch for host (Linux)") + ascii +
				"\n ################### Logwatch 7.5.6 ####################\n --------------------- Postfix Begin " +
				"------------------------\n\n    1.052M  Bytes accepted                         1,102,867\n  ========   " +
				"==================================================\n ---------------------- Postfix End -------------------------\n"},
	}
}
