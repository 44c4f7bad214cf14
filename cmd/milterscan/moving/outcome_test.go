package moving_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/moving"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/tests/fakes"
	"github.com/milterscan/milterscan/tests/sample"
)

// mail is a mail of a table: what the other filter does with it by its documentation, what milterscan does under the
// rules that were made of the other's, and where these differ, what the report says about it.
type mail struct {
	name         string
	from, to     string
	client       string
	login        string   // of a client that has authenticated
	score        float64  // that the scorer gives it
	symbols      []string // that rspamd finds
	listed       bool     // by the DNS list
	text         []byte
	theirs, ours string // as outcome has it
	why          string // in the report
}

// letter is a mail with one page or text, and attached what it is given.
func letter(kind, text string, files ...string) []byte {
	var b strings.Builder
	b.WriteString("From: Ann <ann@elsewhere.example>\r\nTo: bob@example.com\r\nSubject: letter\r\nDate: Mon, 30 Nov 2026 08:00:00 +0000\r\n" +
		"Message-ID: <1@elsewhere.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"==\"\r\n\r\n")
	fmt.Fprintf(&b, "--==\r\nContent-Type: %s\r\n\r\n%s\r\n", kind, text)
	for _, f := range files {
		name, content, _ := strings.Cut(f, "|")
		fmt.Fprintf(&b, "--==\r\nContent-Type: application/octet-stream; name=\"%s\"\r\nContent-Disposition: attachment; filename=\"%s\"\r\n\r\n%s\r\n", name, name, content)
	}
	b.WriteString("--==--\r\n")
	return []byte(b.String())
}

func plain(files ...string) []byte { return letter("text/plain", "Hello", files...) }
func page(html string) []byte      { return letter("text/html", "<p>Hello</p>"+html) }

// typed is a mail whose only part has a type.
func typed(kind string) []byte {
	return []byte("From: ann@elsewhere.example\r\nTo: bob@example.com\r\nSubject: letter\r\nMIME-Version: 1.0\r\nContent-Type: " + kind + "\r\n\r\nHello\r\n")
}

// The two reasons that many rows share.
const (
	refusedVirus = "infected mail is refused, where MailScanner drops it without a word"
	noWord       = "the score is left out of the mark"
)

var mails = []mail{
	{name: "a letter", text: plain(), theirs: "deliver", ours: "deliver"},
	{name: "a text", text: plain("a.txt|x"), theirs: "deliver", ours: "deliver"},
	{name: "a virus", text: plain("a.txt|" + sample.EICAR), theirs: "drop", ours: "reject", why: refusedVirus},
	{name: "a virus from a sender who is no spammer", from: "x@partner.example", text: plain("a.txt|" + sample.EICAR), theirs: "drop", ours: "reject", why: refusedVirus},
	{name: "a program by its name", text: plain("a.exe|x"), theirs: "cut {Filename?}", ours: "cut {Filename?}"},
	{name: "a program by its name in capitals", text: plain("A.EXE|x"), theirs: "cut {Filename?}", ours: "cut {Filename?}"},
	{name: "a program from a sender who is no spammer", from: "x@partner.example", text: plain("a.scr|x"), theirs: "cut {Filename?}", ours: "cut {Filename?}"},
	{name: "a script", text: plain("a.vbs|x"), theirs: "cut {Filename?}", ours: "cut {Filename?}"},
	{name: "another script", text: plain("a.js|x"), theirs: "cut {Filename?}", ours: "cut {Filename?}"},
	{name: "a shortcut", text: plain("a.lnk|x"), theirs: "cut {Filename?}", ours: "cut {Filename?}"},
	{name: "a program that is allowed before programs are denied", text: plain("setup-lab.exe|x"), theirs: "deliver", ours: "cut {Filename?}",
		why: "exceptions of milterscan come before all that is denied"},
	{name: "a program that is allowed after programs are denied", text: plain("late.exe|x"), theirs: "cut {Filename?}", ours: "cut {Filename?}"},
	{name: "a program by its content", text: sample.Attached("letter", sample.Program("a.dat")), theirs: "cut {Filename?}", ours: "cut {Filename?}"},
	{name: "a program in an archive", text: sample.Attached("letter", sample.Zip("a.zip", sample.File{Name: "a.exe", Type: "application/octet-stream", Content: []byte("x")})),
		theirs: "cut {Filename?}", ours: "cut {Filename?}"},
	{name: "a text in an archive", text: sample.Attached("letter", sample.Zip("a.zip", sample.File{Name: "a.txt", Type: "text/plain", Content: []byte("x")})),
		theirs: "deliver", ours: "deliver"},
	{name: "a long name", text: plain(strings.Repeat("a", 180) + ".txt|x"), theirs: "cut {Filename?}", ours: "cut {Filename?}"},
	{name: "a class identifier", text: plain("a.{3050f4d8-98b5-11cf-bb82-00aa00bdce0b}|x"), theirs: "cut {Filename?}", ours: "cut {Filename?}"},
	{name: "a page that looks like a document", text: plain("a.pdf.exe|x"), theirs: "cut {Filename?}", ours: "cut {Filename?}"},
	{name: "two extensions that mean no harm", text: plain("report.final.doc|x"), theirs: "cut {Filename?}", ours: "deliver", why: "so that report.final.doc and photo.pdf.jpg pass"},
	{name: "form data", text: plain("a.fdf|x"), theirs: "rename", ours: "rename"},
	{name: "a signed file", text: plain("a.p7m|x"), theirs: "redirect", ours: "redirect"},
	{name: "spam", score: 7, text: plain(), theirs: "deliver {Spam? 7}", ours: "deliver {Spam?}", why: noWord},
	{name: "much spam", score: 13, text: plain(), theirs: "keep", ours: "keep"},
	{name: "spam below the limit", score: 5, text: plain(), theirs: "deliver", ours: "deliver"},
	{name: "spam for somebody with another limit", to: "boss@example.com", score: 7, text: plain(), theirs: "deliver", ours: "deliver"},
	{name: "spam above that limit", to: "boss@example.com", score: 9, text: plain(), theirs: "deliver {Spam? 9}", ours: "deliver {Spam?}", why: noWord},
	{name: "spam from a sender who is no spammer", from: "x@partner.example", score: 30, text: plain(), theirs: "deliver", ours: "deliver"},
	{name: "spam from one of two addresses", from: "orders@shop.example", score: 30, text: plain(), theirs: "deliver", ours: "deliver"},
	{name: "spam from a network", client: "192.0.2.9", score: 30, text: plain(), theirs: "deliver", ours: "deliver"},
	{name: "spam from a pair", from: "boss@rival.example", to: "sales@example.com", score: 30, text: plain(), theirs: "deliver", ours: "deliver"},
	{name: "spam from half a pair", from: "boss@rival.example", score: 30, text: plain(), theirs: "keep", ours: "keep"},
	{name: "spam from whom only Perl can tell", from: "news@odd.example", score: 7, text: plain(), theirs: "deliver", ours: "deliver {Spam?}", why: "looks ahead or behind"},
	{name: "a spammer", from: "x@spam.example", text: plain(), theirs: "keep", ours: "keep"},
	{name: "a spammer's network", client: "198.51.100.9", text: plain(), theirs: "keep", ours: "keep"},
	{name: "a spammer's subdomain", from: "x@a.bulk.example", text: plain(), theirs: "keep", ours: "keep"},
	{name: "on a DNS list", listed: true, text: plain(), theirs: "deliver {Spam? 0}", ours: "deliver {Spam?}", why: noWord},
	{name: "a form", text: page("<form action=http://x.example.net><input></form>"), theirs: "disarm {Disarmed}", ours: "disarm {Disarmed}"},
	{name: "a frame", text: page("<iframe src=http://x.example.net></iframe>"), theirs: "disarm {Disarmed}", ours: "disarm {Disarmed}"},
	{name: "a script in a page", text: page("<script>x()</script>"), theirs: "disarm {Disarmed}", ours: "disarm {Disarmed}"},
	{name: "a web bug", text: page("<img src=http://x.example.net/a.gif width=1 height=1>"), theirs: "disarm {Disarmed}", ours: "disarm {Disarmed}"},
	{name: "a link that misleads", text: page("<a href=http://evil.example.net/>www.bank.example.org</a>"), theirs: "disarm {Fraud?}", ours: "disarm {Fraud?}"},
	{name: "a link that is safe", text: page("<a href=http://click.newsletter.example/>www.bank.example.org</a>"), theirs: "deliver", ours: "deliver"},
	{name: "a piece of a message", text: typed("message/partial; id=x; number=1; total=2"), theirs: "cut {Dangerous Content?}", ours: "reject",
		why: "where it is not allowed the mail is refused"},
	{name: "a message that is elsewhere", text: typed("message/external-body; access-type=URL; URL=\"http://x.example.net/\""), theirs: "cut {Dangerous Content?}", ours: "reject",
		why: "where it is not allowed the mail is refused"},
	{name: "a program from whom nothing is scanned", client: "203.0.113.7", text: plain("a.exe|x"), theirs: "deliver", ours: "deliver"},
	{name: "a virus from whom nothing is scanned", client: "203.0.113.7", text: plain("a.txt|" + sample.EICAR), theirs: "deliver", ours: "reject", why: "It is scanned all the same"},
	{name: "too large", text: plain("a.txt|" + strings.Repeat("x", 2_100_000)), theirs: "cut {Size}", ours: "reject", why: "larger mail is refused while its client waits"},
	{name: "too large, for most", client: "192.0.2.9", text: plain("a.txt|" + strings.Repeat("x", 2_100_000)), theirs: "deliver", ours: "deliver"},
}

// TestSameMails sends the same mails through both sets of rules: MailScanner's on paper, and those made of them by the
// judge. What ends otherwise is explained in the import's own report.
func TestSameMails(t *testing.T) {
	if len(mails) < 40 {
		t.Fatalf("there are only %d mails", len(mails))
	}
	r, err := moving.MailScanner(filepath.Join("testdata", "mailscanner"), func() {})
	if err != nil {
		t.Fatal(err)
	}
	judge, recall := judgeOf(t, r, nil)
	compare(t, r, judge, recall, "spamassassin", mails)
}

// compare judges the mails of a table, and looks for each difference in the report of the import.
func compare(t *testing.T, r *moving.Result, judge *pipeline.Pipeline, recall *pipeline.Recall, scorer string, mails []mail) {
	t.Helper()
	report := strings.Join(strings.Fields(r.Report()), " ")
	for _, m := range mails {
		got := outcome(t, judge, recall, scorer, m)
		switch {
		case got != m.ours:
			t.Errorf("%s: %s, want %s", m.name, got, m.ours)
		case m.theirs == m.ours && m.why != "":
			t.Errorf("%s: there is no difference to explain", m.name)
		case m.theirs != m.ours && (m.why == "" || !strings.Contains(report, m.why)):
			t.Errorf("%s: %s: %s, milterscan: %s, and the report does not say why: %q", m.name, r.Program, m.theirs, m.ours, m.why)
		}
	}
}

// judgeOf makes a judge of what was imported, with a clamd that is there. What must be done first with the directory
// that it was written to, more does.
func judgeOf(t *testing.T, r *moving.Result, more func(dir string)) (*pipeline.Pipeline, *pipeline.Recall) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	if err := r.Write(dir); err != nil {
		t.Fatal(err)
	}
	if more != nil {
		more(dir)
	}
	name := filepath.Join(dir, moving.ConfigName)
	change(t, name, func(conf string) string {
		return strings.ReplaceAll(conf, "unix:/var/run/clamav/clamd.ctl", (&fakes.Clamd{}).Start(t, "unix"))
	})
	c, err := config.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	recall := &pipeline.Recall{}
	judge, _, err := pipeline.NewOffline(c, recall)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(judge.Close)
	return judge, recall
}

// change changes the text of a file.
func change(t *testing.T, name string, how func(string) string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err == nil {
		err = os.WriteFile(name, []byte(how(string(text))), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// outcome returns what becomes of a mail, in a few words.
func outcome(t *testing.T, judge *pipeline.Pipeline, recall *pipeline.Recall, scorer string, m mail) string {
	t.Helper()
	found := &policy.Record{Findings: []policy.RecordFinding{{Kind: scan.Note, Scanner: scorer, Rule: "spam/" + scorer, Score: m.score}}}
	for _, s := range m.symbols {
		found.Findings = append(found.Findings, policy.RecordFinding{Kind: scan.Note, Scanner: scorer, Rule: "spam/" + scorer + "/" + s})
	}
	if m.listed {
		found.Findings = append(found.Findings, policy.RecordFinding{Kind: scan.Suspicious, Scanner: "dnslist", Rule: "spam/list/zen"})
	}
	recall.Of(found)
	env := scan.Envelope{Sender: "ann@elsewhere.example", Recipients: []string{"bob@example.com"}, Client: netip.MustParseAddrPort("203.0.113.200:25")}
	env.AuthUser = m.login
	if m.from != "" {
		env.Sender = m.from
	}
	if m.to != "" {
		env.Recipients = []string{m.to}
	}
	if m.client != "" {
		env.Client = netip.AddrPortFrom(netip.MustParseAddr(m.client), 25)
	}
	result, err := judge.ScanReader(t.Context(), bytes.NewReader(m.text), env)
	if err != nil {
		t.Fatal(err)
	}
	defer result.Close()
	return inWords(result.Record())
}

// inWords tells of a record as the table does.
func inWords(r policy.Record) string {
	word, tag := r.Action, ""
	switch {
	case r.Action == "quarantine":
		word = "keep"
	case r.Action != "deliver":
		return word
	}
	for _, e := range r.Edits {
		switch e.Kind {
		case "replace":
			word = "cut"
		case "disarm", "rename":
			if word != "cut" {
				word = e.Kind
			}
		case "drop-recipient":
			word = "redirect"
		case "header":
			if e.Name == "X-Spam" {
				tag = " X-Spam"
			}
		case "subject":
			tag = " " + strings.TrimSpace(e.Value)
		}
	}
	return word + tag
}
