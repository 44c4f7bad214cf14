package unpack

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/milterscan/milterscan/scan/format/entity"
)

// words returns the words of a mail that may be passwords.
func words(mail string) []string {
	p := entity.NewParser(entity.DefaultLimits())
	p.Write([]byte(mail))
	return wordsOf(said{content: bytes.NewReader([]byte(mail)), root: p.Close().Root})
}

// plainMail is a mail with a subject and a text in UTF-8.
func plainMail(subject, text string) string {
	return "Subject: " + subject + "\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + strings.ReplaceAll(text, "\n", "\r\n")
}

func TestSecrets(t *testing.T) {
	for _, s := range []struct {
		name, mail, want string
		within           int // of the first so many words
	}{
		{"told", plainMail("x", "Dear Alice,\n\nthe password is Winter2026!\n\nBob"), "Winter2026!", 1},
		{"after a colon", plainMail("x", "Password: hb7-X2"), "hb7-X2", 1},
		{"at the end of a sentence", plainMail("x", "The archive password is: 48213."), "48213", 1},
		{"with a mark at its end", plainMail("x", "Password: Abc!"), "Abc!", 1},
		{"quoted", plainMail("x", "Use \"open sesame\" as the password to open it."), "open sesame", 3},
		{"quoted, as Germans do", plainMail("x", "Das Passwort lautet „Sommer2025“."), "Sommer2025", 2},
		{"in the next line", plainMail("x", "Das Kennwort für die Datei:\n\nBlau$77\n\nGruß"), "Blau$77", 3},
		{"a line of its own", plainMail("x", "Please see the attachment.\n\nAx77-99\n\nThanks"), "Ax77-99", 3},
		{"before the word", plainMail("x", "7731 is your password"), "7731", 3},
		{"several words", plainMail("x", "Passphrase: correct horse battery staple"), "correct horse battery staple", 3},
		{"a short word", plainMail("x", "pw: 1234"), "1234", 1},
		{"pass", plainMail("x", "zip pass - infected"), "infected", 3},
		{"French", plainMail("x", "Le mot de passe est : Fleur2026"), "Fleur2026", 2},
		{"Spanish", plainMail("x", "La contraseña es 5512ab"), "5512ab", 2},
		{"Italian", plainMail("x", "La password è: Roma44"), "Roma44", 2},
		{"Portuguese", plainMail("x", "A senha é 998877"), "998877", 2},
		{"Polish", plainMail("x", "Hasło do pliku: zima2026"), "zima2026", 1},
		{"Russian", plainMail("x", "Пароль от архива: лето2026"), "лето2026", 1},
		{"Russian, in capitals", plainMail("x", "ПАРОЛЬ - 2026"), "2026", 2},
		{"Chinese", plainMail("x", "解压密码：8866"), "8866", 1},
		{"Chinese, without a sign", plainMail("x", "密码8866"), "8866", 2},
		{"Japanese", plainMail("x", "パスワードは「kaze77」です。"), "kaze77", 3},
		{"Turkish", plainMail("x", "Dosyanın şifresi: kis26"), "kis26", 2},
		{"the subject", plainMail("Invoice, password 88123", "See attached."), "88123", 3},
		{"an encoded subject", plainMail("=?utf-8?q?Rechnung=2C_Passwort:_88123?=", "Siehe Anhang."), "88123", 3},
		{"a page", "Subject: x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>The <b>password</b>:</p><p><b>Rot&amp;Blau1</b></p>", "Rot&Blau1", 3},
		{"a page in pieces", "Subject: x\r\nContent-Type: text/html\r\n\r\n<p>Password: <span>Ro</span><span>t99</span></p>", "Rot99", 1},
		{"base64", "Subject: x\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nUGFzc3dvcmQ6IFJvdDk5\r\n", "Rot99", 1},
		{"another charset", "Subject: x\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\n\xf0\xc1\xd2\xcf\xcc\xd8: 77abc\r\n", "77abc", 1},
		{"a name", "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/zip; name=\"invoice_pw_4412.zip\"\r\n\r\nPK\r\n--b--\r\n", "4412", 6},
	} {
		got := words(s.mail)
		if at := slices.Index(got, s.want); at < 0 || at >= s.within {
			t.Errorf("%s: %q, which is word %d of %q", s.name, s.want, at+1, got)
		}
	}
}

// TestSecretsAreFew: no message makes more words, or takes longer to be looked through.
func TestSecretsAreFew(t *testing.T) {
	var many strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&many, "password: %d\n\"word%d\"\n", i, i)
	}
	for name, text := range map[string]string{
		"10,000 words":  many.String(),
		"one line":      strings.Repeat("password ", 200_000),
		"quotes":        strings.Repeat("\"'`«„", 200_000),
		"empty":         "",
		"a long word":   "password: " + strings.Repeat("x", 100_000),
		"not UTF-8":     "password: \xff\xfe\xfd",
		"an address":    "password: https://example.com/a",
		"only the word": "password",
	} {
		begun := time.Now()
		got := words(plainMail("x", text))
		if len(got) > mostSecrets || time.Since(begun) > 20*time.Second {
			t.Errorf("%s: %d words after %v", name, len(got), time.Since(begun))
		}
		for _, w := range got {
			if len(w) > 4*longestWord || strings.Contains(w, "://") {
				t.Errorf("%s: %q", name, w)
			}
		}
	}
}

// FuzzSecrets: whatever a mail says, its words are few, of the lengths that are tried, and no two the same.
func FuzzSecrets(f *testing.F) {
	for _, text := range []string{"The password is: 48213.", "Das Passwort lautet „Sommer2025“", "密码8866", "ПАРОЛЬ - 2026", "pw \"a b\"\n\nx", "PAßWORT İ: 1"} {
		f.Add("x", text, "utf-8")
	}
	f.Add("=?koi8-r?q?=f0=c1=d2=cf=cc=d8: 77?=", "<p>password: <b>x1</b>", "koi8-r")
	f.Fuzz(func(t *testing.T, subject, text, label string) {
		for _, kind := range []string{"plain", "html"} {
			got := words("Subject: " + subject + "\r\nContent-Type: text/" + kind + "; charset=" + label + "\r\n\r\n" + text)
			if len(got) > mostSecrets {
				t.Errorf("%d words", len(got))
			}
			for i, w := range got {
				if n := utf8.RuneCountInString(w); n < shortestWord || n > longestWord || slices.Contains(got[:i], w) {
					t.Errorf("%q in %q", w, got)
				}
			}
		}
	})
}
