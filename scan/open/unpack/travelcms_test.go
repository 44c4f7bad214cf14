package unpack

import (
	"bytes"
	"compress/zlib"
	"encoding/pem"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
)

// The content types of CMS (RFC 5652, RFC 3274, RFC 5544).
const (
	oidPKCS7      = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07"
	oidSMIME      = "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01"
	oidData       = oidPKCS7 + "\x01"
	oidSigned     = oidPKCS7 + "\x02"
	oidEnveloped  = oidPKCS7 + "\x03"
	oidDigested   = oidPKCS7 + "\x05"
	oidMACed      = oidSMIME + "\x02"
	oidCompressed = oidSMIME + "\x09"
	oidCollected  = oidSMIME + "\x13"
	oidStamped    = oidSMIME + "\x1f"
	algorithm     = "\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00"
)

// der is an element with its length before it.
func der(tag byte, inside ...string) string {
	body := strings.Join(inside, "")
	n := len(body)
	switch {
	case n < 0x80:
		return string([]byte{tag, byte(n)}) + body
	case n < 0x10000:
		return string([]byte{tag, 0x82, byte(n >> 8), byte(n)}) + body
	}
	return string([]byte{tag, 0x83, byte(n >> 16), byte(n >> 8), byte(n)}) + body
}

// loose is an element that says at its end where it ends.
func loose(tag byte, inside ...string) string {
	return string([]byte{tag, 0x80}) + strings.Join(inside, "") + "\x00\x00"
}

func octets(b string) string { return der(0x04, b) }

// pieces is a string in pieces, some of them in pieces again.
func pieces(b string) string {
	var all []string
	for ; len(b) > 7; b = b[7:] {
		all = append(all, octets(b[:7]))
	}
	return loose(0x24, append(all, loose(0x24, octets(b[:len(b)/2]), der(0x24, octets(b[len(b)/2:]))))...)
}

func contentInfo(oid, content string) string { return der(0x30, oid, der(0xa0, content)) }

// signed is signed-data with a certificate and a signer that are nothing.
func signed(oid, content string) string {
	return contentInfo(oidSigned, der(0x30, "\x02\x01\x01", der(0x31, algorithm), der(0x30, oid, der(0xa0, content)), der(0xa0, der(0x30, "\x02\x01\x05")), der(0x31)))
}

func looselySigned(content string) string {
	return loose(0x30, oidSigned, loose(0xa0, loose(0x30, "\x02\x01\x01", der(0x31, algorithm), loose(0x30, oidData, loose(0xa0, pieces(content))), loose(0xa0, loose(0x30, "\x02\x01\x05")), loose(0x31))))
}

func compressedData(content string) string {
	return der(0x30, "\x02\x01\x00", der(0x30, oidSMIME[:2]+"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x08"), der(0x30, oidData, der(0xa0, octets(deflated(content)))))
}

func deflated(s string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return b.String()
}

func stamped(name, content string) string {
	meta := der(0x30, "\x01\x01\x00", der(0x0c, name), der(0x16, "application/octet-stream"))
	return contentInfo(oidStamped, der(0x30, "\x02\x01\x01", der(0x16, "http://www.example.org/"), meta, octets(content), der(0xa0, der(0x30))))
}

// entityOf is a file as S/MIME signs it.
func entityOf(f traveller) string {
	return leaf("Content-Type: application/octet-stream; name=\""+f.name+"\"", f.body)
}

func cmsWays() map[string]way {
	file := func(suffix string, wrap func(traveller) string) way {
		return way{func(f traveller) string { return attached("application/octet-stream", f.name+suffix, []byte(wrap(f))) }, true}
	}
	smime := func(kind string, wrap func(string) string) way {
		return way{func(f traveller) string {
			return leaf("Content-Type: application/pkcs7-mime; smime-type="+kind+"; name=smime.p7m", []byte(wrap(entityOf(f))))
		}, true}
	}
	return map[string]way{
		"signed file":             file(".p7m", func(f traveller) string { return signed(oidData, octets(string(f.body))) }),
		"signed file, BER":        file(".p7m", func(f traveller) string { return looselySigned(string(f.body)) }),
		"signed file, pieces":     file(".p7m", func(f traveller) string { return signed(oidData, pieces(string(f.body))) }),
		"signed file, upper case": file(".P7M", func(f traveller) string { return signed(oidData, octets(string(f.body))) }),
		"signed twice":            file(".p7m.p7m", func(f traveller) string { return signed(oidData, octets(looselySigned(string(f.body)))) }),
		"signed, base64":          file(".p7m", func(f traveller) string { return b64([]byte(signed(oidData, octets(string(f.body))))) }),
		"signed, base64 of BER":   file(".p7m", func(f traveller) string { return "\r\n" + lined([]byte(looselySigned(string(f.body)))) }),
		"signed, PEM":             file(".p7m", func(f traveller) string { return armoredAs("PKCS7", signed(oidData, octets(string(f.body)))) }),
		"signed, PEM of CMS":      file(".p7s", func(f traveller) string { return "x\n" + armoredAs("CMS", looselySigned(string(f.body))) }),
		"signed, base64 in base64": file(".p7m", func(f traveller) string {
			return signed(oidData, octets(b64([]byte(signed(oidData, octets(string(f.body)))))))
		}),
		"data": file(".p7m", func(f traveller) string { return contentInfo(oidData, pieces(string(f.body))) }),
		"digested": file(".p7m", func(f traveller) string {
			return contentInfo(oidDigested, der(0x30, "\x02\x01\x00", algorithm, der(0x30, oidData, der(0xa0, octets(string(f.body)))), octets("x")))
		}),
		"authenticated": file(".p7m", func(f traveller) string {
			return contentInfo(oidMACed, der(0x30, "\x02\x01\x00", der(0x31), algorithm, der(0x30, oidData, der(0xa0, octets(string(f.body)))), octets("x")))
		}),
		"compressed file":               file(".p7z", func(f traveller) string { return contentInfo(oidCompressed, compressedData(string(f.body))) }),
		"compressed in signed":          file(".p7m", func(f traveller) string { return signed(oidCompressed, octets(compressedData(string(f.body)))) }),
		"compressed in signed, PKCS #7": file(".p7m", func(f traveller) string { return signed(oidCompressed, compressedData(string(f.body))) }),
		"stamped":                       file(".tsd", func(f traveller) string { return stamped("a.txt", string(f.body)) }),
		"stamped signed":                file(".p7m.tsd", func(f traveller) string { return stamped("", signed(oidData, octets(string(f.body)))) }),
		"stamped, by its own name": {func(f traveller) string {
			return attached("application/timestamped-data", "a.tsd", []byte(stamped(f.name, string(f.body))))
		}, true},
		"collection": file(".p7m", func(f traveller) string {
			return contentInfo(oidCollected, der(0x30, contentInfo(oidData, octets("x")), contentInfo(oidData, octets(string(f.body)))))
		}),
		"in a zip": {func(f traveller) string {
			return attached("application/zip", "a.zip", zippedBytes(f.name+".p7m", []byte(signed(oidData, octets(string(f.body))))))
		}, true},
		"signed message":      smime("signed-data", func(s string) string { return signed(oidData, octets(s)) }),
		"signed message, BER": smime("signed-data", looselySigned),
		"compressed message":  smime("compressed-data", func(s string) string { return contentInfo(oidCompressed, compressedData(s)) }),
		"compressed signed message": smime("compressed-data", func(s string) string {
			inner := "Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\n" + lined([]byte(looselySigned(s)))
			return contentInfo(oidCompressed, compressedData(inner))
		}),
	}
}

func armoredAs(label, s string) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: []byte(s)}))
}

// lined is base64 in lines.
func lined(b []byte) string {
	var out strings.Builder
	for rest := b64(b); rest != ""; rest = rest[min(len(rest), 64):] {
		out.WriteString(rest[:min(len(rest), 64)] + "\r\n")
	}
	return out.String()
}

func TestFilesInSignatures(t *testing.T) { travel(t, cmsWays()) }

// What needs a key, or cannot be read to its end, is said to be unexamined; what
// holds no file is not.
func TestSealedMessages(t *testing.T) {
	enveloped := contentInfo(oidEnveloped, der(0x30, "\x02\x01\x00", der(0x31), der(0x30, oidData, algorithm, der(0x80, "secret"))))
	whole := looselySigned(strings.Repeat("hello ", 100))
	deep := der(0x30, "\x02\x01\x01", der(0x31), der(0x30, oidData, der(0xa0, octets("hello"))))
	for range 40 {
		deep = der(0x30, "\x02\x01\x01", der(0x31), der(0x30, oidSigned, der(0xa0, octets(deep))))
	}
	deep = contentInfo(oidSigned, deep)
	odd := signed(oidSigned, octets(signed(oidSigned, octets(signed(oidData, octets("hello"))))))
	for name, c := range map[string]struct{ mail, rule string }{
		"message":         {leaf("Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", []byte(enveloped)), "mime/encrypted"},
		"other name":      {attached("application/octet-stream", "a.bin", []byte(enveloped)), "mime/encrypted"},
		"PEM":             {attached("application/octet-stream", "a.p7m", []byte(armoredAs("CMS", enveloped))), "mime/encrypted"},
		"base64":          {attached("application/pkcs7-mime", "a.p7m", []byte(b64([]byte(enveloped)))), "mime/encrypted"},
		"in a zip":        {attached("application/zip", "a.zip", zippedBytes("a.p7m", []byte(enveloped))), "mime/encrypted"},
		"in signed":       {attached("application/pkcs7-mime", "a.p7m", []byte(signed(oidData, octets(enveloped)))), "mime/encrypted"},
		"in signed, raw":  {attached("application/pkcs7-mime", "a.p7m", []byte(signed(oidEnveloped, enveloped[len(enveloped)-20:]))), "archive/encrypted-member"},
		"cut":             {attached("application/pkcs7-mime", "a.p7m", []byte(whole[:400])), "archive/damaged-member"},
		"cut in its head": {attached("application/pkcs7-mime", "a.p7m", []byte(whole[:30])), "archive/damaged-container"},
		"too deep":        {attached("application/pkcs7-mime", "a.p7m", []byte(deep)), "archive/too-complex"},
		"no content":      {attached("application/pkcs7-mime", "a.p7m", []byte(contentInfo(oidSigned, der(0x30, "\x02\x01\x01", der(0x31))))), "archive/damaged-container"},
		"infos inside":    {attached("application/pkcs7-mime", "a.p7m", []byte(odd)), ""},
		"detached":        {attached("application/pkcs7-signature", "smime.p7s", []byte(contentInfo(oidSigned, der(0x30, "\x02\x01\x01", der(0x31, algorithm), der(0x30, oidData), der(0x31))))), ""},
		"certificates":    {attached("application/pkcs7-mime", "a.p7c", []byte(contentInfo(oidSigned, der(0x30, "\x02\x01\x01", der(0x31), der(0x30, oidData), der(0xa0, der(0x30)), der(0x31))))), ""},
		"in order":        {attached("application/pkcs7-mime", "a.txt.p7m", []byte(whole)), ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := open(t, testLimits, c.mail)
			var rules []string
			for _, n := range m.Notes {
				if n.Kind == scan.Unscannable {
					rules = append(rules, n.Rule)
				}
			}
			if c.rule == "" && len(rules) > 0 || c.rule != "" && !slices.Contains(rules, c.rule) {
				t.Errorf("notes %q, want %q; %s", rules, c.rule, listed(m))
			}
		})
	}
}

// savedPage is a page saved with a file that belongs to it.
func savedPage(f traveller) string {
	return "MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=\"=_p\"\r\n\r\n--=_p\r\nContent-Type: text/html\r\n\r\n<p>x</p>\r\n--=_p\r\n" +
		leaf("Content-Location: file:///C:/x/"+f.name+"\r\nContent-Type: application/octet-stream; name=\""+f.name+"\"", f.body) + "--=_p--\r\n"
}

// Where something else comes before a page, Word opens the page.
func TestFilesInPagesAfterSomethingElse(t *testing.T) {
	before := func(name, head string) way {
		return way{func(f traveller) string { return attached("application/msword", name, []byte(head+savedPage(f))) }, true}
	}
	pdf := "%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF\n"
	travel(t, map[string]way{
		"after a PDF":           before("a.doc", pdf),
		"after a PDF, as a PDF": before("a.pdf", pdf),
		"after a long PDF":      before("a.doc", pdf+strings.Repeat("% nothing\n", 200_000)),
		"after a picture":       before("a.doc", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x01\x02\x03\r\n"),
		"after a GIF, any case": {func(f traveller) string {
			return attached("image/gif", "a.gif", []byte("GIF89a\x01\x00\x01\x00\x00;\n"+strings.Replace(savedPage(f), "MIME-Version", "mime-vERSION", 1)))
		}, true},
		"after a word": before("a.doc", "hello\r\n"),
		"after RTF":    before("a.doc", "{\\rtf1 hello}\r\n"),
		"type before the version": {func(f traveller) string {
			return attached("application/msword", "a.doc", []byte(pdf+"\r\n"+strings.Replace(strings.Replace(savedPage(f), "MIME-Version: 1.0\r\n", "", 1), "\r\n\r\n", "\r\nMIME-Version: 1.0\r\n\r\n", 1)))
		}, true},
		"in a zip": {func(f traveller) string {
			return attached("application/zip", "a.zip", zippedBytes("a.doc", []byte(pdf+savedPage(f))))
		}, true},
	})
}
