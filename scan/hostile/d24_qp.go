package hostile

import (
	"strings"
)

// bodyQP returns an attachment in quoted-printable whose body is as given.
func bodyQP(body string) entity {
	return entity{octets + attached + encodingIs + "quoted-printable\r\n", body}
}

// damagedQP: quoted-printable that strict decoders give up on.
func damagedQP() []Case {
	vs := append(damagedEscapes(), damagedBreaks()...)
	return at(leafPlaces(), "", append(vs, junkInQP()...))
}

func qpVariant(name, why, body string) variant {
	return variant{name: name, why: why, entity: bodyQP(body), read: in(content, fromQP)}
}

// allEscaped returns the payload with every byte escaped, in one line.
func allEscaped() string {
	var b strings.Builder
	for _, c := range EICAR() {
		b.WriteString(qpByte(c, 0))
	}
	return b.String()
}

func damagedEscapes() []variant {
	all, normal := allEscaped(), toQP(EICAR())
	half := len(all) / 6 * 3
	lower := qpVariant("lower-case", "a client that reads either case (RFC 2045, section 6.7)", strings.ToLower(all)+crlf)
	return []variant{
		lower,
		qpVariant("mixed-case", lower.why, strings.ReplaceAll(all, "=5E", "=5e")+crlf),
		{name: "all-escaped-long-line", why: "every client: 204 characters are too long on paper only", entity: bodyQP(all + crlf),
			read: in(content, fromQP), tidy: true},
		{name: "escape-split", why: "a client that undoes line breaks first",
			entity: bodyQP(strings.Replace(all, "=35", "=3=\r\n5", 1) + crlf), read: in(content, without("=\r\n"), fromQP)},
		{name: "escape-split-inside", why: "a client that undoes line breaks first",
			entity: bodyQP(all[:half+2] + "=\r\n" + all[half+2:] + crlf), read: in(content, without("=\r\n"), fromQP)},
		{name: "escape-split-at-equals", why: "a client that undoes line breaks first",
			entity: bodyQP(all[:half+1] + "=\r\n" + all[half+1:] + crlf), read: in(content, without("=\r\n"), fromQP)},
		qpVariant("stray-before", "a client that keeps a stray \"=\"", "="+"@"+normal),
		qpVariant("bad-escape-before", "a client that keeps a bad escape", "=ZZ=@= ="+normal),
		qpVariant("bad-escape-first-line", "a client that keeps a bad escape", "=XY\r\n"+normal),
		qpVariant("bad-escape-every-line", "a client that keeps a bad escape", "=G0\r\n"+normal+"=0G\r\n"),
		qpVariant("equals-equals", "a client that keeps the first \"=\"", "==\r\n"+normal),
		qpVariant("one-digit", "a client that keeps a bad escape", "=4\r\n"+normal),
	}
}

// damagedBreaks writes the soft line breaks in other ways.
func damagedBreaks() []variant {
	lines := qpLines(EICAR())
	normal := strings.Join(lines, "=\r\n") + crlf
	var vs []variant
	for _, r := range []struct {
		name, soft, why string
		tidy            bool
	}{
		{"blank-crlf", "= \r\n", "a client that drops blanks at the end of a line", false},
		{"blanks-crlf", "=   \t \r\n", "a client that drops blanks at the end of a line", true},
		{"lf", "=\n", "a client that takes LF for a line end", true},
		{"cr", "=\r", "a client that takes CR for a line end", false},
		{"two", "=\r\n=\r\n", "every client", true},
	} {
		v := qpVariant("soft-"+r.name, r.why, strings.Join(lines, r.soft)+crlf)
		v.tidy = r.tidy
		vs = append(vs, v)
	}
	for _, r := range []struct{ name, soft, why string }{
		{"crcrlf", "=\r\r\n", "a client that drops stray CR"},
		{"crlflf", "=\r\n\n", "a client that takes all that follows for one line end"},
		{"lfcr", "=\n\r", "a client that drops stray CR"},
		{"equals", "==\r\n", "a client that takes both for the break"},
		{"nul", "=\x00\r\n", "a client that drops zero bytes"},
		{"crlfcr", "=\r\n\r", "a client that drops stray CR"},
	} {
		vs = append(vs, variant{name: "soft-" + r.name, why: r.why, entity: bodyQP(strings.Join(lines, r.soft) + crlf),
			read: in(content, without(r.soft), fromQP)})
	}
	for _, r := range []struct{ name, why, body string }{
		{"blanks-behind-last", "every client: blanks at the end of a line go", strings.TrimRight(normal, crlf) + "  \t\r\n"},
		{"blank-before-first", "every client", "  " + normal},
		{"stray-behind", "every client: nothing is behind it", strings.TrimRight(normal, crlf) + "="},
		{"stray-behind-line", "every client: nothing is behind it", strings.TrimRight(normal, crlf) + "=\r\n"},
	} {
		v := qpVariant(r.name, r.why, r.body)
		v.tidy = true
		vs = append(vs, v)
	}
	return vs
}

// junkInQP has bytes that quoted-printable may not hold, and lines it may not
// have.
func junkInQP() []variant {
	normal := toQP(EICAR())
	var vs []variant
	for _, j := range []struct{ name, junk string }{
		{"control", "\x01"}, {"8-bit", "\xe4"}, {"utf-8", "\u20ac"}, {"nul", "\x00"}, {"delete", "\x7f"}, {"form-feed", "\f"}, {"escape",
			"\x1b"}, {"cr", "\r"}, {"vertical-tab", "\v"}, {"8-bit-85", "\x85"},
	} {
		vs = append(vs, qpVariant("before-"+j.name, "a client that keeps what it does not know", j.junk+normal),
			variant{name: "inside-" + j.name, why: "a client that drops what may not be there",
				entity: bodyQP(strings.Replace(normal, "=", j.junk+"=", 5)), read: in(content, without(j.junk), fromQP)},
			qpVariant("line-before-"+j.name, "a client that keeps what it does not know", "Words "+j.junk+" words.\r\n"+normal))
	}
	long := strings.Repeat("words ", 1000)
	return append(vs,
		qpVariant("long-line-before", "a client without a limit for lines", long+crlf+normal),
		qpVariant("long-line-joined", "a client without a limit for lines", long+normal),
		qpVariant("long-blanks", "a client without a limit for lines", strings.Repeat(" ", 5000)+"x\r\n"+normal),
		qpVariant("long-escapes", "a client without a limit for lines", strings.Repeat("=20", 2000)+normal),
		variant{name: "declared-nothing", why: "a client that looks for encoded text itself",
			entity: entity{octets + attached, toQP(EICAR())}, read: in(content, fromQP), tidy: true},
		variant{name: "declared-7bit", why: "a client that looks for encoded text itself",
			entity: entity{octets + attached + encodingIs + "7bit\r\n", toQP(EICAR())}, read: in(content, fromQP), tidy: true},
		variant{name: "declared-base64", why: "a client that looks for encoded text itself", unsure: true,
			entity: entity{octets + attached + encodingIs + "base64\r\n", toQP(EICAR())}, read: in(content, fromQP)},
		variant{name: "declared-unknown", why: "a client that looks for encoded text itself",
			entity: entity{octets + attached + encodingIs + "x-unheard-of\r\n", toQP(EICAR())}, read: in(content, fromQP)},
		variant{name: "declared-qp", why: "a client that looks for encoded text itself",
			entity: entity{octets + attached + encodingIs + "qp\r\n", toQP(EICAR())}, read: in(content, fromQP)},
		variant{name: "declared-quotedprintable", why: "a client that looks for encoded text itself",
			entity: entity{octets + attached + encodingIs + "quotedprintable\r\n", toQP(EICAR())}, read: in(content, fromQP)},
		variant{name: "declared-q", why: "a client that knows RFC 2047's short name",
			entity: entity{octets + attached + encodingIs + "q\r\n", toQP(EICAR())}, read: in(content, fromQP)},
		variant{name: "base64-inside", why: "a client that undoes what looks encoded until nothing does",
			entity: bodyQP(strings.ReplaceAll(toBase64(EICAR()), "=", "=3D")), read: in(content, fromQP, fromBase64), tidy: true})
}
