package charset

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/transform"
)

// ebcdic is a code page of IBM's: for each byte, its character. The libraries
// know 037, 1047 and 1140; mail clients on Windows know these as well.
type ebcdic [256]rune

// pages are the code pages by number.
var pages = map[string]*ebcdic{
	"273": page("" +
		"\x00\x01\x02\x03\u009c\x09\u0086\x7f\u0097\u008d\u008e\x0b\x0c\x0d\x0e\x0f" +
		"\x10\x11\x12\x13\u009d\u0085\x08\u0087\x18\x19\u0092\u008f\x1c\x1d\x1e\x1f" +
		"\u0080\u0081\u0082\u0083\u0084\x0a\x17\x1b\u0088\u0089\u008a\u008b\u008c\x05\x06\x07" +
		"\u0090\u0091\x16\u0093\u0094\u0095\u0096\x04\u0098\u0099\u009a\u009b\x14\x15\u009e\x1a" +
		" \u00a0â{àáãåçñÄ.<(+!&éêëèíîïì~Ü$*);^" +
		"-/Â[ÀÁÃÅÇÑö,%_>?øÉÊËÈÍÎÏÌ`:#§'=\"" +
		"Øabcdefghi«»ðýþ±°jklmnopqrªºæ¸Æ¤" +
		"µßstuvwxyz¡¿ÐÝÞ®¢£¥·©@¶¼½¾¬|‾¨´×" +
		"äABCDEFGHI\u00adô¦òóõüJKLMNOPQR¹û}ùúÿ" +
		"Ö÷STUVWXYZ²Ô\\ÒÓÕ0123456789³Û]ÙÚ\u009f"),
	"424": page("" +
		"\x00\x01\x02\x03\u009c\x09\u0086\x7f\u0097\u008d\u008e\x0b\x0c\x0d\x0e\x0f" +
		"\x10\x11\x12\x13\u009d\u0085\x08\u0087\x18\x19\u0092\u008f\x1c\x1d\x1e\x1f" +
		"\u0080\u0081\u0082\u0083\u0084\x0a\x17\x1b\u0088\u0089\u008a\u008b\u008c\x05\x06\x07" +
		"\u0090\u0091\x16\u0093\u0094\u0095\u0096\x04\u0098\u0099\u009a\u009b\x14\x15\u009e\x1a" +
		" אבגדהוזחט¢.<(+|&יךכלםמןנס!$*);¬" +
		"-/עףפץצקרש¦,%_>?\ufffdת\ufffd\ufffd\u00a0\ufffd\ufffd\ufffd‗`:#@'=\"" +
		"\ufffdabcdefghi«»\ufffd\ufffd\ufffd±°jklmnopqr\ufffd\ufffd\ufffd¸\ufffd¤" +
		"µ~stuvwxyz\ufffd\ufffd\ufffd\ufffd\ufffd®^£¥·©§¶¼½¾[]¯¨´×" +
		"{ABCDEFGHI\u00ad\ufffd\ufffd\ufffd\ufffd\ufffd}JKLMNOPQR¹\ufffd\ufffd\ufffd\ufffd\ufffd" +
		"\\÷STUVWXYZ²\ufffd\ufffd\ufffd\ufffd\ufffd0123456789³\ufffd\ufffd\ufffd\ufffd\u009f"),
	"500": page("" +
		"\x00\x01\x02\x03\u009c\x09\u0086\x7f\u0097\u008d\u008e\x0b\x0c\x0d\x0e\x0f" +
		"\x10\x11\x12\x13\u009d\u0085\x08\u0087\x18\x19\u0092\u008f\x1c\x1d\x1e\x1f" +
		"\u0080\u0081\u0082\u0083\u0084\x0a\x17\x1b\u0088\u0089\u008a\u008b\u008c\x05\x06\x07" +
		"\u0090\u0091\x16\u0093\u0094\u0095\u0096\x04\u0098\u0099\u009a\u009b\x14\x15\u009e\x1a" +
		" \u00a0âäàáãåçñ[.<(+!&éêëèíîïìß]$*);^" +
		"-/ÂÄÀÁÃÅÇÑ¦,%_>?øÉÊËÈÍÎÏÌ`:#@'=\"" +
		"Øabcdefghi«»ðýþ±°jklmnopqrªºæ¸Æ¤" +
		"µ~stuvwxyz¡¿ÐÝÞ®¢£¥·©§¶¼½¾¬|¯¨´×" +
		"{ABCDEFGHI\u00adôöòóõ}JKLMNOPQR¹ûüùúÿ" +
		"\\÷STUVWXYZ²ÔÖÒÓÕ0123456789³ÛÜÙÚ\u009f"),
	"875": page("" +
		"\x00\x01\x02\x03\u009c\x09\u0086\x7f\u0097\u008d\u008e\x0b\x0c\x0d\x0e\x0f" +
		"\x10\x11\x12\x13\u009d\u0085\x08\u0087\x18\x19\u0092\u008f\x1c\x1d\x1e\x1f" +
		"\u0080\u0081\u0082\u0083\u0084\x0a\x17\x1b\u0088\u0089\u008a\u008b\u008c\x05\x06\x07" +
		"\u0090\u0091\x16\u0093\u0094\u0095\u0096\x04\u0098\u0099\u009a\u009b\x14\x15\u009e\x1a" +
		" ΑΒΓΔΕΖΗΘΙ[.<(+!&ΚΛΜΝΞΟΠΡΣ]$*);^" +
		"-/ΤΥΦΧΨΩΪΫ|,%_>?¨ΆΈΉ\u00a0ΊΌΎΏ`:#@'=\"" +
		"΅abcdefghiαβγδεζ°jklmnopqrηθικλμ" +
		"´~stuvwxyzνξοπρσ£άέήϊίόύϋώςτυφχψ" +
		"{ABCDEFGHI\u00adωΐΰ‘―}JKLMNOPQR±½\x1a·’¦" +
		"\\\x1aSTUVWXYZ²§\x1a\x1a«¬0123456789³©\x1a\x1a»\u009f"),
	"1026": page("" +
		"\x00\x01\x02\x03\u009c\x09\u0086\x7f\u0097\u008d\u008e\x0b\x0c\x0d\x0e\x0f" +
		"\x10\x11\x12\x13\u009d\u0085\x08\u0087\x18\x19\u0092\u008f\x1c\x1d\x1e\x1f" +
		"\u0080\u0081\u0082\u0083\u0084\x0a\x17\x1b\u0088\u0089\u008a\u008b\u008c\x05\x06\x07" +
		"\u0090\u0091\x16\u0093\u0094\u0095\u0096\x04\u0098\u0099\u009a\u009b\x14\x15\u009e\x1a" +
		" \u00a0âäàáãå{ñÇ.<(+!&éêëèíîïìßĞİ*);^" +
		"-/ÂÄÀÁÃÅ[Ñş,%_>?øÉÊËÈÍÎÏÌı:ÖŞ'=Ü" +
		"Øabcdefghi«»}`¦±°jklmnopqrªºæ¸Æ¤" +
		"µöstuvwxyz¡¿]$@®¢£¥·©§¶¼½¾¬|¯¨´×" +
		"çABCDEFGHI\u00adô~òóõğJKLMNOPQR¹û\\ùúÿ" +
		"ü÷STUVWXYZ²Ô#ÒÓÕ0123456789³Û\"ÙÚ\u009f"),
}

// page makes a code page of its characters, in the order of their bytes.
func page(characters string) *ebcdic {
	p := new(ebcdic)
	n := 0
	for _, r := range characters {
		p[n] = r
		n++
	}
	return p
}

// ebcdicNames are further names of code pages.
var ebcdicNames = map[string]string{
	"ebcdic-cp-be": "500", "ebcdic-cp-ch": "500", "x-ebcdic-international": "500", "ebcdic-cp-he": "424", "x-ebcdic-hebrew": "424",
	"x-ebcdic-germany": "273", "x-ebcdic-turkish": "1026", "ebcdic-cp-tr": "1026", "x-ebcdic-greekmodern": "875",
}

// alike are code pages with letters, digits and most signs where 500 has them.
// They differ in national letters, which decide nothing here.
var alike = []string{
	"277", "278", "280", "284", "285", "290", "297", "420", "423", "833", "838", "870", "871", "880", "905", "924",
	"1025", "1112", "1122", "1123", "1141", "1142", "1143", "1144", "1145", "1146", "1147", "1148", "1149",
}

// ebcdicPage returns the code page of a label such as "ibm500", or nil.
func ebcdicPage(name string) *ebcdic {
	if number, ok := ebcdicNames[name]; ok {
		return pages[number]
	}
	for _, prefix := range []string{"cp", "ibm-", "ibm", "csibm", "ccsid", "ccsid-", "x-cp", "x-ibm"} {
		if number, ok := strings.CutPrefix(name, prefix); ok {
			number = strings.TrimLeft(number, "0")
			if slices.Contains(alike, number) {
				number = "500"
			}
			if p := pages[number]; p != nil {
				return p
			}
		}
	}
	return nil
}

// NewDecoder returns a decoder of the code page.
func (p *ebcdic) NewDecoder() *encoding.Decoder {
	return &encoding.Decoder{Transformer: ebcdicDecoder{page: p}}
}

// ebcdicDecoder decodes byte by byte.
type ebcdicDecoder struct {
	transform.NopResetter
	page *ebcdic
}

// Transform implements transform.Transformer.
func (d ebcdicDecoder) Transform(dst, src []byte, _ bool) (nDst, nSrc int, err error) {
	for _, c := range src {
		r := d.page[c]
		if nDst+utf8.RuneLen(r) > len(dst) {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += utf8.EncodeRune(dst[nDst:], r)
		nSrc++
	}
	return nDst, nSrc, nil
}
