package content

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/format/skeleton"
	"github.com/milterscan/milterscan/scan/open/texts"
	"github.com/milterscan/milterscan/scan/scantest"
)

// mailOf is a message with header fields, and a sender if its first line is no field.
func mailOf(text string) *scan.Message {
	root := &entity.Entity{Type: "text/plain"}
	m := &scan.Message{Root: root, Parts: []scan.Part{part("text/plain", "", "hello")}}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			m.Envelope.Sender = name
			continue
		}
		root.Header.Fields = append(root.Header.Fields, entity.Field{Name: name, Value: value})
	}
	m.Parts[0].Entity = root
	m.Envelope.Client = netip.MustParseAddrPort("192.0.2.1:25")
	return m
}

// company is a scanner that knows who we are.
func company(t testing.TB, c Config, w With) *Scanner {
	t.Helper()
	w.Texts = texts.New(c.Limits, texts.Everything)
	if w.Trusted == nil {
		w.Trusted = func(e scan.Envelope) bool { return e.AuthUser != "" }
	}
	s, err := New(c, w)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// judgedBy returns what a scanner finds, "impersonation reply-to", and the details.
func judgedBy(t testing.TB, s *Scanner, m *scan.Message) (rules, details string) {
	t.Helper()
	all, err := s.Scan(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	scantest.Check(t, s, m, all, Catalogue()...)
	var list []string
	for _, f := range all {
		list = append(list, strings.TrimPrefix(f.Rule, "content/"))
		details += f.Rule + ": " + f.Detail + "\n"
		if f.Kind != scan.Note && f.Kind != scan.Failed {
			t.Errorf("%s is %v, which profiles may refuse", f.Rule, f.Kind)
		}
	}
	slices.Sort(list)
	return strings.Join(list, " "), details
}

// nameFile is a file of names.
func nameFile(t testing.TB, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "names")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestImpersonation(t *testing.T) {
	c := DefaultConfig()
	c.NameFiles = []string{nameFile(t, "\ufeff# our people\r\nJane Doe <Jane@Home.example> <jd@xn--bcher-kva.example>\r\nJörg Müller\n"+
		"\"Doe, John\" # of sales\n\nJane Doe <jane2@home.example>\n")}
	s := company(t, c, With{Domains: []string{"example.com", ".example.org"}})
	for from, want := range map[string]string{
		"Jane Doe <ceo@evil.test>":                                  "impersonation",
		`"DOE, JANE" <ceo@evil.test>`:                               "impersonation",
		"ceo@evil.test (Jane Doe)":                                  "impersonation",
		"=?utf-8?q?J=D0=B0ne_D=D0=BEe?= <ceo@evil.test>":            "impersonation",
		"=?utf-8?b?SmFuZSBEb2U=?= <ceo@evil.test>":                  "impersonation",
		"Joerg Mueller <x@evil.test>":                               "impersonation",
		"John Doe <john.doe@evil.test>":                             "impersonation",
		"Jane Doe <jane@example.com.evil.test>":                     "impersonation lookalike-domain",
		"Ann <ann@evil.test>, Jane Doe <jane@evil.test>":            "impersonation",
		`"Jane Doe" <jane@example.com>`:                             "",
		"Jane Doe <jane@mail.example.org>":                          "",
		"Jane Doe <jane@home.EXAMPLE>":                              "",
		"Jane Doe <jane2@home.example>":                             "",
		"Jane Doe <jd@bücher.example>":                              "",
		"Jane Doe via Docs <docs@evil.test>":                        "",
		"Jane <jane@evil.test>":                                     "",
		"jane.doe@evil.test":                                        "",
		"Jane Dowe <jane@evil.test>":                                "",
		"Jane Doe":                                                  "",
		"Jane Doe <>":                                               "",
		strings.Repeat("A B, ", 3000) + "Jane Doe <jane@evil.test>": "impersonation",
	} {
		if got, details := judgedBy(t, s, mailOf("From: "+from)); got != want {
			t.Errorf("%.100s: found %q, want %q\n%s", from, got, want, details)
		}
	}
	m := mailOf("From: Jane Doe <jane@home2.example>")
	m.Envelope.AuthUser = "jane"
	if got, _ := judgedBy(t, s, m); got != "" {
		t.Errorf("found %q in mail of ours", got)
	}
}

// TestCalledByDirectory asks who is called so, and says where that is not known.
func TestCalledByDirectory(t *testing.T) {
	loaded := true
	s := company(t, DefaultConfig(), With{Called: func(forms []string, address string) (string, bool, bool, error) {
		if !loaded {
			return "", false, false, os.ErrNotExist
		}
		known := slices.Contains(forms, skeleton.Names("Jane Doe")[0])
		return "jane@example.com", known, known && address == "jane@home.example", nil
	}})
	for from, want := range map[string]string{
		"Jane Doe <jane@evil.test>":    "impersonation",
		"Jane Doe <jane@home.example>": "",
		"Ann Doe <jane@evil.test>":     "",
	} {
		if got, details := judgedBy(t, s, mailOf("From: "+from)); got != want {
			t.Errorf("%s: found %q, want %q\n%s", from, got, want, details)
		}
	}
	loaded = false
	for from, want := range map[string]string{"Jane Doe <jane@evil.test>": "names-unknown", "Jane <jane@evil.test>": "", "J D <j@evil.test>": ""} {
		if got, details := judgedBy(t, s, mailOf("From: "+from)); got != want {
			t.Errorf("%s: found %q, want %q\n%s", from, got, want, details)
		}
	}
}

func TestNameFilesAreChecked(t *testing.T) {
	for want, text := range map[string]string{
		"names:2: \"Jane\" says too little": "# x\nJane\n",
		"names:1: \"J D\" says too little":  "J D\n",
		"names:1: \"home\" is no address":   "Jane Doe <home>\n",
		"names:1: \"\\x00\"":                "\x00\n",
		"names: 90 more lines are wrong":    strings.Repeat("x\n", 100),
	} {
		c := DefaultConfig()
		c.NameFiles = []string{nameFile(t, text)}
		if _, err := New(c, With{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	c := DefaultConfig()
	c.NameFiles = []string{"/nowhere/names"}
	if _, err := New(c, With{}); err == nil || !strings.Contains(err.Error(), "name_files") {
		t.Errorf("error %v", err)
	}
}

// TestCrowd knows 100,000 people, none of whom is told from others by one letter.
func TestCrowd(t *testing.T) {
	var text strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&text, "Person%d Number%d\n", i, i)
	}
	c := DefaultConfig()
	c.NameFiles = []string{nameFile(t, text.String())}
	s := company(t, c, With{})
	for from, want := range map[string]string{
		"Person99999 Number99999 <x@evil.test>":   "impersonation",
		"Person99999 Number99998 <x@evil.test>":   "",
		"X <x@evil.test>, Y Z <y@evil.test>":      "",
		strings.Repeat("X Y <x@evil.test>,", 900): "",
	} {
		if got, details := judgedBy(t, s, mailOf("From: "+from)); got != want {
			t.Errorf("%.100s: found %q, want %q\n%s", from, got, want, details)
		}
	}
}

func TestLookalikeDomains(t *testing.T) {
	c := DefaultConfig()
	c.Neighbours = []string{"exampel.com", "xn--bcher-kva.de"}
	own := []string{"example.com", "mail.example.co.uk", ".kontoservice.de", "ibm.com", "bücher-laden.de", "a.test"}
	s := company(t, c, With{Domains: own})
	for host, want := range map[string]string{
		"example.org":                    "has another suffix than",
		"example.com.evil.test":          "begins like",
		"www.example.com.evil.test":      "begins like",
		"example.co.uk.evil.test":        "begins like",
		"example-com.evil.test":          "begins like",
		"login-example-co-uk.evil.test":  "begins like",
		"mail.example-com-login.test":    "begins like",
		"exarnple.com":                   "looks like",
		"exаmple.com":                    "looks like",
		"xn--exmple-4nf.com":             "looks like",
		"examp1e.net":                    "looks like",
		"1bm.com":                        "",
		"lbm.com":                        "",
		"íbm.com":                        "looks like",
		"bucher-laden.de":                "looks like",
		"exmple.com":                     "differs in one letter from",
		"exxample.com":                   "differs in one letter from",
		"examples.com":                   "differs in one letter from",
		"eaxmple.net":                    "differs in one letter from",
		"kontoservices.com":              "differs in one letter from",
		"konto-service.de":               "differs in one letter from",
		"mail.kontoservise.de":           "differs in one letter from",
		"example.com":                    "",
		"other.example.com":              "",
		"kontoservice.de":                "",
		"exampel.com":                    "",
		"mx.exampel.com":                 "",
		"exmaplle.com":                   "",
		"ibn.com":                        "",
		"ibm.de":                         "",
		"a.example":                      "",
		"b.test":                         "",
		"com.evil.test":                  "",
		"example.evil.test":              "",
		"examplesupport.com":             "",
		"example-support.com":            "",
		"192.0.2.1":                      "",
		"[192.0.2.1]":                    "",
		"x":                              "",
		"com":                            "",
		strings.Repeat("example.", 4000): "",
		strings.Repeat("x", 300) + ".de": "",
	} {
		for _, fields := range []string{"From: Ann <a@" + host + ">", "From: a@list.example\nReply-To: <a@" + host + ">", "a@" + host + "\nFrom: a@list.example"} {
			rules, details := judgedBy(t, s, mailOf(fields))
			if strings.Contains(rules, "lookalike-domain") != (want != "") || !strings.Contains(details, want) {
				t.Errorf("%.100s: found %q, want %q\n%s", fields, rules, want, details)
			}
		}
	}
}

// TestManyDomains has so many domains of ours that asking each of them would be felt: the
// index is asked as often as the name is long.
func TestManyDomains(t *testing.T) {
	var own []string
	for i := range 10_000 {
		own = append(own, fmt.Sprintf("domain-%d.com", i))
	}
	d := newOwnDomains(own)
	for host, want := range map[string]string{
		"domain-99990.com": "domain-9999.com", "domian-1234.com": "domain-1234.com", "domain-77.org": "domain-77.com", "unrelated.com": "",
		"domain-5.com": "", "domain-5-com.test": "domain-5.com",
	} {
		if site, _ := d.like(host); (site == "") != (want == "") {
			t.Errorf("%s is like %q, want %q", host, site, want)
		}
	}
	most := 0
	for _, labels := range d.near {
		most = max(most, len(labels))
	}
	if most > 200 {
		t.Errorf("%d labels are compared with one", most)
	}
}

func TestReplies(t *testing.T) {
	s := company(t, DefaultConfig(), With{Domains: []string{"example.com"}})
	for text, want := range map[string]string{
		"From: ceo@example.com\nReply-To: ceo@evil.test":                                                            "reply-to",
		"x@example.com\nFrom: ceo@mail.example.com\nReply-To: ceo@evil.test":                                        "reply-to",
		"From: ceo@example.com\nReply-To: ceo@evil.test\nList-Id: <evil.other.test>":                                "reply-to",
		"From: ceo@example.com\nReply-To: ceo@evil.test, hr@example.com":                                            "",
		"From: ceo@example.com\nReply-To: Friends <friends@lists.test>\nList-Id: Friends <friends.lists.test>":      "",
		"From: ceo@example.com\nReply-To: friends@lists.test\nList-Post: <mailto:friends@lists.test>":               "",
		"b@bulk.test\nFrom: ceo@company.test\nReply-To: x@evil.example":                                             "reply-to",
		"b@bulk.test\nFrom: news@shop.test\nReply-To: x@desk.example\nList-Unsubscribe: <https://x.test>":           "",
		"b@bulk.test\nFrom: news@shop.test\nReply-To: x@desk.example\nAuto-Submitted: auto-generated":               "",
		"b@bulk.test\nFrom: news@shop.test\nReply-To: x@mail.bulk.test":                                             "",
		"a@shop.test\nFrom: news@mail.shop.test\nReply-To: x@desk.example":                                          "",
		"From: news@shop.test\nReply-To: x@desk.example":                                                            "",
		"b@bulk.test\nFrom: a@shop.test\nReply-To: b@shop.test":                                                     "",
		"b@bulk.test\nFrom: a@shop.test\nReply-To: us@example.com":                                                  "",
		"b@bulk.test\nFrom: a@shop.test\nReply-To: nobody":                                                          "",
		"b@bulk.test\nFrom: nobody\nReply-To: a@shop.test":                                                          "",
		"b@bulk.test\nFrom: a@shop.test\nReply-To: " + strings.Repeat("x@evil.example,", 1000) + "a@shop.test":      "reply-to",
		"b@bulk.test\nFrom: a@shop.test\nReply-To: x@evil.example\nReply-To: y@evil.example\nSubject: List-Id: <x>": "reply-to",
	} {
		if got, details := judgedBy(t, s, mailOf(text)); got != want {
			t.Errorf("%.200q: found %q, want %q\n%s", text, got, want, details)
		}
	}
}

// FuzzWhoWrites: whatever the fields hold, reading them ends, and what is found is of the catalogue.
func FuzzWhoWrites(f *testing.F) {
	c := DefaultConfig()
	c.NameFiles = []string{nameFile(f, "Jane Doe\n")}
	s := company(f, c, With{Domains: []string{"example.com", ".bücher.example"}})
	f.Add("Jane Doe <a@example.com.evil.test>", "x@exarnple.com", "a@b", "<x.y>")
	f.Add("=?utf-8?q?=00?= <@>", "", "\"", "mailto:")
	f.Fuzz(func(t *testing.T, from, reply, sender, list string) {
		m := mailOf("")
		m.Envelope.Sender = sender
		for name, value := range map[string]string{"From": from, "Reply-To": reply, "List-Id": list} {
			m.Root.Header.Fields = append(m.Root.Header.Fields, entity.Field{Name: name, Value: value})
		}
		judgedBy(t, s, m)
	})
}

// BenchmarkWhoWrites has 10,000 domains and as many people.
func BenchmarkWhoWrites(b *testing.B) {
	c := DefaultConfig()
	var own []string
	var text strings.Builder
	for i := range 10_000 {
		own = append(own, fmt.Sprintf("domain-%d.com", i))
		fmt.Fprintf(&text, "Person%d Number%d\n", i, i)
	}
	c.NameFiles = []string{nameFile(b, text.String())}
	s := company(b, c, With{Domains: own})
	m := mailOf("bounce@news.example\nFrom: Jane Doe <jane@company.example>\nReply-To: desk@company.example")
	for b.Loop() {
		k := book{scores: s.scores}
		s.ours.judge(&k, m)
	}
}
