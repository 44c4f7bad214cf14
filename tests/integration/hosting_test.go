package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

// hostRules are those of a company that hosts the mail of many domains.
const hostRules = `
[local]
domains = ["plain.example", "quiet.example", "own.example"]

[per_domain]
dir = %q
keys = ["when", "action", "tag", "redirect", "edit", "headers"]
findings = ["content/*", "attachment/*", "spam/*", "virus/*"]

[[content.list]]
name = "spam"
words = ["cheap pills"]
score = 5

[[content.list]]
name = "much-spam"
words = ["miracle lottery"]
score = 7

[[rule]]
name = "surely spam"
direction = ["inbound"]
when = ["score >= 10"]
action = "discard"

[[rule]]
name = "spam"
when = ["score >= 5"]
tag = "{Spam?}"
headers = { X-Spam = "{score}" }
`

// domainFiles are what two domains have settled; a third has the host's defaults.
var domainFiles = map[string]string{
	"quiet.example": "off = [\"content\"]\n",
	"own.example": `
[[rule]]
name = "clean and deliver"
when = ["virus/*"]
action = "deliver"
edit = "replace"
tag = "{Virus?}"
[[rule]]
name = "spam elsewhere"
when = ["content/list-*"]
action = "deliver"
redirect = ["spam@own.example"]
`,
}

// hosted is one mail at the host, and what becomes of it.
type hosted struct {
	name string
	data []byte
	to   string
	user string // who sends it, if it is one of the host's customers
	code int
	got  string   // the recipient who got it; "" if none did
	with []string // what is in the mail that arrives
	kept int
}

func hostedMail() []hosted {
	spam := sample.Plain("offer", "Cheap pills for you.")
	much := sample.Plain("offer", "Cheap pills and the miracle lottery.")
	virus := sample.Attached("notes", sample.EicarFile())
	zipped := sample.Attached("notes", sample.Zip("notes.zip", sample.EicarFile()))
	exe := sample.Attached("setup", sample.Program("setup.exe"))
	exeInZip := sample.Attached("setup", sample.Zip("setup.zip", sample.Program("setup.exe")))
	external := []byte("Subject: picture\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<html><body><img src=\"http://pictures.example.net/all.png\"></body></html>\r\n")
	return []hosted{
		{"a virus is kept and not delivered", virus, "u@plain.example", "", 250, "", nil, 1},
		{"a virus in a zip", zipped, "u@plain.example", "", 250, "", nil, 1},
		{"a domain has viruses taken out", virus, "u@own.example", "", 250, "u@own.example", []string{"Subject: {Virus?} notes", "was taken out"}, 0},
		{"spam is marked and delivered", spam, "u@plain.example", "", 250, "u@plain.example", []string{"Subject: {Spam?} offer", "X-Spam: 5"}, 0},
		{"much spam is deleted", much, "u@plain.example", "", 250, "", nil, 0},
		{"a domain wants spam elsewhere", spam, "u@own.example", "", 250, "spam@own.example", nil, 0},
		{"a domain is not asked about content", spam, "u@quiet.example", "", 250, "u@quiet.example", []string{"Subject: offer"}, 0},
		{"an entirely external body", external, "u@plain.example", "", 554, "", nil, 0},
		{"a banned attachment", exe, "u@plain.example", "", 550, "", nil, 0},
		{"a banned attachment, zipped", exeInZip, "u@plain.example", "", 250, "u@plain.example", nil, 0},
		{"a virus goes out", virus, "u@elsewhere.example", "joe", 550, "", nil, 0},
		{"spam goes out, marked", much, "u@elsewhere.example", "joe", 250, "u@elsewhere.example", []string{"Subject: {Spam?} offer", "X-Spam: 12"}, 0},
		{"own mail is looked at for everybody", spam, "u@quiet.example", "joe", 250, "u@quiet.example", []string{"Subject: {Spam?} offer"}, 0},
	}
}

// The mail of a company that hosts many domains: its own rules, those of the
// profile, and what single domains have settled.
func TestHosting(t *testing.T) {
	dir := t.TempDir()
	for domain, text := range domainFiles {
		if err := os.WriteFile(filepath.Join(dir, domain+".toml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h, vault := newVault(t, "")
	h.milter.Configure(t, fmt.Sprintf("profile = \"hosting\"\n[quarantine]\ndir = %q\n", filepath.Join(vault, "quarantine"))+asking(h.engine, fmt.Sprintf(hostRules, dir)))
	if out, status := h.milter.Run(t, "check"); status != 0 {
		t.Fatalf("check: status %d, %s", status, out)
	}
	h.milter.Stop()
	h.milter.Start(t)
	for _, m := range hostedMail() {
		t.Run(m.name, func(t *testing.T) { h.host(t, m) })
	}
	h.milter.Says(t, `"user":"joe"`) // what went out can be traced to the user who sent it
}

func (h *house) host(t *testing.T, m hosted) {
	h.mta.Mailbox().Clear()
	before := len(h.list(t, "--limit", "0"))
	c := servers.DialSMTP(t, h.mta.SMTP())
	defer c.Quit()
	if m.user != "" {
		wantReply(t, "XCLIENT", c.Pretend("LOGIN="+m.user), 250)
	}
	wantReply(t, "the mail", c.Send(servers.Mail{From: "sender@example.org", To: []string{m.to}, Data: m.data}), m.code)
	h.mta.Settle(t)
	var got []string
	for _, d := range h.mta.Mailbox().All() {
		got = append(got, d.Recipient)
		for _, word := range m.with {
			if !strings.Contains(string(d.Mail), word) {
				t.Errorf("there is no %q in\n%s", word, d.Mail)
			}
		}
	}
	if strings.Join(got, " ") != m.got {
		t.Errorf("%q got it, not %q", got, m.got)
	}
	if kept := len(h.list(t, "--limit", "0")) - before; kept != m.kept {
		t.Errorf("%d copies are kept, not %d", kept, m.kept)
	}
}
