package beside

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan/sender/arc/arctest"
	"github.com/milterscan/milterscan/scan/sender/dns/dnstest"
	"github.com/milterscan/milterscan/tests/sample"
)

// allPoints returns everything to be asked, and puts the records it takes into a zone.
func allPoints(t *testing.T, z dnstest.Zone) []point {
	t.Helper()
	return []point{authors(t, z), codes(t), passwords(t), people(), sheets(), spam(), published(), places()}
}

const (
	rejected    = `^auth/dmarc-reject$|^DMARC_POLICY_REJECT$|^DMARC_REJ`
	quarantined = `^auth/dmarc-quarantine$|^DMARC_POLICY_QUARANTINE$|^DMARC_QUAR`
)

// authors are mails in the name of domains that have something to say about it. All come from a host
// that may send for evil.test.
func authors(t *testing.T, z dnstest.Zone) point {
	for name, records := range map[string][]string{
		"sender.test":        {"A 192.0.2.10", "MX 10 mail.sender.test.", "TXT v=spf1 ip4:192.0.2.10 -all"},
		"mail.sender.test":   {"A 192.0.2.10"},
		"_dmarc.sender.test": {"TXT v=DMARC1; p=reject"},
		"evil.test":          {"A 192.0.2.10", "MX 10 mail.sender.test.", "TXT v=spf1 ip4:192.0.2.10 -all"},
		"lists.test":         {"A 192.0.2.10", "MX 10 mail.sender.test.", "TXT v=spf1 ip4:192.0.2.10 -all"},
		"bank.test":          {"A 192.0.2.99", "MX 10 bank.test.", "TXT v=spf1 ip4:192.0.2.99 -all"},
		"_dmarc.bank.test":   {"TXT v=DMARC1; p=reject"},
		"mail.bank2.test":    {"A 192.0.2.99"}, "_dmarc.bank2.test": {"TXT v=DMARC1; p=none; sp=reject"},
		"_dmarc.bank3.test": {"TXT v=DMARC1; p=none; sp=none; np=reject"},
		"_dmarc.bank5.test": {"TXT v=DMARC1; p=reject; pct=0"}, "bank5.test": {"A 192.0.2.99"},
		"_dmarc.bank6.test": {"TXT v=DMARC1; p=reject; t=y"}, "bank6.test": {"A 192.0.2.99"},
		"_dmarc.suffix.test": {"TXT v=DMARC1; p=reject; psd=y"}, "shop.suffix.test": {"A 192.0.2.99"},
		"other.suffix.test":    {"A 192.0.2.10", "TXT v=spf1 ip4:192.0.2.10 -all"},
		"_dmarc.dept.big.test": {"TXT v=DMARC1; p=reject; psd=n"}, "a.dept.big.test": {"A 192.0.2.99"},
		"news.big.test":                        {"A 192.0.2.10", "TXT v=spf1 ip4:192.0.2.10 -all"},
		"l1.l2.l3.l4.l5.l6.l7.l8.l9.bank.test": {"A 192.0.2.99"},
	} {
		z[name] = records
	}
	by := func(sender, mail string) letter {
		return letter{mail: mail, from: sender, client: "192.0.2.10", helo: "mail.sender.test"}
	}
	honest := by("ann@sender.test", plain(ann, "", text))
	in := func(from string) string { return plain("Bank <"+from+">", "", text) }
	list, evil := arctest.NewRSA(t, z, "lists.test"), arctest.NewRSA(t, z, "evil.test")
	passed := arctest.Set{Results: "mx.lists.test; dmarc=pass header.from=bank.test"}
	return point{
		title: "DMARC and ARC", only: `(?i)dmarc|arc[-_]|MULTIPLE_FROM`,
		about: "Mail in the name of others, by RFC 9989 and RFC 8617; ✓ is what these demand. `lists.test` is a sealer that milterscan is told to believe. " +
			"SpamAssassin checks DMARC and SPF with two modules of Perl that its package does not bring.",
		tricks: []trick{
			{"p=reject", by("eve@evil.test", in("info@bank.test")), honest, rejected, ""},
			{"a domain below, sp=reject", by("eve@evil.test", in("info@mail.bank2.test")), honest, rejected, ""},
			{"a domain that is not there, np=reject", by("eve@evil.test", in("info@nosuch.bank3.test")), honest, rejected, ""},
			{"ten labels below p=reject", by("eve@evil.test", in("info@l1.l2.l3.l4.l5.l6.l7.l8.l9.bank.test")), honest, rejected, ""},
			{"p=reject, pct=0, which counts no more", by("eve@evil.test", in("info@bank5.test")), honest, rejected, ""},
			{"p=reject, t=y: one step less", by("eve@evil.test", in("info@bank6.test")), honest, quarantined, ""},
			{"of a neighbour below a suffix with psd=y", by("eve@other.suffix.test", in("info@shop.suffix.test")), honest, rejected, ""},
			{"of another department, psd=n", by("eve@news.big.test", in("info@a.dept.big.test")), honest, rejected, ""},
			{"two authors, one forged: cannot be told", by("ann@sender.test", plain(ann+", Bank <info@bank.test>", "", text)), honest, rejected + `|dmarc-permerror|MULTIPLE_FROM`, ""},
			{"passed on by a sealer that is believed", by("bounce@lists.test", list.Seal(t, in("info@bank.test"), passed)), honest, `arc-trusted|ARC_ALLOW|ARC_VALID`, rejected},
			{"passed on by any sealer", by("eve@evil.test", evil.Seal(t, in("info@bank.test"), passed)), honest, rejected, ""},
			{"altered after the seal", by("bounce@lists.test", list.Seal(t, in("info@bank.test"), passed)+"Click here.\r\n"), honest, rejected, ""},
		},
	}
}

// passwords are mails with an archive that holds a virus, and the word that opens it.
func passwords(t *testing.T) point {
	const word = "Herbst!2026"
	p := point{title: "Passwords in the text", about: "An archive that holds the EICAR test file, and its password. Beside it: the same mail with another word."}
	for _, v := range []struct{ name, archive, subject, kind, body string }{
		{"ZIP (AES), English, on a line of its own", "zip -tzip -mem=AES256", subject, "plain", "The password is:\r\n\r\nWORD\r\n"},
		{"ZIP (ZipCrypto), in quotes", "zip -tzip -mem=ZipCrypto", subject, "plain", "Use the password \"WORD\" to open it.\r\n"},
		{"7z, German", "7z -t7z", subject, "plain", "Das Passwort lautet WORD\r\n"},
		{"7z with its names encrypted, French", "7z -t7z -mhe=on", subject, "plain", "Le mot de passe : WORD\r\n"},
		{"ZIP, Spanish, in HTML", "zip -tzip -mem=AES256", subject, "html", "<p>La contraseña es <b>WORD</b></p>"},
		{"ZIP, Russian", "zip -tzip -mem=AES256", subject, "plain", "Пароль: WORD\r\n"},
		{"ZIP, in the subject", "zip -tzip -mem=AES256", "Minutes, password WORD", "plain", text},
		{"ZIP in a ZIP", "twice -tzip -mem=AES256", subject, "plain", "Password: WORD\r\n"},
	} {
		f := locked(t, v.archive, word)
		mail := func(word string) letter {
			fill := strings.NewReplacer("WORD", word)
			return arrived(enclosing(fill.Replace(v.subject), v.kind, fill.Replace(v.body), f, "attachment"))
		}
		p.tricks = append(p.tricks, trick{name: v.name, with: mail(word), less: mail("Sommer!2025"), right: `^virus/clamd$|^virus/infected|virus/|CLAM_VIRUS|Eicar`})
	}
	return p
}

// locked returns an archive that 7z makes, with a password.
func locked(t *testing.T, how, word string) sample.File {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "minutes.txt"), sample.EICAR)
	kind, options, _ := strings.Cut(how, " ")
	name := "minutes." + map[string]string{"7z": "7z"}[kind]
	if kind != "7z" {
		name = "minutes.zip"
	}
	args := append([]string{"a", "-bd", "-p" + word}, strings.Fields(options)...)
	cmd := exec.Command("7z", append(args, name, "minutes.txt")...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("7z: %v, %s", err, out)
	}
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	f := sample.File{Name: name, Type: "application/octet-stream", Content: content}
	if kind == "twice" {
		return sample.Zip("all.zip", f)
	}
	return f
}

// people are mails by others who say that they are of example.com, or somebody known.
func people() point {
	by := func(address, from, more string) letter {
		return letter{mail: plain(from, more, text), from: address, client: "192.0.2.10", helo: "mail.sender.test"}
	}
	from := func(name, shown, address string) trick {
		return trick{name: name, with: by(address, shown+" <"+address+">", ""), less: arrived(plain(ann, "", text))}
	}
	answers := func(name, author string) trick {
		return trick{name: name, with: by("ann@sender.test", author, "Reply-To: eve@evil.test\r\n"), less: by("ann@sender.test", author, "")}
	}
	return point{
		title: "Our people and domains", not: `(?i)dmarc|spf|dkim|adsp|dnsfail|nxdomain|_mx|\bmx_|^auth_na$|^relay/`,
		about: "We are `example.com`, and Jane Doe is one of us; of that only milterscan is told. Beside it: the same mail by Ann Example of `sender.test`, or without the address for replies.",
		tricks: []trick{
			from("the name of one of ours", "Jane Doe", "jane.doe@sender.test"),
			from("in other letters", "=?utf-8?B?SmFuZSBE0L5l?=", "jane.doe@sender.test"),
			from("with a title, turned round", "\"Doe, Dr. Jane\"", "jane.doe@sender.test"),
			from("another address as the name", "\"service@bank.com\"", "ann@sender.test"),
			from("an address of ours as the name", "\"jane@example.com\"", "ann@sender.test"),
			from("Cyrillic letters in the domain", "Ann Example", "ann@xn--exmple-4nf.com"),
			from("rn for m", "Ann Example", "ann@exarnple.com"),
			from("another suffix", "Ann Example", "ann@example.org"),
			from("our domain in front of another", "Ann Example", "ann@example.com.evil.test"),
			from("a letter less", "Ann Example", "ann@exmple.com"),
			answers("of ours, replies go elsewhere", "Ann Example <ann@example.com>"),
			answers("author, sender and replies of three domains", "Ann Example <ann@shop.test>"),
		},
	}
}

// sheets are pages of which a style sheet hides most.
func sheets() point {
	p := point{title: "Text hidden by style sheets", about: "Six hundred letters are hidden by a rule of `<style>`. Beside it: the same page with a rule about nothing."}
	for _, v := range []struct{ name, css string }{
		{"display: none", "display:none"}, {"visibility: hidden", "visibility:hidden"}, {"font-size: 0", "font-size:0"}, {"white on white", "color:#fff"},
		{"transparent", "opacity:0"}, {"off the screen", "position:absolute;left:-9999px"}, {"no height", "max-height:0;overflow:hidden"},
		{"clipped", "position:absolute;clip:rect(0,0,0,0)"},
	} {
		with := func(class string) letter {
			return arrived(page("<style>." + class + "{" + v.css + "}</style><p>Dear Max, please see the offer.</p><div class=x>" +
				strings.Repeat("garden meeting house minutes window ", 18) + "</div>"))
		}
		p.tricks = append(p.tricks, trick{name: v.name, with: with("x"), less: with("y")})
	}
	return p
}

// spam are mails that give themselves away by words and headers, which is what scorers know.
func spam() point {
	honest := connected(arrived(plain(ann, "", text)))
	says := func(name, body string) trick {
		return trick{name: name, with: connected(arrived(plain(ann, "", body))), less: honest}
	}
	bare := strings.NewReplacer(date, "", id, "")
	old := strings.NewReplacer(date, "Date: Mon, 30 Nov 2020 08:59:00 +0000\r\n")
	loud := strings.NewReplacer("Subject: "+subject, "Subject: YOU HAVE WON $1,000,000 !!!")
	replaced := func(name string, r *strings.Replacer) trick {
		return trick{name: name, with: connected(arrived(r.Replace(honest.mail))), less: honest}
	}
	return point{
		title: "Words and headers of spam",
		about: "What scorers are for, and milterscan is not by itself: it asks them ([spam.md](spam.md)), here both. Beside it: an everyday mail. Neither had learned anything.",
		tricks: []trick{
			says("a fortune of a late minister", "Dear friend,\r\n\r\nI am Barrister John Smith, attorney to the late Minister of Finance of Nigeria, who died with his\r\n"+
				"next of kin in a plane crash. He left the sum of US$25,500,000 (Twenty Five Million United States Dollars) in a bank.\r\n"+
				"I seek your assistance as foreign partner for the transfer of this fund; 40% is for you. This transaction is 100% risk free and confidential.\r\n"),
			says("pills", "Buy Viagra, Cialis and Levitra online without prescription! Cheap meds, no doctor needed.\r\nViagra $1.20 per pill. Order now, click below!\r\n"),
			says("earn money at home", "Make money fast working from home! Earn $5000 per week, no experience needed.\r\nThis is not spam. To be removed from our list reply REMOVE.\r\n"),
			says("lose weight", "Lose weight fast while you sleep! 100% guaranteed, money back guarantee. Act now, limited time offer, call now!\r\n"),
			replaced("a loud subject", loud),
			replaced("neither Date nor Message-ID", bare),
			replaced("six years old", old),
			{name: "says it is Outlook Express", with: connected(arrived(plain(ann, "X-Mailer: Microsoft Outlook Express 6.00.2900.2180\r\n", text))), less: honest},
		},
	}
}
