package bounce

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/scantest"
)

var (
	now    = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	oldKey = Key{"2025", []byte(strings.Repeat("o", 32))}
	newKey = Key{"2026", []byte(strings.Repeat("n", 32))}
)

const joe = "joe@example.com"

// scanner marks with the first of some keys.
func scanner(keys ...Key) *Scanner {
	return New(DefaultConfig(), With{
		Keys:    func() (Keys, error) { return keys, nil },
		Trusted: func(e scan.Envelope) bool { return e.AuthUser != "" },
		Local:   func(address string) bool { return strings.HasSuffix(strings.ToLower(address), "@example.com") },
	})
}

// dsn is a delivery status notification that quotes a header with more in it.
func dsn(more string) string {
	return "From: MAILER-DAEMON@example.net\r\nAuto-Submitted: auto-replied\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n" +
		"--b\r\n\r\nI could not deliver it.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n" +
		"--b\r\nContent-Type: message/rfc822\r\n\r\n" + more + "Subject: hello\r\nFrom: " + joe + "\r\n\r\ntext\r\n--b--\r\n"
}

// bounced is a message from the null sender.
func bounced(raw string, to ...string) *scan.Message {
	m := scantest.Message(raw)
	var add func(e *entity.Entity)
	add = func(e *entity.Entity) {
		for _, c := range e.Children {
			add(c)
		}
		if len(e.Children) == 0 {
			m.Parts = append(m.Parts, scan.Part{Parent: -1, Type: e.Type, Entity: e})
		}
	}
	add(m.Root)
	m.Envelope = scan.Envelope{Client: netip.MustParseAddrPort("192.0.2.1:25"), Recipients: to, Received: now}
	return m
}

// verdicts are the findings of a scanner, with whom they are about.
func verdicts(t *testing.T, s *Scanner, m *scan.Message) string {
	t.Helper()
	got, err := s.Scan(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	scantest.Check(t, s, m, got, Catalogue()...)
	var words []string
	for _, f := range got {
		word := strings.TrimPrefix(f.Rule, "bounce/")
		if f.Recipient != "" && f.Recipient != joe {
			word += " " + f.Recipient
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

func field(mark string) string { return Field + ": " + mark + "\r\n" }

func TestBounces(t *testing.T) {
	good, old := newKey.Mark(joe, now.Add(-3*day)), oldKey.Mark(joe, now.Add(-3*day))
	for name, test := range map[string]struct {
		raw, want string
		keys      []Key
	}{
		"good":                    {dsn(field(good)), "ours", nil},
		"of the key before":       {dsn(field(old)), "ours", nil},
		"of a key that is gone":   {dsn(field(old)), "forged-mark", []Key{newKey}},
		"no mark":                 {dsn(""), "not-ours", nil},
		"another sender's":        {dsn(field(newKey.Mark("ann@example.com", now))), "forged-mark", nil},
		"of today":                {dsn(field(newKey.Mark(joe, now))), "ours", nil},
		"at the end of its time":  {dsn(field(newKey.Mark(joe, now.Add(-14*day)))), "ours", nil},
		"expired":                 {dsn(field(newKey.Mark(joe, now.Add(-16*day)))), "expired-mark", nil},
		"of a day to come":        {dsn(field(newKey.Mark(joe, now.Add(2*day)))), "expired-mark", nil},
		"changed":                 {dsn(field(good[:len(good)-1] + "!")), "forged-mark", nil},
		"another date":            {dsn(field(strings.Replace(good, "20260301", "20260302", 1))), "forged-mark", nil},
		"another key's name":      {dsn(field(strings.Replace(good, "2026.", "2025.", 1))), "forged-mark", nil},
		"another version":         {dsn(field("2" + good[1:])), "forged-mark", nil},
		"nothing in it":           {dsn(field("")), "not-ours", nil},
		"two, one of them good":   {dsn(field("1.x.20260301.y") + field(good)), "ours", nil},
		"folded":                  {dsn(Field + ":\r\n\t" + good + "\r\n"), "ours", nil},
		"in words of its own":     {"Subject: failure notice\r\n\r\nHi. This is the qmail-send program.\r\n\r\n--- Below this line is a copy.\r\n\r\n" + field(good), "ours", nil},
		"in a reply":              {"Subject: Re: x\r\n\r\n> Subject: x\r\n> " + field(good), "ours", nil},
		"in base64":               {"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte("Returned:\r\n"+field(good))), "ours", nil},
		"far down":                {"Subject: x\r\n\r\n" + strings.Repeat("text text text\r\n", 50_000) + field(good), "ours", nil},
		"too far down":            {"Subject: x\r\n\r\n" + strings.Repeat("text text text\r\n", 500_000) + field(good), "not-ours", nil},
		"many":                    {dsn(strings.Repeat(field("1.x.20260301.y"), 10_000) + field(good)), "ours", nil},
		"many different ones":     {dsn(manyMarks() + field(good)), "forged-mark", nil},
		"an automatic answer":     {"Auto-Submitted: auto-replied (vacation)\r\n\r\nI am away.\r\n", "answer", nil},
		"a receipt":               {"Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n\r\n--b\r\n\r\nread\r\n--b\r\nContent-Type: message/disposition-notification\r\n\r\nDisposition: x\r\n--b--\r\n", "answer", nil},
		"an answer with a mark":   {"Auto-Submitted: auto-replied\r\n\r\n> " + field(newKey.Mark("ann@example.com", now)), "forged-mark", nil},
		"mail of the null sender": {"Subject: offer\r\n\r\nBuy.\r\n", "not-ours", nil},
		"empty":                   {"", "not-ours", nil},
	} {
		keys := test.keys
		if keys == nil {
			keys = []Key{newKey, oldKey}
		}
		m := bounced(test.raw, joe)
		if len(m.Parts) == 1 && m.Parts[0].Entity.Encoding != entity.Identity {
			m.Parts[0].Content = scantest.Bytes([]byte("Returned:\r\n" + field(good)))
		}
		if got := verdicts(t, scanner(keys...), m); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// manyMarks are more marks than anybody quotes.
func manyMarks() string {
	var b strings.Builder
	for i := range 10_000 {
		b.WriteString(field(fmt.Sprintf("1.x.20260301.%d", i)))
	}
	return b.String()
}

func TestEachRecipientIsToldApart(t *testing.T) {
	m := bounced(dsn(field(newKey.Mark("JOE@Example.com", now))), joe, "ann@example.com", joe, "")
	if got := verdicts(t, scanner(newKey), m); got != "ours, forged-mark ann@example.com" {
		t.Errorf("%q", got)
	}
}

func TestOnlyBouncesFromElsewhereAreChecked(t *testing.T) {
	for name, change := range map[string]func(*scan.Envelope){
		"a sender":  func(e *scan.Envelope) { e.Sender = "a@example.net" },
		"our own":   func(e *scan.Envelope) { e.AuthUser = "joe" },
		"in a file": func(e *scan.Envelope) { e.Recipients = []string{""} },
	} {
		m := bounced(dsn(""), joe)
		change(&m.Envelope)
		if got := verdicts(t, scanner(newKey), m); got != "" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestWhatGoesOutIsMarked(t *testing.T) {
	for _, test := range []struct {
		name, sender, user string
		to                 []string
		header             string
		want               bool
	}{
		{"outbound", joe, "joe", []string{"a@example.net"}, "", true},
		{"to one of us as well", joe, "joe", []string{"ann@example.com", "a@example.net"}, "", true},
		{"internal", joe, "joe", []string{"ann@example.com"}, "", false},
		{"from elsewhere", joe, "", []string{"a@example.net"}, "", false},
		{"for another domain", "a@example.org", "joe", []string{"a@example.net"}, "", false},
		{"a bounce of our own", "", "joe", []string{"a@example.net"}, "", false},
		{"marked already", joe, "joe", []string{"a@example.net"}, field(oldKey.Mark(joe, now.Add(-day))), false},
		{"another's mark", joe, "joe", []string{"a@example.net"}, field(oldKey.Mark("ann@example.com", now)), true},
	} {
		m := bounced(test.header+"Subject: x\r\n\r\n", test.to...)
		m.Envelope.Sender, m.Envelope.AuthUser = test.sender, test.user
		got, err := scanner(newKey, oldKey).Scan(t.Context(), m)
		if err != nil || (len(got) == 1) != test.want || test.want && (got[0].Rule != Marked || got[0].Detail != newKey.Mark(joe, now)) {
			t.Errorf("%s: %v, %v", test.name, got, err)
		}
	}
	s := scanner(newKey)
	s.with.Local = nil
	m := bounced("", "a@example.com")
	m.Envelope.Sender, m.Envelope.AuthUser = "x@example.org", "x"
	if got := verdicts(t, s, m); got != "mark" {
		t.Errorf("where nobody says which domains are ours: %q", got)
	}
}

func TestAMarkFitsOnALine(t *testing.T) {
	k := Key{strings.Repeat("k", 16), newKey.Secret}
	if line := Field + ": " + k.Mark(joe, now); len(line) > 78 || !mark.MatchString(k.Mark(joe, now)) {
		t.Errorf("%d characters: %s", len(line), line)
	}
}

func TestWithoutKeysNothingIsKnown(t *testing.T) {
	gone := errors.New("no such file")
	s := scanner()
	s.with.Keys = func() (Keys, error) { return nil, gone }
	out := bounced("", "a@example.net")
	out.Envelope.Sender, out.Envelope.AuthUser = joe, "joe"
	for _, m := range []*scan.Message{bounced(dsn(""), joe), out} {
		if got, err := s.Scan(t.Context(), m); !errors.Is(err, gone) || len(got) > 0 {
			t.Errorf("%v, %v", got, err)
		}
	}
}

func TestKeyFile(t *testing.T) {
	secret := strings.Repeat("0a", 32)
	for _, test := range []struct {
		name, text string
		mode       os.FileMode
		ids        string // or, with a blank in it, what is wrong
	}{
		{"one", "a " + secret, 0o600, "a"},
		{"two and comments", "# keys\nnew " + secret + " # since March\r\n\n old\t" + secret + "\n", 0o440, "new/old"},
		{"for the group", "a " + secret, 0o640, "a"},
		{"for others", "a " + secret, 0o644, "mode is 0644"},
		{"writable by the group", "a " + secret, 0o660, "mode is 0660"},
		{"none", "# nothing\n", 0o600, "no key in it"},
		{"short", "a 0a0b", 0o600, `line 1: the secret of "a" is not at least 32 bytes`},
		{"not hexadecimal", "a " + strings.Repeat("zz", 32), 0o600, "line 1: the secret"},
		{"no name", secret, 0o600, "line 1: a key is a name"},
		{"a name that would end a mark", "a.b " + secret, 0o600, "line 1: a key is a name"},
		{"twice", "a " + secret + "\na " + secret, 0o600, `line 2: there are two keys "a"`},
		{"large", strings.Repeat("#\n", 40_000), 0o600, "no file of at most"},
	} {
		path := filepath.Join(t.TempDir(), "keys")
		if err := errors.Join(os.WriteFile(path, []byte(test.text), 0o600), os.Chmod(path, test.mode)); err != nil {
			t.Fatal(err)
		}
		keys, err := KeyFile(path).Read()
		var ids []string
		for _, k := range keys {
			ids = append(ids, k.ID)
		}
		switch {
		case strings.Contains(test.ids, " "):
			if err == nil || !strings.Contains(err.Error(), test.ids) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: %v", test.name, err)
			}
			if err != nil && strings.Contains(err.Error(), secret[:16]) {
				t.Errorf("%s: the error tells the secret: %v", test.name, err)
			}
		case err != nil || strings.Join(ids, "/") != test.ids:
			t.Errorf("%s: %v, %v", test.name, ids, err)
		}
	}
	for _, path := range []string{t.TempDir(), "/nowhere/keys"} {
		if keys, err := KeyFile(path).Read(); err == nil {
			t.Errorf("%s: %v", path, keys)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	s := scanner(newKey)
	m := bounced(dsn(field(newKey.Mark(joe, now))), joe)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if got := verdicts(t, s, m); got != "ours" {
				t.Error(got)
			}
		})
	}
	wg.Wait()
}

// Nobody makes a good mark without the key, and every bounce gets one verdict for
// each recipient.
func FuzzBounce(f *testing.F) {
	f.Add(dsn(field(oldKey.Mark(joe, now))), joe)
	f.Add(field(strings.Repeat("1.", 100)), "\xff")
	f.Fuzz(func(t *testing.T, raw, to string) {
		m := bounced(raw, to)
		got, err := scanner(newKey).Scan(t.Context(), m)
		if err != nil || len(got) != min(1, len(to)) {
			t.Errorf("%v, %v", got, err)
		}
		if slices.ContainsFunc(got, func(f scan.Finding) bool { return f.Rule == ours }) {
			t.Errorf("a mark without the key: %v", got)
		}
	})
}

func TestContract(t *testing.T) {
	scantest.Run(t, scanner(newKey), Catalogue()...)
}

func TestCheck(t *testing.T) {
	if err := DefaultConfig().Check(); err != nil || DefaultConfig().Enabled() {
		t.Error(err)
	}
	for _, c := range []Config{{Keys: "keys", Valid: DefaultConfig().Valid}, {Keys: "/keys"}} {
		if c.Check() == nil {
			t.Errorf("%+v is fine", c)
		}
	}
}
