package main

import (
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/tests/sample"
)

// hosting is the profile that edits, with a rule that takes viruses out. Its
// socket is nobody's.
const hosting = "profile = \"hosting\"\nvirus = []\n[[rule]]\nname = \"take out\"\nfrom = [\"clean@example.org\"]\nwhen = [\"infected\"]\naction = \"deliver\"\nedit = \"replace\"\n[milter]\nlisten = [\"unix:/nowhere/milter.sock\"]\n"

const letterHead = "From: Alice <alice@example.org>\r\nTo: bob@example.com\r\nSubject: letter\r\nMIME-Version: 1.0\r\n"

// mixed is a mail of parts.
func mixed(kind string, parts ...string) string {
	all := letterHead + "Content-Type: multipart/" + kind + "; boundary=\"==\"\r\n\r\n"
	for _, p := range parts {
		all += "--==\r\n" + strings.ReplaceAll(p, "\n", "\r\n") + "\r\n"
	}
	return all + "--==--\r\n"
}

const (
	hello = "Content-Type: text/plain\n\nHello\n"
	form  = "Content-Type: text/html\n\n<p>Hello</p><form action=http://x.example.net>Name</form>\n"
	sick  = "Content-Type: text/html\n\n<p>" + sample.EICAR + "\n"
)

// TestEditedMails are rows of the cases the project must get right, from the
// mail to what is delivered. Status 0 is delivered.
func TestEditedMails(t *testing.T) {
	eicar := "Content-Type: application/octet-stream; name=a.txt\nContent-Disposition: attachment; filename=a.txt\n\n" + sample.EICAR + "\n"
	for _, row := range []struct {
		name, mail    string
		status        int
		gone, stays   []string // in what is delivered
		untouched     bool
		cleansViruses bool
	}{
		{name: "A 26 message/partial", mail: letterHead + "Content-Type: message/partial; id=x; number=1; total=3\r\n\r\nx\r\n", status: cli.ExitRefused},
		{name: "A 27 message/external-body", mail: mixed("mixed", hello, "Content-Type: message/external-body; access-type=anon-ftp; name=a; site=x.example.net\n\nContent-Type: text/plain\n\nx\n"), status: cli.ExitRefused},
		{name: "A 32 virus in the body", mail: letterHead + "\r\n" + sample.EICAR + "\r\n", gone: []string{"EICAR"}, stays: []string{"it contains a virus"}, cleansViruses: true},
		{name: "A 32 virus in an attachment", mail: mixed("mixed", hello, eicar), gone: []string{"EICAR"}, stays: []string{"\r\nHello\r\n", `"a.txt" was taken out`}, cleansViruses: true},
		{name: "A 32 virus in HTML", mail: mixed("alternative", hello, sick), gone: []string{"EICAR"}, stays: []string{"\r\nHello\r\n"}, cleansViruses: true},
		{name: "A 32 virus in the second of three", mail: mixed("mixed", hello, "Content-Type: image/png; name=a.png\n\n1\n", eicar, "Content-Type: image/png; name=b.png\n\n2\n"),
			gone: []string{"EICAR"}, stays: []string{"name=a.png\r\n\r\n1\r\n", "name=b.png\r\n\r\n2\r\n"}, cleansViruses: true},
		{name: "A 32 virus, and nobody takes it out", mail: mixed("mixed", hello, eicar), status: cli.ExitNothingLeft},
		{name: "A 35 form in signed mail", mail: mixed("signed; protocol=\"application/pgp-signature\"", form, "Content-Type: application/pgp-signature\n\nx\n"),
			stays: []string{"<form action", "X-Milterscan: content/form"}, gone: []string{"{Disarmed}"}},
		{name: "A 45 a mark, twice", mail: strings.Replace(mixed("mixed", form), "Subject: letter", "Subject: {Disarmed} letter", 1),
			stays: []string{"Subject: {Disarmed} letter\r\n", "<div >Name</div>"}},
		{name: "A 45 a mark on an encoded subject", mail: strings.Replace(mixed("mixed", form), "Subject: letter", "Subject: =?utf-8?q?l=C3=A9ttre?=", 1),
			stays: []string{"Subject: {Disarmed} =?utf-8?q?l=C3=A9ttre?=\r\n"}},
		{name: "H 1 form", mail: mixed("mixed", form, hello), gone: []string{"<form", "action="}, stays: []string{"{Disarmed} letter", "Name</div>", "\r\nHello\r\n"}},
		{name: "H 2 script in an attached page", mail: mixed("mixed", hello, "Content-Type: text/html; name=a.html\nContent-Disposition: attachment; filename=a.html\n\n<script>x()</script><p>Hello\n"),
			gone: []string{"<script"}, stays: []string{"{Disarmed}", "<p>Hello"}},
		{name: "H 14 nothing is found", mail: mixed("alternative", hello, "Content-Type: text/html; charset=iso-8859-1\n\n<p>Gr\xfc\xdfe"+strings.Repeat(" x", 600)+"\n"), untouched: true},
		{name: "H 15 one alternative", mail: mixed("alternative", "Content-Type: text/plain; format=flowed\nContent-Transfer-Encoding: quoted-printable\n\nHello =\nthere=20\n", form),
			gone: []string{"<form"}, stays: []string{"\r\n\r\nHello =\r\nthere=20\r\n"}},
		{name: "P 1 link", mail: mixed("mixed", "Content-Type: text/html\n\n<a href=http://evil.example.net/>www.bank.example</a>\n"), stays: []string{"leads to evil.example.net]</b> <a href"}, gone: []string{"{Disarmed}"}},
		{name: "P 2 honest link", mail: mixed("mixed", "Content-Type: text/html\n\n<a href=http://bank.example.com/>www.bank.example.com</a>\n"), untouched: true},
	} {
		from := "alice@example.org"
		if row.cleansViruses {
			from = "clean@example.org"
		}
		status, out, stderr := filtered(t, hosting, row.mail, nil, "--from", from, "--to", "bob@example.com")
		if status != row.status || status != cli.ExitOK && out != "" {
			t.Errorf("%s: status %d, want %d; %s", row.name, status, row.status, stderr)
		}
		if row.untouched && out != row.mail {
			t.Errorf("%s: it was changed to\n%s", row.name, out)
		}
		for _, s := range row.gone {
			if strings.Contains(out, s) {
				t.Errorf("%s: %q is left in\n%s", row.name, s, out)
			}
		}
		for _, s := range row.stays {
			if strings.Count(out, s) != 1 {
				t.Errorf("%s: %q is there %d times in\n%s", row.name, s, strings.Count(out, s), out)
			}
		}
	}
}
