package main

// charsets: words in many of them, labelled well, badly or not at all.
func charsets() []mail {
	in := func(charset, encoding, body string) string {
		return top("Protokoll") + "Content-Type: text/plain; charset=" + charset + "\nContent-Transfer-Encoding: " + encoding + "\n\n" + body
	}
	return []mail{
		{name: "iso-2022-jp", why: "Japanese mail in its seven-bit charset",
			text: in("iso-2022-jp", "7bit", "\x1b$B2q5D$N;qNA$rE:IU$7$^$9!#\x1b(B\n")},
		{name: "shift-jis", why: "Japanese mail from a phone; some second bytes look like ASCII",
			text: in("Shift_JIS", "8bit", "\x89\xef\x8bc\x82\xcc\x8e\x91\x97\xbf\x82\xf0\x93Y\x95t\x82\xb5\x82\xdc\x82\xb7\x81B\n")},
		{name: "euc-jp", why: "Japanese mail from UNIX", text: in("euc-jp", "8bit",
			"\xb2\xf1\xb5\xc4\xa4\xce\xbb\xf1\xce\xc1\xa4\xf2\xc5\xba\xc9\xd5\xa4\xb7\xa4\xde\xa4\xb9\xa1\xa3\n")},
		{name: "gb18030", why: "Chinese mail, base64 as usual there",
			text: in("gb18030", "base64", b64(
				"\xc7\xeb\xb2\xe9\xca\xd5\xb8\xbd\xbc\xfe\xd6\xd0\xb5\xc4\xbb\xe1\xd2\xe9\xbc\xcd\xd2\xaa\xa1\xa3\n"))},
		{name: "gb2312-8bit", why: "Chinese mail in eight bits, labelled by the older name",
			text: in("GB2312", "8bit", "\xc7\xeb\xb2\xe9\xca\xd5\xb8\xbd\xbc\xfe\xd6\xd0\xb5\xc4\xbb\xe1\xd2\xe9\xbc\xcd\xd2\xaa\xa1\xa3\n")},
		{name: "big5", why: "Chinese mail from Taiwan; second bytes may be a backslash",
			text: in("big5", "8bit", "\xbd\xd0\xacd\xa6\xac\xaa\xfe\xa5\xf3\xa4\xa4\xaa\xba\xb7|\xc4\xb3\xac\xf6\xadn\xa1C\n\xa5\\\xaf\xe0\n")},
		{name: "koi8-r", why: "Russian mail; unlabelled in the subject",
			text: "From: =?koi8-r?B?4czJ08E=?= <alice@example.org>\nSubject: \xf0\xd2\xcf\xd4\xcf\xcb\xcf\xcc\nMIME-Version: " +
				"1.0\nContent-Type: text/plain; charset=koi8-r\nContent-Transfer-Encoding: 8bit\n\n\xf0\xd2\xcf\xd4\xcf\xcb\xcf\xcc " +
				"\xda\xc1\xd3\xc5\xc4\xc1\xce\xc9\xd1 \xd0\xd2\xc9\xcc\xc1\xc7\xc1\xc5\xd4\xd3\xd1.\n"},
		{name: "windows-1251", why: "Russian mail from Windows, quoted-printable",
			text: in("windows-1251", "quoted-printable",
				qp("\xcf\xf0\xee\xf2\xee\xea\xee\xeb \xe7\xe0\xf1\xe5\xe4\xe0\xed\xe8\xff \xef\xf0\xe8\xeb\xe0\xe3\xe0\xe5\xf2\xf1\xff.\n"))},
		{name: "euc-kr", why: "Korean mail, labelled with its old name",
			text: in("ks_c_5601-1987", "8bit", "\xc8\xb8\xc0\xc7\xb7\xcf\xc0\xbb \xc3\xb7\xba\xce\xc7\xd5\xb4\xcf\xb4\xd9.\n")},
		{name: "iso-8859-1", why: "Latin-1 in eight bits", text: in("iso-8859-1", "8bit", "Sehr geehrte Frau M\xfcller, anbei das Protokoll.\n")},
		{name: "iso-8859-15-qp", why: "the euro sign in quoted-printable",
			text: in("ISO-8859-15", "quoted-printable", qp("Das kostet 12 \xa4, Herr M\xfcller.\n"))},
		{name: "windows-1252-as-latin1", why: "Windows quotes under a Latin-1 label, as Outlook Express sent them",
			text: in("iso-8859-1", "8bit", "\x93Quotes\x94 \x96 and a dash, 12 \x80\x85\n")},
		{name: "iso-8859-8-i", why: "Hebrew in logical order", text: in("iso-8859-8-i", "8bit",
			"\xee\xf6\xe5\xf8\xf3 \xf4\xf8\xe5\xe8\xe5\xf7\xe5\xec\n")},
		{name: "windows-1256", why: "Arabic from Windows", text: in("windows-1256", "base64",
			b64("\xe3\xd1\xdd\xde \xe3\xcd\xd6\xd1 \xc7\xe1\xc7\xcc\xca\xe3\xc7\xda\n"))},
		{name: "tis-620", why: "Thai", text: in("tis-620", "8bit", "\xe1\xb9\xba\xc3\xd2\xc2\xa7\xd2\xb9\n")},
		{name: "macintosh", why: "a Macintosh of the nineties", text: in("x-mac-roman", "quoted-printable",
			qp("Voil\x88 le compte rendu, \x88 bient\x99t\n"))},
		{name: "utf-16", why: "UTF-16 with a byte order mark, in base64, as RFC 2781 wants it",
			text: in("utf-16", "base64", "//5TAGUAaAByACAAZwBlAGUAaAByAHQAZQAgAEYAcgBhAHUAIABNAPwAbABsAGUAcgANAAoA\n")},
		{name: "utf-7", why: "UTF-7 from an old Outlook", text: in("utf-7", "7bit", "Gr+APwA3w-e aus K+APY-ln\n")},
		{name: "utf-8-bom", why: "a text that begins with a byte order mark", text: in("utf-8", "8bit", "\ufeffGr\u00fc\u00dfe\n")},
		{name: "utf-8-quoted", why: "the charset in quotes and capitals", text: in("\"UTF-8\"", "8BIT", "Gr\u00fc\u00dfe \U0001f600\n")},
		{name: "ascii-with-8bit", why: "declared ASCII, but it is not; every client shows something",
			text: in("us-ascii", "7bit", "Gr\xfc\xdfe\n"), notes: "malformed"},
		{name: "charset-unknown", why: "a charset nobody knows", text: in("x-user-defined", "8bit", "Gr\xfc\xdfe\n")},
		{name: "charset-empty", why: "an empty charset from a template that was not filled in", text: in("\"\"", "7bit", "Hello\n"),
			notes: "malformed"},
		{name: "charset-none-8bit", why: "no label and eight bits, as old scripts send it",
			text: "From: alice@example.org\nSubject: Gr\xfc\xdfe\n\nSehr geehrte Frau M\xfcller\n"},
		{name: "iso-2022-kr", why: "Korean in seven bits, with shift-out", text: in("iso-2022-kr", "7bit", "\x1b$)C\x0eH8@G7O\x0f\n")},
		{name: "hz-gb-2312", why: "Chinese in seven bits with tildes", text: in("hz-gb-2312", "7bit", "~{;aRi<MR*~}\n")},
		{name: "bidi-text", why: "Hebrew with direction marks in the text, where they belong",
			text: in("utf-8", "8bit", "\u05e9\u05dc\u05d5\u05dd \u200f(abc)\u200e \u202bx\u202c\n")},
		{name: "emoji-zwj", why: "emoji are joined by characters without width",
			text: top("=?utf-8?B?8J+RqOKAjfCfkanigI3wn5Gn?=") + utf8 + "\n\U0001f468\u200d\U0001f469\u200d\U0001f467 see you!\n"},
	}
}
