package entity

import (
	"slices"
	"strings"
)

// knownEncoding returns the encoding of a clean name, lower case.
func knownEncoding(name string) (enc Encoding, known bool) {
	switch name {
	case "7bit", "8bit", "binary", "":
		return Identity, true
	case "base64":
		return Base64, true
	case "quoted-printable":
		return QuotedPrintable, true
	}
	return oldEncoding(name)
}

// oldEncoding knows the names that are in no RFC but in mail.
func oldEncoding(name string) (enc Encoding, known bool) {
	switch name {
	case "x-uuencode", "uuencode", "x-uue", "uue", "x-uu", "uu":
		return UUEncode, true
	case "x-yencode", "x-yenc", "yenc", "yencode":
		return YEnc, true
	case "binhex", "binhex40", "x-binhex", "x-binhex40", "mac-binhex40", "x-mac-binhex40":
		return BinHex, true
	case "7-bit", "8-bit", "7 bit", "8 bit", "7bits", "8bits", "7", "8", "none", "plain", "text", "ascii", "us-ascii", "utf-8", "utf8",
		"iso-8859-1", "windows-1252", "binary8", "raw", "identity":
		return Identity, true
	}
	return Identity, false
}

// encodings lists what clients may take for the transfer encoding in a field
// value, the likeliest first. clean is false when they may disagree.
func encodings(v string) (list []Encoding, clean bool) {
	v = strings.ToLower(strings.Trim(v, " \t\r\n"))
	if enc, known := knownEncoding(v); known {
		return []Encoding{enc}, true
	}
	if bare := strings.TrimRight(stripComments(v), " \t\r\n;"); bare != "" {
		if enc, known := knownEncoding(bare); known && enc == Identity {
			return []Encoding{Identity}, true
		} else if known {
			return []Encoding{enc, Identity}, false
		}
	}
	return append(namedEncodings(v), Identity), false
}

// namedEncodings finds names of encodings anywhere in a damaged value, in their
// order. It ignores blanks and other characters that no name holds.
func namedEncodings(v string) []Encoding {
	type hit struct {
		at  int
		enc Encoding
	}
	v = strings.Map(onlyName, v)
	var hits []hit
	for _, word := range [...]string{"base64", "quoted-printable", "uue", "yenc", "binhex"} {
		if at := strings.Index(v, word); at >= 0 {
			hits = append(hits, hit{at, encodingOf(word)})
		}
	}
	slices.SortFunc(hits, func(a, b hit) int { return a.at - b.at })
	var list []Encoding
	for _, h := range hits {
		list = append(list, h.enc)
	}
	return list
}

func encodingOf(word string) Encoding {
	if word == "uue" {
		return UUEncode
	}
	enc, _ := knownEncoding(word)
	return enc
}
