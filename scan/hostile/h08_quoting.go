package hostile

import (
	"slices"
	"strings"
)

// boundaryQuoting: quotes, blanks and zero bytes round a boundary.
func boundaryQuoting() []Case {
	rows := append(quoteRows(), blankRows()...)
	rows = append(rows, nulRows()...)
	rows = append(rows, oddCharacterRows()...)
	return inBoth(compositePlaces(), func(e encoding) []variant { return boundaryVariants(e, rows) })
}

func quoteRows() []boundaryRow {
	const asIs, firstPart = "a client that takes the value as it stands", "a client that ends the value at the second quote"
	return []boundaryRow{
		{"two-quotes-foo-used-foo", `; boundary=""foo`, "foo", "a client that drops all quotes", false},
		{"two-quotes-foo-used-whole", `; boundary=""foo`, `""foo`, asIs, false},
		{"two-quotes-foo-used-empty", `; boundary=""foo`, "", firstPart, false},
		{"bar-foo-used-bar", `; boundary="bar"foo`, "bar", firstPart, false},
		{"bar-foo-used-joined", `; boundary="bar"foo`, "barfoo", "a client that drops all quotes", false},
		{"bar-foo-used-whole", `; boundary="bar"foo`, `"bar"foo`, asIs, false},
		{"foo-bar-used-joined", `; boundary=foo"bar"`, "foobar", "a client that drops all quotes", false},
		{"foo-bar-used-whole", `; boundary=foo"bar"`, `foo"bar"`, asIs, false},
		{"foo-bar-used-foo", `; boundary=foo"bar"`, "foo", "a client that ends a token at a quote", false},
		{"one-quote-used-quote", `; boundary="`, `"`, asIs, false},
		{"one-quote-used-empty", `; boundary="`, "", "a client that closes the open quote at the end", false},
		{"empty-quotes-used-empty", `; boundary=""`, "", asIs, false},
		{"empty-quotes-used-quotes", `; boundary=""`, `""`, "a client that does not know quotes", false},
		{"empty-used-empty", `; boundary=`, "", asIs, false},
		{"empty-used-foo", `; boundary=`, "foo", "a client that guesses the boundary from the first line with two dashes", false},
		{"missing-used-foo", ``, "foo", "a client that guesses the boundary from the first line with two dashes", false},
		{"no-value-used-foo", `; boundary`, "foo", "a client that guesses the boundary from the first line with two dashes", false},
		{"semicolon-used-semicolon", `; boundary=;`, ";", asIs, false},
		{"semicolon-used-empty", `; boundary=;`, "", "a client that ends the value at the semicolon", false},
		{"foo-semicolon-foo-cut", `; boundary=foo;foo`, "foo", "a client that ends the value at the semicolon", false},
		{"foo-semicolon-foo-whole", `; boundary=foo;foo`, "foo;foo", asIs, false},
		{"quoted-semicolon", `; boundary="foo;foo"`, "foo;foo", "every client by the standard", true},
		{"quoted-semicolon-cut", `; boundary="foo;foo"`, "foo", "a client that splits at semicolons before it looks at quotes", false},
		{"open-quote", `; boundary="foo`, "foo", "a client that closes the open quote at the end", false},
		{"open-quote-whole", `; boundary="foo`, `"foo`, asIs, false},
		{"open-quote-swallows", `; boundary="foo; x=y`, "foo", "a client that ends the value at the semicolon", false},
		{"open-quote-swallows-all", `; boundary="foo; x=y`, "foo; x=y", "a client that closes the open quote at the end", false},
		{"closing-quote-only", `; boundary=foo"`, "foo", "a client that drops all quotes", false},
		{"closing-quote-whole", `; boundary=foo"`, `foo"`, asIs, false},
		{"single-quotes", `; boundary='foo'`, "'foo'", "every client by the standard", true},
		{"single-quotes-dropped", `; boundary='foo'`, "foo", "a client that takes single quotes for quotes", false},
		{"angle", `; boundary=<foo>`, "<foo>", asIs, false},
		{"escaped", `; boundary="f\oo"`, "foo", "a client that undoes quoted pairs", true},
		{"escaped-literal", `; boundary="f\oo"`, `f\oo`, "a client that does not know quoted pairs", false},
		{"escaped-quote", `; boundary="f\"oo"`, `f"oo`, "a client that undoes quoted pairs", false},
		{"escaped-quote-cut", `; boundary="f\"oo"`, `f\`, "a client that ends the value at the next quote", false},
		{"escaped-outside", `; boundary=f\oo`, "foo", "a client that undoes quoted pairs anywhere", false},
		{"escaped-outside-literal", `; boundary=f\oo`, `f\oo`, asIs, false},
		{"quoted-name", `; "boundary"=foo`, "foo", "a client that drops all quotes", false},
		{"quoted-parameter", `; "boundary=foo"`, "foo", "a client that drops all quotes", false},
		{"all-quoted", "Content-Type: \"multipart/mixed; boundary=foo\"\r\n", "foo", "a client that drops all quotes", false},
	}
}

func blankRows() []boundaryRow {
	const trims, keeps, found = "a client that trims", "a client that keeps blanks inside quotes",
		"a client that looks for the name \"boundary\""
	return []boundaryRow{
		{"blank-before-outside", `; boundary= foo`, "foo", "a client that skips blanks", true},
		{"blank-before-inside", `; boundary=" foo"`, " foo", keeps, false},
		{"blank-before-inside-trimmed", `; boundary=" foo"`, "foo", trims, false},
		{"blank-inside-bare-cut", `; boundary=foo bar`, "foo", "a client that ends the value at the blank", false},
		{"blank-inside-bare-whole", `; boundary=foo bar`, "foo bar", "a client that ends the value at the semicolon", false},
		{"blank-inside-quoted", `; boundary="foo bar"`, "foo bar", "every client by the standard", true},
		{"blank-behind-bare", `; boundary=foo `, "foo", "every client that trims", true},
		{"blank-behind-quoted", `; boundary="foo "`, "foo", trims, false},
		{"blank-behind-quoted-kept", `; boundary="foo "`, "foo ", "a client that compares to the letter", false},
		{"tab-behind-quoted", "; boundary=\"foo\t\"", "foo", trims, false},
		{"blank-before-equals", `; boundary =foo`, "foo", "a client that skips blanks", true},
		{"blanks-round-equals", `; boundary = "foo"`, "foo", "a client that skips blanks", true},
		{"tab-before-name", ";\tboundary=foo", "foo", "every client that skips blanks", true},
		{"no-semicolon", ` boundary=foo`, "foo", found, false},
		{"no-semicolon-later", `; charset=x boundary=foo`, "foo", found, false},
		{"comma-instead", `, boundary=foo`, "foo", found, false},
		{"two-semicolons", `; ; boundary=foo`, "foo", "a client that passes over empty parameters", false},
		{"three-semicolons", `;;; boundary=foo;;`, "foo", "a client that passes over empty parameters", false},
		{"glued-to-type", `;boundary=foo`, "foo", "every client: the blank is not needed", true},
		{"fold-before-equals", "; boundary\r\n =foo", "foo", "a client that skips folding", true},
		{"fold-behind-equals", "; boundary=\r\n foo", "foo", "a client that skips folding", true},
		{"fold-behind-equals-quoted", "; boundary=\r\n\t\"foo\"", "foo", "a client that skips folding", true},
		{"fold-in-value-joined", "; boundary=fo\r\n o", "foo", "a client that unfolds without the blank", false},
		{"fold-in-value-cut", "; boundary=fo\r\n o", "fo", "a client that ends the value at the fold", false},
		{"fold-in-value-blank", "; boundary=fo\r\n o", "fo o", "a client that unfolds first and ends the value at the semicolon", false},
		{"fold-in-quotes-blank", "; boundary=\"fo\r\n o\"", "fo o", "a client that unfolds (RFC 5322, section 2.2.3)", false},
		{"fold-in-quotes-joined", "; boundary=\"fo\r\n o\"", "foo", "a client that unfolds without the blank", false},
		{"fold-in-name", "; bound\r\n ary=foo", "foo", "a client that unfolds without the blank", false},
		{"continuation-unindented", ";\r\nboundary=foo", "foo", "a client that takes a line without a colon for a continuation", false},
		{"continuation-unindented-quoted", ";\r\nboundary=\"foo\"", "foo", "a client that takes a line without a colon for a continuation",
			false},
		{"continuation-blank-line", ";\r\n \r\n boundary=foo", "foo", "a client that takes a line of blanks for folding", false},
		{"no-break-space", ";\xa0boundary=foo", "foo", "a client that counts the no-break space as a blank", false},
		{"no-break-space-utf-8", ";\u00a0boundary=foo", "foo", "a client that counts any Unicode space as a blank", false},
		{"vertical-tab", ";\vboundary=foo", "foo", "a client that skips all that isspace() knows", false},
	}
}

func nulRows() []boundaryRow {
	const drops = "a client that drops zero bytes"
	return []boundaryRow{
		{"nul-before-value", "; boundary=\x00foo", "foo", drops, false},
		{"nul-before-value-quoted", "; boundary=\"\x00foo\"", "foo", drops, false},
		{"nul-before-equals", "; boundary\x00=foo", "foo", drops, false},
		{"nul-in-name", "; boun\x00dary=foo", "foo", drops, false},
		{"nul-in-value", "; boundary=fo\x00o", "foo", drops, false},
		{"nul-in-value-cut", "; boundary=foo\x00bar", "foo", "a client that ends strings at zero bytes", false},
		{"nul-behind-value", "; boundary=foo\x00", "foo", drops, false},
		{"nul-in-quotes-cut", "; boundary=\"foo\x00bar\"", "foo", "a client that ends strings at zero bytes", false},
		{"nul-before-name", ";\x00boundary=foo", "foo", drops, false},
	}
}

func oddCharacterRows() []boundaryRow {
	long, huge := strings.Repeat("a", 71), strings.Repeat("b", 1000)
	const asIs = "a client that takes the value as it stands"
	return []boundaryRow{
		{"slash", "; boundary=foo/bar", "foo/bar", asIs, false},
		{"equals", "; boundary=BB=1", "BB=1", asIs, false},
		{"equals-cut", "; boundary=BB=1", "BB", "a client that ends a token at the second equals sign", false},
		{"colon", "; boundary=foo:bar", "foo:bar", asIs, false},
		{"at", "; boundary=foo@bar", "foo@bar", asIs, false},
		{"question", "; boundary=foo?bar", "foo?bar", asIs, false},
		{"brackets", "; boundary=[foo]", "[foo]", asIs, false},
		{"dashes", "; boundary=--foo", "--foo", "every client by the standard", true},
		{"dashes-dropped", "; boundary=--foo", "foo", "a client that finds the delimiter by its text alone", false},
		{"only-dashes", "; boundary=--", "--", asIs, true},
		{"one-dash", "; boundary=-", "-", asIs, true},
		{"8-bit", "; boundary=f\xe4o", "f\xe4o", asIs, false},
		{"8-bit-utf-8", "; boundary=f\u00e4o", "f\u00e4o", asIs, false},
		{"control", "; boundary=f\x01o", "f\x01o", asIs, false},
		{"del", "; boundary=f\x7fo", "f\x7fo", asIs, false},
		{"tab-inside", "; boundary=\"f\to\"", "f\to", asIs, false},
		{"71", "; boundary=" + long, long, "a client without the limit of RFC 2046, section 5.1.1", false},
		{"71-cut", "; boundary=" + long, long[:70], "a client that cuts at 70 characters", false},
		{"90", "; boundary=" + long + long[:19], long + long[:19], "a client without the limit", false},
		{"1000", "; boundary=" + huge, huge, "a client without the limit", false},
		{"998", ";\r\n boundary=\"" + huge[:985] + "\"", huge[:985], "a client without the limit", false},
		{"regexp", "; boundary=\"f.o\"", "f.o", "every client by the standard", true},
		{"regexp-plus", "; boundary=f+o", "f+o", "every client by the standard", true},
		{"percent", "; boundary=f%o", "f%o", "every client by the standard", true},
		{"case-differs", "; boundary=FOO", "foo", "a client that compares without case", false},
		{"digits", "; boundary=0", "0", "every client by the standard", true},
		{"trailing-dot", "; boundary=foo.", "foo.", "every client by the standard", true},
		{"trailing-comma", "; boundary=foo,", "foo", "a client that ends a token at the comma", false},
		{"trailing-comma-kept", "; boundary=foo,", "foo,", asIs, false},
	}
}

// parameterBefore: something unreadable is before the boundary, at which
// some parsers give up.
func parameterBefore() []Case {
	const passes = "a client that passes over what it cannot read"
	// as tokens (RFC 2045, section 5.1)
	lawful := []string{"section-huge", "section-negative", "many-stars", "broken-escape", "unknown-charset", "long-value"}
	var rows []boundaryRow
	for _, r := range []struct{ name, before string }{
		{"colon-in-name", "x:y=1"}, {"8-bit-name", "\xe4=1"}, {"no-value", "charset"}, {"no-name", "=1"},
		{"empty-value", "charset="}, {"slash-in-name", "x/y=1"}, {"at-in-name", "x@y=1"}, {"two-equals", "x==1"},
		{"open-bracket", "x=(1"}, {"stray-quote", "x=1\""}, {"control-name", "x\x01=1"}, {"8-bit-value", "x=\xe4\xf6"},
		{"utf-8-value", "x=\u00e4"}, {"blank-in-name", "x y=1"}, {"blank-value", "x=1 2"}, {"type-again", "multipart/mixed"},
		{"url", "x=http://a.example/?b=c"}, {"backslash", `x=C:\dir\`}, {"backslash-quoted", `x="C:\dir\"`}, {"encoded-word", "=?utf-8?q?x?==1"},
		{"duplicate", "x=1; x=2"}, {"duplicate-charset", "charset=a; charset=b"}, {"broken-escape", "x*=utf-8''%zz"}, {"unknown-charset",
			"x*=x-unheard-of''y"},
		{"section-huge", "x*99999999999999999999=y"}, {"section-negative", "x*-1=y"}, {"many-stars", "x***=y"}, {"nul", "x\x00y=1"},
		{"1000-parameters", strings.TrimSuffix(strings.Repeat("x=1; ", 1000), "; ")},
		{"long-value", "x=" + strings.Repeat("y", 5000)},
	} {
		rows = append(rows, boundaryRow{name: r.name, head: "; " + r.before + "; boundary=foo", used: "foo", why: passes,
			tidy: slices.Contains(lawful, r.name)})
	}
	return inBoth(compositePlaces(), func(e encoding) []variant { return boundaryVariants(e, rows) })
}
