package dmarc

import (
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/netip"
	"net/textproto"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/tell/submission"
	"github.com/milterscan/milterscan/scan/sender/auth"
	"github.com/milterscan/milterscan/scan/sender/dns"
	"github.com/milterscan/milterscan/scan/sender/dns/dnstest"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// failed is a message of a domain that asks to refuse it.
func failed() auth.Evaluation {
	return auth.Evaluation{Client: netip.MustParseAddr("192.0.2.1"), Author: "example.org", Sender: "list.example", SPF: "pass", Asked: "reject",
		DKIM:   []auth.Signed{{Domain: "example.org", Selector: "sel", Result: "fail"}},
		Policy: auth.Published{Domain: "example.org", P: "reject", SP: "reject", NP: "reject", ReportAddresses: "mailto:d@example.org"}}
}

func TestDispositions(t *testing.T) {
	for _, test := range []struct {
		what   string
		change func(*auth.Evaluation)
		answer policy.Answer
		want   string
	}{
		{"refused", nil, policy.Reject, "reject"},
		{"delivered all the same", nil, policy.Deliver, "none local_policy"},
		{"set aside instead", nil, policy.Discard, "quarantine local_policy"},
		{"held", nil, policy.Hold, "quarantine local_policy"},
		{"a list that is believed", func(e *auth.Evaluation) { e.Trusted = true }, policy.Deliver, "none trusted_forwarder arc=pass"},
		{"a policy in test", func(e *auth.Evaluation) { e.Asked, e.Softer = "quarantine", true }, policy.Discard, "quarantine policy_test_mode"},
		{"more than it asks for", func(e *auth.Evaluation) { e.Asked = "none" }, policy.Reject, "none"},
		{"passed", func(e *auth.Evaluation) { e.Passed = true }, policy.Deliver, "pass"},
		{"passed, and a virus in it", func(e *auth.Evaluation) { e.Passed = true }, policy.Reject, "pass"},
		{"passed, and nothing asked", func(e *auth.Evaluation) { e.Passed, e.Asked = true, "none" }, policy.Deliver, "none"},
		{"comes again", nil, policy.Tempfail, ""},
		{"no client", func(e *auth.Evaluation) { e.Client = netip.Addr{} }, policy.Reject, ""},
	} {
		e := failed()
		if test.change != nil {
			test.change(&e)
		}
		r, ok := rowOf(&e, policy.Decision{Answer: test.answer})
		if got := strings.Join(strings.Fields(r.Disposition+" "+r.Reason+" "+r.Comment), " "); got != test.want || ok != (test.want != "") {
			t.Errorf("%s: %q, want %q", test.what, got, test.want)
		}
	}
}

func TestDestinations(t *testing.T) {
	for rua, want := range map[string][]Destination{
		"mailto:a@example.org": {{"a@example.org", 0}},
		"MAILTO:A.b+c@Example.org!10m , mailto:b@example.net!2k": {{"A.b+c@Example.org", 10 << 20}, {"b@example.net", 2 << 10}},
		"mailto:a@example.org,mailto:a@example.org":              {{"a@example.org", 0}},
		"mailto:a%2bb@example.org?subject=x":                     {{"a+b@example.org", 0}},
		"https://example.org/report":                             nil,
		"mailto:a@example.org!10x":                               nil,
		"mailto:a@example.org!":                                  nil,
		"mailto:a@example.org!9999999999t":                       nil,
		"mailto:a@example.org%0d%0aRCPT":                         nil,
		"mailto:victim%40victim.example@example.org":             nil,
		"mailto:a@localhost":                                     nil,
		"mailto:a@example.org/.example.net":                      nil,
		"mailto:-oQ@example.org":                                 nil,
		"mailto:<a@example.org>":                                 nil,
		"":                                                       nil,
		"mailto:1@a.example,mailto:2@a.example,mailto:3@a.example,mailto:4@a.example,mailto:5@a.example": {
			{"1@a.example", 0}, {"2@a.example", 0}, {"3@a.example", 0}, {"4@a.example", 0}},
	} {
		if got := destinations(rua); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, want %v", rua, got, want)
		}
	}
}

func FuzzDestinations(f *testing.F) {
	f.Add("mailto:a@example.org!10m, https://x.example, mailto:%00@b.example")
	f.Fuzz(func(t *testing.T, rua string) {
		list := destinations(rua)
		if len(list) > mostDestinations {
			t.Errorf("%d addresses", len(list))
		}
		for _, d := range list {
			if err := (submission.Mail{To: []string{d.Address}}).Check(); err != nil || d.Limit < 0 {
				t.Errorf("%+v: %v", d, err)
			}
		}
	})
}

func TestAgreed(t *testing.T) {
	z := dnstest.Zone{
		"example.org._report._dmarc.yes.example":   {"TXT v=DMARC1"},
		"*._report._dmarc.all.example":             {"TXT other", "TXT v=DMARC1; rua=mailto:d@all.example"},
		"example.org._report._dmarc.else.example":  {"TXT v=DMARC1; rua=mailto:victim@victim.example"},
		"example.org._report._dmarc.other.example": {"TXT v=spf1 -all"},
		"example.org._report._dmarc.slow.example":  {dnstest.Timeout},
	}
	for to, want := range map[string]error{
		"d@example.org": nil, "d@EXAMPLE.org": nil, "d@mail.example.org": nil, "d@yes.example": nil, "d@all.example": nil,
		"d@other.example": errUnwanted, "d@else.example": errUnwanted, "d@victim.example": errUnwanted, "x@all.example": errUnwanted,
		"d@org": errUnwanted, "d@anexample.org": errUnwanted, "d@slow.example": dns.ErrTimeout,
	} {
		if err := agreed(t.Context(), z, "example.org", Destination{Address: to}); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", to, err, want)
		}
	}
	if err := agreed(t.Context(), z, "co.uk", Destination{Address: "d@example.co.uk"}); !errors.Is(err, errUnwanted) {
		t.Errorf("a public suffix is the organisation of all below it: %v", err)
	}
}

// outbox takes mail, or does not.
type outbox struct {
	sent []string // recipients
	last []byte
	err  error
}

func (o *outbox) Send(_ context.Context, m submission.Mail) error {
	if err := m.Check(); err != nil || o.err != nil {
		return errors.Join(err, o.err)
	}
	if m.From != "dmarc@us.example" {
		return fmt.Errorf("it is from %q", m.From)
	}
	o.sent = append(o.sent, m.To...)
	var err error
	o.last, err = io.ReadAll(m.Message)
	return err
}

func post(t *testing.T, o *outbox, z dnstest.Zone) Post {
	t.Helper()
	terms := DefaultConfig()
	terms.Enabled, terms.Organization, terms.Email, terms.File = true, "Us & Co", "dmarc@us.example", filepath.Join(t.TempDir(), "dmarc.db")
	if err := terms.Check(); err != nil {
		t.Fatal(err)
	}
	s := NewFile(terms.File)
	t.Cleanup(func() { s.Close() })
	return Post{Store: s, Sender: o, Resolver: z, Questions: 20, Key: func() ([]byte, error) { return make([]byte, 32), nil },
		Terms: terms, Host: "mx.us.example"}
}

// count counts messages, and writes them down.
func (p Post) count(t *testing.T, when time.Time, list ...auth.Evaluation) {
	t.Helper()
	var c Collector
	for _, e := range list {
		c.Note(&e, policy.Decision{Answer: policy.Reject}, when)
	}
	if err := c.Flush(t.Context(), p.Store, p.Terms, noon); err != nil || c.Lost() > 0 {
		t.Fatalf("%v, %d lost", err, c.Lost())
	}
}

// due is when every report of that noon is due.
var due = noon.Add(20 * time.Hour)

func TestReport(t *testing.T) {
	o := new(outbox)
	p := post(t, o, nil)
	passed, other := failed(), failed()
	passed.Passed, passed.SPFFits, passed.Sender, passed.Author = true, true, "example.org", "mail.example.org"
	other.Client = netip.MustParseAddr("2001:db8::1")
	p.count(t, noon, failed(), failed(), passed)
	p.count(t, noon.Add(time.Hour), failed(), other)
	if all, err := p.Round(t.Context(), noon.Add(time.Hour)); err != nil || all != (Outcome{}) {
		t.Errorf("on the same day: %+v, %v", all, err)
	}
	for i, want := range []Outcome{{Sent: 1}, {}} {
		if all, err := p.Round(t.Context(), due); err != nil || all != want {
			t.Errorf("round %d: %+v, %v", i, all, err)
		}
	}
	m, err := mail.ReadMessage(strings.NewReader(string(o.last)))
	if err != nil {
		t.Fatal(err)
	}
	id := p.id(Report{Domain: "example.org", day: dayOf(noon)})
	if s := m.Header.Get("Subject"); s != "Report Domain: example.org Submitter: us.example Report-ID: <"+id+">" {
		t.Errorf("the subject is %q", s)
	}
	if m.Header.Get("Auto-Submitted") != "auto-generated" || m.Header.Get("From") != "dmarc@us.example" || m.Header.Get("To") != "<d@example.org>" {
		t.Errorf("the header is %v", m.Header)
	}
	name, text := attachment(t, m)
	if want := fmt.Sprintf("us.example!example.org!%d!%d!%s.xml.gz", noon.Add(-12*time.Hour).Unix(), noon.Add(12*time.Hour).Unix()-1, id); name != want {
		t.Errorf("the file is %s, not %s", name, want)
	}
	for _, want := range []string{"<org_name>Us &amp; Co</org_name>", "<count>3</count>", "<count>1</count>", "<source_ip>2001:db8::1</source_ip>",
		"<disposition>pass</disposition>", "<header_from>mail.example.org</header_from>", "<selector>sel</selector>", "<discovery_method>treewalk</discovery_method>"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in\n%s", want, text)
		}
	}
	if n := strings.Count(text, "<record>"); n != 3 {
		t.Errorf("%d records", n)
	}
	preview, err := p.Preview(t.Context(), "example.org", "2026-11-30")
	if err != nil || string(preview) != text {
		t.Errorf("the preview is another: %v", err)
	}
}

// attachment returns the name and the content of the compressed file in a mail.
func attachment(t *testing.T, m *mail.Message) (name, text string) {
	t.Helper()
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	r := multipart.NewReader(m.Body, params["boundary"])
	if _, err := r.NextPart(); err != nil {
		t.Fatal(err)
	}
	part, err := r.NextPart()
	if err != nil || part.Header.Get("Content-Type") != "application/gzip" {
		t.Fatalf("%v, %v", part, err)
	}
	z, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, part))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return part.FileName(), string(b)
}

func TestFates(t *testing.T) {
	z := dnstest.Zone{"*._report._dmarc.slow.example": {dnstest.Timeout}}
	for _, test := range []struct {
		what, rua string
		answer    error
		first     Outcome // of the first round, and what it comes to after the patience
		last      State
	}{
		{"taken", "mailto:d@example.org", nil, Outcome{Sent: 1}, Sent},
		{"not known", "mailto:d@example.org", submission.ErrUnsure, Outcome{Sent: 1}, Sent},
		{"refused", "mailto:d@example.org", &textproto.Error{Code: 550, Msg: "no"}, Outcome{Failed: 1}, Failed},
		{"later", "mailto:d@example.org", &textproto.Error{Code: 451, Msg: "later"}, Outcome{PutOff: 1}, Failed},
		{"no MTA", "mailto:d@example.org", errors.New("refused"), Outcome{PutOff: 1}, Failed},
		{"a stranger", "mailto:victim@victim.example", nil, Outcome{Unwanted: 1}, Unwanted},
		{"no answer", "mailto:d@slow.example", nil, Outcome{PutOff: 1}, Failed},
		{"too large", "mailto:d@example.org!100", nil, Outcome{Unwanted: 1}, Unwanted},
		{"no mail", "https://example.org", nil, Outcome{Unwanted: 1}, Unwanted},
		{"one of two", "mailto:victim@victim.example,mailto:d@example.org", nil, Outcome{Sent: 1}, Sent},
	} {
		o := &outbox{err: test.answer}
		p := post(t, o, z)
		e := failed()
		e.Policy.ReportAddresses = test.rua
		p.count(t, noon, e)
		if all, _ := p.Round(t.Context(), due); all != test.first {
			t.Errorf("%s: %+v", test.what, all)
		}
		if len(o.sent) > 1 || len(o.sent) == 1 && o.sent[0] != "d@example.org" {
			t.Errorf("%s: sent to %v", test.what, o.sent)
		}
		for i := range 14 {
			p.Round(t.Context(), due.Add(time.Duration(i)*mostPause))
		}
		r, err := p.Store.one(t.Context(), dayOf(noon), "example.org")
		if err != nil || r.State != test.last || len(o.sent) > 1 {
			t.Errorf("%s: at last %+v, %v, sent to %v", test.what, r, err, o.sent)
		}
	}
}

// TestOnceEach goes on where a round ended: who has the report does not get it again.
func TestOnceEach(t *testing.T) {
	z := dnstest.Zone{"example.org._report._dmarc.slow.example": {dnstest.Timeout}}
	o := new(outbox)
	p := post(t, o, z)
	e := failed()
	e.Policy.ReportAddresses = "mailto:d@example.org,mailto:d@slow.example"
	p.count(t, noon, e)
	if all, err := p.Round(t.Context(), due); all != (Outcome{PutOff: 1}) || !errors.Is(err, dns.ErrTimeout) {
		t.Errorf("%+v, %v", all, err)
	}
	z["example.org._report._dmarc.slow.example"] = []string{"TXT v=DMARC1"}
	if all, err := p.Round(t.Context(), due.Add(time.Hour)); all != (Outcome{Sent: 1}) || err != nil {
		t.Errorf("%+v, %v", all, err)
	}
	if got := strings.Join(o.sent, " "); got != "d@example.org d@slow.example" {
		t.Errorf("sent to %s", got)
	}
	if state, err := p.SendNow(t.Context(), "example.org", "2026-11-30", due); state != Sent || err != nil || len(o.sent) != 2 {
		t.Errorf("once more: %q, %v, %v", state, err, o.sent)
	}
}

// away is a database that does not answer.
type away struct{}

func (away) Read(context.Context, func(*sql.DB) error) error   { return errors.New("away") }
func (away) Change(context.Context, func(*sql.Tx) error) error { return errors.New("away") }

// TestJoining shares the counts of a host that has begun to send a report: who has it does not get it again from others,
// and who does not gets it from this host. What was not begun is for all hosts.
func TestJoining(t *testing.T) {
	z := dnstest.Zone{"example.org._report._dmarc.slow.example": {dnstest.Timeout}}
	o := new(outbox)
	p := post(t, o, z)
	e := failed()
	e.Policy.ReportAddresses = "mailto:d@example.org,mailto:d@slow.example"
	p.count(t, noon, e)
	if all, err := p.Round(t.Context(), due); all != (Outcome{PutOff: 1}) || !errors.Is(err, dns.ErrTimeout) {
		t.Fatalf("%+v, %v", all, err)
	}
	later := noon.Add(24 * time.Hour)
	p.count(t, later, e)
	f := p.Store.(*File)
	got, err := f.parcel(t.Context())
	if err != nil || len(got.days) != 1 || day(got.days[0]) != dayOf(later) {
		t.Errorf("the parcel has the days %v, not only %d; %v", got.days, dayOf(later), err)
	}
	z["example.org._report._dmarc.slow.example"] = []string{"TXT v=DMARC1"}
	p.Store = &Shared{tables: tables{db: away{}}, own: f, file: p.Terms.File}
	for i, want := range []Outcome{{Sent: 1}, {}} {
		if all, err := p.Round(t.Context(), due.Add(time.Hour)); all != want || err == nil {
			t.Errorf("round %d: %+v, %v", i, all, err)
		}
	}
	if got := strings.Join(o.sent, " "); got != "d@example.org d@slow.example" {
		t.Errorf("sent to %s", got)
	}
	if lost, err := f.drop(t.Context(), dayOf(later)); lost != 0 || err != nil {
		t.Errorf("%d messages that were reported count as lost; %v", lost, err)
	}
}

// TestTwoProcesses has one report sent by one of them.
func TestTwoProcesses(t *testing.T) {
	o := new(outbox)
	p := post(t, o, nil)
	p.count(t, noon, failed())
	r, err := p.Store.one(t.Context(), dayOf(noon), "example.org")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false} {
		if mine, err := p.Store.claim(t.Context(), r, due); mine != want || err != nil {
			t.Errorf("claim %d: %v, %v", i, mine, err)
		}
	}
	if all, err := p.Round(t.Context(), due); all != (Outcome{}) || err != nil {
		t.Errorf("%+v, %v", all, err)
	}
	if all, err := p.Round(t.Context(), due.Add(taken)); all != (Outcome{Sent: 1}) || err != nil { // whoever took it is gone
		t.Errorf("%+v, %v", all, err)
	}
}

func TestRoom(t *testing.T) {
	p := post(t, new(outbox), nil)
	p.Terms.Domains, p.Terms.Rows = 2, 3
	var c Collector
	for i := range 10 {
		e := failed()
		e.Client = netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
		for range 2 {
			c.Note(&e, policy.Decision{}, noon)
		}
		e = failed()
		e.Policy.Domain = fmt.Sprintf("d%d.example", i)
		c.Note(&e, policy.Decision{}, noon)
	}
	if err := c.Flush(t.Context(), p.Store, p.Terms, noon); err != nil {
		t.Fatal(err)
	}
	list, err := p.Store.Reports(t.Context(), 100)
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	kept := int64(0)
	for _, r := range list {
		rows, counts, err := p.Store.rows(t.Context(), r)
		if err != nil || len(rows) > 3 {
			t.Errorf("%s: %d rows, %v", r.Domain, len(rows), err)
		}
		for _, n := range counts {
			kept += n
		}
	}
	if kept+c.Lost() != 30 {
		t.Errorf("%d are kept and %d lost, of 30", kept, c.Lost())
	}
}

// TestOneOwner publishes policies for more domains than a day has reports of one owner.
func TestOneOwner(t *testing.T) {
	p := post(t, new(outbox), nil)
	var c Collector
	for i := range mostOfOne + 50 {
		e := failed()
		e.Policy.Domain = fmt.Sprintf("d%d.evil.com", i)
		c.Note(&e, policy.Decision{}, noon)
	}
	e := failed()
	c.Note(&e, policy.Decision{}, noon)
	if err := c.Flush(t.Context(), p.Store, p.Terms, noon); err != nil || c.Lost() != 50 {
		t.Errorf("%v, %d lost", err, c.Lost())
	}
	if _, err := p.Store.one(t.Context(), dayOf(noon), "example.org"); err != nil {
		t.Error(err)
	}
}

// TestNoDisk counts on in memory while the file cannot be written, up to a bound.
func TestNoDisk(t *testing.T) {
	p := post(t, new(outbox), nil)
	var c Collector
	for i := range mostWaiting + 5 {
		e := failed()
		e.Client = netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		c.Note(&e, policy.Decision{}, noon)
	}
	broken := NewFile("/proc/nowhere/dmarc.db")
	if err := c.Flush(t.Context(), broken, p.Terms, noon); err == nil || c.Lost() != 5 {
		t.Errorf("%v, %d lost", err, c.Lost())
	}
	p.Terms.Rows = mostWaiting
	if err := c.Flush(t.Context(), p.Store, p.Terms, noon); err != nil || c.Lost() != 5 {
		t.Errorf("%v, %d lost", err, c.Lost())
	}
}

func TestExpire(t *testing.T) {
	p := post(t, new(outbox), nil)
	p.count(t, noon.Add(-30*24*time.Hour), failed())
	p.count(t, noon, failed())
	if n, err := p.Store.Expire(t.Context(), noon.Add(-remembered)); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if list, err := p.Store.Reports(t.Context(), 10); len(list) != 1 || err != nil {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestWhatIsNotThere(t *testing.T) {
	p := post(t, new(outbox), nil)
	p.count(t, noon, failed())
	if _, err := p.Preview(t.Context(), "example.net", "2026-11-30"); !errors.Is(err, ErrNothing) {
		t.Error(err)
	}
	if _, err := p.Preview(t.Context(), "example.org", "yesterday"); err == nil {
		t.Error("that is a day")
	}
	if _, err := p.SendNow(t.Context(), "example.org", "2026-11-30", noon); err == nil {
		t.Error("a day that is not over was reported")
	}
}

func TestDueWithinTheNight(t *testing.T) {
	for i := range 1000 {
		r := Report{Domain: fmt.Sprintf("d%d.example", i), day: dayOf(noon)}
		if after := r.Due().Sub(noon.Add(12 * time.Hour)); after < earliest || after >= earliest+spread {
			t.Errorf("%s: %v after midnight", r.Domain, after)
		}
	}
}

func TestCheck(t *testing.T) {
	if err := DefaultConfig().Check(); err != nil {
		t.Error(err)
	}
	good := Config{Enabled: true, Organization: "Us", Email: "dmarc@us.example", File: "/var/lib/x.db", Domains: 1, Rows: 1, PerDestination: 1}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Config){
		"organization": func(c *Config) { c.Organization = " " },
		"no email":     func(c *Config) { c.Email = "" },
		"email":        func(c *Config) { c.Email = "Us <dmarc@us.example>" },
		"file":         func(c *Config) { c.File = "x.db" },
		"domains":      func(c *Config) { c.Domains = 0 },
		"rows":         func(c *Config) { c.Rows = mostRows + 1 },
		"destination":  func(c *Config) { c.PerDestination = 0 },
	} {
		c := good
		change(&c)
		if c.Check() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
