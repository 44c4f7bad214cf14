package hostile

import (
	"fmt"
	"io"
	"strings"
)

// chunk is how much a streamed mail writes at a time.
const chunk = 64 << 10

// repeated is s written n times, streamed.
type repeated struct {
	s string
	n int
}

// writeTo writes in pieces of about chunk bytes.
func (r repeated) writeTo(w io.Writer) error {
	batch := max(1, chunk/max(1, len(r.s)))
	block := strings.Repeat(r.s, min(batch, r.n))
	for left := r.n; left > 0; left -= batch {
		if left < batch {
			block = strings.Repeat(r.s, left)
		}
		if _, err := io.WriteString(w, block); err != nil {
			return err
		}
	}
	return nil
}

// once returns a piece that is written one time.
func once(s string) repeated { return repeated{s, 1} }

// sequence writes pieces one after the other.
func sequence(pieces ...repeated) func(io.Writer) error {
	return func(w io.Writer) error {
		for _, p := range pieces {
			if err := p.writeTo(w); err != nil {
				return err
			}
		}
		return nil
	}
}

// lawful returns a case that breaks no rule of MIME but, at most, the length of lines,
// as mail programs do every day: a finding about it would help no administrator.
func lawful(c Case) Case {
	c.WantDeviation = false
	return c
}

// large returns a Huge case: payload in reach, but after or before a mass of
// something.
func large(name, why string, pieces ...repeated) Case {
	return Case{Name: name, Why: why, Huge: true, Payload: virus(), WantDeviation: true, MayBeUnscannable: true, stream: sequence(pieces...)}
}

// masses: depth, number and length that exhaust the unwary.
func masses() []Case {
	cases := append(depths(), counts()...)
	cases = append(cases, lengths()...)
	return append(cases, temptations()...)
}

// depths nests composites.
func depths() []Case {
	armed := attachment(b64()).text()
	var cases []Case
	for _, n := range []int{9, 30, 65, 200, 1000, 20000} {
		for _, kind := range []struct{ name, open string }{
			{"multipart", "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%[1]d\r\n"},
			{"multipart-same-boundary", "Content-Type: multipart/mixed; boundary=foo\r\n\r\n--foo\r\n"},
			{"message", "Content-Type: message/rfc822\r\n\r\nSubject: %d\r\n"},
			{"alternating", "Content-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%[1]d\r\n"},
		} {
			var b strings.Builder
			for i := range n {
				if strings.Contains(kind.open, "%") {
					fmt.Fprintf(&b, kind.open, i)
				} else {
					b.WriteString(kind.open)
				}
			}
			cases = append(cases, Case{
				Name: fmt.Sprintf("depth-%s-%d", kind.name,
					n), Why: "a client that opens everything; or none, and then the mail must be refused as too deep",
				Message: []byte(letterhead + b.String() + armed), Payload: virus(), WantDeviation: n >= 1000, MayBeUnscannable: n > 8,
				Client: in(after("Content-Type: application"), opened(b64())),
			})
		}
	}
	return append(cases, encodedDepths()...)
}

// encodedDepths nests messages each of which is encoded again.
func encodedDepths() []Case {
	var cases []Case
	for _, n := range []int{1, 2, 4, 8} {
		mail, read := letterhead+attachment(b64()).text(), opened(b64())
		for range n {
			mail = letterhead + "Content-Type: message/rfc822\r\n" + encodingIs + "base64\r\n\r\n" + toBase64([]byte(mail))
			read = in(content, fromBase64, read)
		}
		cases = append(cases, Case{Name: fmt.Sprintf("depth-encoded-%d", n), Why: "a client that opens attached messages whatever their encoding",
			Message: []byte(mail), Payload: virus(), Client: read, WantDeviation: true, MayBeUnscannable: n > 4})
	}
	return cases
}

// counts has many of something small.
func counts() []Case {
	armed := attachment(b64()).text()
	start, end := once(letterhead+mixedFoo+crlf+"--foo\r\n"+note), once("--foo\r\n"+armed+"--foo--\r\n")
	const all = "a client that lists all parts"
	file := "--foo\r\n" + octets + attached + crlf + "x\r\n"
	field := "X-Field: x\r\n"
	return []Case{
		lawful(large("201-attachments", all, start, repeated{file, 201}, end)),
		large("10000-empty-parts", all, start, repeated{"--foo\r\n\r\n", 10_000}, end),
		large("100000-empty-parts", all, start, repeated{"--foo\r\n\r\n", 100_000}, end),
		large("100000-bare-delimiters", all, start, repeated{"--foo\r\n", 100_000}, end),
		large("50000-fields", "a client that reads long headers", repeated{field, 50_000}, start, end),
		large("50000-part-fields", "a client that reads long headers", start, once("--foo\r\n"), repeated{field, 50_000},
			once(armed+"--foo--\r\n")),
		large("20000-type-fields", "a client that obeys the last field", once(letterhead), repeated{"Content-Type: text/plain\r\n", 20_000},
			once(mixedFoo+crlf), end),
		large("20000-boundaries", "a client that obeys the last boundary", once(letterhead+"Content-Type: multipart/mixed"),
			repeated{";\r\n boundary=x", 20_000}, once(";\r\n boundary=foo\r\n\r\n"), end),
		large("20000-different-boundaries", "a client that obeys the last boundary",
			once(letterhead+"Content-Type: multipart/mixed"+manyBoundaries(20_000)+";\r\n boundary=foo\r\n\r\n"), end),
		large("open-comments", "a client that does not know comments", once(letterhead+"Content-Type: multipart/mixed; boundary=foo "),
			repeated{"(", 10_000}, once("\r\n\r\n"), end),
		large("encoded-word-starts", "every client", once("Subject: "), repeated{"=?", 100_000}, once(crlf), start, end),
		large("encoded-word-starts-in-name", "every client", start, once("--foo\r\n"+octets+"Content-Disposition: attachment; filename=\""),
			repeated{"=?", 100_000}, once("\"\r\n"+encodingIs+"base64\r\n\r\n"+toBase64(EICAR())), once("--foo--\r\n")),
		large("name-pieces", "every client", start, once("--foo\r\n"+octets+"Content-Disposition: attachment"),
			repeated{"; filename*0=x", 20_000}, once(crlf+encodingIs+"base64\r\n\r\n"+toBase64(EICAR())), once("--foo--\r\n")),
		lawful(large("near-delimiters", "every client", start, repeated{"--fo\r\n", 200_000}, end)),
		lawful(large("uuencode-starts", "every client", start, repeated{"begin 644 x\r\n", 100_000}, end)),
		large("closes", "a client that goes on behind the closing delimiter", start, repeated{"--foo--\r\n", 50_000}, end),
	}
}

// manyBoundaries returns n boundary parameters, all different.
func manyBoundaries(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ";\r\n boundary=x%d", i)
	}
	return b.String()
}

// lengths has something small at great length.
func lengths() []Case {
	armed := attachment(b64()).text()
	start, end := once(letterhead+mixedFoo+crlf+"--foo\r\n"+note), once("--foo\r\n"+armed+"--foo--\r\n")
	const mb = 1 << 20
	return []Case{
		lawful(large("line-1mb", "every client", start, repeated{"x", mb}, once(crlf), end)),
		lawful(large("preamble-line-5000", "every client: a preamble is text", once(letterhead+mixedFoo+crlf), repeated{"x", 5000},
			once(crlf), end)),
		large("delimiter-blanks-1mb", "every client: blanks are allowed", start, once("--foo"), repeated{" ", mb},
			once(crlf+armed+"--foo--\r\n")),
		lawful(large("delimiter-dashes-1mb", "every client", start, repeated{"-", mb}, once(crlf), end)),
		large("header-10mb", "a client that reads long headers", once("X-Long: "), repeated{"x", 10 * mb}, once(crlf), start, end),
		large("header-10mb-folded", "a client that reads long headers", once("X-Long: x"), repeated{"\r\n x", 2 * mb}, once(crlf), start, end),
		large("part-header-2mb", "a client that reads long headers", start, once("--foo\r\nX-Long: "), repeated{"x", 2 * mb},
			once(crlf+armed+"--foo--\r\n")),
		large("type-10mb", "a client that reads long headers", once(letterhead+"Content-Type: multipart/mixed; x=\""), repeated{"x", 10 * mb},
			once("\"; boundary=foo\r\n\r\n"), end),
		large("boundary-1mb", "a client without limits", once(letterhead+"Content-Type: multipart/mixed; boundary="), repeated{"b", mb},
			once("\r\n\r\n--"), repeated{"b", mb}, once(crlf+armed+"--"), repeated{"b", mb}, once("--\r\n")),
		large("name-1mb", "every client", start, once("--foo\r\n"+octets+"Content-Disposition: attachment; filename="), repeated{"x", mb},
			once(crlf+encodingIs+"base64\r\n\r\n"+toBase64(EICAR())), once("--foo--\r\n")),
		large("base64-one-line-5mb", "every client", start,
			once("--foo\r\n"+octets+attached+encodingIs+"base64\r\n\r\n"+strings.TrimRight(toBase64(append(EICAR(), "    "...)),
				crlf)), repeated{"ICAg", 5 * mb / 4}, once("\r\n--foo--\r\n")),
		large("qp-one-line-5mb", "every client", start,
			once("--foo\r\n"+octets+attached+encodingIs+"quoted-printable\r\n\r\n"+strings.ReplaceAll(strings.TrimRight(toQP(EICAR()), crlf),
				"=\r\n", "")), repeated{"=20", 5 * mb / 3}, once("\r\n--foo--\r\n")),
		large("qp-blanks-1gb", "a client that reads it all", start, once("--foo\r\n"+octets+attached+encodingIs+"quoted-printable\r\n\r\n"),
			repeated{" ", 1 << 30}, once(toQP(EICAR())+"--foo--\r\n")),
		large("header-50mb", "a client that reads long headers", once("X-Long: "), repeated{"x", 50 * mb}, once(crlf), start, end),
		large("100000-headers", "a client that reads long headers", repeated{"X-Field: some words that fill the line up\r\n", 100_000}, start,
			end),
	}
}

// temptations call for another reading again and again, each of which costs.
func temptations() []Case {
	armed := attachment(b64()).text()
	start, end := once(letterhead+mixedFoo+crlf+"--foo\r\n"+note), once("--foo\r\n"+armed+"--foo--\r\n")
	open := func(encoding string) repeated {
		return once("--foo\r\n" + octets + attached + encodingIs + encoding + "\r\n\r\n")
	}
	const all = "a client that lists all parts"
	twice := "--foo\r\n" + octets + encodingFields("base64", "quoted-printable") + crlf + toBase64([]byte("harmless"))
	inner := "--foo\r\nContent-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\n--a\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--\r\n--a--\r\n"
	quoted := mixedFoo + crlf + "--x\r\n" + octets + crlf + "QUJD\r\n"
	block := toBase64([]byte(strings.Repeat("harmless words ", 12)))
	return []Case{
		large("tempt-1500-double-encodings", all, start, repeated{twice, 1500}, end),
		large("tempt-1500-double-boundaries", all, start, repeated{inner, 1500}, end),
		large("tempt-headers-in-text", all, start, repeated{quoted, 20_000}, end),
		large("tempt-base64-in-text", all, start, repeated{block + "\r\nwords\r\n", 20_000}, end),
		large("tempt-uuencode-in-text", all, start, repeated{"begin 644 x\r\n" + toUU([]byte("harmless"), '`') + "end\r\n", 20_000}, end),
		lawful(large("tempt-mails-in-text", all, start, repeated{"\r\nReturn-Path: <a@example.org>\r\n" + letterhead + crlf +
			"words\r\n", 10_000}, end)),
		large("tempt-base64-padded-lines", all, start, open("base64"), repeated{"QUJDREVGR0g=\r\n", 400_000}, once(toBase64(EICAR())), end),
		large("tempt-qp-controls", all, start, open("quoted-printable"), repeated{"=41\x01=\r\n", 600_000}, once(toQP(EICAR())), end),
		large("tempt-qp-equals", all, start, open("quoted-printable"), repeated{"=", 5 << 20}, once(crlf+toQP(EICAR())), end),
		large("tempt-lone-cr", "a client that takes CR for a line end", start, repeated{"--foo\rX: y\r", 200_000}, once(crlf), end),
	}
}
