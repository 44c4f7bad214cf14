package hostile

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// body64 returns an attachment in base64 whose body is as given.
func body64(body string) entity {
	return entity{octets + attached + encodingIs + "base64\r\n", body}
}

// damagedBase64: base64 that strict decoders give up on.
func damagedBase64() []Case {
	plain := strings.TrimRight(strings.ReplaceAll(toBase64(EICAR()), crlf, ""), "=")
	vs := append(junkInBase64(plain), paddedBase64(plain)...)
	vs = append(vs, linesOfBase64(plain)...)
	return at(leafPlaces(), "", append(vs, roundBase64(plain)...))
}

func base64Variant(name, why, body string) variant {
	return variant{name: name, why: why, entity: body64(body), read: in(content, fromBase64)}
}

// junkInBase64 has characters outside the alphabet, here and there.
func junkInBase64(plain string) []variant {
	const skips = "a client that skips what is not of the alphabet (RFC 2045, section 6.8)"
	var vs []variant
	for _, j := range []struct{ name, junk string }{
		{"dot", "."}, {"hash", "#"}, {"blank", " "}, {"tab", "\t"}, {"exclamation", "!"}, {"at", "@"}, {"comma", ","},
		{"quote", "\""}, {"star", "*"}, {"bar", "|"}, {"tilde", "~"}, {"8-bit", "\xe4"}, {"utf-8", "\u20ac"}, {"nul", "\x00"},
		{"control", "\x01"}, {"delete", "\x7f"}, {"no-break-space", "\xa0"}, {"form-feed", "\f"}, {"cr", "\r"}, {"lf", "\n"}, {"dollar",
			"$"}, {"percent", "%"}, {"angle", "<>"}, {"dash", "-"}, {"underscore", "_"},
	} {
		vs = append(vs,
			base64Variant("junk-every-"+j.name, skips, every(plain, 1, j.junk)+crlf),
			base64Variant("junk-fourth-"+j.name, skips, every(plain, 4, j.junk)+crlf),
			base64Variant("junk-first-"+j.name, skips, j.junk+plain+crlf))
		if strings.TrimSpace(j.junk) == "" && j.junk != "\xa0" {
			for i := range 3 {
				vs[len(vs)-1-i].tidy = true // every decoder skips white space
			}
		}
	}
	return vs
}

// every puts junk after each n characters of s.
func every(s string, n int, junk string) string {
	var b strings.Builder
	for i, c := range []byte(s) {
		b.WriteByte(c)
		if (i+1)%n == 0 {
			b.WriteString(junk)
		}
	}
	return b.String()
}

// paddedBase64 has padding where it does not belong, or none.
func paddedBase64(plain string) []variant {
	const on, quanta = "a client that decodes on behind padding", "a client that takes \"=\" for nothing"
	streams := func(n int) string { return concatenated(n, "") }
	return []variant{
		base64Variant("padding-none", "a client that needs no padding", plain+crlf),
		{name: "padding-too-much", why: on, entity: body64(plain + "====\r\n"), read: in(content, fromBase64), tidy: true}, // nothing follows
		{name: "padding-one-too-many", why: on, entity: body64(plain + "==\r\n"), read: in(content, fromBase64), tidy: true},
		base64Variant("padding-first", on, "="+plain+"=\r\n"),
		base64Variant("padding-first-four", on, "===="+plain+"=\r\n"),
		base64Variant("padding-every-quantum", quanta, every(plain, 4, "=")+crlf),
		base64Variant("padding-every-quantum-two", quanta, every(plain, 4, "==")+crlf),
		base64Variant("padding-every-quantum-line", quanta, every(plain, 4, "=\r\n")+crlf),
		base64Variant("padding-before-stream", on, "YQ=="+plain+"=\r\n"),
		base64Variant("padding-before-stream-line", on, "YQ==\r\n"+plain+"=\r\n"),
		base64Variant("padding-blank", on, plain+" =\r\n"),
		base64Variant("streams-of-1", on, streams(1)+crlf),
		base64Variant("streams-of-2", on, streams(2)+crlf),
		base64Variant("streams-of-4", on, streams(4)+crlf),
		base64Variant("streams-of-7", on, streams(7)+crlf),
		base64Variant("streams-of-1-lines", on, concatenated(1, crlf)),
		base64Variant("streams-of-4-lines", on, concatenated(4, crlf)),
		base64Variant("streams-of-19-lines", on, concatenated(19, crlf)),
		{name: "padding-inside-dropped", why: "a client that drops \"=\" before it decodes",
			entity: body64(plain[:10] + "=" + plain[10:] + crlf), read: in(content, without("="), fromBase64)},
		{name: "padding-inside-two-dropped", why: "a client that drops \"=\" before it decodes",
			entity: body64(plain[:6] + "==" + plain[6:] + crlf), read: in(content, without("="), fromBase64)},
		{name: "url-alphabet", why: "a client that knows the alphabet of RFC 4648, section 5", entity: body64(urlAlphabet()),
			read: in(content, fromURLBase64)},
		{name: "bits-behind", tidy: true, why: "a client that ignores left-over bits (RFC 4648, section 3.5)",
			entity: body64(plain[:len(plain)-1] + leftOver(plain) + "=\r\n"), read: in(content, fromBase64)},
		{name: "lone-character-behind", why: "a client that ignores a lone character at the end", entity: body64(plain + "=\r\nA\r\n"),
			read: in(content, fromBase64)},
	}
}

// urlAlphabet returns the payload after bytes that need "-" and "_".
func urlAlphabet() string {
	b := append([]byte{0xfb, 0xef, 0xff, 0xff, 0xfe, 0xbf}, EICAR()...)
	return strings.NewReplacer("+", "-", "/", "_").Replace(toBase64(b))
}

// leftOver returns the last character of plain, which encodes the end of two bytes,
// with one of its unused bits set.
func leftOver(plain string) string {
	i := strings.IndexByte(base64Alphabet, plain[len(plain)-1])
	return base64Alphabet[i|1 : i|1+1]
}

// concatenated returns the payload as base64 streams of n bytes each, every one
// padded.
func concatenated(n int, between string) string {
	var b strings.Builder
	for rest := EICAR(); len(rest) > 0; rest = rest[min(n, len(rest)):] {
		b.WriteString(base64.StdEncoding.EncodeToString(rest[:min(n, len(rest))]) + between)
	}
	return b.String()
}

// linesOfBase64 has lines of unusual length and ends.
func linesOfBase64(plain string) []variant {
	full := plain + "="
	var vs []variant
	for _, n := range []int{1, 2, 3, 4, 5, 6, 7, 75, 77, 1000} {
		v := base64Variant(fmt.Sprintf("lines-of-%d", n), "every client: lines may be short", fill(full, n))
		v.tidy = true // longer lines than 76 are against the rules, but no decoder cares
		vs = append(vs, v)
	}
	for _, r := range []struct{ name, end string }{
		{"lf", "\n"}, {"cr", "\r"}, {"crcrlf", "\r\r\n"}, {"lfcr", "\n\r"}, {"crlfcrlf", "\r\n\r\n"}, {"blank-crlf", " \r\n"}, {"crlf-blank",
			"\r\n "}, {"tab-crlf", "\t\r\n"},
	} {
		v := base64Variant("line-ends-"+r.name, "a client that skips all white space", strings.ReplaceAll(fill(full, 20), crlf, r.end))
		v.tidy = true
		vs = append(vs, v)
	}
	tail := base64Variant("line-5000-behind", "every client", full+crlf)
	tail.entity.body = strings.Repeat("\r\n", 2500) + tail.entity.body
	tail.tidy = true
	return append(vs, tail,
		base64Variant("one-line-of-100000", "a client without a limit for lines",
			strings.TrimRight(toBase64([]byte(strings.Repeat(" ", 75_000))), "=\r\n")[:0]+strings.Repeat("ICAg", 25_000)+full+crlf))
}

// roundBase64 has text before or after the encoded part.
func roundBase64(plain string) []variant {
	full := plain + "=\r\n"
	return []variant{
		{name: "footer", why: "every client: a list's footer is junk behind the end",
			entity: body64(full + "_______________________________________________\r\nlist mailing " +
				"list\r\nlist@example.org\r\n"), read: in(content, before("_"), fromBase64)},
		{name: "footer-dashes", why: "every client", entity: body64(full + "\r\n-- \r\nSent from my phone.\r\n"),
			read: in(content, before("-- "), fromBase64)},
		{name: "text-before", why: "a client that starts at the first line that is all base64",
			entity: body64("This is the file:\r\n\r\n" + full), read: in(content, after("\r\n\r\n"), fromBase64)},
		{name: "text-before-one-line", why: "a client that starts at the first line that is all base64", entity: body64("Hi.\r\n" + full),
			read: in(content, after("Hi.\r\n"), fromBase64)},
		{name: "pem", why: "a client that knows armour", entity: body64("-----BEGIN FILE-----\r\n" + full + "-----END FILE-----\r\n"),
			read: in(content, after("FILE-----"), before("---"), fromBase64)},
		{name: "quoted", why: "a client that skips what is not of the alphabet", entity: body64("> " + full), read: in(content, fromBase64)},
		{name: "bracketed", why: "a client that skips what is not of the alphabet", entity: body64("(" + plain + "=)\r\n"),
			read: in(content, fromBase64)},
		{name: "empty-lines-before", why: "every client", entity: body64("\r\n\r\n\r\n" + full), read: in(content, fromBase64), tidy: true},
		{name: "declared-7bit", why: "a client that looks for encoded text itself",
			entity: entity{octets + attached + encodingIs + "7bit\r\n", full}, read: in(content, fromBase64), tidy: true},
		{name: "declared-nothing", why: "a client that looks for encoded text itself", entity: entity{octets + attached, full},
			read: in(content, fromBase64), tidy: true},
		{name: "declared-qp", why: "a client that looks for encoded text itself",
			entity: entity{octets + attached + encodingIs + "quoted-printable\r\n", full}, read: in(content, fromBase64)},
		{name: "declared-unknown", why: "a client that looks for encoded text itself",
			entity: entity{octets + attached + encodingIs + "x-unheard-of\r\n", full}, read: in(content, fromBase64)},
		{name: "declared-bas64", why: "a client that looks for encoded text itself",
			entity: entity{octets + attached + encodingIs + "bas64\r\n", full}, read: in(content, fromBase64)},
		{name: "declared-base-64", why: "a client that looks for encoded text itself",
			entity: entity{octets + attached + encodingIs + "base-64\r\n", full}, read: in(content, fromBase64)},
		{name: "declared-b", why: "a client that knows RFC 2047's short name", entity: entity{octets + attached + encodingIs + "b\r\n", full},
			read: in(content, fromBase64)},
		{name: "plain-in-base64", why: "a client that shows text that does not look encoded as it stands",
			entity: body64("Words, then " + string(EICAR()) + crlf), read: in(content, whole)},
	}
}
