package hostile

// typeTwice: a part that is a file for one client and a multipart for another.
func typeTwice() []Case {
	cases := inBoth(compositePlaces(), typeOfComposite)
	return append(cases, inBoth(leafPlaces(), typeOfLeaf)...)
}

// typeOfComposite varies the type of a multipart(foo) that holds the payload.
func typeOfComposite(e encoding) []variant {
	body := multipart("foo", attachment(e).text())
	read := in(section("foo", 2), opened(e))
	const mixed = "multipart/mixed; boundary=foo"
	rows := []struct {
		name, head, why string
		tidy            bool
	}{
		{"file-multipart", octets + mixedFoo, "a client that obeys the last field", false},
		{"multipart-file", mixedFoo + octets, "a client that obeys the first field", false},
		{"text-multipart", "Content-Type: text/plain\r\n" + mixedFoo, "a client that obeys the last field", false},
		{"multipart-text", mixedFoo + "Content-Type: text/plain\r\n", "a client that obeys the first field", false},
		{"message-multipart", "Content-Type: message/rfc822\r\n" + mixedFoo, "a client that obeys the last field", false},
		{"empty-multipart", "Content-Type:\r\n" + mixedFoo, "a client that passes over empty fields", false},
		{"multipart-empty", mixedFoo + "Content-Type: \r\n", "a client that passes over empty fields", false},
		{"nonsense-multipart", "Content-Type: nonsense\r\n" + mixedFoo, "a client that passes over fields it cannot read", false},
		{"multipart-nonsense", mixedFoo + "Content-Type: ???\r\n", "a client that passes over fields it cannot read", false},
		{"same-twice", mixedFoo + mixedFoo, "every client: the fields agree", false},
		{"three", "Content-Type: text/html\r\n" + mixedFoo + octets, "a client that looks for a multipart", false},
		{"comma-file-multipart", "Content-Type: application/octet-stream, " + mixed + crlf, "a client that takes the last of a list", false},
		{"comma-multipart-file", "Content-Type: " + mixed + ", application/octet-stream\r\n", "a client that takes the first of a list", false},
		{"comma-text-multipart", "Content-Type: text/plain, " + mixed + crlf,
			"a client that joins duplicate fields as HTTP does, and takes the last", false},
		{"doubled", "Content-Type: multipart/mixedmultipart/mixed; boundary=foo\r\n", "a client that compares the beginning of the type", false},
		{"doubled-blank", "Content-Type: multipart/mixed multipart/mixed; boundary=foo\r\n", "a client that stops at the blank", false},
		{"doubled-semicolon", "Content-Type: multipart/mixed; multipart/mixed; boundary=foo\r\n",
			"a client that passes over parameters without a value", false},
		{"mixed-case", "Content-Type: MuLtIpArT/MiXeD; boundary=foo\r\n", "every client: the type is the same in any case", true},
		{"field-case", "CONTENT-TYPE: multipart/mixed; BOUNDARY=foo\r\n", "every client: names are the same in any case", true},
		{"blanks-round-slash", "Content-Type: multipart / mixed; boundary=foo\r\n", "a client that reads tokens (RFC 822 allowed blanks)", false},
		{"no-subtype", "Content-Type: multipart; boundary=foo\r\n", "a client that looks at the main type only", false},
		{"empty-subtype", "Content-Type: multipart/; boundary=foo\r\n", "a client that looks at the main type only", false},
		{"two-slashes", "Content-Type: multipart/mixed/foo; boundary=foo\r\n", "a client that looks at the main type only", false},
		{"unknown-subtype", "Content-Type: multipart/x-unheard-of; boundary=foo\r\n",
			"every client: unknown multiparts are mixed (RFC 2046, section 5.1.3)", true},
		{"quoted", "Content-Type: \"multipart/mixed\"; boundary=foo\r\n", "a client that takes off quotes", false},
		{"colon", "Content-Type: : multipart/mixed; boundary=foo\r\n", "a client that looks for a type anywhere in the field", false},
		{"no-type", "Content-Type: ; boundary=foo\r\n", "a client that takes a boundary for a multipart", false},
		{"only-boundary", "Content-Type: boundary=foo\r\n", "a client that takes a boundary for a multipart", false},
		{"text-with-boundary", "Content-Type: text/plain; boundary=foo\r\n", "a client that takes a boundary for a multipart", false},
		{"no-field", "", "a client that knows a multipart by its first line, as old UNIX readers do", false},
		{"x-prefix", "Content-Type: x-multipart/mixed; boundary=foo\r\n", "a client that looks for \"multipart\" in the type", false},
		{"encoded-word", "Content-Type: =?us-ascii?Q?multipart/mixed?=; boundary=foo\r\n", "a client that decodes every header alike", false},
		{"slash-escaped", "Content-Type: multipart\\/mixed; boundary=foo\r\n", "a client that undoes quoted pairs anywhere", false},
		{"nul-in-type", "Content-Type: multi\x00part/mixed; boundary=foo\r\n", "a client that drops zero bytes", false},
		{"8-bit-before", "Content-Type: \xef\xbb\xbfmultipart/mixed; boundary=foo\r\n", "a client that drops a byte order mark", false},
	}
	var vs []variant
	for _, r := range rows {
		vs = append(vs, variant{name: r.name, why: r.why, entity: entity{r.head, body}, read: read, tidy: r.tidy})
	}
	return vs
}

// typeOfLeaf gives a plain attachment a second type that would hide it.
func typeOfLeaf(e encoding) []variant {
	const bar = "Content-Type: multipart/mixed; boundary=bar\r\n"
	rows := []struct{ name, head, why string }{
		{"leaf-file-multipart", octets + bar, "a client that obeys the first field"},
		{"leaf-multipart-file", bar + octets, "a client that obeys the last field"},
		{"leaf-multipart", bar, "a client that shows a multipart without parts as a file"},
		{"leaf-message", "Content-Type: message/rfc822\r\n", "a client that undoes the encoding and saves what it gets"},
		{"leaf-comma", "Content-Type: application/octet-stream, multipart/mixed; boundary=bar\r\n", "a client that takes the first of a list"},
		{"leaf-nonsense", "Content-Type: nonsense\r\n", "a client that takes an unreadable type for a file or for text"},
		{"leaf-empty", "Content-Type:\r\n", "a client that takes an empty type for a file or for text"},
		{"leaf-slash", "Content-Type: /\r\n", "a client that takes an unreadable type for a file or for text"},
		{"leaf-two", "Content-Type: text/plain\r\n" + octets, "every client: it is a leaf either way"},
	}
	var vs []variant
	for _, r := range rows {
		ent := entity{r.head + attached + encodingIs + e.name + crlf, e.to(EICAR())}
		vs = append(vs, variant{name: r.name, why: r.why, entity: ent, read: opened(e)})
	}
	return vs
}
