package main

import "strings"

// sealed: signed and encrypted mail. The signatures are made up.
func sealed() []mail {
	words, data := part(ascii, minutes), file("text/csv", "minutes.csv", "a;b\n1;2\n")
	armour := func(kind string) string {
		return "-----BEGIN PGP " + kind + "-----\n\n" + b64(strings.Repeat("\x89\x01\x33\x04\x00\x01\x08\x00\x1d\x16!\x04", 12)) +
			"=Xk3v\n-----END PGP " + kind + "-----\n"
	}
	pgpSignature := part("Content-Type: application/pgp-signature; name=\"signature.asc\"\nContent-Description: OpenPGP "+
		"digital signature\nContent-Disposition: attachment; filename=\"signature.asc\"\n", armour("SIGNATURE"))
	// the beginning of a CMS structure, and other bytes in place of the rest
	cms := func(kind string) string {
		return "\x30\x82\x01\x04\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07" + kind + "\xa0\x81\xf6\x30\x81\xf3\x02\x01\x01" +
			strings.Repeat("\x5a\xc3\x11", 80)
	}
	smimeSignature := part("Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\nContent-Transfer-Encoding: "+
		"base64\nContent-Disposition: attachment; filename=\"smime.p7s\"\nContent-Description: S/MIME Cryptographic "+
		"Signature\n", b64(cms("\x02")))
	signed := func(protocol, micalg string, each ...string) string {
		return top("Signed") + "Content-Type: multipart/signed; micalg=\"" + micalg + "\";\n protocol=\"" + protocol +
			"\"; boundary=\"=_sig\"\n\n" + parts("=_sig", each...)
	}
	opaque := func(kind, parameters, name string) string {
		return top("Sealed") + "Content-Type: application/" + kind + parameters + "; name=\"" + name +
			"\"\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=\"" + name + "\"\n\n" + b64(cms("\x03"))
	}
	encrypted := top("...") + "Content-Type: multipart/encrypted;\n protocol=\"application/pgp-encrypted\"; boundary=\"=_enc\"\n\n" +
		parts("=_enc",
			part("Content-Type: application/pgp-encrypted\nContent-Description: PGP/MIME version identification\n", "Version: 1\n"),
			part("Content-Type: application/octet-stream; name=\"encrypted.asc\"\nContent-Disposition: inline; filename=\"encrypted.asc\"\n",
				armour("MESSAGE")))
	dashed := "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nDear Bob,\n\n- -- \nAlice\n- From now on\n"
	return []mail{
		{name: "pgp-signed", why: "PGP/MIME (RFC 3156)", text: signed("application/pgp-signature", "pgp-sha256", words, pgpSignature)},
		{name: "pgp-signed-mixed", why: "PGP/MIME round a multipart",
			text: signed("application/pgp-signature", "pgp-sha512", multi("mixed", "=_in", words, data), pgpSignature)},
		{name: "pgp-signed-protected", why: "with protected headers, as Thunderbird sends it",
			text: signed("application/pgp-signature", "pgp-sha256",
				"Content-Type: multipart/mixed; boundary=\"=_ph\"; protected-headers=\"v1\"\nFrom: Alice Example "+
					"<alice@example.org>\nSubject: Signed\n\n"+
					parts("=_ph", words, part("Content-Type: application/pgp-keys; name=\"key.asc\"\n", armour("PUBLIC KEY BLOCK"))), pgpSignature)},
		{name: "pgp-encrypted", why: "PGP/MIME, encrypted: nobody but Bob can read it", text: encrypted, notes: "unscannable"},
		{name: "pgp-inline-signed", why: "a clear-signed text, with its dashes escaped",
			text: top("Signed") + ascii + "\n" + dashed + armour("SIGNATURE")},
		{name: "pgp-inline-encrypted", why: "an armoured message in plain text", text: top("...") + ascii + "\n" + armour("MESSAGE"),
			notes: "unscannable"},
		{name: "pgp-key", why: "a public key in the text", text: top("My key") + ascii + "\nHere is my key:\n\n" + armour("PUBLIC KEY BLOCK")},
		{name: "pgp-key-attached", why: "a public key as a file", text: top("My key") + multi("mixed", "=_k", words,
			part("Content-Type: application/pgp-keys; name=\"OpenPGP_0x1234.asc\"\nContent-Disposition: attachment; "+
				"filename=\"OpenPGP_0x1234.asc\"\nContent-Transfer-Encoding: quoted-printable\n", qp(armour("PUBLIC KEY BLOCK"))))},
		{name: "autocrypt", why: "a key in the header, folded many times",
			text: "Autocrypt: addr=alice@example.org; keydata=\n" + strings.TrimSuffix(" "+strings.ReplaceAll(b64(strings.Repeat("\x99\x01\x8d",
				300)), "\n", "\n "), " ") + top("Hello") + ascii + "\n" + minutes},
		{name: "smime-signed", why: "S/MIME, clear-signed", text: signed("application/pkcs7-signature", "sha-256", words, smimeSignature)},
		{name: "smime-signed-old", why: "with the x- names of the nineties",
			text: strings.ReplaceAll(signed("application/pkcs7-signature", "sha1", multi("alternative", "=_a", words, part(html, "<p>Hi</p>\n")),
				smimeSignature), "pkcs7-", "x-pkcs7-")},
		{name: "smime-opaque", why: "S/MIME signed in one piece", text: opaque("pkcs7-mime", "; smime-type=signed-data", "smime.p7m"),
			notes: "unscannable"},
		{name: "smime-encrypted", why: "S/MIME, encrypted", text: opaque("pkcs7-mime", "; smime-type=enveloped-data", "smime.p7m"),
			notes: "unscannable"},
		{name: "smime-x-type", why: "the old type without a parameter", text: opaque("x-pkcs7-mime", "", "smime.p7m"), notes: "unscannable"},
		{name: "dkim-signed-list", why: "an author's signature that a list's footer broke",
			text: "DKIM-Signature: v=1; a=ed25519-sha256; c=simple/simple; d=example.org; s=ed;\n h=From:To:Subject; l=12; " +
				"bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\n " +
				"b=QWxpY2VFeGFtcGxlQWxpY2VFeGFtcGxl\n" + top("[list] Minutes") + ascii + "\n" + minutes + "_____\nlist@example.org\n"},
		{name: "certificate-pem", why: "a certificate in the text",
			text: top("Certificate") + ascii + "\n-----BEGIN CERTIFICATE-----\n" + b64(strings.Repeat("\x30\x82\x03\x5a", 60)) +
				"-----END CERTIFICATE-----\n"},
	}
}
