package hostile

// nameDamage: bytes that do not belong there, round a field name. The field is
// needed to see the payload.
func nameDamage() []Case {
	damages := []struct {
		name, why string
		do        func(name, value string) string
	}{
		{"blank-before-colon", "a client that trims names (RFC 5322, section 4.5 allows it)", func(n, v string) string { return n + " : " + v }},
		{"tab-before-colon", "a client that trims names", func(n, v string) string { return n + "\t: " + v }},
		{"blanks-before-colon", "a client that trims names", func(n, v string) string { return n + "     :" + v }},
		{"nul-before-colon", "a client that drops zero bytes", func(n, v string) string { return n + "\x00: " + v }},
		{"nul-before-name", "a client that drops zero bytes", func(n, v string) string { return "\x00" + n + ": " + v }},
		{"nul-in-name", "a client that drops zero bytes", func(n, v string) string { return n[:3] + "\x00" + n[3:] + ": " + v }},
		{"nul-before-value", "a client that drops zero bytes", func(n, v string) string { return n + ":\x00" + v }},
		{"nul-behind-value", "a client that drops zero bytes, or ends strings at them",
			func(n, v string) string { return n + ": " + v + "\x00" }},
		{"nul-in-value", "a client that drops zero bytes", func(n, v string) string { return n + ": " + v[:3] + "\x00" + v[3:] }},
		{"no-break-space-before-colon", "a client that counts the no-break space as a blank",
			func(n, v string) string { return n + "\xa0: " + v }},
		{"byte-order-mark", "a client that drops a byte order mark", func(n, v string) string { return "\ufeff" + n + ": " + v }},
		{"two-colons", "a client that trims stray colons", func(n, v string) string { return n + ":: " + v }},
		{"fold-before-colon", "a client that unfolds before it looks for the colon", func(n, v string) string { return n + crlf + " : " + v }},
		{"vertical-tab-before-colon", "a client that trims all that isspace() knows", func(n, v string) string { return n + "\v: " + v }},
		{"carriage-return-before-colon", "a client that drops stray carriage returns", func(n, v string) string { return n + "\r: " + v }},
	}
	var cases []Case
	for _, d := range damages {
		cases = append(cases, inBoth(leafPlaces(), func(e encoding) []variant {
			return []variant{{name: "encoding-" + d.name, why: d.why, read: opened(e),
				entity: encodingHeader(e, d.do("Content-Transfer-Encoding", e.name)+crlf)}}
		})...)
		cases = append(cases, inBoth(compositePlaces(), func(e encoding) []variant {
			return []variant{{name: "type-" + d.name, why: d.why, read: in(section("foo", 2), opened(e)),
				entity: entity{d.do("Content-Type", "multipart/mixed; boundary=foo") + crlf, multipart("foo", attachment(e).text())}}}
		})...)
	}
	return append(cases, inBoth([]place{inPart(), inNested()}, indentedFirst)...)
}

// indentedFirst begins a part's header with a field that looks like a folded
// line, with nothing before it that could be folded.
func indentedFirst(e encoding) []variant {
	rest, field := octets+attached, encodingIs+e.name+crlf
	body := e.to(EICAR())
	const trims = "a client that trims lines, or takes the first line for a field whatever it looks like"
	return []variant{
		{name: "indented-first-blank", why: trims, entity: entity{" " + field + rest, body}, read: opened(e)},
		{name: "indented-first-tab", why: trims, entity: entity{"\t" + field + rest, body}, read: opened(e)},
		{name: "indented-first-blanks", why: trims, entity: entity{"    " + field + rest, body}, read: opened(e)},
		{name: "indented-all", why: trims, entity: entity{" " + octets + " " + attached + " " + field, body}, read: opened(e)},
		{name: "blanks-line-first", why: "a client that takes a line of blanks before the header for nothing",
			entity: entity{" \r\n" + rest + field, body}, read: opened(e)},
	}
}

// lineEnds: odd line ends between header fields.
func lineEnds() []Case {
	rows := []struct{ name, end, why string }{
		{"cr", "\r", "a client that takes a lone CR for a line end"},
		{"lf", "\n", "a client that takes a lone LF for a line end"},
		{"lfcr", "\n\r", "a client that takes LF for a line end and drops stray CR"},
		{"crcrlf", "\r\r\n", "a client that drops stray CR"},
		{"crlflf", "\r\n\n", "a client that ends the header at CRLF CRLF only"},
		{"crlfcr", "\r\n\r", "a client that drops stray CR"},
		{"crlfcrcrlf", "\r\n\r\r\n", "a client that takes a CR in a line for content, so that the line is not empty"},
		{"crcr", "\r\r", "a client that takes a lone CR for a line end, and ends the header at CRLF CRLF only"},
		{"hash-line", "\r\n#\r\n", "a client that passes over lines without a colon"},
		{"junk-line", "\r\njunk without a colon\r\n", "a client that passes over lines without a colon"},
		{"dashes-line", "\r\n--\r\n", "a client that passes over lines without a colon"},
		{"colon-line", "\r\n: no name\r\n", "a client that passes over fields without a name"},
		{"8-bit-line", "\r\n\xe4\xf6\xfc: x\r\n", "a client that passes over names it cannot read"},
		{"blank-in-name-line", "\r\nTwo words: x\r\n", "a client that passes over names it cannot read"},
		{"mbox-line", "\r\n>From alice@example.org Mon Mar  2 10:00:00 2026\r\n", "a client that knows mailbox marks"},
		{"nul-line", "\r\n\x00\r\n", "a client that drops zero bytes, or passes over the line"},
		{"form-feed", "\r\n\f\r\n", "a client that passes over lines without a colon"},
	}
	var cases []Case
	for _, r := range rows {
		cases = append(cases, inBoth(leafPlaces(), func(e encoding) []variant {
			head := "Content-Type: application/octet-stream" + r.end + encodingIs + e.name + crlf + attached
			return []variant{{name: "encoding-" + r.name, why: r.why, entity: entity{head, e.to(EICAR())}, tidy: r.end == "\n",
				read: in(after(encodingIs), after("\r\n\r\n"), e.from)}}
		})...)
		cases = append(cases, inBoth(compositePlaces(), func(e encoding) []variant {
			head := "X-Before: yes" + r.end + mixedFoo
			return []variant{{name: "type-" + r.name, why: r.why, entity: entity{head, multipart("foo", attachment(e).text())}, tidy: r.end == "\n",
				read: in(section("foo", 2), opened(e))}}
		})...)
	}
	return append(cases, inBoth(leafPlaces(), foldedOddly)...)
}

// foldedOddly folds the field with other than CRLF and a blank.
func foldedOddly(e encoding) []variant {
	var vs []variant
	for _, r := range []struct{ name, fold, why string }{
		{"lf-blank", "\n ", "a client that takes LF and a blank for a fold"},
		{"cr-blank", "\r ", "a client that takes CR and a blank for a fold"},
		{"cr-cr-lf-blank", "\r\r\n ", "a client that drops stray CR"},
		{"lf-cr-blank", "\n\r ", "a client that drops stray CR"},
		{"crlf-no-blank", "\r\n", "a client that takes a line without a colon for a continuation"},
		{"crlf-form-feed", "\r\n\f", "a client that folds at all that isspace() knows"},
	} {
		ent := encodingHeader(e, "Content-Transfer-Encoding:"+r.fold+e.name+crlf)
		vs = append(vs, variant{name: "fold-" + r.name, why: r.why, entity: ent, tidy: r.fold == "\n ",
			read: in(after(encodingIs[:25]), after("\r\n\r\n"), e.from)})
	}
	return vs
}

// separators: the line between a header and its body.
func separators() []Case {
	return inBoth(leafPlaces(), func(e encoding) []variant {
		head := "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=papers.dat\r\n" + encodingIs + e.name
		body := e.to(EICAR())
		fromHere := in(after(encodingIs+e.name), e.from)
		var vs []variant
		for _, r := range []struct {
			name, separator, why string
			tidy                 bool
		}{
			{"crcr", "\r\r", "a client that takes CR for a line end", false},
			{"lflf", "\n\n", "every client that takes LF for a line end", true},
			{"crlflf", "\r\n\n", "a client that takes LF for a line end", true},
			{"lfcrlf", "\n\r\n", "a client that takes LF for a line end", true},
			{"crlf-cr-crlf", "\r\n\r\r\n", "a client that drops stray CR", false},
			{"lfcrlfcr", "\n\r\n\r", "a client that drops stray CR", true},
			{"missing", "\r\n", "a client that ends the header at the first line that is no field", false},
			{"one-too-many", "\r\n\r\n\r\n", "every client: an empty line changes nothing here", true},
			{"blanks", "\r\n   \r\n", "a client that takes a line of blanks for empty", false},
			{"tab", "\r\n\t\r\n", "a client that takes a line of blanks for empty", false},
			{"junk", "\r\njunk\r\n\r\n", "a client that passes over lines without a colon", false},
			{"junk-no-empty-line", "\r\n==\r\n", "a client that ends the header at the first line that is no field", false},
			{"form-feed", "\r\n\f\r\n", "a client that takes a line of white space for empty", false},
			{"nul-line", "\r\n\x00\r\n", "a client that drops zero bytes", false},
		} {
			vs = append(vs, variant{name: r.name, why: r.why, tidy: r.tidy, entity: splice(head, r.separator, body), read: fromHere})
		}
		return append(vs, encodingBelow(e)...)
	})
}

// splice returns an entity with another separator. An entity's text puts CRLF CRLF
// before the body, so this one is all head.
func splice(head, separator, body string) entity {
	return entity{head: head + separator + body}
}

// encodingBelow has the transfer encoding after the empty line, where a client
// sees it that takes the empty line for a mistake.
func encodingBelow(e encoding) []variant {
	field, body := encodingIs+e.name+crlf, e.to(EICAR())
	read := in(after(field), e.from)
	const mistake = "a client that takes an early empty line for a mistake, or looks for encoded text itself"
	return []variant{
		{name: "encoding-below", why: mistake, read: read, entity: splice(octets+attached, crlf, field+crlf+body)},
		{name: "encoding-below-no-line", why: mistake, read: read, entity: splice(octets+attached, crlf, field+body)},
		{name: "encoding-below-text-before", why: mistake, read: read, entity: splice(octets+attached, crlf, "Some text.\r\n"+field+crlf+body)},
		{name: "encoding-below-text-behind", why: mistake, read: in(read),
			entity: splice(octets+attached, crlf, field+crlf+body+crlf+"Some text.\r\n")},
		{name: "all-below", why: "a client that passes over empty lines before a header", read: read,
			entity: entity{"", octets + attached + field + crlf + body}},
		{name: "all-below-two", why: "a client that passes over empty lines before a header", read: read,
			entity: entity{"", crlf + octets + attached + field + crlf + body}},
	}
}
