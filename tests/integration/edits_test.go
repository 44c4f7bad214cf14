package integration

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

const editRules = `
profile = "hosting"

[[rule]]
name = "take viruses out"
from = ["clean@example.org"]
when = ["infected"]
action = "deliver"
edit = "clean"

[[rule]]
name = "rename programs"
from = ["rename@example.org"]
when = ["attachment/*"]
action = "deliver"
edit = "rename"
`

// Every kind of edit, as it arrives.
func TestEdits(t *testing.T) { onEachMTA(t, editRules, testEdits) }

func testEdits(t *testing.T, h *house) {
	t.Run("newsletter", func(t *testing.T) { testNewsletter(t, h) })
	t.Run("signed", func(t *testing.T) { testSigned(t, h) })
	t.Run("only part", func(t *testing.T) { testOnlyPart(t, h) })
	t.Run("zip", func(t *testing.T) { testCleanedZip(t, h) })
	t.Run("macros", func(t *testing.T) {
		_, parts := arrived(t, h.deliver(t, letterFrom("sender", macroMail(t)), 1)[0])
		if parts[1].name != "letter.docx" || bytes.Contains(parts[1].content, []byte("vbaProject")) {
			t.Errorf("%q still has its macros", parts[1].name)
		}
	})
	t.Run("name", func(t *testing.T) {
		m := letterFrom("rename", sample.Attached("setup", sample.Program("setup.exe")))
		_, parts := arrived(t, h.deliver(t, m, 1)[0])
		if parts[1].name != "setup.exe.renamed" || !bytes.Equal(parts[1].content, sample.Program("").Content) {
			t.Errorf("part 2 is %q", parts[1].name)
		}
	})
}

// letterFrom is a mail from somebody at example.org.
func letterFrom(local string, data []byte) servers.Mail {
	m := letter(data)
	m.From = local + "@example.org"
	return m
}

// trackingNewsletter is a newsletter with everything that profile hosting takes
// out of one.
func trackingNewsletter() []byte {
	more := `<script>count()</script><form action="https://shop.example.org/f"><input name=a></form>` +
		`<a href="http://evil.example.net/">www.example.com</a><img src="https://shop.example.org/p?1" width="1" height="1">`
	return bytes.Replace(sample.Newsletter(), []byte("</body>"), []byte(more+"\r\n</body>"), 1)
}

func testNewsletter(t *testing.T, h *house) {
	m := letter(trackingNewsletter())
	d := h.deliver(t, m, 1)[0]
	header, parts := arrived(t, d)
	if got := header.Get("Subject"); got != "{Disarmed} Spring offers" {
		t.Errorf("Subject: %s", got)
	}
	if _, before := arrived(t, servers.Delivered{Mail: m.Data}); !bytes.Equal(parts[0].content, asDeliveredBytes(before[0].content)) {
		t.Errorf("the text has changed:\n%s", parts[0].content)
	}
	html := string(parts[1].content)
	for _, gone := range []string{"<script", "<form", "/p?1"} {
		if strings.Contains(html, gone) {
			t.Errorf("%s is left:\n%s", gone, html)
		}
	}
	for _, there := range []string{"Spring offers", "https://shop.example.org/logo.png", "[Caution: this link leads to evil.example.net]"} {
		if !strings.Contains(html, there) {
			t.Errorf("%s is not there:\n%s", there, html)
		}
	}
	h.deliverAgain(t, d, html)
}

// deliverAgain sends what arrived once more: nothing is left to be changed.
func (h *house) deliverAgain(t *testing.T, d servers.Delivered, html string) {
	t.Helper()
	again := letter(bytes.ReplaceAll(d.Mail, []byte("\n"), []byte("\r\n")))
	_, parts := arrived(t, h.deliver(t, again, 1)[0])
	if string(parts[1].content) != html {
		t.Errorf("a second time changes it to\n%s", parts[1].content)
	}
}

func testSigned(t *testing.T, h *house) {
	m := letter(bytes.Replace(trackingNewsletter(), []byte("multipart/alternative"), []byte("multipart/signed; protocol=\"application/pgp-signature\""), 1))
	d := h.deliver(t, m, 1)[0]
	_, body, _ := strings.Cut(asDelivered(m.Data), "\n\n")
	if !strings.HasSuffix(string(d.Mail), body) || strings.Contains(string(d.Mail), "{Disarmed}") {
		t.Errorf("signed mail was changed:\n%s", d.Mail)
	}
}

// testOnlyPart is a mail that is nothing but a virus, so that the header of the
// message itself changes with the body.
func testOnlyPart(t *testing.T, h *house) {
	data := "From: clean@example.org\r\nSubject: all of it\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream;\r\n name=\"notes.txt\"\r\n" +
		"Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=notes.txt\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte(sample.EICAR)) + "\r\n"
	d := h.deliver(t, letterFrom("clean", []byte(data)), 1)[0]
	got := fields(t, d)
	for name, want := range map[string]string{"Content-Type": "text/plain; charset=utf-8; name=removed.txt", "Content-Transfer-Encoding": "7bit", "Content-Disposition": "inline; filename=removed.txt"} {
		if len(got[name]) != 1 || got[name][0] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
	if _, body, _ := strings.Cut(string(d.Mail), "\n\n"); !strings.HasPrefix(body, "The attachment \"notes.txt\" was taken out") || strings.Count(body, "notes.txt") != 1 {
		t.Errorf("the body is\n%s", body)
	}
}

func testCleanedZip(t *testing.T, h *house) {
	kept := sample.Noise("photo.jpg", 20_000, 7)
	archive := sample.Zip("papers.zip", kept, sample.EicarFile(), sample.File{Name: "letter.txt", Content: []byte("Dear reader")})
	_, parts := arrived(t, h.deliver(t, letterFrom("clean", sample.Attached("papers", archive)), 1)[0])
	file := filepath.Join(t.TempDir(), "papers.zip")
	if err := os.WriteFile(file, parts[1].content, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("unzip", "-t", file).CombinedOutput(); err != nil || bytes.Contains(out, []byte("notes.txt")) || !bytes.Contains(out, []byte("removed.txt")) {
		t.Errorf("unzip -t: %v\n%s", err, out)
	}
	if !bytes.Equal(memberOf(t, file, "photo.jpg"), kept.Content) {
		t.Error("another member has changed")
	}
}

// macroMail is a mail with a document that has macros.
func macroMail(t *testing.T) []byte {
	t.Helper()
	project := contentOf(t, filepath.Join(servers.Root(t), "scan/contents/document/testdata/macro.xls"))
	return sample.Attached("letter", sample.File{Name: "letter.docm", Type: "application/vnd.ms-word.document.macroEnabled.12", Content: docmWith(t, project)})
}

// TestOfficeOpensWhatWasCleaned lets LibreOffice read a document whose macros
// were taken out.
func TestOfficeOpensWhatWasCleaned(t *testing.T) {
	o := newOffice(t)
	_, parts := arrived(t, servers.Delivered{Mail: filteredByHosting(t, macroMail(t))})
	file := filepath.Join(t.TempDir(), parts[1].name)
	if err := os.WriteFile(file, parts[1].content, 0o600); err != nil {
		t.Fatal(err)
	}
	if text := contentOf(t, o.convert(file, "txt:Text")); !bytes.Contains(text, []byte("Dear Ms Example")) {
		t.Errorf("LibreOffice reads %q", text)
	}
}

// filteredByHosting is a mail as the profile hosting delivers it.
func filteredByHosting(t *testing.T, mail []byte) []byte {
	t.Helper()
	config := filepath.Join(t.TempDir(), "milterscan.toml")
	if err := os.WriteFile(config, []byte("profile = \"hosting\"\nvirus = []\n[milter]\nlisten = [\"unix:/nowhere/milter.sock\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	filter := exec.Command(servers.Binary(t), "filter", "-c", config)
	filter.Stdin = bytes.NewReader(mail)
	delivered, err := filter.Output()
	if err != nil {
		t.Fatalf("milterscan filter: %v", err)
	}
	return delivered
}

// arrivedPart is a leaf of a mail.
type arrivedPart struct {
	name    string
	content []byte
}

// arrived is a mail as the standard library reads it.
func arrived(t *testing.T, d servers.Delivered) (mail.Header, []arrivedPart) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(d.Mail))
	if err != nil {
		t.Fatalf("%v in\n%s", err, d.Mail)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatalf("%v in\n%s", err, d.Mail)
	}
	var parts []arrivedPart
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return m.Header, parts
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, d.Mail)
		}
		parts = append(parts, arrivedPart{p.FileName(), decoded(t, p)})
	}
}

// decoded is the content of a part without its transfer encoding.
func decoded(t *testing.T, p *multipart.Part) []byte {
	t.Helper()
	var body io.Reader = p
	switch p.Header.Get("Content-Transfer-Encoding") {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, p)
	case "quoted-printable":
		body = quotedprintable.NewReader(p)
	}
	content, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func asDeliveredBytes(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")) }
