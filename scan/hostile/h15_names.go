package hostile

import "strings"

// names: a denied file name that not every program sees.
func names() []Case {
	vs := append(nameForms(), nameTricks()...)
	for i := range vs {
		vs[i].entity.body = "harmless\r\n"
	}
	return at([]place{atTop(), inPart(), inForwarded()}, "", vs)
}

// fileName returns a variant: header lines in which one client sees name.
func fileName(label, why, head, name string) variant {
	return variant{name: label, why: why, entity: entity{head: head}, payload: named(name), read: func([]byte) []byte { return []byte(name) }}
}

const (
	typeIs        = "Content-Type: application/octet-stream"
	dispositionIs = "Content-Disposition: attachment"
)

// nameForms: the places where a name can be, and the ways to write it.
func nameForms() []variant {
	const first, last, plain = "a client that takes the first", "a client that takes the last", "a client that prefers the plain form"
	const exe = DeniedName
	var vs []variant
	for _, r := range []struct{ label, why, head string }{
		{"type-txt-disposition-exe", "a client that prefers the disposition (RFC 2183)",
			typeIs + "; name=a.txt\r\n" + dispositionIs + "; filename=payload.exe\r\n"},
		{"type-exe-disposition-txt", "a client that prefers the type's name",
			typeIs + "; name=payload.exe\r\n" + dispositionIs + "; filename=a.txt\r\n"},
		{"type-only", "a client that takes the type's name", typeIs + "; name=payload.exe\r\n"},
		{"two-first", first, dispositionIs + "; filename=payload.exe; filename=a.txt\r\n"},
		{"two-last", last, dispositionIs + "; filename=a.txt; filename=payload.exe\r\n"},
		{"two-fields-first", first, dispositionIs + "; filename=payload.exe\r\n" + dispositionIs + "; filename=a.txt\r\n"},
		{"two-fields-last", last, dispositionIs + "; filename=a.txt\r\n" + dispositionIs + "; filename=payload.exe\r\n"},
		{"two-types-first", first, typeIs + "; name=payload.exe\r\n" + typeIs + "; name=a.txt\r\n"},
		{"two-types-last", last, typeIs + "; name=a.txt\r\n" + typeIs + "; name=payload.exe\r\n"},
		{"star-exe-plain-txt", "a client that prefers the extended form", dispositionIs + "; filename=a.txt; filename*=utf-8''payload.exe\r\n"},
		{"star-txt-plain-exe", plain, dispositionIs + "; filename=payload.exe; filename*=utf-8''a.txt\r\n"},
		{"star-language-hyphen", "a client that reads a language tag with a hyphen", dispositionIs + "; filename*=utf-8'en-us'payload.exe\r\n"},
		{"star-percent", "a client that undoes percent escapes", dispositionIs + "; filename*=utf-8''payload%2Eexe\r\n"},
		{"star-all-percent", "a client that undoes percent escapes", dispositionIs + "; filename*=utf-8''%70%61%79%6C%6F%61%64%2E%65%78%65\r\n"},
		{"star-no-charset", "a client that does without the charset", dispositionIs + "; filename*=payload.exe\r\n"},
		{"star-quoted", "a client that takes off quotes first", dispositionIs + "; filename*=\"utf-8''payload%2Eexe\"\r\n"},
		{"star-broken-charset", "a client that falls back to ASCII", dispositionIs + "; filename*=x-unheard-of''payload%2Eexe\r\n"},
		{"pieces", "a client that joins pieces (RFC 2231)", dispositionIs + "; filename*0=payl; filename*1=oad.exe\r\n"},
		{"pieces-star", "a client that joins pieces", dispositionIs + "; filename*0*=UTF-8''payl; filename*1=oad.exe\r\n"},
		{"pieces-star-both", "a client that joins pieces", dispositionIs + "; filename*0*=UTF-8''payload; filename*1*=%2Eexe\r\n"},
		{"pieces-turned", "a client that sorts pieces", dispositionIs + "; filename*1=oad.exe; filename*0=payl\r\n"},
		{"pieces-extension-apart", "a client that joins pieces", dispositionIs + "; filename*0=payload; filename*1=.; filename*2=exe\r\n"},
		{"pieces-gap", "a client that joins over the gap", dispositionIs + "; filename*0=payload; filename*2=.exe\r\n"},
		{"pieces-from-one", "a client that counts from one", dispositionIs + "; filename*1=payload; filename*2=.exe\r\n"},
		{"pieces-beside-plain", "a client that prefers pieces", dispositionIs + "; filename=a.txt; filename*0=payload; filename*1=.exe\r\n"},
		{"pieces-in-type", "a client that joins pieces", typeIs + "; name*0=payload; name*1=.exe\r\n"},
		{"word-q", "a client that decodes words in parameters, against RFC 2047, as most do",
			dispositionIs + "; filename=\"=?UTF-8?Q?payload=2Eexe?=\"\r\n"},
		{"word-b", "a client that decodes words in parameters", dispositionIs + "; filename=\"=?UTF-8?B?cGF5bG9hZC5leGU=?=\"\r\n"},
		{"word-bare", "a client that decodes words in parameters", dispositionIs + "; filename==?UTF-8?B?cGF5bG9hZC5leGU=?=\r\n"},
		{"word-type", "a client that decodes words in parameters", typeIs + "; name=\"=?UTF-8?B?cGF5bG9hZC5leGU=?=\"\r\n"},
		{"words-two", "a client that joins words (RFC 2047, section 6.2)",
			dispositionIs + "; filename=\"=?UTF-8?Q?payload=2E?= =?UTF-8?Q?exe?=\"\r\n"},
		{"words-folded", "a client that joins words", dispositionIs + ";\r\n filename=\"=?UTF-8?Q?payload=2E?=\r\n =?UTF-8?Q?exe?=\"\r\n"},
		{"word-partly", "a client that decodes words inside text", dispositionIs + "; filename=\"payload=?UTF-8?Q?=2Eexe?=\"\r\n"},
		{"word-utf-16", "a client that knows UTF-16", dispositionIs + "; filename=\"=?UTF-16BE?B?AHAAYQB5AGwAbwBhAGQALgBlAHgAZQ==?=\"\r\n"},
		{"word-no-padding", "a client with a lenient decoder", dispositionIs + "; filename=\"=?UTF-8?B?cGF5bG9hZC5leGU?=\"\r\n"},
		{"word-whole-disposition", "a client that decodes a header before it parses it",
			"Content-Disposition: =?UTF-8?Q?attachment=3B_filename=3Dpayload=2Eexe?=\r\n"},
		{"word-language", "a client that knows RFC 2231 words", dispositionIs + "; filename=\"=?UTF-8*en?Q?payload=2Eexe?=\"\r\n"},
		{"unquoted-blanks", "a client that ends the value at the semicolon", dispositionIs + "; filename=my payload.exe\r\n"},
		{"open-quote", "a client that closes the open quote at the end", dispositionIs + "; filename=\"payload.exe\r\n"},
		{"no-semicolon", "a client that looks for filename=", dispositionIs + " filename=payload.exe\r\n"},
		{"comma", "a client that looks for filename=", dispositionIs + ", filename=payload.exe\r\n"},
		{"no-disposition-word", "a client that looks for filename=", "Content-Disposition: filename=payload.exe\r\n"},
		{"disposition-empty", "a client that looks for filename=", "Content-Disposition: ; filename=payload.exe\r\n"},
		{"blank-before-equals", "a client that skips blanks", dispositionIs + "; filename =payload.exe\r\n"},
		{"folded", "a client that unfolds", dispositionIs + ";\r\n\tfilename=\r\n\t\"payload.exe\"\r\n"},
		{"folded-inside", "a client that unfolds without the blank", dispositionIs + "; filename=\"payload.\r\n exe\"\r\n"},
		{"upper-parameter", "every client", dispositionIs + "; FILENAME=payload.exe\r\n"},
		{"name-in-disposition", "a client that takes any name", dispositionIs + "; name=payload.exe\r\n"},
		{"filename-in-type", "a client that takes any name", typeIs + "; filename=payload.exe\r\n"},
		{"comment", "a client that knows comments", dispositionIs + "; filename=(c)payload.exe\r\n"},
		{"comment-behind", "a client that knows comments", dispositionIs + "; filename=payload.exe (a.txt)\r\n"},
		{"quoted-pair", "a client that undoes quoted pairs", dispositionIs + "; filename=\"payload\\.exe\"\r\n"},
		{"single-quotes", "a client that takes single quotes for quotes", dispositionIs + "; filename='payload.exe'\r\n"},
		{"percent-plain", "a client that undoes percent escapes anywhere", dispositionIs + "; filename=\"payload%2Eexe\"\r\n"},
		{"continuation-unindented", "a client that takes a line without a colon for a continuation",
			dispositionIs + ";\r\nfilename=payload.exe\r\n"},
		{"cr-fold", "a client that takes CR and a blank for a fold", dispositionIs + ";\r filename=payload.exe\r\n"},
		{"unreadable-before", "a client that passes over what it cannot read", dispositionIs + "; x:y=1; filename=payload.exe\r\n"},
		{"eight-bit", "every client: the end is ASCII in any charset", dispositionIs + "; filename=\"r\xe9sum\xe9-payload.exe\"\r\n"},
		{"inline", "a client that shows inline parts by name as well", "Content-Disposition: inline; filename=payload.exe\r\n"},
	} {
		v := fileName(r.label, r.why, r.head, exe)
		v.tidy = true
		vs = append(vs, v)
	}
	return vs
}

// nameTricks: names that end otherwise than they look. What the client shows is
// the name itself.
func nameTricks() []variant {
	var vs []variant
	for _, r := range []struct{ label, why, name string }{
		{"trailing-dot", "Windows drops a dot at the end of a name", "payload.exe."},
		{"trailing-dots", "Windows drops dots at the end of a name", "payload.exe..."},
		{"trailing-blank", "Windows drops a blank at the end of a name", "payload.exe "},
		{"trailing-dot-blank", "Windows drops both", "payload.exe . ."},
		{"stream", "Windows opens the unnamed stream", "payload.exe::$DATA"},
		{"percent-nul", "a client that undoes percent escapes and ends at zero", "payload.exe%00.txt"},
		{"nul", "a client that ends strings at zero bytes", "payload.exe\x00.txt"},
		{"semicolon", "a client that ends the name at the semicolon", "payload.exe;.txt"},
		{"rlo", "every client: the name reads exe.txt backwards", "invoice\u202etxt.exe"},
		{"rlo-inside", "every client", "inv\u202efdp.exe"},
		{"isolate", "every client", "inv\u2067fdp\u2069.exe"},
		{"path-slash", "a client that takes the last piece of a path", "../../payload.exe"},
		{"path-backslash", "a client that takes the last piece of a path", `..\..\payload.exe`},
		{"path-drive", "a client that takes the last piece of a path", `C:\payload.exe`},
		{"path-slash-end", "a client that drops slashes at the end", "payload.exe/"},
		{"300-characters", "a client that cuts in the middle", strings.Repeat("a", 300) + ".exe"},
		{"blanks", "every client: the end is out of sight", "invoice.pdf" + strings.Repeat(" ", 60) + ".exe"},
		{"no-break-spaces", "every client: the end is out of sight", "invoice.pdf" + strings.Repeat("\u00a0", 12) + ".exe"},
		{"ideographic-spaces", "every client: the end is out of sight", "invoice.pdf" + strings.Repeat("\u3000", 12) + ".exe"},
		{"double-extension", "every client", "invoice.pdf.exe"},
		{"one-dot-leader", "a client that folds U+2024 to a dot", "payload\u2024exe"},
		{"fullwidth-dot", "a client that folds U+FF0E to a dot", "payload\uff0eexe"},
		{"fullwidth-letters", "a client that folds wide letters", "payload.\uff45\uff58\uff45"},
		{"zero-width", "a client that drops characters without width", "payload.e\u200bxe"},
		{"soft-hyphen", "a client that drops soft hyphens", "payload.e\u00adxe"},
		{"upper-case", "every client", "PAYLOAD.EXE"},
		{"class-id", "the Windows shell takes the class from the name", "papers.{3050F4D8-98B5-11CF-BB82-00AA00BDCE0B}"},
		{"control", "a client that drops control characters", "payload.e\x01xe"},
		{"line-end", "a client that drops line ends", "payload.e\nxe"},
		{"only-extension", "every client", ".exe"},
		{"dot-dot", "every client", "payload..exe"},
		{"quote", "a client that undoes quoted pairs", `pay"load.exe`},
		{"leading-dashes", "every client", "--payload.exe"},
	} {
		extended := dispositionIs + "; filename*=utf-8''" + percent(r.name) + crlf
		vs = append(vs, fileName("trick-"+r.label, r.why, extended, r.name))
		if !strings.ContainsAny(r.name, "\x00\x01\n") {
			quoted := dispositionIs + "; filename=\"" + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(r.name) + "\"\r\n"
			vs = append(vs, fileName("trick-quoted-"+r.label, r.why, quoted, r.name))
		}
	}
	for i := range vs {
		vs[i].tidy = true // the trick is in the name: the attachment scanner's business
	}
	return vs
}

// percent escapes all but letters and digits (RFC 2231, section 4).
func percent(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(s) {
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}

// topFields: a message header that says who wrote, or that this is MIME, in an
// odd way. The attachment is in plain sight.
func topFields() []Case {
	rows := []struct {
		name, head string
		odd        bool
	}{
		{"from-twice", "From: a@example.org\r\nFrom: b@example.org\r\n" + mimeVersion, true},
		{"from-two-addresses", "From: a@example.org, b@example.org\r\n" + mimeVersion, false},
		{"from-comment", "From: a@example.org (b@example.net)\r\n" + mimeVersion, false},
		{"from-encoded", "From: =?utf-8?q?b=40example.net?= <a@example.org>\r\n" + mimeVersion, false},
		{"from-encoded-address", "From: =?utf-8?q?=3Ca=40example.org=3E?=\r\n" + mimeVersion, false},
		{"from-nul", "From: a@example.org\x00 <b@example.net>\r\n" + mimeVersion, true},
		{"from-empty", "From:\r\n" + mimeVersion, false},
		{"from-missing", "Subject: x\r\n" + mimeVersion, false},
		{"from-blank-before-colon", "From : a@example.org\r\n" + mimeVersion, false},
		{"from-three-lines", "From:\r\n a@example.org\r\n\t<b@example.net>\r\n" + mimeVersion, false},
		{"subject-twice", "From: a@example.org\r\nSubject: a\r\nSubject: b\r\n" + mimeVersion, false},
		{"version-missing", "From: a@example.org\r\n", false},
		{"version-2", "From: a@example.org\r\nMIME-Version: 2.0\r\n", false},
		{"version-comment", "From: a@example.org\r\nMIME-Version: (a) 1 (b) . (c) 0\r\n", false},
		{"version-empty", "From: a@example.org\r\nMIME-Version:\r\n", false},
		{"version-nonsense", "From: a@example.org\r\nMIME-Version: x\r\n", false},
		{"version-twice", "From: a@example.org\r\nMIME-Version: 1.0\r\nMIME-Version: 1.0\r\n", false},
		{"version-open-comment", "From: a@example.org\r\nMIME-Version: 1.0 (open\r\n", false},
		{"mbox-from", "From a@example.org Mon Mar  2 10:00:00 2026\r\nFrom: a@example.org\r\n" + mimeVersion, false},
		{"nothing-else", "", false},
	}
	var cases []Case
	for _, e := range []encoding{b64(), qp()} {
		for _, r := range rows {
			cases = append(cases,
				Case{Name: e.short() + "/multipart/" + r.name, Why: "a client that does not mind the odd field", Payload: virus(), WantDeviation: r.odd,
					Message: []byte(r.head + mixedFoo + crlf + multipart("foo", attachment(e).text())), Client: in(section("foo", 2), opened(e))},
				Case{Name: e.short() + "/single/" + r.name, Why: "a client that does not mind the odd field", Payload: virus(), WantDeviation: r.odd,
					Message: []byte(r.head + attachment(e).text()), Client: opened(e)})
		}
	}
	return cases
}
