package digest

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/token"
)

// parts reads a digest as a mail client does.
func parts(t *testing.T, text []byte) (h netmail.Header, plain, html string) {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	r := multipart.NewReader(m.Body, params["boundary"])
	var bodies []string
	for {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, string(text))
	}
	if len(bodies) != 2 {
		t.Fatalf("%d parts", len(bodies))
	}
	return m.Header, bodies[0], bodies[1]
}

var ours = regexp.MustCompile(`https://mx\.example\.com/(link/([A-Za-z0-9_-]+)|mine)`)

// hostile is a mail whose every text wants to be more.
func hostile() quarantine.Row {
	evil := "x\"'><script>alert(1)</script><a href=https://evil.example/>\r\nBcc: v@example.net\r\n\r\n--digest-n1--\u202Egpj.exe {{.Host}} %s www.evil.example" + strings.Repeat("ü", 10_000)
	r := mail(`"a b\"c"@example.com`, seven)
	r.ID, r.Sender, r.From, r.Subject, r.Reason = "06h08cfwgrgbyv96", evil, evil, evil, evil
	return r
}

func composed(t *testing.T, language string, rows ...listed) []byte {
	t.Helper()
	s := newSite(t)
	f := folder{who: Person{ID: "p", Address: `"a b\"c"@example.com`, Language: language, Plan: Plan{Daily, 420, berlin(t)}}, rows: rows, total: len(rows) + 200, until: seven}
	text, err := s.terms.compose(f, "n1", seven, []byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Nothing in a mail can break out of the digest about it, or make a link in it, in any language.
func TestHostileMail(t *testing.T) {
	rtl := hostile()
	rtl.Subject, rtl.From, rtl.Sender = "פגישה https://evil.example/ مرحبا", "مرحبا <eve@evil.example>", ""
	for _, language := range []string{"en", "de", "fr", "es", "tlh"} {
		text := composed(t, language, listed{hostile(), "a@example.com"}, listed{rtl, "b@example.com"})
		h, plain, html := parts(t, text)
		if h.Get("Bcc") != "" || strings.Contains(plain, "\nBcc:") || strings.ContainsAny(plain+html, "\u202e\u202d\u2066") {
			t.Errorf("%s: broken out:\n%s", language, text)
		}
		if strings.Contains(html, "<script") || !strings.Contains(html, "&lt;script&gt;") || strings.Contains(html, "<a href=https://evil") {
			t.Errorf("%s: not escaped:\n%s", language, html)
		}
		for _, body := range []string{plain, html} {
			left := ours.ReplaceAllString(body, "")
			for _, bad := range []string{"https:", "http:", "evil.example", "www.evil"} {
				if strings.Contains(left, bad) {
					t.Errorf("%s: %q is left in\n%s", language, bad, left)
				}
			}
		}
		for line := range strings.SplitSeq(string(text), "\r\n") {
			if len(line) > 78 || strings.ContainsAny(line, "\r\n") {
				t.Errorf("%s: line of %d: %q", language, len(line), line)
			}
			for _, c := range []byte(line) {
				if c >= 0x80 {
					t.Fatalf("%s: not 7bit: %q", language, line)
				}
			}
		}
		if h.Get("Auto-Submitted") != "auto-generated" || len(text) > 20_000 {
			t.Errorf("%s: %d bytes, header %v", language, len(text), h)
		}
	}
}

// Each row has the links that the host allows, which are good for that message and that address.
func TestLinks(t *testing.T) {
	suspicious, forbidden, report := mail("b@example.com", seven), mail("b@example.com", seven), mail("b@example.com", seven)
	suspicious.ID, forbidden.ID, report.ID = "06h08cfwgrgbyv96", "06h08cfwgrgbyv97", "06h08cfwgrgbyv98"
	forbidden.Class, report.Sender = "forbidden", ""
	text := composed(t, "en", listed{suspicious, "b@example.com"}, listed{forbidden, "b@example.com"}, listed{report, "b@example.com"})
	_, plain, html := parts(t, text)
	for _, body := range []string{plain, html} {
		got := map[string]int{}
		nonces := map[string]bool{}
		for _, m := range ours.FindAllStringSubmatch(body, -1) {
			if m[2] == "" {
				continue
			}
			l, err := token.ReadLink([]byte(strings.Repeat("k", 32)), m[2], token.DigestLink, seven.Add(13*24*time.Hour))
			if err != nil || l.Address != "b@example.com" || nonces[l.Nonce] {
				t.Fatalf("%+v, %v", l, err)
			}
			nonces[l.Nonce] = true
			got[l.ID[15:]+" "+l.Act]++
		}
		want := "6 look, 6 release, 6 block, 7 look, 7 block, 8 look, 8 release"
		for w := range strings.SplitSeq(want, ", ") {
			if got[w] != 1 {
				t.Errorf("%s: %d times, of %v", w, got[w], got)
			}
		}
		if len(got) != 7 {
			t.Errorf("%v", got)
		}
	}
}

// A host without pages sends digests without links.
func TestWithoutPages(t *testing.T) {
	s := newSite(t)
	s.terms.URL = ""
	f := folder{who: Person{ID: "p", Address: "b@example.com"}, rows: []listed{{mail("b@example.com", seven), "b@example.com"}}, total: 3}
	text, err := s.terms.compose(f, "n1", seven, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, plain, html := parts(t, text)
	if strings.Contains(plain+html, "://") || strings.Contains(html, "href") || !strings.Contains(plain, "and 2 more. Ask your postmaster") {
		t.Errorf("%s\n%s", plain, html)
	}
}

// Every language says all there is to say.
func TestLanguages(t *testing.T) {
	r := mail("b@example.com", seven)
	r.From, r.Size = "Ann <ann@example.net>", 12_345
	for language, words := range map[string][]string{
		"en": {"201 messages for you", "it looks like spam", "Look", "Release", "Block the sender", "and 200 more"},
		"de": {"201 Nachrichten an Sie", "unerwünschter Werbung", "Ansehen", "Zustellen", "Absender sperren", "und 200 weitere"},
		"fr": {"201 messages qui vous sont", "courrier indésirable", "Voir", "Délivrer", "Bloquer l’expéditeur", "et 200 autres"},
		"es": {"201 mensajes para usted", "correo no deseado", "Ver", "Entregar", "Bloquear al remitente", "y 200 más"},
	} {
		h, plain, html := parts(t, composed(t, language, listed{r, "b@example.com"}))
		for _, word := range append(words, "a@example.net", "ann@example[.]net", "at 04 07:00:00", "12 kB", "2026-03-04 08:00") {
			if !strings.Contains(plain, word) || !strings.Contains(html, word) {
				t.Errorf("%s: no %q in\n%s\n%s", language, word, plain, html)
			}
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
		if err != nil || !strings.Contains(subject, "201") || !strings.Contains(html, `<html lang="`+language+`">`) || !strings.Contains(html, `scope="col"`) {
			t.Errorf("%s: subject %q, %v", language, subject, err)
		}
	}
}

func TestLocalTemplates(t *testing.T) {
	all, err := NewTemplates(fstest.MapFS{"en.txt": {Data: []byte(`{{define "reason"}}our reason{{end}}`)}, "it.txt": {Data: []byte(`{{define "digest.subject"}}{{.Total}} messaggi{{end}}`)}})
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	s.terms.Templates = all
	for language, want := range map[string]string{"en": "our reason", "it": "3 messaggi"} {
		f := folder{who: Person{ID: "p", Address: "b@example.com", Language: language}, rows: []listed{{mail("b@example.com", seven), "b@example.com"}}, total: 3}
		text, err := s.terms.compose(f, "n1", seven, nil)
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v\n%s", language, err, text)
		}
	}
	if _, err := NewTemplates(fstest.MapFS{"en.html": {Data: []byte(`{{define "mail"}}{{.Nothing}}{{end}}`)}}); err == nil {
		t.Error("a template with a mistake is taken")
	}
}
