package hostile

// smuggling: line ends and dots by which one mail server ends a mail and the
// next does not. Arrived as one mail, all of it must be looked at.
func smuggling() []Case {
	second := letterhead + attachment(b64()).text()
	read := in(after("First mail."), content, fromBase64)
	var vs []variant
	for _, m := range []struct{ name, mark string }{
		{"lf-dot-lf", "\n.\n"}, {"lf-dot-crlf", "\n.\r\n"}, {"crlf-dot-lf", "\r\n.\n"}, {"cr-dot-cr", "\r.\r"}, {"cr-dot-crlf",
			"\r.\r\n"}, {"crlf-dot-cr", "\r\n.\r"}, {"lf-dot-crcrlf", "\n.\r\r\n"},
		{"lf-dot-cr-lf-with-commands", "\n.\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"},
	} {
		vs = append(vs, variant{name: m.name, why: "a mail server that ends the mail at the mark and takes the rest for the next mail",
			entity: entity{plainText, "First mail." + m.mark + second}, read: read})
	}
	return at([]place{atTop(), inPart()}, "", vs)
}
