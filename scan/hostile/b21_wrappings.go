package hostile

import (
	"fmt"
	"strings"
)

// wrapped returns a variant of a leaf with its own type and body.
func wrapped(name, why, head, body string, read Reading) variant {
	return variant{name: name, why: why, entity: entity{head, body}, read: in(content, read), tidy: true}
}

const plainText = "Content-Type: text/plain; charset=us-ascii\r\n"

// wrappings: files that hide in text, and mail that is not all there.
func wrappings() []Case {
	vs := append(uuencoded(), otherEncoders()...)
	vs = append(vs, partials()...)
	vs = append(vs, digests()...)
	return at(leafPlaces(), "", append(vs, doubles()...))
}

func uuencoded() []variant {
	const finds = "a client that finds uuencoded files in text, as Outlook does"
	file := "begin 644 papers.dat\r\n" + toUU(EICAR(), '`') + "end\r\n"
	declared := func(word string) string { return octets + attached + encodingIs + word + crlf }
	mime := "begin-base64 644 papers.dat\r\n" + toBase64(EICAR()) + "====\r\n"
	vs := []variant{
		wrapped("uu-text", finds, plainText, "Some words.\r\n\r\n"+file, fromUU),
		wrapped("uu-only", finds, plainText, file, fromUU),
		wrapped("uu-blank-zero", finds, plainText, "begin 644 papers.dat\r\n"+toUU(EICAR(), ' ')+"end\r\n", fromUU),
		wrapped("uu-no-end", finds, plainText, strings.TrimSuffix(file, "end\r\n"), fromUU),
		wrapped("uu-no-empty-line", finds, plainText, strings.TrimSuffix(file, "`\r\nend\r\n"), fromUU),
		wrapped("uu-text-behind", finds, plainText, file+"\r\nMore words.\r\n", fromUU),
		wrapped("uu-mode-4", finds, plainText, strings.Replace(file, "644", "0644", 1), fromUU),
		wrapped("uu-mode-600", finds, plainText, strings.Replace(file, "644", "600", 1), fromUU),
		wrapped("uu-blanks-in-name", finds, plainText, strings.Replace(file, "papers.dat", "my papers.dat", 1), fromUU),
		wrapped("uu-no-name", finds, plainText, strings.Replace(file, " papers.dat", " ", 1), fromUU),
		wrapped("uu-trailing-blanks", finds, plainText, strings.ReplaceAll(file, crlf, " \r\n"), fromUU),
		wrapped("uu-checksum-character", finds, plainText, strings.Replace(file, "\r\n`\r\n", "!\r\n`\r\n", 1), fromUU),
		wrapped("uu-second", finds, plainText, "begin 644 a.txt\r\n"+toUU([]byte("harmless"), '`')+"end\r\n"+file, in(after("end\r\n"), fromUU)),
		wrapped("uu-html", finds, "Content-Type: text/html\r\n", "<p>Some words.</p>\r\n"+file, fromUU),
		wrapped("uu-false-start", finds, plainText, "begin 7 times over\r\nbegin 644 \r\n\r\n"+file, in(after("644 \r\n"), fromUU)),
		wrapped("uu-lf", finds, plainText, strings.ReplaceAll(file, crlf, "\n"), fromUU),
		wrapped("uu-mime", "a client that knows uuencode -m", plainText, mime, in(after("papers.dat\r\n"), before("===="), fromBase64)),
	}
	for _, word := range []string{"x-uuencode", "uuencode", "x-uue", "uue", "X-UUEncode", "x-uu"} {
		vs = append(vs, wrapped("uu-declared-"+word, "a client that knows "+word+" as a transfer encoding", declared(word), file, fromUU))
	}
	for _, e := range []encoding{b64(), qp()} {
		head := plainText + encodingIs + e.name + crlf
		vs = append(vs, wrapped("uu-in-"+e.short(), finds, head, e.to([]byte("Words.\r\n"+file)), in(e.from, fromUU)))
	}
	return append(vs,
		variant{name: "uu-declared-no-begin", why: "a client that starts at the first line",
			entity: entity{declared("x-uuencode"), toUU(EICAR(), '`')}, read: in(content, swap("M6", "begin 644 x\r\nM6"), fromUU)},
		variant{name: "uu-denied-name", why: finds, entity: entity{plainText,
			"begin 644 " + DeniedName + crlf + toUU([]byte("harmless"), '`') + "end\r\n"},
			read: in(after("begin 644 "), before(crlf)), payload: named(DeniedName), tidy: true})
}

func otherEncoders() []variant {
	yenc := fmt.Sprintf("=ybegin line=128 size=%d name=papers.dat\r\n", len(EICAR())) + toYEnc(EICAR()) +
		fmt.Sprintf("=yend size=%d\r\n", len(EICAR()))
	hqx := toBinHex("papers.dat", EICAR())
	hqxHead := "Content-Type: application/mac-binhex40\r\n" + attached
	return []variant{
		wrapped("yenc-text", "a newsreader", plainText, "Some words.\r\n"+yenc, fromYEnc),
		wrapped("yenc-only", "a newsreader", plainText, yenc, fromYEnc),
		wrapped("yenc-8bit", "a newsreader", plainText+encodingIs+"8bit\r\n", yenc, fromYEnc),
		wrapped("yenc-declared", "a newsreader", octets+attached+encodingIs+"x-yenc\r\n", yenc, fromYEnc),
		wrapped("yenc-multipart", "a newsreader", plainText, strings.Replace(strings.Replace(yenc, "line=", "part=1 line=", 1),
			"papers.dat\r\n", "papers.dat\r\n=ypart begin=1 end=68\r\n", 1), in(swap("=ypart begin=1 end=68\r\n", ""), fromYEnc)),
		wrapped("binhex-text", "a Macintosh client", plainText, "Some words.\r\n"+hqx, fromBinHex),
		wrapped("binhex-only", "a Macintosh client", plainText, hqx, fromBinHex),
		wrapped("binhex-type", "every client that knows BinHex (RFC 1741)", hqxHead, hqx, fromBinHex),
		wrapped("binhex-declared", "a client that knows it as a transfer encoding", octets+attached+encodingIs+"x-binhex\r\n", hqx, fromBinHex),
		wrapped("binhex-cut-lines", "a Macintosh client", hqxHead, strings.ReplaceAll(hqx, crlf, "\n"), fromBinHex),
		wrapped("base64-in-text", "a reader who decodes what he sees; Apple Mail did", plainText,
			"Some words.\r\n\r\n"+toBase64(EICAR()), in(after("\r\n\r\n"), fromBase64)),
		wrapped("armour", "a client that undoes armour", plainText,
			"-----BEGIN FILE-----\r\n\r\n"+toBase64(EICAR())+"-----END FILE-----\r\n", in(after("\r\n\r\n"), before("-----"), fromBase64)),
	}
}

// partials: mail in pieces, or elsewhere. No single mail need show a payload,
// so the kind of mail itself must be refused.
func partials() []variant {
	inner := letterhead + attachment(b64()).text()
	half := len(inner) - 40
	partial := func(rest string) string { return "Content-Type: message/partial; id=\"x@example.org\"" + rest + crlf }
	external := func(rest string) string { return "Content-Type: message/external-body; " + rest + crlf }
	phantom := octets + encodingIs + "base64\r\n\r\n" + toBase64(EICAR())
	vs := []variant{
		{name: "partial-1-of-2", entity: entity{partial("; number=1; total=2"), inner[:half]}},
		{name: "partial-2-of-2", entity: entity{partial("; number=2; total=2"), inner[half:]}},
		{name: "partial-2-no-total", entity: entity{partial("; number=2"), inner[half:]}},
		{name: "partial-no-number", entity: entity{partial(""), inner[:half]}},
		{name: "partial-1-of-1", entity: entity{partial("; number=1; total=1"), inner}, read: in(content, opened(b64()))},
		{name: "partial-upper-case", entity: entity{strings.Replace(partial("; number=1; total=2"), "message/partial",
			"MESSAGE/Partial", 1), inner[:half]}},
		{name: "external-url", entity: entity{external("access-type=URL; URL=\"http://payload.example/\""), octets + crlf}},
		{name: "external-ftp", entity: entity{external("access-type=anon-ftp; site=payload.example; name=x.exe"), octets + crlf}},
		{name: "external-local", entity: entity{external("access-type=local-file; name=\"/etc/passwd\""), octets + crlf}},
		{name: "external-phantom", entity: entity{external("access-type=URL; URL=\"http://payload.example/\""), phantom},
			read: in(content, opened(b64()))},
		{name: "external-mail-server", entity: entity{external("access-type=mail-server; server=list@payload.example"),
			octets + crlf + "get file\r\n"}},
	}
	for i := range vs {
		vs[i].why = "a client that puts pieces together, or fetches them (RFC 2046, section 5.2)"
		vs[i].tidy, vs[i].unsure = true, true
	}
	return vs
}

// digests: parts that are messages though nothing says so.
func digests() []variant {
	inner := letterhead + attachment(b64()).text()
	digest := "Content-Type: multipart/digest; boundary=bar\r\n"
	read := in(section("bar", 1), content, opened(b64()))
	one := func(part string) string { return "--bar\r\n" + part + "--bar--\r\n" }
	return []variant{
		{name: "digest-default", why: "every client: message/rfc822 is the default in a digest (RFC 2046, section 5.1.5)", tidy: true,
			read: in(section("bar", 1), after(crlf), opened(b64())), entity: entity{digest, one(crlf + inner)}},
		{name: "digest-empty-type", why: "a client that takes an empty type for none", read: read,
			entity: entity{digest, one("Content-Type:\r\n\r\n" + inner)}},
		{name: "digest-other-field", why: "every client", tidy: true, read: read,
			entity: entity{digest, one("Content-Description: x\r\n\r\n" + inner)}},
		{name: "digest-no-empty-line", tidy: true, why: "a client that takes the message's header for the part's",
			read: in(section("bar", 1), opened(b64())), entity: entity{digest, one(inner)}},
		{name: "digest-declared", why: "every client", tidy: true, read: read,
			entity: entity{digest, one("Content-Type: message/rfc822\r\n\r\n" + inner)}},
	}
}

// doubles: a Macintosh file in two halves (RFC 1740), and in one.
func doubles() []variant {
	resource := "Content-Type: application/applefile\r\n" + encodingIs + "base64\r\n\r\n" + toBase64(appleFile("\x00\x05\x16\x07", nil))
	data := attachment(b64()).text()
	body := "--bar\r\n" + resource + "--bar\r\n" + data + "--bar--\r\n"
	single := toBase64(appleFile("\x00\x05\x16\x00", EICAR()))
	return []variant{
		{name: "appledouble", why: "every client: the second half is the file", tidy: true, read: in(section("bar", 2), opened(b64())),
			entity: entity{"Content-Type: multipart/appledouble; boundary=bar\r\n", body}},
		{name: "appledouble-header-set", why: "every client: the second half is the file", tidy: true, read: in(section("bar", 2), opened(b64())),
			entity: entity{"Content-Type: multipart/header-set; boundary=bar\r\n", body}},
		{name: "applesingle", why: "a Macintosh client: the data fork is inside", tidy: true, read: in(content, fromBase64),
			entity: entity{"Content-Type: application/applefile; name=papers\r\n" + encodingIs + "base64\r\n", single}},
	}
}

// appleFile returns an AppleSingle or AppleDouble file with at most a data fork.
func appleFile(magic string, data []byte) []byte {
	head := magic + "\x00\x02\x00\x00" + strings.Repeat("\x00", 16)
	if data == nil {
		return []byte(head + "\x00\x00")
	}
	return append([]byte(head+"\x00\x01\x00\x00\x00\x01\x00\x00\x00\x26\x00\x00\x00"+string(rune(len(data)))), data...)
}
