package hostile

import (
	"encoding/binary"
	"strings"
)

// sealed: S/MIME and PGP/MIME, and Outlook's TNEF: formats that wrap a whole
// mail or its attachments.
func sealed() []Case {
	return append(signedMail(), tnef()...)
}

func signedMail() []Case {
	inner := attachment(b64()).text()
	opaque := toBase64(pkcs7(inner))
	head := func(kind, name string) string {
		return "Content-Type: " + kind + "; name=" + name + "\r\nContent-Disposition: attachment; filename=" + name + "\r\n" + encodingIs +
			"base64\r\n"
	}
	inside := in(content, fromBase64, after("base64\r\n\r\n"), fromBase64)
	signed := "Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; micalg=pgp-sha256; boundary=bar\r\n"
	signature := "--bar\r\nContent-Type: application/pgp-signature; name=signature.asc\r\n\r\n-----BEGIN PGP " +
		"SIGNATURE-----\r\n\r\niQEzBAEBCAAdFiEE\r\n=abcd\r\n-----END PGP SIGNATURE-----\r\n--bar--\r\n"
	encrypted := "--bar\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--bar\r\nContent-Type: " +
		"application/octet-stream; name=encrypted.asc\r\n\r\n-----BEGIN PGP " +
		"MESSAGE-----\r\n\r\nhQEMA1234567890A\r\n=abcd\r\n-----END PGP MESSAGE-----\r\n--bar--\r\n"
	const smime = "a client that opens S/MIME (RFC 8551, section 3.5.2)"
	return at(compositePlaces(), "", []variant{
		{name: "smime-signed", why: smime, tidy: true, read: inside,
			entity: entity{head("application/pkcs7-mime; smime-type=signed-data", "smime.p7m"), opaque}},
		{name: "smime-x-type", why: smime, tidy: true, read: inside, entity: entity{head("application/x-pkcs7-mime", "smime.p7m"), opaque}},
		{name: "smime-by-name", why: "a client that goes by the name", tidy: true, read: inside,
			entity: entity{head("application/octet-stream", "smime.p7m"), opaque}},
		{name: "smime-compressed-label", why: smime, tidy: true, read: inside,
			entity: entity{head("application/pkcs7-mime; smime-type=compressed-data", "smime.p7z"), opaque}},
		{name: "smime-encrypted", why: "the owner of the key; nobody else can know", tidy: true, unsure: true,
			entity: entity{head("application/pkcs7-mime; smime-type=enveloped-data", "smime.p7m"), toBase64(pkcs7Enveloped())}},
		{name: "pgp-signed", why: "every client: a signed part is a part", tidy: true, read: in(section("bar", 1), opened(b64())),
			entity: entity{signed, "--bar\r\n" + inner + signature}},
		{name: "pgp-encrypted", why: "the owner of the key; nobody else can know", tidy: true, unsure: true,
			entity: entity{"Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=bar\r\n", encrypted}},
		{name: "pgp-encrypted-not-really", why: "a client that lists all parts", tidy: true, read: in(section("bar", 3), opened(b64())),
			entity: entity{"Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=bar\r\n",
				strings.Replace(encrypted, "--bar--\r\n", "--bar\r\n"+inner+"--bar--\r\n", 1)}},
		{name: "pgp-signed-third-part", why: "a client that lists all parts", tidy: true, read: in(section("bar", 3), opened(b64())),
			entity: entity{signed, "--bar\r\n" + note + strings.Replace(signature, "--bar--\r\n", "--bar\r\n"+inner+"--bar--\r\n", 1)}},
	})
}

// pkcs7 returns a CMS SignedData (RFC 5652, section 5.1) without signers round
// content.
func pkcs7(content string) []byte {
	data := der(0x06, "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01")
	encapsulated := der(0x30, data+der(0xa0, der(0x04, content)))
	signed := der(0x30, der(0x02, "\x01")+der(0x31, "")+encapsulated+der(0x31, ""))
	return []byte(der(0x30, der(0x06, "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02")+der(0xa0, signed)))
}

// pkcs7Enveloped returns the beginning of a CMS EnvelopedData, and nothing anybody
// could decrypt.
func pkcs7Enveloped() []byte {
	enveloped := der(0x30, der(0x02, "\x00")+der(0x31, "")+der(0x30, der(0x04, strings.Repeat("\xa5", 200))))
	return []byte(der(0x30, der(0x06, "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03")+der(0xa0, enveloped)))
}

// der returns one element in the Distinguished Encoding Rules, up to 65535 bytes.
func der(tag byte, content string) string {
	n := len(content)
	switch {
	case n < 0x80:
		return string([]byte{tag, byte(n)}) + content
	case n < 0x100:
		return string([]byte{tag, 0x81, byte(n)}) + content
	}
	return string([]byte{tag, 0x82, byte(n >> 8), byte(n)}) + content
}

// tnef has the attachment in Outlook's own format (MS-OXTNEF).
func tnef() []Case {
	file := winmail("papers.dat", EICAR())
	denied := winmail(DeniedName, []byte("harmless"))
	head := func(kind, name string) string {
		return "Content-Type: " + kind + "\r\nContent-Disposition: attachment; filename=" + name + "\r\n" + encodingIs + "base64\r\n"
	}
	inside := in(content, fromBase64)
	const outlook = "Outlook, and clients that learnt from it"
	return at(leafPlaces(), "", []variant{
		{name: "tnef", why: outlook, tidy: true, read: inside, entity: entity{head("application/ms-tnef", "winmail.dat"), toBase64(file)}},
		{name: "tnef-other-name", why: outlook, tidy: true, read: inside,
			entity: entity{head("application/ms-tnef", "papers.bin"), toBase64(file)}},
		{name: "tnef-other-type", why: outlook, tidy: true, read: inside,
			entity: entity{head("application/octet-stream", "winmail.dat"), toBase64(file)}},
		{name: "tnef-vnd", why: outlook, tidy: true, read: inside, entity: entity{head("application/vnd.ms-tnef", "att.dat"), toBase64(file)}},
		{name: "tnef-cut", why: outlook, tidy: true, unsure: true, read: inside,
			entity: entity{head("application/ms-tnef", "winmail.dat"), toBase64(file[:len(file)-2])}},
		{name: "tnef-denied-name", why: outlook, tidy: true, read: in(inside, after("\x0c\x00\x00\x00"), before("\x00")),
			payload: named(DeniedName),
			entity:  entity{head("application/ms-tnef", "winmail.dat"), toBase64(denied)}},
	})
}

// winmail returns a TNEF stream with one attachment.
func winmail(name string, data []byte) []byte {
	out := []byte{0x78, 0x9f, 0x3e, 0x22, 0x01, 0x00}
	out = append(out, tnefAttribute(1, 0x00089006, []byte{0, 0, 1, 0})...)                        // attTnefVersion
	out = append(out, tnefAttribute(2, 0x00069002, append([]byte{1, 0}, make([]byte, 12)...))...) // attAttachRenddata
	out = append(out, tnefAttribute(2, 0x00018010, append([]byte(name), 0))...)                   // attAttachTitle
	return append(out, tnefAttribute(2, 0x0006800f, data)...)                                     // attAttachData
}

func tnefAttribute(level byte, id uint32, data []byte) []byte {
	var sum uint16
	for _, c := range data {
		sum += uint16(c)
	}
	out := binary.LittleEndian.AppendUint32([]byte{level}, id)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(data)))
	return binary.LittleEndian.AppendUint16(append(out, data...), sum)
}
