package hostile

import (
	"strings"
	"unicode/utf16"
)

// charsets: words that only the right charset shows. What must be found is the
// lure, after the charset is undone; the transfer encodings are in order.
func charsets() []Case {
	var vs []variant
	for _, e := range []encoding{b64(), qp()} {
		for _, r := range charsetRows() {
			kind := "text/html"
			head := "Content-Type: " + kind + r.charset + crlf + encodingIs + e.name + crlf
			vs = append(vs, variant{name: e.short() + "-" + r.name, why: r.why, entity: entity{head, e.to(r.bytes)},
				read: in(content, e.from, r.undo), payload: worded(Lure), tidy: true})
		}
	}
	return at([]place{atTop(), inPart()}, "", vs)
}

type charsetRow struct {
	name, charset, why string
	bytes              []byte
	undo               Reading
}

func charsetRows() []charsetRow {
	link := "<a href=\"" + Lure + "\">x</a>\r\n"
	dotted := strings.NewReplacer(".", "\u200b.")
	const old = "a client that knows the charset, as browsers and old mail readers do"
	return []charsetRow{
		{"utf-8", "; charset=utf-8", "every client", []byte(link), whole},
		{"utf-8-bom", "; charset=utf-8", "every client", []byte("\ufeff" + link), whole},
		{"utf-16-bom-le", "; charset=utf-16", old, append([]byte{0xff, 0xfe}, utf16le(link)...), without("\x00")},
		{"utf-16-bom-be", "; charset=utf-16", old, append([]byte{0xfe, 0xff}, utf16be(link)...), without("\x00")},
		{"utf-16le", "; charset=utf-16le", old, utf16le(link), without("\x00")},
		{"utf-16be", "; charset=utf-16be", old, utf16be(link), without("\x00")},
		{"utf-16-no-bom", "; charset=utf-16", "a client that assumes big-endian (RFC 2781, section 4.3)", utf16be(link), without("\x00")},
		{"utf-16-no-bom-le", "; charset=utf-16", "a client that assumes little-endian (WHATWG Encoding)", utf16le(link), without("\x00")},
		{"utf-16-undeclared", "", "a client that looks at the byte order mark", append([]byte{0xff, 0xfe}, utf16le(link)...), without("\x00")},
		{"utf-16-declared-utf-8", "; charset=utf-8", "a client that trusts the byte order mark (WHATWG Encoding)",
			append([]byte{0xff, 0xfe}, utf16le(link)...), without("\x00")},
		{"ascii-declared-utf-16", "; charset=utf-16", "a client that falls back when the charset cannot be right", []byte(link), whole},
		{"utf-7", "; charset=utf-7", "a client that knows UTF-7 (RFC 2152)",
			[]byte(strings.NewReplacer("<", "+ADw-", ">", "+AD4-", "\"", "+ACI-", ":", "+ADo-").Replace(link)), swap("+ADo-", ":")},
		{"unicode-1-1-utf-7", "; charset=unicode-1-1-utf-7", "a client that knows UTF-7 by its old name",
			[]byte(strings.NewReplacer("<", "+ADw-", ">", "+AD4-", ":", "+ADo-").Replace(link)), swap("+ADo-", ":")},
		{"utf-7-all", "; charset=utf-7", "a client that knows UTF-7", utf7(link), fromUTF7},
		{"iso-2022-jp", "; charset=iso-2022-jp", "a client that undoes escape sequences",
			[]byte(strings.ReplaceAll(link, "payload", "pay\x1b(Bload")), without("\x1b(B")},
		{"iso-2022-jp-roman", "; charset=iso-2022-jp", "a client that undoes escape sequences",
			[]byte(strings.ReplaceAll(link, "payload", "pay\x1b(Jload\x1b(B")), in(without("\x1b(B"), without("\x1b(J"))},
		{"unknown", "; charset=x-unheard-of", "a client that falls back to ASCII", []byte(link), whole},
		{"empty", "; charset=", "a client that falls back to ASCII", []byte(link), whole},
		{"two", "; charset=utf-16; charset=us-ascii", "a client that obeys the last", []byte(link), whole},
		{"ebcdic", "; charset=ibm037", "a client that knows EBCDIC", ebcdic(link), fromEBCDIC},
		{"zero-width", "; charset=utf-8", "every client: characters without width do not show", []byte("<p>" + dotted.Replace(Lure) + "</p>"),
			without("\u200b")},
		{"soft-hyphens", "; charset=utf-8", "every client: soft hyphens do not show",
			[]byte("<p>" + strings.ReplaceAll(Lure, ".", "\u00ad.") + "</p>"), without("\u00ad")},
		{"entities", "; charset=utf-8", "every client that shows HTML", []byte(strings.ReplaceAll(link, ":", "&#58;")), swap("&#58;", ":")},
		{"entities-no-semicolon", "; charset=utf-8", "a client that reads HTML like a browser", []byte(strings.ReplaceAll(link, ":", "&#58")),
			swap("&#58", ":")},
		{"entities-hex", "; charset=utf-8", "every client that shows HTML", []byte(strings.ReplaceAll(link, ".", "&#x2e;")), swap("&#x2e;", ".")},
		{"hidden-by-css", "; charset=utf-8", "a scanner must look behind the fold", []byte("<div style=\"display:none\">" + link + "</div>"),
			whole},
		{"tabs-in-link", "; charset=utf-8", "a browser: tabs and line ends in a link go",
			[]byte(strings.ReplaceAll(link, "example", "exa\tm\nple")), in(without("\t"), without("\n"))},
	}
}

func utf16le(s string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

func utf16be(s string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u>>8), byte(u))
	}
	return out
}

// utf7 returns s in UTF-7 (RFC 2152) with everything in one shifted run.
func utf7(s string) []byte {
	return []byte("+" + strings.TrimRight(strings.ReplaceAll(toBase64(utf16be(s)), crlf, ""), "=") + "-")
}

func fromUTF7(b []byte) []byte {
	return in(after("+"), before("-"), fromBase64, without("\x00"))(b)
}

// ebcdicTable has the code page 37 bytes of the characters of a link.
const (
	ebcdicFrom  = "abcdefghijklmnopqrstuvwxyz<>=\"/:. \r\n"
	ebcdicBytes = "" +
		"\x81\x82\x83\x84\x85\x86\x87\x88\x89\x91\x92\x93\x94\x95\x96\x97\x98\x99" +
		"\xa2\xa3\xa4\xa5\xa6\xa7\xa8\xa9\x4c\x6e\x7e\x7f\x61\x7a\x4b\x40\x0d\x25"
)

func ebcdic(s string) []byte { return mapBytes([]byte(s), ebcdicFrom, ebcdicBytes) }

func fromEBCDIC(b []byte) []byte { return mapBytes(b, ebcdicBytes, ebcdicFrom) }

func mapBytes(b []byte, from, to string) []byte {
	out := make([]byte, 0, len(b))
	for _, c := range b {
		if i := strings.IndexByte(from, c); i >= 0 {
			out = append(out, to[i])
		}
	}
	return out
}
