package entity

import (
	"io"
	"slices"
)

// Encodings that undo another one as only some clients do. No message declares
// them: Variants offers them where a decoder met what they differ on.
const (
	Base64Stop     Encoding = "base64-stop"     // ends at the first padding
	Base64NoPad    Encoding = "base64-nopad"    // takes padding for junk and does not begin a new quantum
	Base64URL      Encoding = "base64-urlsafe"  // takes "-" and "_" for digits (RFC 4648, section 5)
	Base64Lines    Encoding = "base64-lines"    // begins with the first line of whole quanta and passes over lines that hold anything else
	Base64EachLine Encoding = "base64-each"     // begins again at each line
	QPStrict       Encoding = "qp-strict"       // joins no escape over a soft break and repairs no broken one
	QPLoose        Encoding = "qp-loose"        // drops bytes that may not be there, and what cuts escapes
	QPDrop         Encoding = "qp-drop"         // drops a stray "="
	QPSkip         Encoding = "qp-skip"         // drops a stray "=" and the byte after it
	QPSwallow      Encoding = "qp-swallow"      // drops a stray "=" and the two bytes after it
	QPTrim         Encoding = "qp-trim"         // drops blanks after soft breaks
	UUBare         Encoding = "uuencode-bare"   // begins with the first line; there is no "begin"
	BinHexResource Encoding = "binhex-resource" // the resource fork, as Macintoshes show it
)

const longestLine = 998 // RFC 5322, section 2.1.1

// decoder undoes one encoding. It takes the lines of the body in order, each
// with its line end, and appends to dst what they hold. A line that is longer
// than the buffer comes in fragments, of which only the last has a line end.
type decoder interface {
	line(dst, line []byte) []byte
	end(dst []byte) []byte
}

// blockDecoder is a decoder that may take many lines at once: as many as block
// says it took from the start of src.
type blockDecoder interface {
	block(dst, src []byte) ([]byte, int)
}

// Decode reads src, undoes the encoding the way clients do – so damage never
// ends it – and writes the result to dst. It returns what it met, each code
// once; spans count from the start of src. An encoding it does not know is
// copied as it is. The error is one of dst or src: a damaged body has none.
// What was decoded before an error of src has been written.
//
// The result does not depend on how src hands out its bytes. Memory is bounded
// by some 150 KB for any src; the output is at most 128 times as large as the
// input for BinHex, which knows repeats, 64 times for uuencode and never larger
// for the others.
func Decode(dst io.Writer, src io.Reader, enc Encoding) ([]Deviation, error) {
	d := newDecoding(dst, enc)
	if d == nil {
		_, err := io.Copy(dst, src)
		return nil, err
	}
	err := d.readFrom(src)
	return d.notes, err
}

func newDecoder(enc Encoding, l *ledger) decoder {
	switch enc {
	case Base64:
		return &base64Decoder{ledger: l, digits: &standardDigits}
	case Base64Stop:
		return &base64Decoder{ledger: l, digits: &standardDigits, reading: stopAtPadding}
	case Base64NoPad:
		return &base64Decoder{ledger: l, digits: &standardDigits, reading: ignorePadding}
	case Base64URL:
		return &base64Decoder{ledger: l, digits: &urlDigits}
	case Base64Lines:
		return &base64Decoder{ledger: l, digits: &standardDigits, reading: wholeLines}
	case QuotedPrintable:
		return &qpDecoder{ledger: l}
	case Base64EachLine:
		return &base64Decoder{ledger: l, digits: &standardDigits, reading: eachLine}
	case QPDrop:
		return &qpDecoder{ledger: l, reading: dropping}
	case QPSkip:
		return &qpDecoder{ledger: l, reading: skipping}
	case QPSwallow:
		return &qpDecoder{ledger: l, reading: swallowing}
	case QPTrim:
		return &qpDecoder{ledger: l, reading: trimming}
	case QPStrict:
		return &qpDecoder{ledger: l, reading: strictly}
	case QPLoose:
		return &qpDecoder{ledger: l, reading: loosely}
	case UUEncode:
		return &uuDecoder{ledger: l}
	case UUBare:
		return &uuDecoder{ledger: l, open: true, blocks: 1}
	case YEnc:
		return &yencDecoder{ledger: l}
	case BinHex:
		return &binhexDecoder{ledger: l, fork: dataFork}
	case BinHexResource:
		return &binhexDecoder{ledger: l, fork: resourceFork}
	}
	return nil
}

// ledger collects what a decoder meets, each code once.
type ledger struct {
	notes  []Deviation
	offset int64 // of the current line in the input
	back   int   // bytes of the lines before that are decoded with it
}

// note enters the code, met in the current line at the bytes from i up to j.
func (l *ledger) note(code string, i, j int) {
	if l.noted(code) {
		return
	}
	start := l.offset - int64(l.back)
	at := Span{start + int64(i), start + int64(j)}
	l.notes = append(l.notes, Deviation{Code: code, Class: decoderClass(code), Span: at})
}

func (l *ledger) noted(code string) bool {
	return slices.ContainsFunc(l.notes, func(n Deviation) bool { return n.Code == code })
}

// Variants returns the other ways in which some client undoes enc, given what
// Decode met with it. There are none where nothing calls for them. Their
// results are second readings of the same leaf.
func Variants(enc Encoding, met []Deviation) []Encoding {
	var also []Encoding
	for _, v := range variants {
		offered := func(n Deviation) bool { return n.Code == v.code }
		if v.of == enc && !slices.Contains(also, v.as) && slices.ContainsFunc(met, offered) {
			also = append(also, v.as)
		}
	}
	return also
}

var variants = [...]struct {
	of   Encoding
	code string
	as   Encoding
}{
	{Base64, "base64-data-after-padding", Base64Stop},
	{Base64, "base64-data-after-padding", Base64NoPad},
	{Base64, "base64-text-after-padding", Base64Stop},
	{Base64, "base64-text-after-padding", Base64NoPad},
	{Base64, "base64-text-before", Base64Lines},
	{Base64, "base64-uneven-line", Base64EachLine},
	{Base64, "base64-uneven-line", Base64Lines},
	{Base64, "base64-url-alphabet", Base64URL},
	{Base64, "base64-not-encoded", Identity},
	{Base64, "base64-not-encoded", QuotedPrintable},
	{QuotedPrintable, "qp-damaged-break", QPStrict},
	{QuotedPrintable, "qp-split-escape", QPStrict},
	{QuotedPrintable, "qp-8bit", QPLoose},
	{QuotedPrintable, "qp-control", QPLoose},
	{QuotedPrintable, "qp-stray-equals", QPLoose},
	{QuotedPrintable, "qp-unescaped", QPDrop},
	{QuotedPrintable, "qp-unescaped", QPSkip},
	{QuotedPrintable, "qp-unescaped", QPSwallow},
	{QuotedPrintable, "qp-bare-break", QPLoose},
	{QuotedPrintable, "qp-indented", QPTrim},
	{QuotedPrintable, "qp-holds-base64", Base64},
	{UUEncode, "uu-no-begin", UUBare},
	{UUEncode, "uu-no-begin", Identity},
	{YEnc, "yenc-no-begin", Identity},
	{BinHex, "binhex-no-begin", Identity},
	{BinHex, "binhex-resource-fork", BinHexResource},
}

// Code describes one deviation: the entry of the catalogue after
// docs/findings.md.
type Code struct {
	Code    string
	Class   Class
	About   string // one sentence for the administrator
	Example string
}

// decoderCodes are the deviations that decoding can meet.
var decoderCodes = [...]Code{
	{"base64-blank", Malformed, "Blanks stand inside a base64 body; clients skip them.", "WDVP IVAl"},
	{"base64-cut", Malformed, "A base64 body ends in six bits that make no byte.", "WDVPI"},
	{"base64-data-after-padding", Ambiguous, "Base64 goes on after its padding; some clients decode on and others stop.", "WDVPIQ==UCVAQVA="},
	{"base64-junk", Malformed, "Bytes that are no base64 stand inside a base64 body; clients skip them.", "WD.VP.IV.Al"},
	{"base64-long-line", Malformed, "A base64 line is longer than the 998 characters that RFC 5322 allows.", "a body in one line"},
	{"base64-no-padding", Malformed, "A base64 body lacks its padding.", "WDVPIQ"},
	{"base64-not-encoded", Ambiguous, "A body is declared base64 but looks like plain text; some clients show it as it is.",
		"Content-Transfer-Encoding: base64, then: Hello, how are you?"},
	{"base64-stray-padding", Malformed, "Base64 padding stands where nothing is to be padded.", "WDVP=IVAl="},
	{"base64-text-after-padding", Malformed, "Plain text stands below a base64 body, as list servers append it.",
		"WDVPIQ== and, below, a list's footer"},
	{"base64-text-before", Ambiguous, "Plain text stands above base64 in a body; some clients decode its letters, others begin below it.",
		"This is the file: and, below, WDVPIQ=="},
	{"base64-url-alphabet", Ambiguous, "A base64 body has digits of the URL alphabet, which some clients decode and others skip.", "WDVP_Q-A"},
	{"binhex-checksum", Malformed, "A checksum in a BinHex file is wrong.", ""},
	{"binhex-junk", Malformed, "Bytes that are no BinHex stand inside a BinHex file.", ""},
	{"binhex-no-begin", Ambiguous, "A body is declared BinHex but none begins in it; clients show it as it is.",
		"Content-Transfer-Encoding: x-binhex, then: Hello"},
	{"binhex-no-end", Malformed, "A BinHex file has no end.", ""},
	{"binhex-resource-fork", Malformed, "A BinHex file has a resource fork; it is scanned as a file of its own.", ""},
	{"qp-8bit", Malformed, "Bytes above ASCII stand unescaped in a quoted-printable body.", "gr\xc3\xbcn"},
	{"qp-bare-break", Malformed, "A soft line break ends in a bare LF where other lines end in CRLF; clients that drop the " +
		"LF read an escape.", "=<LF>58"},
	{"qp-blank-after-soft-break", Malformed, "Blanks stand behind a soft line break.", "EIC=␠"},
	{"qp-control", Malformed, "Control characters stand unescaped in a quoted-printable body.", "EIC<NUL>AR"},
	{"qp-damaged-break", Ambiguous, "A soft line break has damaged line ends; clients disagree whether a line ends there.",
		"EIC=<CR><CR><LF>AR"},
	{"qp-holds-base64", Malformed, "A body declared quoted-printable is base64 throughout, which some clients undo; it is " +
		"scanned in both ways.", "Content-Transfer-Encoding: quoted-printable, then base64"},
	{"qp-long-line", Malformed, "A quoted-printable line is longer than the 998 characters that RFC 5322 allows.", "a body in one line"},
	{"qp-lowercase", Malformed, "A quoted-printable escape has lower-case letters.", "=c3=bc"},
	{"qp-split-escape", Ambiguous, "A quoted-printable escape is cut by a soft line break; only some clients join it.", "=3=<CR><LF>5"},
	{"qp-stray-equals", Malformed, "An equals sign in a quoted-printable body begins no escape.", "a=@b"},
	{"qp-trailing-blank", Malformed, "Blanks stand at the end of a quoted-printable line; clients drop them.", "text␠"},
	{"uu-junk", Malformed, "Bytes that are no uuencode stand inside a uuencoded block.", ""},
	{"uu-line-length", Malformed, "A uuencoded line is longer than its first character says.", ""},
	{"uu-no-begin", Ambiguous, "A body is declared uuencode but no block begins in it; clients show it as it is.",
		"Content-Transfer-Encoding: x-uuencode, then: Hello"},
	{"uu-no-end", Malformed, "A uuencoded block has no end.", "begin 644 a.exe without end"},
	{"uu-several-files", Malformed, "A uuencoded body holds several files.", ""},
	{"yenc-checksum", Malformed, "A checksum of a yEnc file is wrong.", "=yend size=3 crc32=00000000"},
	{"yenc-no-begin", Ambiguous, "A body is declared yEnc but none begins in it; clients show it as it is.",
		"Content-Transfer-Encoding: x-yenc, then: Hello"},
	{"yenc-no-end", Malformed, "A yEnc file has no end.", ""},
	{"yenc-several-parts", Malformed, "A body holds several parts or files in yEnc.", "=ybegin part=2"},
	{"yenc-size", Malformed, "A yEnc file is not as large as its end says.", "=yend size=99"},
}

// ordinary are the sights that call for variants and are no deviations: lines of
// base64 that end within a group of four digits, an "=" before a printable
// character that is no escape, and blanks after a soft break.
var ordinary = [...]string{"base64-uneven-line", "qp-indented", "qp-unescaped"}

func decoderClass(code string) Class {
	i := slices.IndexFunc(decoderCodes[:], func(c Code) bool { return c.Code == code })
	if i < 0 {
		return Ordinary
	}
	return decoderCodes[i].Class
}
