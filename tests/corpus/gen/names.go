package main

// names: attachments whose names are written in all the lawful ways, and the
// unlawful ones that everybody uses.
func names() []mail {
	words := part(ascii, minutes)
	const pdf = "%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
	with := func(head string) string {
		return top("Minutes") + multi("mixed", "=_nm", words, part(head+"Content-Transfer-Encoding: base64\n", b64(pdf)))
	}
	typed := func(rest string) string { return "Content-Type: application/pdf" + rest + "\n" }
	placed := func(rest string) string { return "Content-Disposition: attachment" + rest + "\n" }
	return []mail{
		{name: "name-2231", why: "RFC 2231 as it should be", text: with(typed("") + placed("; filename*=UTF-8''Protokoll%20M%C3%A4rz.pdf"))},
		{name: "name-2231-continued", why: "a long name in pieces",
			text: with(typed("") + placed(";\n filename*0*=UTF-8''Protokoll%20der%20Sitzung%20vom%20;\n "+
				"filename*1*=2.%20M%C3%A4rz%20;\n filename*2=2026.pdf"))},
		{name: "name-2231-pieces-plain", why: "pieces without a charset",
			text: with(typed("") + placed(";\n filename*0=\"minutes of the meeting of monday \";\n filename*1=\"march 2nd 2026.pdf\""))},
		{name: "name-2231-with-fallback", why: "both forms of the same name",
			text: with(typed("") + placed("; filename=\"Protokoll Maerz.pdf\"; filename*=UTF-8''Protokoll%20M%C3%A4rz.pdf"))},
		{name: "name-2231-language", why: "with a language", text: with(typed("") + placed("; filename*=iso-8859-1'de'Protokoll%20M%E4rz.pdf"))},
		{name: "name-2047", why: "an encoded word in a parameter, forbidden and everywhere",
			text: with(typed("; name=\"=?UTF-8?Q?Protokoll_M=C3=A4rz.pdf?=\"") + placed("; filename=\"=?UTF-8?Q?Protokoll_M=C3=A4rz.pdf?=\""))},
		{name: "name-2047-folded", why: "two words, folded",
			text: with(typed(";\n name=\"=?UTF-8?B?UHJvdG9rb2xsIGRlciBTaXR6dW5nIHZvbSA=?=\n =?UTF-8?B?TcOkcnoucGRm?=\""))},
		{name: "name-2047-japanese", why: "ISO-2022-JP in an encoded word",
			text: with(placed("; filename=\"=?iso-2022-jp?B?GyRCMnE1RCROO3FOQRsoQi5wZGY=?=\"") + typed(""))},
		{name: "name-2047-russian", why: "KOI8-R in the type, nothing in the disposition",
			text: with(typed("; name=\"=?koi8-r?B?8NLP1M/Lz8wucGRm?=\"") + placed(""))},
		{name: "name-8bit", why: "raw Latin-1 in a name", text: with(typed("; name=\"Protokoll M\xe4rz.pdf\""))},
		{name: "name-8bit-utf8", why: "raw UTF-8 in a name", text: with(placed("; filename=\"Protokoll M\u00e4rz.pdf\"") + typed(""))},
		{name: "name-gb2312", why: "raw GB2312 in a name", text: with(placed("; filename=\"\xbb\xe1\xd2\xe9\xbc\xcd\xd2\xaa.pdf\"") + typed(""))},
		{name: "name-unquoted-blanks", why: "blanks without quotes, as scanners send them",
			text: with(placed("; filename=Minutes of March.pdf") + typed("; name=Minutes of March.pdf")), notes: "malformed"},
		{name: "name-differs", why: "type and disposition name the file differently but harmlessly",
			text: with(typed("; name=\"ATT00001.pdf\"") + placed("; filename=\"Minutes.pdf\"")), notes: "malformed"},
		{name: "name-quotes-inside", why: "escaped quotes", text: with(placed("; filename=\"the \\\"real\\\" minutes.pdf\"") + typed(""))},
		{name: "name-path", why: "an old mailer sends the whole path",
			text: with(placed("; filename=\"C:\\\\Documents\\\\minutes.pdf\"") + typed(""))},
		{name: "name-dots", why: "people write dots in names", text: with(placed("; filename=\"John.Doe.CV.2026.v1.2.final.pdf\"") + typed(""))},
		{name: "name-very-long", why: "a title as a name: 200 characters",
			text: with(placed("; filename=\"Minutes of the two hundred and eleventh ordinary general meeting of the association "+
				"of the friends of very long names held on the second of march in the year two thousand and twenty-six in the "+
				"hall.pdf\"") + typed(""))},
		{name: "name-apostrophe", why: "apostrophes look like RFC 2231's marks",
			text: with(placed("; filename=\"Alice's and Bob's minutes.pdf\"") + typed(""))},
		{name: "name-percent", why: "a percent sign that escapes nothing", text: with(placed("; filename=\"100% done.pdf\"") + typed(""))},
		{name: "name-semicolon", why: "a semicolon inside quotes", text: with(placed("; filename=\"a; b.pdf\"") + typed(""))},
		{name: "name-none", why: "an attachment without a name", text: with(typed("") + placed(""))},
		{name: "name-comment", why: "a comment behind the value (RFC 2045 allows it)",
			text: with(placed("; filename=minutes.pdf (scanned)") + typed("")), notes: "malformed"},
		{name: "name-trailing-semicolon", why: "a semicolon at the end, as Exchange wrote it",
			text: with(typed("; name=\"minutes.pdf\";") + placed("; filename=\"minutes.pdf\";")), notes: "malformed"},
	}
}
