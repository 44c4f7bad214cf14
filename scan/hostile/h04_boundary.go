package hostile

import "strings"

// boundaryRow is one way to write a boundary, and the delimiter that the body
// uses, which is what the client of why makes of it.
type boundaryRow struct {
	name, head string // head: all after "Content-Type: multipart/mixed", or a whole header with its line end
	used, why  string
	tidy       bool
}

// boundaryVariants makes the variants of a table of boundaries.
func boundaryVariants(e encoding, rows []boundaryRow) []variant {
	var vs []variant
	for _, r := range rows {
		head := r.head
		if !strings.HasSuffix(head, crlf) {
			head = "Content-Type: multipart/mixed" + head + crlf
		}
		vs = append(vs, variant{
			name: r.name, why: r.why, tidy: r.tidy,
			entity: entity{head, multipart(r.used, attachment(e).text())},
			read:   in(section(r.used, 2), opened(e)),
		})
	}
	return vs
}

// boundaryTwice: two boundaries, of which the body uses one or the other.
func boundaryTwice() []Case {
	return inBoth(compositePlaces(), func(e encoding) []variant {
		const first, last = "a client that obeys the first boundary", "a client that obeys the last boundary"
		var rows []boundaryRow
		for _, h := range []struct{ name, head string }{
			{"fields", mixedFoo + strings.Replace(mixedFoo, "foo", "faa", 1)},
			{"comma", "; boundary=foo, boundary=faa"},
			{"semicolon", "; boundary=foo; boundary=faa"},
			{"glued", ";boundary=foo;boundary=faa"},
			{"quoted-plain", "; boundary=\"foo\"; boundary=faa"},
			{"plain-quoted", "; boundary=foo; boundary=\"faa\""},
			{"comma-quoted", "; boundary=\"foo\", boundary=\"faa\""},
			{"blank", "; boundary=foo boundary=faa"},
			{"other-case", "; boundary=foo; BOUNDARY=faa"},
			{"folded", ";\r\n boundary=foo;\r\n boundary=faa"},
			{"other-between", "; boundary=foo; charset=utf-8; boundary=faa"},
			{"plain-section", "; boundary=foo; boundary*0=faa"},
			{"section-plain", "; boundary*0=foo; boundary=faa"},
			{"plain-extended", "; boundary=foo; boundary*=us-ascii''faa"},
			{"extended-plain", "; boundary*=us-ascii''foo; boundary=faa"},
			{"prefix", "; boundary=foo; boundary=faa; boundary=fo"},
			{"blank-before-equals", "; boundary=foo; boundary =faa"},
			{"type-between", "; boundary=foo; multipart/mixed; boundary=faa"},
			{"comma-type", "; boundary=foo, multipart/mixed; boundary=faa"},
		} {
			rows = append(rows, boundaryRow{name: h.name + "-use-first", head: h.head, used: "foo", why: first},
				boundaryRow{name: h.name + "-use-last", head: h.head, used: "faa", why: last})
		}
		rows = append(rows, boundaryRow{name: "same", head: "; boundary=foo; boundary=foo", used: "foo", why: "every client: they agree"},
			boundaryRow{name: "empty-first", head: "; boundary=; boundary=foo", used: "foo", why: "a client that passes over the empty one"},
			boundaryRow{name: "empty-last", head: "; boundary=foo; boundary=\"\"", used: "foo", why: "a client that passes over the empty one"})
		return append(boundaryVariants(e, rows), bothUsed(e)...)
	})
}

// bothUsed has a whole multipart for each of the two boundaries: every client
// shows a part, but not the same.
func bothUsed(e encoding) []variant {
	harmless := multipart("foo")
	armed := multipart("faa", attachment(e).text())
	read := in(section("faa", 2), opened(e))
	return []variant{
		{name: "both-used-one-after-the-other", why: "a client that obeys the last boundary", read: read,
			entity: entity{"Content-Type: multipart/mixed; boundary=foo; boundary=faa\r\n", harmless + armed}},
		{name: "both-used-armed-first", why: "a client that obeys the last boundary", read: read,
			entity: entity{"Content-Type: multipart/mixed; boundary=foo; boundary=faa\r\n", armed + harmless}},
		{name: "both-used-inside", why: "a client that obeys the last boundary", read: read,
			entity: entity{"Content-Type: multipart/mixed; boundary=foo; boundary=faa\r\n", "--foo\r\n" + note + armed + "--foo--\r\n"}},
	}
}

// boundaryPieces: a boundary in the pieces and percent escapes of RFC 2231.
func boundaryPieces() []Case {
	const pieces, literal = "a client that joins the pieces (RFC 2231, section 3)", "a client that does not know RFC 2231 for boundaries"
	rows := []boundaryRow{
		{"two", "; boundary*0=fo; boundary*1=o", "foo", pieces, true},
		{"two-first-only", "; boundary*0=fo; boundary*1=o", "fo", "a client that takes boundary* for the name and stops there", false},
		{"two-last-only", "; boundary*0=fo; boundary*1=obar", "obar", "a client that lets the last piece win", false},
		{"two-quoted", "; boundary*0=\"fo\"; boundary*1=\"o\"", "foo", pieces, true},
		{"one", "; boundary*0=foo", "foo", pieces, true},
		{"three", "; boundary*0=f; boundary*1=o; boundary*2=o", "foo", pieces, true},
		{"turned", "; boundary*1=o; boundary*0=fo", "foo", "a client that sorts the pieces", true},
		{"turned-as-is", "; boundary*1=o; boundary*0=fo", "ofo", "a client that joins the pieces as they come", false},
		{"gap", "; boundary*0=fo; boundary*2=o", "fo", "a client that stops at the missing piece", false},
		{"gap-joined", "; boundary*0=fo; boundary*2=o", "foo", "a client that joins over the gap", false},
		{"from-one", "; boundary*1=fo; boundary*2=o", "foo", "a client that counts from one", false},
		{"zeros", "; boundary*00=fo; boundary*01=o", "foo", "a client that reads numbers with leading zeros", false},
		{"repeated-first", "; boundary*0=foo; boundary*0=faa", "foo", "a client that keeps the first of equal pieces", false},
		{"repeated-last", "; boundary*0=foo; boundary*0=faa", "faa", "a client that keeps the last of equal pieces", false},
		{"repeated-joined", "; boundary*0=foo; boundary*0=faa", "foofaa", "a client that joins whatever comes", false},
		{"blank-inside", "; boundary*0=\"fo \"; boundary*1=o", "fo o", pieces, true},
		{"blank-dropped", "; boundary*0=\"fo \"; boundary*1=o", "foo", "a client that trims every piece", false},
		{"word-literal", "; boundary*0=\"=?us-ascii?Q?fo?=\"; boundary*1=o", "=?us-ascii?Q?fo?=o", pieces, true},
		{"word-decoded", "; boundary*0=\"=?us-ascii?Q?fo?=\"; boundary*1=o", "foo", "a client that decodes encoded words anywhere", false},
		{"extended", "; boundary*=us-ascii''foo", "foo", "a client that takes off the charset (RFC 2231, section 4)", true},
		{"extended-language", "; boundary*=us-ascii'en'f%6Fo", "foo", "a client that undoes percent escapes", true},
		{"extended-literal", "; boundary*=us-ascii''f%6Fo", "us-ascii''f%6Fo", literal, false},
		{"extended-half", "; boundary*=us-ascii''f%6Fo", "f%6Fo", "a client that takes off the charset but undoes no escapes", false},
		{"extended-pieces", "; boundary*0*=us-ascii''f%6F; boundary*1=o", "foo", pieces, true},
		{"extended-pieces-both", "; boundary*0*=us-ascii''f%6F; boundary*1*=%6F", "foo", pieces, true},
		{"extended-last-only", "; boundary*0=f; boundary*1*=%6Fo", "foo", pieces, true},
		{"no-charset", "; boundary*=foo", "foo", "a client that does without the charset", false},
		{"one-quote", "; boundary*=us-ascii'foo", "foo", "a client that takes what is behind the last quote", false},
		{"escape-unmarked-literal", "; boundary*0=f%6Fo", "f%6Fo", pieces, true},
		{"escape-unmarked-decoded", "; boundary*0=f%6Fo", "foo", "a client that undoes every percent escape", false},
		{"escape-plain-decoded", "; boundary=f%6Fo", "foo", "a client that undoes every percent escape", false},
		{"escape-plain-literal", "; boundary=f%6Fo", "f%6Fo", "every client by the standard", true},
		{"escape-broken", "; boundary*=us-ascii''f%zzoo", "f%zzoo", "a client that keeps broken escapes", false},
		{"escape-cut", "; boundary*=us-ascii''foo%6", "foo%6", "a client that keeps broken escapes", false},
		{"quoted-extended", "; boundary*=\"us-ascii''foo\"", "foo", "a client that takes off quotes first", false},
		{"plain-beside-wins", "; boundary=foo; boundary*0=fa; boundary*1=a", "foo", "a client that prefers the plain parameter", false},
		{"pieces-beside-win", "; boundary=foo; boundary*0=fa; boundary*1=a", "faa", "a client that prefers the pieces", false},
		{"utf-16-charset", "; boundary*=utf-16''foo", "foo", "a client that leaves the charset alone", false},
	}
	return inBoth(compositePlaces(), func(e encoding) []variant { return boundaryVariants(e, rows) })
}

// boundaryWords: a boundary that looks like an encoded word (RFC 2047), which
// it may be and is not to be decoded.
func boundaryWords() []Case {
	const decoded, literal = "a client that decodes every parameter alike", "a client that takes the boundary as it stands " +
		"(RFC 2047, section 5)"
	rows := []boundaryRow{
		{"q-decoded", "; boundary=\"=?us-ascii?Q?foo?=\"", "foo", decoded, false},
		{"q-literal", "; boundary=\"=?us-ascii?Q?foo?=\"", "=?us-ascii?Q?foo?=", literal, true},
		{"q-bare-decoded", "; boundary==?us-ascii?Q?foo?=", "foo", decoded, false},
		{"q-bare-literal", "; boundary==?us-ascii?Q?foo?=", "=?us-ascii?Q?foo?=", literal, false},
		{"b-decoded", "; boundary=\"=?us-ascii?B?Zm9v?=\"", "foo", decoded, false},
		{"b-literal", "; boundary=\"=?us-ascii?B?Zm9v?=\"", "=?us-ascii?B?Zm9v?=", literal, true},
		{"partly-decoded", "; boundary=\"abc=?us-ascii?Q?def?=\"", "abcdef", decoded, false},
		{"partly-literal", "; boundary=\"abc=?us-ascii?Q?def?=\"", "abc=?us-ascii?Q?def?=", literal, true},
		{"partly-bare", "; boundary=abc=?us-ascii?Q?def?=", "abc=?us-ascii?Q?def?=", literal, false},
		{"partly-bare-decoded", "; boundary=abc=?us-ascii?Q?def?=", "abcdef", decoded, false},
		{"unknown-charset-decoded", "; boundary=\"=?x-unheard-of?Q?foo?=\"", "foo", decoded, false},
		{"two-words-decoded", "; boundary=\"=?us-ascii?Q?fo?= =?us-ascii?Q?o?=\"", "foo", decoded, false},
		{"whole-parameter", "; =?us-ascii?Q?boundary=3Dfoo?=", "foo", "a client that decodes a header before it parses it", false},
		{"escape-decoded", "; boundary=\"=?utf-8?q?f=6Fo?=\"", "foo", decoded, false},
		{"escape-literal", "; boundary=\"=?utf-8?q?f=6Fo?=\"", "=?utf-8?q?f=6Fo?=", literal, true},
	}
	return inBoth(compositePlaces(), func(e encoding) []variant { return boundaryVariants(e, rows) })
}

// boundaryComments: comments (RFC 822) in and round a boundary.
func boundaryComments() []Case {
	const known, unknown = "a client that knows comments", "a client that does not know comments"
	rows := []boundaryRow{
		{"inside-whole", "; boundary=foo(foo)foo", "foo(foo)foo", unknown, false},
		{"inside-dropped", "; boundary=foo(foo)foo", "foofoo", "a client that drops comments before it parses", false},
		{"inside-cut", "; boundary=foo(faa)foo", "foo", "a client that ends the value at the comment", false},
		{"name-first", "; boundary((c))=\"A\"; boundary=\"B\"", "A", known, false},
		{"name-second", "; boundary((c))=\"A\"; boundary=\"B\"", "B", unknown, false},
		{"before-name", "; (c) boundary=foo", "foo", known, true},
		{"before-name-glued", "; (c)boundary=foo", "foo", known, true},
		{"behind-name", "; boundary(c)=foo", "foo", known, true},
		{"before-value", "; boundary=(c)foo", "foo", known, true},
		{"before-value-literal", "; boundary=(c)foo", "(c)foo", unknown, false},
		{"behind-value", "; boundary=foo(c)", "foo", known, true},
		{"behind-value-blank", "; boundary=foo (c)", "foo", known, true},
		{"behind-value-literal", "; boundary=foo(c)", "foo(c)", unknown, false},
		{"behind-type", " (c); boundary=foo", "foo", known, true},
		{"behind-type-glued", "(c); boundary=foo", "foo", known, true},
		{"nested", " (a (b) c); boundary=foo", "foo", known, true},
		{"in-type", "Content-Type: multipart(c)/mixed; boundary=foo\r\n", "foo", known, true},
		{"before-type", "Content-Type: (c) multipart/mixed; boundary=foo\r\n", "foo", known, true},
		{"open", " (; boundary=foo", "foo", unknown, false},
		{"fake-before-true", " (; boundary=faa); boundary=foo", "foo", known, true},
		{"fake-before-fake", " (; boundary=faa); boundary=foo", "faa", unknown, false},
		{"fake-behind", "; boundary=foo (; boundary=faa)", "foo", known, true},
		{"fake-behind-last", "; boundary=foo (; boundary=faa;)", "faa", "a client that does not know comments and obeys the last boundary",
			false},
		{"escaped", " (\\)); boundary=foo", "foo", known, true},
		{"quote-inside", " (\"); boundary=foo", "foo", known, true},
		{"quoted-bracket", "; x=\"(\"; boundary=foo", "foo", "every client: quoted brackets are no comment", true},
		{"closed-only", "; x=); boundary=foo", "foo", "a client that passes over stray brackets", false},
		{"empty", " (); boundary=foo", "foo", known, true},
		{"folded", " (c\r\n c); boundary=foo", "foo", known, true},
	}
	return inBoth(compositePlaces(), func(e encoding) []variant { return boundaryVariants(e, rows) })
}
