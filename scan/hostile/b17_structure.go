package hostile

import "strings"

// layout returns a variant of a multipart(foo) that differs in its body only.
func layout(name, why, body string, read Reading, tidy bool) variant {
	return variant{name: name, why: why, entity: entity{mixedFoo, body}, read: read, tidy: tidy}
}

// delimiters: lines that are delimiters for some.
func delimiters() []Case {
	return inBoth(compositePlaces(), func(e encoding) []variant {
		return append(delimiterLines(e), delimiterEnds(e)...)
	})
}

// delimiterLines writes the line before the attachment in other ways.
func delimiterLines(e encoding) []variant {
	const loose = "a client that looks for the delimiter anywhere in a line"
	armed := attachment(e).text()
	var vs []variant
	for _, r := range []struct {
		name, line, why string
		tidy            bool
	}{
		{"blank-before", " --foo\r\n", loose, false},
		{"tab-before", "\t--foo\r\n", loose, false},
		{"blank-behind", "--foo \r\n", "every client: blanks are allowed (RFC 2046, section 5.1.1)", true},
		{"blanks-behind", "--foo \t  \r\n", "every client: blanks are allowed", true},
		{"1000-blanks-behind", "--foo" + strings.Repeat(" ", 1000) + crlf, "every client: blanks are allowed", true},
		{"mid-line", "words --foo\r\n", loose, false},
		{"junk-behind", "--foo junk\r\n", "a client that compares the beginning of the line", false},
		{"glued-junk-behind", "--foojunk\r\n", "a client that compares the beginning of the line", false},
		{"one-dash-behind", "--foo-\r\n", "a client that compares the beginning of the line", false},
		{"three-dashes-behind", "--foo---\r\n", "a client that compares the beginning of the line", false},
		{"dashes-junk-behind", "--foo--junk\r\n", "a client that takes only a bare \"--\" for the end", false},
		{"dashes-before", "----foo\r\n", loose, false},
		{"quoted", "> --foo\r\n", loose, false},
		{"nul-behind", "--foo\x00\r\n", "a client that drops zero bytes, or ends strings at them", false},
		{"nul-before", "\x00--foo\r\n", "a client that drops zero bytes", false},
		{"nul-inside", "--f\x00oo\r\n", "a client that drops zero bytes", false},
		{"cr-behind", "--foo\r\r\n", "a client that drops stray CR", false},
		{"lf-only", "--foo\n", "a client that takes LF for a line end", true},
		{"upper-case", "--FOO\r\n", "a client that compares without case", false},
		{"form-feed-behind", "--foo\f\r\n", "a client that trims all that isspace() knows", false},
		{"byte-order-mark", "\ufeff--foo\r\n", "a client that drops a byte order mark", false},
	} {
		body := "--foo\r\n" + note + r.line + armed + "--foo--\r\n"
		vs = append(vs, layout("line-"+r.name, r.why, body, in(after(r.line), opened(e)), r.tidy))
	}
	return append(vs, delimiterLineEnds(e)...)
}

// delimiterLineEnds has line ends round the delimiter that are none for some.
func delimiterLineEnds(e encoding) []variant {
	armed := attachment(e).text()
	const cr = "a client that takes CR for a line end"
	return []variant{
		layout("cr-before", cr, "--foo\r\n"+strings.TrimSuffix(note, crlf)+"\r--foo\r\n"+armed+"--foo--\r\n", in(after("\r--foo"), opened(e)),
			false),
		layout("cr-round", cr, "--foo\r\n"+strings.TrimSuffix(note, crlf)+"\r--foo\r"+armed+"--foo--\r\n", in(after("\r--foo"), opened(e)),
			false),
		layout("lf-before", "a client that takes LF for a line end",
			"--foo\r\n"+strings.TrimSuffix(note, crlf)+"\n--foo\r\n"+armed+"--foo--\r\n", in(after("\n--foo"), after("\n--foo"), opened(e)), true),
		layout("no-line-before", "a client that looks for the delimiter anywhere",
			"--foo\r\n"+strings.TrimSuffix(note, crlf)+"--foo\r\n"+armed+"--foo--\r\n", in(after("papers.--foo"), opened(e)), false),
		layout("headers-glued", "a client that compares the beginning of the line and reads on", "--foo\r\n"+note+"--foo"+armed+"--foo--\r\n",
			in(after("papers.\r\n--foo"), opened(e)), false),
		layout("header-no-empty-line", "a client that lets a delimiter end a header",
			"--foo\r\nContent-Type: text/plain\r\n--foo\r\n"+armed+"--foo--\r\n", section("foo", 2).then(opened(e)), false),
		layout("header-unfinished", "a client that lets a delimiter end a header", "--foo\r\nContent-Type:\r\n--foo\r\n"+armed+"--foo--\r\n",
			section("foo", 2).then(opened(e)), false),
		layout("two-in-a-row", "every client: a part may be empty", "--foo\r\n--foo\r\n"+note+"--foo\r\n--foo\r\n"+armed+"--foo--\r\n",
			in(section("foo", 4), opened(e)), false),
		layout("all-lf", "every client that takes LF for a line end", strings.ReplaceAll(multipart("foo", armed), crlf, "\n"),
			in(section("foo", 2), opened(e)), true),
		layout("all-cr", cr, strings.ReplaceAll(multipart("foo", armed), crlf, "\r"), in(swap("\r", "\n"), section("foo", 2), opened(e)), false),
		layout("all-crcrlf", "a client that drops stray CR", strings.ReplaceAll(multipart("foo", armed), crlf, "\r\r\n"),
			in(swap("\r\r\n", crlf), section("foo", 2), opened(e)), false),
		layout("all-lfcr", "a client that drops stray CR", strings.ReplaceAll(multipart("foo", armed), crlf, "\n\r"),
			in(without("\r"), section("foo", 2), opened(e)), false),
		layout("mixed", "every client that takes LF for a line end", strings.Replace(multipart("foo", armed), "--foo\r\n", "--foo\n", 1),
			in(section("foo", 2), opened(e)), true),
	}
}

// delimiterEnds ends the multipart in other ways.
func delimiterEnds(e encoding) []variant {
	armed, start := attachment(e).text(), "--foo\r\n"+note
	second := in(section("foo", 2), opened(e))
	const goesOn, forgives = "a client that goes on behind the closing delimiter", "every client: the end of the mail ends the part"
	return []variant{
		layout("close-no-dashes", forgives, start+"--foo\r\n"+armed+"--foo\r\n", second, false),
		layout("close-one-dash", "a client that shows the line as text of the part", start+"--foo\r\n"+armed+"--foo-\r\n", second, false),
		layout("close-missing", forgives, start+"--foo\r\n"+armed, second, false),
		layout("close-missing-no-line-end", forgives, start+"--foo\r\n"+strings.TrimRight(armed, crlf), second, false),
		layout("close-early", goesOn, start+"--foo--\r\n--foo\r\n"+armed+"--foo--\r\n", in(section("foo", 3), opened(e)), false),
		layout("close-early-text", goesOn, start+"--foo--\r\nSome words.\r\n--foo\r\n"+armed+"--foo--\r\n", in(section("foo", 3), opened(e)),
			false),
		layout("close-first", goesOn, "--foo--\r\n--foo\r\n"+note+"--foo\r\n"+armed+"--foo--\r\n", in(section("foo", 3), opened(e)), false),
		layout("close-opens", "a client that takes every delimiter line alike", start+"--foo--\r\n"+armed+"--foo--\r\n", second, false),
		layout("close-twice", forgives, start+"--foo\r\n"+armed+"--foo--\r\n--foo--\r\n", second, true),
		layout("close-blank-before-dashes", "every client", start+"--foo\r\n"+armed+"--foo --\r\n", second, false),
		layout("prefix-longer-inside", "a client that compares whole lines", start+"--foo\r\n"+armed+"--foobar\r\nmore\r\n--foo--\r\n",
			second, false),
		layout("first-is-close-like", "a client that takes only a bare \"--\" for the end",
			"--foo\r\n"+note+"--foo--x\r\n"+armed+"--foo--\r\n", in(after("--foo--x\r\n"), opened(e)), false),
	}
}

// then returns in(r, next), for tables.
func (r Reading) then(next Reading) Reading { return in(r, next) }

// outsideParts: an attachment where only text for old readers should be.
func outsideParts() []Case {
	return inBoth(compositePlaces(), func(e encoding) []variant {
		armed, plain := attachment(e).text(), multipart("foo")
		const first, goesOn = "a client that takes the first thing that looks like a part", "a client that goes on behind the closing delimiter"
		nested := "Content-Type: multipart/mixed; boundary=bar\r\n\r\n"
		return []variant{
			layout("preamble", first, armed+plain, in(content, opened(e)), false),
			layout("preamble-text", first, "Some words.\r\n\r\n"+armed+plain, in(after("Some words.\r\n\r\n"), opened(e)), false),
			layout("preamble-other-delimiter", "a client that guesses the boundary from the first line with two dashes",
				multipart("bar", armed)+plain, in(section("bar", 2), opened(e)), false),
			layout("preamble-indented", "a client that looks for the delimiter anywhere in a line", " --foo\r\n"+armed+plain,
				in(after("--foo\r\n"), opened(e)), false),
			layout("epilogue", goesOn, plain+armed, in(after("--foo--\r\n"), opened(e)), false),
			layout("epilogue-part", goesOn, plain+"--foo\r\n"+armed+"--foo--\r\n", in(section("foo", 3), opened(e)), false),
			layout("epilogue-part-open", goesOn, plain+"--foo\r\n"+armed, in(section("foo", 3), opened(e)), false),
			layout("epilogue-text-part", goesOn, plain+"\r\nSome words.\r\n--foo\r\n"+armed+"--foo--\r\n", in(section("foo", 3), opened(e)), false),
			layout("epilogue-multipart", goesOn, plain+multipart("foo", armed), in(section("foo", 4), opened(e)), false),
			layout("epilogue-headers", goesOn, plain+mixedFoo+crlf+multipart("foo", armed), in(section("foo", 4), opened(e)), false),
			layout("epilogue-other-delimiter", "a client that goes by lines with two dashes", plain+multipart("bar", armed),
				in(section("bar", 2), opened(e)), false),
			layout("epilogue-uuencoded", "a client that finds uuencoded files in any text",
				plain+"begin 644 papers.dat\r\n"+toUU(EICAR(), '`')+"end\r\n", fromUU, true),
			layout("inner-closed-early", goesOn, multipart("foo", nested+multipart("bar")+"--bar\r\n"+armed+"--bar--\r\n"),
				in(section("foo", 2), section("bar", 3), opened(e)), false),
			layout("inner-epilogue", goesOn, multipart("foo", nested+multipart("bar")+armed),
				in(section("foo", 2), after("--bar--\r\n"), opened(e)), false),
			layout("inner-preamble", first, multipart("foo", nested+armed+multipart("bar")), in(section("foo", 2), content, opened(e)), false),
			layout("inner-parts-after-outer-close", "a client that reads the inner multipart to its own end",
				"--foo\r\n"+nested+"--bar\r\n"+note+"--foo--\r\n--bar\r\n"+armed+"--bar--\r\n", in(section("bar", 2), opened(e)), false),
		}
	})
}

// nesting: multiparts that share, forget or mistake boundaries.
func nesting() []Case {
	return inBoth(compositePlaces(), func(e encoding) []variant {
		return append(sharedBoundaries(e), forgottenBoundaries(e)...)
	})
}

func sharedBoundaries(e encoding) []variant {
	armed := attachment(e).text()
	const inner, outer = "a client that lets the inner multipart have its delimiters",
		"a client that lets the outer multipart have its delimiters"
	return []variant{
		layout("same-inside-and-out", inner, "--foo\r\n"+mixedFoo+crlf+multipart("foo", armed)+"--foo--\r\n",
			in(section("foo", 3), opened(e)), false),
		layout("same-behind-inner-close", outer, "--foo\r\n"+mixedFoo+crlf+multipart("foo")+"--foo\r\n"+armed+"--foo--\r\n",
			in(section("foo", 4), opened(e)), false),
		layout("inner-uses-outer", outer, "--foo\r\nContent-Type: multipart/mixed; boundary=bar\r\n\r\n--foo\r\n"+note+"--foo\r\n"+
			armed+"--foo--\r\n", in(section("foo", 3), opened(e)), false),
		layout("inner-is-prefix", "a client that compares whole lines",
			multipart("foo", "Content-Type: multipart/mixed; boundary=fo\r\n\r\n"+multipart("fo", armed)),
			in(section("foo", 2), section("fo", 2), opened(e)), true),
		layout("outer-is-prefix", "a client that compares whole lines",
			multipart("foo", "Content-Type: multipart/mixed; boundary=foobar\r\n\r\n"+multipart("foobar", armed)),
			in(section("foo", 2), section("foobar", 2), opened(e)), true),
		layout("outer-is-prefix-loose", "a client that compares the beginning of the line",
			"--foo\r\n"+note+"--foobar\r\n"+armed+"--foobar--\r\n--foo--\r\n", in(after("--foobar\r\n"), opened(e)), false),
		layout("dashes-inner", "a client that compares whole lines",
			multipart("foo", "Content-Type: multipart/mixed; boundary=\"--foo\"\r\n\r\n"+multipart("--foo", armed)),
			in(section("foo", 2), section("--foo", 2), opened(e)), true),
		layout("inner-ends-like-outer", "a client that compares whole lines",
			multipart("foo", "Content-Type: multipart/mixed; boundary=\"foo--\"\r\n\r\n"+multipart("foo--", armed)),
			in(after("--foo--\r\nContent-Type: application"), opened(e)), false),
		layout("three-deep-same", inner, "--foo\r\n"+mixedFoo+crlf+"--foo\r\n"+mixedFoo+crlf+multipart("foo", armed)+
			"--foo--\r\n--foo--\r\n", in(section("foo", 4), opened(e)), false),
	}
}

func forgottenBoundaries(e encoding) []variant {
	armed := attachment(e).text()
	const bar = "Content-Type: multipart/mixed; boundary=bar\r\n\r\n"
	const guesses = "a client that guesses the boundary from the first line with two dashes"
	second := in(section("foo", 2), section("bar", 2), opened(e))
	return []variant{
		layout("inner-no-boundary", guesses, multipart("foo", "Content-Type: multipart/mixed\r\n\r\n"+multipart("bar", armed)), second, false),
		layout("inner-empty-boundary", guesses, multipart("foo",
			"Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n"+multipart("bar", armed)), second, false),
		layout("inner-no-boundary-outer-used", "a client that takes the outer delimiter",
			"--foo\r\nContent-Type: multipart/mixed\r\n\r\n--foo\r\n"+armed+"--foo--\r\n", in(section("foo", 2), opened(e)), false),
		layout("inner-never-closed", "every client: the outer delimiter ends it",
			multipart("foo", bar+strings.TrimSuffix(multipart("bar", armed), "--bar--\r\n")), second, false),
		layout("inner-never-closed-part-behind", "every client: the outer delimiter ends it",
			multipart("foo", bar+"--bar\r\n"+note, armed), in(section("foo", 3), opened(e)), false),
		layout("inner-wrong-boundary", guesses, multipart("foo",
			"Content-Type: multipart/mixed; boundary=wrong\r\n\r\n"+multipart("bar", armed)), second, false),
		layout("wrong-boundary", guesses, multipart("bar", armed), in(section("bar", 2), opened(e)), false),
		layout("wrong-boundary-in-preamble", guesses, "--faa\r\n\r\n--faa--\r\n"+multipart("bar", armed),
			in(section("bar", 2), opened(e)), false),
		layout("boundary-on-leaf", "every client: a leaf needs no boundary",
			multipart("foo", strings.Replace(armed, "octet-stream", "octet-stream; boundary=bar", 1)), in(section("foo", 2), opened(e)), true),
		layout("boundary-on-text-used", "a client that takes a boundary for a multipart",
			multipart("foo", "Content-Type: text/plain; boundary=bar\r\n\r\n"+multipart("bar", armed)), second, false),
		layout("multipart-in-file", "a client that opens what it is sent as a file",
			multipart("foo", octets+crlf+bar+multipart("bar", armed)), second, false),
		layout("multipart-in-text", "a client that shows text, headers and all, and finds parts in it",
			multipart("foo", "Content-Type: text/plain\r\n\r\n"+bar+multipart("bar", armed)), second, false),
		layout("no-first-delimiter", "a client that takes the beginning of the body for the first part", armed+"--foo--\r\n",
			in(content, opened(e)), false),
		layout("only-close", "a client that takes the beginning of the body for the first part", armed+crlf+"--foo--\r\n",
			in(content, opened(e)), false),
		layout("parallel", "every client: unknown multiparts are mixed",
			multipart("foo", "Content-Type: multipart/parallel; boundary=bar\r\n\r\n"+multipart("bar", armed)), second, true),
		layout("alternative-last", "every client: the last alternative is the richest",
			multipart("foo", "Content-Type: multipart/alternative; boundary=bar\r\n\r\n"+multipart("bar", armed)), second, true),
		layout("related-start-elsewhere", "a client that lists all parts",
			multipart("foo", "Content-Type: multipart/related; boundary=bar; start=\"<nowhere>\"\r\n\r\n"+multipart("bar", armed)), second, true),
	}
}
