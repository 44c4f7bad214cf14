package pipeline

import (
	"fmt"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/tests/corpus"
)

// TestPagesThatCannotBeEdited has pages of every kind in messages that programs read in one way, and in
// several: hosting delivers no page that acts as it came, unless it is in a message that is signed.
func TestPagesThatCannotBeEdited(t *testing.T) {
	pages := map[string]string{
		"plain":  "<p>hello there, all</p>",
		"form":   `<p>hello there</p><form action="http://evil.test/"><input name=p></form>`,
		"script": `<p>hello there</p><script>alert(1)</script>`,
		"link":   `<p>hello there <a href="http://evil.test/">http://www.bank.test/</a></p>`,
		"runs":   `<p>hello there <a href="javascript:alert(1)">news</a></p>`,
	}
	const head = "From: Ann <a@shop.test>\r\nTo: b@example.com\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
	const plain, refused, edited, marked = "deliver", "reject", "edited", "marked"
	p := pipelineOf(t, "profile = \"hosting\"\n")
	for name, c := range map[string]struct {
		mail string
		want map[string]string // by page
	}{
		"one way": {"Content-Type: text/html\r\n\r\n%s\r\n",
			map[string]string{"plain": plain, "form": edited, "script": edited, "link": edited, "runs": edited}},
		"two types": {"Content-Type: multipart/mixed; boundary=a\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
			"--a\r\nContent-Type: text/html\r\n\r\n%[1]s\r\n--a--\r\n" +
			"--b\r\nContent-Type: text/html\r\n\r\n<p>other</p>%[1]s\r\n--b--\r\n",
			map[string]string{"plain": marked, "form": refused, "script": refused, "link": marked, "runs": refused}},
		"ways that show the same": {"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/mixed; boundary=ab\r\n\r\n" +
			"--ab\r\nContent-Type: text/html\r\n\r\n%s\r\n--ab--\r\n--a--\r\n",
			map[string]string{"plain": plain, "form": edited, "script": edited, "link": edited, "runs": edited}},
		"a part after the end": {"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: text/html\r\n\r\n" +
			"%s\r\n--a--\r\n--a\r\nContent-Type: text/plain\r\n\r\nmore\r\n",
			map[string]string{"plain": marked, "form": refused, "script": refused, "link": marked, "runs": refused}},
		"signed": {"Content-Type: multipart/signed; boundary=a; protocol=\"application/pgp-signature\"; micalg=pgp-sha256\r\n\r\n" +
			"--a\r\nContent-Type: text/html\r\n\r\n%s\r\n" +
			"--a\r\nContent-Type: application/pgp-signature\r\n\r\n-----BEGIN PGP SIGNATURE-----\r\n" +
			"\r\nabcd\r\n-----END PGP SIGNATURE-----\r\n--a--\r\n",
			map[string]string{"plain": plain, "form": marked, "script": marked, "link": marked, "runs": marked}},
	} {
		for page, want := range c.want {
			r := p.judged(t, corpus.Mail{Message: []byte(head + fmt.Sprintf(c.mail, pages[page]))})
			r.Close()
			got := r.Decision.Action()
			switch {
			case r.Edited():
				got = edited
			case got == plain && len(r.Decision.Headers) > 0:
				got = marked
			}
			if got != want {
				t.Errorf("%s, %s: %s, want %s: %v", name, page, got, want, rulesOf(r.Found))
			}
			told := strings.Contains(fmt.Sprint(rulesOf(r.Found)), "mime/uneditable")
			if several := c.want["form"] == refused; told != several {
				t.Errorf("%s, %s: the rules are told %v: %v", name, page, told, rulesOf(r.Found))
			}
			if want == refused && r.Decision.Answer != policy.Reject {
				t.Errorf("%s, %s: %+v", name, page, r.Decision)
			}
		}
	}
}

// TestFullSpoolIsNoFaultOfThePage has a page with a form in a message of which the rest finds no room: hosting has the
// MTA try again.
func TestFullSpoolIsNoFaultOfThePage(t *testing.T) {
	p := pipelineOf(t, "profile = \"hosting\"\n[limits]\nmessage = \"1MB\"\n[spool]\nmemory = \"1MB\"\ndisk = \"0B\"\n")
	page := "Content-Type: text/html\r\n\r\n<p>hello there</p><form action=\"http://evil.test/\"><input name=p></form>\r\n"
	file := "Content-Type: application/octet-stream; name=a.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		strings.Repeat(strings.Repeat("QUJD", 19)+"\r\n", 9000)
	r := p.judged(t, corpus.Mail{Message: []byte("From: Ann <a@shop.test>\r\nTo: b@example.com\r\nSubject: x\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n" + page + "--a\r\n" + file + "--a--\r\n")})
	defer r.Close()
	rules := fmt.Sprint(rulesOf(r.Found))
	for _, want := range []string{"mime/failed", "content/form"} {
		if !strings.Contains(rules, want) {
			t.Errorf("%s is not found: %s", want, rules)
		}
	}
	if r.Decision.Answer != policy.Tempfail || strings.Contains(rules, "mime/uneditable") {
		t.Errorf("%+v: %s", r.Decision, rules)
	}
}

func rulesOf(found []scan.Finding) (rules []string) {
	for _, f := range found {
		rules = append(rules, f.Rule)
	}
	return rules
}
