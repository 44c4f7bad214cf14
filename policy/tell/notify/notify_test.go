package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/tell/submission"
	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/scan"
)

var (
	now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	key = []byte(strings.Repeat("k", 32))
)

// hostile is an event whose every text is made to break out.
func hostile() Event {
	evil := "x\"'><script>alert(1)</script>\r\nBcc: victim@example.net\r\n\r\n--notice-n1--\u202Eexe.pdf {{.Host}} %s" + strings.Repeat("ü", 300)
	return Event{ID: "06h08cfwgrgbyv96", Time: now, Sender: evil, Recipient: evil, Subject: evil, Client: evil, Action: "reject", Class: "forbidden", Finding: evil, File: evil, Detail: evil, Rule: evil, Kept: true}
}

func templates(t *testing.T) *Templates {
	t.Helper()
	all, err := NewTemplates(nil)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func draft(a policy.Audience, language string, events ...Event) Draft {
	return Draft{From: "postmaster@example.com", To: "bob@example.com", Audience: a, Language: language, Host: "mx.example.com", ID: "n1", Date: now, Events: events}
}

// parts reads a notice as a mail client does.
func parts(t *testing.T, notice []byte) (h mail.Header, bodies []string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(string(notice)))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return m.Header, bodies
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
}

// Nothing in a message can break out of the notice about it, in any language.
func TestHostileNames(t *testing.T) {
	all := templates(t)
	for _, language := range Languages() {
		for _, a := range Audiences() {
			notice, err := all.Compose(draft(a, language, hostile()))
			if err != nil {
				t.Fatal(err)
			}
			h, bodies := parts(t, notice)
			if len(bodies) != 2 || h.Get("Bcc") != "" || strings.Contains(bodies[0], "\nBcc:") || strings.ContainsRune(bodies[0]+bodies[1], '\u202E') {
				t.Errorf("%s, %s: broken out:\n%s", language, a, notice)
			}
			if strings.Contains(bodies[1], "<script") || !strings.Contains(bodies[1], "&lt;script&gt;") {
				t.Errorf("%s, %s: not escaped:\n%s", language, a, bodies[1])
			}
			for line := range strings.SplitSeq(string(notice), "\r\n") {
				if len(line) > 998 || strings.ContainsAny(line, "\r\n") {
					t.Errorf("%s, %s: line %q", language, a, line)
				}
			}
		}
	}
}

func TestCompose(t *testing.T) {
	all := templates(t)
	e := Event{ID: "06h08cfwgrgbyv96", Time: now, Sender: "a@example.net", Recipient: "bob@example.com", Subject: "hello", Action: "reject", Class: "infected", File: "a.exe", Rule: "viruses", Kept: true}
	for language, want := range map[string]string{"en": "it contains a virus", "de": "sie enthält einen Virus", "fr": "il contient un virus", "es": "contiene un virus", "tlh": "it contains a virus"} {
		notice, err := all.Compose(draft(policy.ToRecipient, language, e))
		if err != nil {
			t.Fatal(err)
		}
		h, bodies := parts(t, notice)
		for _, b := range bodies {
			for _, word := range []string{want, "a@example.net", "hello", "a.exe", e.ID} {
				if !strings.Contains(b, word) {
					t.Errorf("%s: no %q in\n%s", language, word, b)
				}
			}
		}
		if h.Get("Auto-Submitted") != "auto-generated" || h.Get("To") != "<bob@example.com>" || h.Get("Message-ID") != "<n1@mx.example.com>" {
			t.Errorf("header %v", h)
		}
	}
}

// A recipient reads where the message is, and what its sender knows.
func TestWhatRecipientsAreTold(t *testing.T) {
	all := templates(t)
	for _, test := range []struct {
		event Event
		want  map[string][]string
	}{
		{Event{Action: "quarantine", Kept: true}, map[string][]string{
			"en": {"in the quarantine", "was told nothing", "ask your postmaster and name its id"}, "de": {"in der Quarantäne", "weiß davon nichts"},
			"fr": {"en quarantaine", "pas été informé"}, "es": {"en cuarentena", "no ha sido informado"},
		}},
		{Event{Action: "reject", Told: true}, map[string][]string{
			"en": {"none", "was told that it is refused", "Of any other, ask its sender"}, "de": {"keine", "hat erfahren"},
			"fr": {"aucune", "informé du refus"}, "es": {"ninguna", "informado del rechazo"},
		}},
		{Event{Action: "hold"}, map[string][]string{
			"en": {"held by the mail server"}, "de": {"zurückgehalten"}, "fr": {"retenue par le serveur"}, "es": {"retenida por el servidor"},
		}},
	} {
		for language, words := range test.want {
			notice, err := all.Compose(draft(policy.ToRecipient, language, test.event))
			if err != nil {
				t.Fatal(err)
			}
			_, bodies := parts(t, notice)
			for _, b := range bodies {
				for _, word := range words {
					if !strings.Contains(strings.ReplaceAll(b, "&#39;", "'"), word) {
						t.Errorf("%s: no %q in\n%s", language, word, b)
					}
				}
			}
		}
	}
}

func TestManyEvents(t *testing.T) {
	notice, err := templates(t).Compose(draft(policy.Administrator, "en", make([]Event, 1234)...))
	if err != nil {
		t.Fatal(err)
	}
	if _, bodies := parts(t, notice); !strings.Contains(bodies[0], "and 1184 more") || strings.Count(bodies[0], "Id:") != MaxEvents {
		t.Errorf("%s", bodies[0])
	}
}

func TestLocalTemplates(t *testing.T) {
	all, err := NewTemplates(fstest.MapFS{
		"en.txt": {Data: []byte(`{{define "recipient"}}Ahoy {{.To}}{{end}}`)},
		"it.txt": {Data: []byte(`{{define "recipient.subject"}}Un messaggio{{end}}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	notice, err := all.Compose(draft(policy.ToRecipient, "en", Event{}))
	if _, bodies := parts(t, notice); err != nil || bodies[0] != "Ahoy bob@example.com" || !strings.Contains(bodies[1], "was stopped") {
		t.Errorf("%q, %v", bodies, err)
	}
	notice, err = all.Compose(draft(policy.ToRecipient, "it", Event{}))
	if h, bodies := parts(t, notice); err != nil || h.Get("Subject") != "Un messaggio" || !strings.Contains(bodies[1], "was stopped") {
		t.Errorf("%v %q, %v", h, bodies, err)
	}
	for name, bad := range map[string]string{"syntax": "{{define", "no such field": `{{define "recipient"}}{{.Nothing}}{{end}}`, "no such function": `{{define "recipient"}}{{shout .To}}{{end}}`} {
		if _, err := NewTemplates(fstest.MapFS{"de.txt": {Data: []byte(bad)}}); err == nil || !strings.Contains(err.Error(), `"de"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Nobody outside is told anything.
func TestLetters(t *testing.T) {
	d := policy.Decision{Keep: true, Notices: []policy.Notice{
		{To: "noc@elsewhere.example", Audience: policy.Administrator, Recipient: "bob@example.com", Finding: 0},
		{To: "bob@example.com", Audience: policy.ToRecipient, Recipient: "bob@example.com", Finding: -1},
		{To: "eve@elsewhere.example", Audience: policy.ToRecipient, Recipient: "eve@elsewhere.example"},
		{To: "joe@sub.example.com", Audience: policy.ToSender},
		{To: "eve@elsewhere.example", Audience: policy.ToSender},
		{To: "", Audience: policy.ToSender},
	}}
	r := policy.Record{ID: "i", Findings: []policy.RecordFinding{{Kind: scan.Infected, Rule: "virus/x", Name: "a.exe"}}}
	r.Place(map[int]int{0: 0})
	for domains, want := range map[string]string{
		"":                         "[noc@elsewhere.example bob@example.com eve@elsewhere.example]",
		"example.com":              "[noc@elsewhere.example bob@example.com]",
		"example.com .example.com": "[noc@elsewhere.example bob@example.com joe@sub.example.com]",
	} {
		var local policy.Local
		for _, d := range strings.Fields(domains) {
			local.Domains = append(local.Domains, policy.Domain(d))
		}
		var to []string
		for _, l := range Items(r, d, local) {
			to = append(to, l.To)
		}
		if got := fmt.Sprint(to); got != want {
			t.Errorf("ours are %q: %s, want %s", domains, got, want)
		}
	}
	if e := Items(r, d, policy.Local{})[0].Event; e.Class != "infected" || e.File != "a.exe" || !e.Kept {
		t.Errorf("event %+v", e)
	}
}

// mta takes notices, or fails.
type mta struct {
	got []submission.Mail
	all []string
	err error
}

func (m *mta) Send(_ context.Context, mail submission.Mail) error {
	if m.err != nil {
		return m.err
	}
	text, _ := io.ReadAll(mail.Message)
	m.got, m.all = append(m.got, mail), append(m.all, string(text))
	return nil
}

func item(to string, n int) Item {
	return Item{to, policy.Administrator, Event{ID: fmt.Sprintf("id%05d", n), Class: "infected"}}
}

func newMailer(t *testing.T, q *Queue, m *mta) *Mailer {
	t.Helper()
	terms := Terms{Templates: templates(t), Sender: m, Key: func() ([]byte, error) { return key, nil }, From: "postmaster@example.com", Host: "mx", Every: 10 * time.Minute, PerHour: 5}
	return NewMailer(q, func() (Terms, error) { return terms, nil }, func(err error) { t.Log(err) })
}

func add(t *testing.T, q *Queue, items ...Item) {
	t.Helper()
	if err := q.Add(t.Context(), items); err != nil {
		t.Fatal(err)
	}
}

// The first notice goes at once, what follows soon is merged, and nothing is
// lost when the daemon is started anew.
func TestOffice(t *testing.T) {
	dir, m := filepath.Join(t.TempDir(), "notices"), &mta{}
	q := NewQueue(dir, 1000)
	o := newMailer(t, q, m)
	o.Round(t.Context(), now)
	add(t, q, item("a@example.com", 1), item("b@example.com", 1))
	o.Round(t.Context(), now)
	if len(m.got) != 2 || m.got[0].From != "" {
		t.Fatalf("sent %+v", m.got)
	}
	for n := range 30 {
		add(t, q, item("a@example.com", 10+n))
		o.Round(t.Context(), now.Add(time.Duration(n)*time.Second))
	}
	if len(m.got) != 2 {
		t.Errorf("%d notices within the time for one", len(m.got))
	}
	o = newMailer(t, NewQueue(dir, 1000), m)
	o.Round(t.Context(), now.Add(time.Hour))
	if len(m.got) != 3 || strings.Count(m.all[2], "Id: id") != 30 {
		t.Errorf("%d notices, the last\n%s", len(m.got), m.all[len(m.all)-1])
	}
	if left, _ := filepath.Glob(dir + "/*.json"); len(left) != 0 {
		t.Errorf("left %v", left)
	}
	checkPass(t, m.all[2])
}

// checkPass checks that a notice is known when it comes by.
func checkPass(t *testing.T, notice string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(notice))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := token.Sum(strings.NewReader(notice))
	if err != nil {
		t.Fatal(err)
	}
	if g, err := token.Read(key, m.Header.Get(token.Field), sum, now.Add(time.Hour)); err != nil || g.For != token.Notice {
		t.Errorf("pass %+v, %v", g, err)
	}
}

func TestRateLimit(t *testing.T) {
	m := &mta{}
	q := NewQueue(t.TempDir(), 1000)
	o := newMailer(t, q, m)
	for n := range 20 {
		add(t, q, item(fmt.Sprintf("u%d@example.com", n), n))
	}
	for hour, want := range []int{5, 10, 15, 20} {
		o.Round(t.Context(), now.Add(time.Duration(hour)*time.Hour))
		o.Round(t.Context(), now.Add(time.Duration(hour)*time.Hour+time.Minute))
		if len(m.got) != want {
			t.Errorf("hour %d: %d notices, want %d", hour, len(m.got), want)
		}
	}
}

func TestMTAIsGone(t *testing.T) {
	m := &mta{err: errors.New("connection refused")}
	q := NewQueue(t.TempDir(), 1000)
	o := newMailer(t, q, m)
	add(t, q, item("a@example.com", 1))
	o.Round(t.Context(), now)
	m.err = nil
	o.Round(t.Context(), now.Add(time.Minute))
	if len(m.got) != 0 {
		t.Error("tried again too soon")
	}
	o.Round(t.Context(), now.Add(time.Hour))
	if len(m.got) != 1 {
		t.Error("not tried again")
	}
}

func TestQueueIsBounded(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rubbish.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	q := NewQueue(dir, 3)
	add(t, q, item("a@example.com", 1), item("a@example.com", 2))
	if err := q.Add(t.Context(), []Item{item("a@example.com", 3)}); !errors.Is(err, ErrFull) {
		t.Errorf("one too many: %v", err)
	}
	late, cancel := context.WithCancel(t.Context())
	cancel()
	if err := NewQueue(t.TempDir(), 3).Add(late, []Item{item("a@example.com", 3)}); !errors.Is(err, context.Canceled) {
		t.Errorf("too late: %v", err)
	}
	m := &mta{}
	newMailer(t, q, m).Round(t.Context(), now)
	if len(m.got) != 1 {
		t.Errorf("%d notices", len(m.got))
	}
	add(t, q, item("a@example.com", 4), item("a@example.com", 5))
}

// Of two processes on one queue one sends.
func TestTwoOffices(t *testing.T) {
	dir := t.TempDir()
	q := NewQueue(dir, 10)
	add(t, q, item("a@example.com", 1))
	inner := &mta{}
	second := newMailer(t, NewQueue(dir, 10), inner)
	first := newMailer(t, q, &mta{})
	terms, _ := first.terms()
	terms.Sender = during(func() { second.Round(t.Context(), now) })
	first.terms = func() (Terms, error) { return terms, nil }
	first.Round(t.Context(), now)
	if len(inner.got) != 0 {
		t.Error("both have sent")
	}
}

// during does something while a mail is sent.
type during func()

func (d during) Send(context.Context, submission.Mail) error { d(); return nil }
