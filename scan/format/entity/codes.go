package entity

import "slices"

// Codes lists every deviation this package can report. One of class Ambiguous
// is reported as Malformed where Tree.Reread shows that all readings have the
// same leaves.
func Codes() []Code { return slices.Concat(headerCodes, bodyCodes, limitCodes, decoderCodes[:]) }

var headerCodes = []Code{
	{"duplicate-content-type", Ambiguous, "Content-Type stands more than once, and clients follow different ones.",
		"Content-Type: text/plain\nContent-Type: multipart/mixed; boundary=x"},
	{"duplicate-encoding", Ambiguous, "Content-Transfer-Encoding stands more than once, and clients follow different ones.",
		"Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64"},
	{"duplicate-disposition", Malformed, "Content-Disposition stands more than once; every file name in it is judged.",
		"Content-Disposition: inline\nContent-Disposition: attachment; filename=x.exe"},
	{"duplicate-field", Malformed, "A field that may stand once in a message stands more than once.",
		"From: a@example.com\nFrom: b@example.com"},
	{"media-type-damaged", Malformed, "The media type is not of the form type/subtype.",
		"Content-Type: multipart/mixedmultipart/mixed; boundary=x"},
	{"media-type-list", Ambiguous, "Content-Type names several media types.", "Content-Type: text/plain, multipart/mixed; boundary=x"},
	{"parameter-damaged", Malformed, "A parameter is not of the form name=value, or no semicolon stands before it; it is " +
		"read in every way.", "Content-Type: text/plain; charset=us-ascii name=a.txt"},
	{"parameter-repeated", Malformed, "A parameter stands more than once; every value is judged.",
		"Content-Disposition: attachment; filename=a.txt; filename=b.exe"},
	{"parameter-unquoted", Malformed, "A parameter has characters that belong in quotes; every reading of it is judged.",
		"Content-Disposition: attachment; filename=my file.txt"},
	{"parameter-blank", Malformed, "Blanks stand around the equals sign of a parameter.", "Content-Type: text/plain; charset = us-ascii"},
	{"names-differ", Malformed, "Content-Type and Content-Disposition give different file names; all are judged.",
		"Content-Type: text/plain; name=a.txt\nContent-Disposition: attachment; filename=b.exe"},
	{"header-comment", Malformed, "A comment stands in a field that decides about structure or decoding.",
		"Content-Type: text/plain (text); charset=us-ascii"},
	{"line-ends-mixed", Malformed, "Lines of a header or delimiters end in CRLF and LF by turns.", `Content-Type: text/plain\nSubject: x\r\n`},
	{"encoding-damaged", Ambiguous, "The transfer encoding is wrapped in something, listed or repeated; some clients see it, some do not.",
		"Content-Transfer-Encoding: base64, quoted-printable"},
	{"encoding-unknown", Ambiguous, "The transfer encoding has no known name; clients guess.", "Content-Transfer-Encoding: bas64"},
	{"encoding-nonstandard", Malformed, "The transfer encoding is none of RFC 2045, but known.", "Content-Transfer-Encoding: x-uuencode"},
	{"encoded-multipart", Ambiguous, "A multipart has a transfer encoding, which RFC 2045 forbids; some clients undo it, some do not.",
		"Content-Type: multipart/mixed; boundary=x\nContent-Transfer-Encoding: base64"},
	{"encoded-message", Malformed, "An attached message has a transfer encoding, which RFC 2046 forbids and clients undo.",
		"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64"},
	{"mime-version-missing", Malformed, "A message with parts has no MIME-Version.", "Content-Type: multipart/mixed; boundary=x"},
	{"mime-version-odd", Malformed, "MIME-Version is not 1.0.", "MIME-Version: 2.0"},
	{"field-name-damaged", Ambiguous, "A field that decides about structure or decoding has blanks, NULs or the like in or " +
		"before its name; some clients pass over it.", "Content-Transfer-Encoding : base64"},
	{"header-junk-line", Ambiguous, "A line in a header is no field; for some clients the body starts there.",
		"Content-Type: text/plain\nno field\nContent-Transfer-Encoding: base64"},
	{"header-line-end", Ambiguous, "A header holds a CR that ends no line; some clients end the line there.",
		`Subject: x\rContent-Transfer-Encoding: base64`},
	{"header-blank-line", Ambiguous, "A header holds a line of blanks; for some clients it ends there.",
		"Content-Type: text/plain\n \nContent-Transfer-Encoding: base64"},
	{"header-nul", Malformed, "A header holds a NUL; every reading of it is judged.", `Content-Type: text/plain; name="a.txt\0.exe"`},
	{"mbox-line", Malformed, "An envelope line of an mbox file stands before the header.",
		"From a@example.com Mon Jan  1 00:00:00 2026\nSubject: x"},
	{"header-unended", Malformed, "No empty line ends a header.", "--x\nContent-Type: text/plain\n--x--"},
	{"header-missing", Malformed, "An entity begins with its body: no header, no empty line.", "--x\nsome text"},
	{"header-in-body", Ambiguous, "Content fields stand behind the empty line that ends the header; some clients read on.",
		"Content-Type: text/plain\n\nContent-Transfer-Encoding: base64\n\nQUJD"},
}

var bodyCodes = []Code{
	{"boundary-missing", Ambiguous, "A multipart declares no boundary; some clients guess it.", "Content-Type: multipart/mixed"},
	{"boundary-duplicate", Ambiguous, "A multipart declares several boundaries, and clients follow different ones.",
		"Content-Type: multipart/mixed; boundary=a; boundary=b"},
	{"boundary-damaged", Ambiguous, "The boundary can be read in several ways: quotes, comments, blanks, folding, RFC 2231 or RFC 2047.",
		`Content-Type: multipart/mixed; boundary="a"b`},
	{"boundary-long", Malformed, "The boundary is longer than the 70 characters of RFC 2046.",
		"Content-Type: multipart/mixed; boundary=aaaa…"},
	{"boundary-unused", Ambiguous, "No delimiter of a multipart appears in its body; some clients guess another boundary.",
		"Content-Type: multipart/mixed; boundary=a\n\n--b\n"},
	{"boundary-on-leaf", Ambiguous, "A part that is no multipart declares a boundary.", "Content-Type: text/plain; boundary=a"},
	{"boundary-reused", Ambiguous, "The boundary of an inner multipart begins with, or is, one further out, or the other way round.",
		"Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=a"},
	{"boundary-stray", Ambiguous, "A delimiter of a multipart appears after that multipart has ended.", "--inner\n--outer\n--inner"},
	{"delimiter-tail", Ambiguous, "A line begins with a delimiter and goes on; for some clients it is one.", "--boundaryjunk"},
	{"delimiter-in-line", Ambiguous, "A delimiter stands elsewhere than at the start of a line.", "  --boundary"},
	{"delimiter-line-end", Ambiguous, "A delimiter stands behind a CR that ends no line.", `text\r--boundary`},
	{"delimiter-padding", Malformed, "Blanks stand behind a delimiter; clients pass over them.", "--boundary   "},
	{"parts-after-close", Ambiguous, "Further parts follow the closing delimiter.", "--a--\n--a\nContent-Type: text/plain"},
	{"header-outside", Ambiguous, "Content fields stand before the first or after the last part of a multipart.",
		"Content-Transfer-Encoding: base64\n\nQUJD\n--a\n"},
	{"multipart-unclosed", Malformed, "A multipart has no closing delimiter.", "--a\n\ntext"},
	{"smuggling-mark", Malformed, "A line of a single dot has damaged line ends; some mail servers end the mail there.",
		`text\n.\r\nMAIL FROM:<a@example.com>`},
	{"undeclared-base64", Ambiguous, "An attachment is base64, but no header says so; some clients decode it.",
		"Content-Type: application/octet-stream\n\nQUJD…"},
	{"undeclared-quoted-printable", Ambiguous, "An attachment is quoted-printable, but no header says so; some clients decode it.",
		"Content-Type: application/octet-stream\n\n=41=42=43…"},
}

var limitCodes = []Code{
	{"parts-limit", Exceeded, "The message has more parts than are examined.", ""},
	{"depth-limit", Exceeded, "Parts are nested deeper than is examined.", ""},
	{"header-limit", Exceeded, "A header is longer than is examined.", ""},
	{"field-limit", Exceeded, "A header field is longer than is examined.", ""},
	{"fields-limit", Exceeded, "A header has more fields than are examined.", ""},
	{"parameters-limit", Exceeded, "A header field has more parameters than are examined.", ""},
	{"names-limit", Exceeded, "A part has more file names than are examined.", ""},
	{"boundary-limit", Exceeded, "A boundary is longer than is examined.", ""},
	{"boundaries-limit", Exceeded, "A multipart offers more boundaries than are tried.", ""},
	{"readings-limit", Exceeded, "A part can be read in more ways than are tried.", ""},
	{"carved-limit", Exceeded, "More messages and runs of base64 stand in texts than are examined; what looks like a file was.", ""},
	{"wrapped-limit", Exceeded, "More wrapped files stand in texts than are examined.", ""},
	{"reread-limit", Exceeded, "Reading the message in every way takes more work than is allowed.", ""},
}

// classOf returns the class of a code of structure.
func classOf(code string) Class {
	for _, list := range [...][]Code{headerCodes, bodyCodes, limitCodes} {
		for i := range list {
			if list[i].Code == code {
				return list[i].Class
			}
		}
	}
	panic("entity: no such code: " + code)
}
