package spamd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scantest"
	"github.com/milterscan/milterscan/scan/sender/scorer"
	"github.com/milterscan/milterscan/scan/units"
	"github.com/milterscan/milterscan/tests/fakes"
)

func always(scan.Envelope) bool { return true }

// asking returns a scanner that asks these addresses about any mail.
func asking(t *testing.T, addresses ...string) *Scanner {
	t.Helper()
	c := DefaultConfig()
	c.Addresses, c.User = addresses, "joe"
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	return New(c, always)
}

func mail(text string) *scan.Message { return scantest.Message("Subject: x\r\n\r\n" + text) }

func TestContract(t *testing.T) {
	scantest.Run(t, asking(t, (&fakes.Spamd{Spam: "hello"}).Start(t)), Catalogue()...)
}

func TestScores(t *testing.T) {
	fake := &fakes.Spamd{Spam: "pills"}
	s := asking(t, fake.Start(t))
	found, err := s.Scan(context.Background(), mail("buy pills"))
	if err != nil || len(found) != 3 || found[0].Score != 7.5 || found[0].Detail != "7.5 of 5: FAKE_ONE, FAKE_TWO" ||
		found[1].Rule != "spam/sa/FAKE_ONE" || found[1].Score != 0 {
		t.Errorf("spam: found %+v, error %v", found, err)
	}
	found, err = s.Scan(context.Background(), mail("hello"))
	if err != nil || len(found) != 1 || found[0].Score != -1.2 || found[0].Kind != scan.Note {
		t.Errorf("ham: found %+v, error %v", found, err)
	}
	heads, mails := fake.Got()
	if heads[0] != "SYMBOLS SPAMC/1.5\r\nUser: joe\r\nContent-length: 23\r\n\r\n" || string(mails[0]) != "Subject: x\r\n\r\nbuy pills" {
		t.Errorf("asked %q about %q", heads[0], mails[0])
	}
	if err := s.Ping(context.Background()); err != nil {
		t.Error(err)
	}
}

// TestNotAsked: nobody is asked about what nobody wants to know, or what is too
// large.
func TestNotAsked(t *testing.T) {
	fake := &fakes.Spamd{}
	c := DefaultConfig()
	c.Addresses, c.MaxSize = []string{fake.Start(t)}, 1*units.KB
	s := New(c, func(e scan.Envelope) bool { return e.Sender == "a@example.net" })
	m := mail("hello")
	m.Envelope.Sender = "somebody@else.example"
	if found, err := s.Scan(context.Background(), m); err != nil || len(found) != 0 {
		t.Errorf("unwanted: found %v, error %v", found, err)
	}
	found, err := s.Scan(context.Background(), mail(strings.Repeat("x", 2000)))
	if err != nil || len(found) != 1 || found[0].Rule != "spam/not-scored" || found[0].Detail != "SpamAssassin: 2014 bytes" || found[0].Score != 0 {
		t.Errorf("large: found %v, error %v", found, err)
	}
	if heads, _ := fake.Got(); len(heads) != 0 {
		t.Errorf("asked %q", heads)
	}
}

// TestTrace: SpamAssassin is told of the client what the MTA will write, and
// nothing a client says can end the field or forge another.
func TestTrace(t *testing.T) {
	e := scan.Envelope{
		Client: netip.MustParseAddrPort("[::ffff:192.0.2.7]:2525"), ClientName: "mail.example.org", Helo: "helo) (evil [127.0.0.1]\r\nX-Spam: no",
		Sender: "a@example.org>\r\nX: y", AuthUser: "u", TLS: true, QueueID: "4ABC", Received: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC),
	}
	want := "Return-Path: <a@example.orgX:y>\r\n" +
		"Received: from heloevil[127.0.0.1]X-Spam:no (mail.example.org [192.0.2.7])\r\n\t(Authenticated sender: u)\r\n" +
		"\tby milterscan.invalid (Postfix) with ESMTPSA id 4ABC;\r\n\tSun, 22 Nov 2026 12:00:00 +0000\r\n"
	if got := trace(e); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	e = scan.Envelope{Client: netip.MustParseAddrPort("[2001:db8::1]:25"), ClientName: "[2001:db8::1]"}
	if got := trace(e); !strings.Contains(got, "from unknown (unknown [IPv6:2001:db8::1])") {
		t.Errorf("%q", got)
	}
	if got := trace(scan.Envelope{}); got != "" {
		t.Errorf("%q", got)
	}
}

func TestFailsOver(t *testing.T) {
	s := asking(t, (&fakes.Spamd{Hangup: true}).Start(t), (&fakes.Spamd{Spam: "pills"}).Start(t))
	if found, err := s.Scan(context.Background(), mail("pills")); err != nil || len(found) != 3 {
		t.Errorf("found %v, error %v", found, err)
	}
	if err := s.Ping(context.Background()); err == nil || !strings.Contains(err.Error(), s.cfg.Addresses[0]) || strings.Contains(err.Error(), s.cfg.Addresses[1]) {
		t.Errorf("error %v; want it to name the first address only", err)
	}
}

// TestMisbehaves: what is no clear opinion is an error, and no score.
func TestMisbehaves(t *testing.T) {
	ok := "SPAMD/1.1 0 EX_OK\r\n"
	long := strings.Repeat("x", 1<<20)
	for name, c := range map[string]struct {
		fake *fakes.Spamd
		want error
	}{
		"hangs up":          {&fakes.Spamd{Hangup: true}, nil},
		"an error":          {&fakes.Spamd{Answer: "SPAMD/1.0 74 EX_IOERR\r\n\r\n"}, ErrDaemon},
		"refuses":           {&fakes.Spamd{Refuses: true, Answer: "SPAMD/1.0 98 EX_TOOBIG\r\n\r\n"}, nil},
		"HTTP":              {&fakes.Spamd{Answer: "HTTP/1.1 200 OK\r\n\r\n"}, ErrGarbage},
		"no score":          {&fakes.Spamd{Answer: ok + "\r\n"}, ErrGarbage},
		"odd score":         {&fakes.Spamd{Answer: ok + "Spam: True ; lots / 5.0\r\n\r\n"}, ErrGarbage},
		"not a number":      {&fakes.Spamd{Answer: ok + "Spam: True ; NaN / 5.0\r\n\r\n"}, ErrGarbage},
		"infinite":          {&fakes.Spamd{Answer: ok + "Spam: True ; +Inf / 5.0\r\n\r\n"}, ErrGarbage},
		"unbelievable":      {&fakes.Spamd{Answer: ok + "Spam: False ; -1e300 / 5.0\r\n\r\n"}, ErrGarbage},
		"odd verdict":       {&fakes.Spamd{Answer: ok + "Spam: Perhaps ; 1 / 5.0\r\n\r\n"}, ErrGarbage},
		"no field":          {&fakes.Spamd{Answer: ok + "what\r\n\r\n"}, ErrGarbage},
		"cut in the head":   {&fakes.Spamd{Answer: ok + "Spam: True ; 7.5"}, ErrNoReply},
		"cut in the body":   {&fakes.Spamd{Answer: ok + "Content-length: 100\r\nSpam: True ; 7.5 / 5.0\r\n\r\nRULE"}, ErrNoReply},
		"too much body":     {&fakes.Spamd{Answer: ok + "Content-length: 1\r\nSpam: True ; 7.5 / 5.0\r\n\r\nRULE"}, ErrNoReply},
		"an endless line":   {&fakes.Spamd{Answer: long}, ErrGarbage},
		"endless fields":    {&fakes.Spamd{Answer: ok + strings.Repeat("A: b\r\n", 100_000)}, ErrNoReply},
		"over all measure":  {&fakes.Spamd{Answer: ok + "Content-length: 1048576\r\nSpam: True ; 7.5 / 5.0\r\n\r\n" + long}, ErrNoReply},
		"binary":            {&fakes.Spamd{Answer: "\x00\xff\n\n"}, ErrGarbage},
		"nothing but a dot": {&fakes.Spamd{Answer: "."}, ErrNoReply},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := asking(t, c.fake.Start(t)).Scan(context.Background(), mail(long[:400_000]))
			if err == nil || c.want != nil && !errors.Is(err, c.want) || len(found) != 0 {
				t.Errorf("found %v, error %v; want %v", found, err, c.want)
			}
		})
	}
}

// TestOddNames: names of rules that could not be any are left out, and there is an
// end to them.
func TestOddNames(t *testing.T) {
	body := "A_1, A_1,,B/C,<x>," + strings.Repeat("x", 200) + "," + strings.Repeat("R,", 300) + "\xff, GOOD"
	f := fields{"spam": "yes ; 1 / 5"}
	names, err := f.rules(bufio.NewReader(strings.NewReader(body)))
	if got := strings.Join(names, " "); err != nil || got != "A_1 R GOOD" {
		t.Errorf("%q, error %v", got, err)
	}
}

func TestHangs(t *testing.T) {
	s := asking(t, (&fakes.Spamd{Mute: true}).Start(t))
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if found, err := s.Scan(ctx, mail("hello")); err == nil || ctx.Err() == nil {
		t.Errorf("found %v, error %v", found, err)
	}
}

func TestConfigErrors(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"address is": func(c *Config) { c.Addresses = []string{"localhost:783"} },
		"is no user": func(c *Config) { c.User = "a\r\nb" },
		"timeout":    func(c *Config) { c.Timeout = 0 },
	} {
		c := DefaultConfig()
		change(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, error %v", want, err)
		}
	}
}

// FuzzAnswer: no answer makes a finding that is no finding.
func FuzzAnswer(f *testing.F) {
	f.Add("SPAMD/1.1 0 EX_OK\r\nContent-length: 4\r\nSpam: True ; 7.5 / 5.0\r\n\r\nRULE")
	f.Add("SPAMD/1.0 76 Bad header line\r\n")
	s := New(DefaultConfig(), always)
	f.Fuzz(func(t *testing.T, answer string) {
		in := bufio.NewReader(io.LimitReader(bytes.NewReader([]byte(answer)), longestAnswer))
		head, err := readHead(in, "EX_OK")
		if err != nil {
			return
		}
		o, err := head.opinion()
		if err != nil {
			return
		}
		o.rules, _ = head.rules(in)
		scantest.Check(t, s, mail(""), o.findings(), Catalogue()...)
	})
}

// TestLearn: spamd is told what a message is, as it was told of it when it was scored; what it refuses is an error.
func TestLearn(t *testing.T) {
	fake := &fakes.Spamd{}
	c := DefaultConfig()
	c.Addresses, c.User = []string{fake.Start(t)}, "joe"
	e := scan.Envelope{Client: netip.MustParseAddrPort("192.0.2.7:25"), Sender: "a@example.org"}
	for _, as := range []scorer.Lesson{scorer.Spam, scorer.Ham} {
		if err := Learn(t.Context(), c, as, e, mail("pills").Raw); err != nil {
			t.Errorf("%s: %v", as, err)
		}
	}
	heads, mails := fake.Got()
	if len(heads) != 2 || !strings.HasPrefix(heads[0], "TELL SPAMC/1.5\r\nMessage-class: spam\r\nSet: local\r\nUser: joe\r\nContent-length: ") ||
		!strings.Contains(heads[1], "\r\nMessage-class: ham\r\n") || !strings.HasPrefix(string(mails[0]), "Return-Path: <a@example.org>\r\nReceived: ") ||
		!strings.HasSuffix(string(mails[0]), "\r\n\r\npills") {
		t.Errorf("told %q of %q", heads, mails)
	}
	for name, c2 := range map[string]*fakes.Spamd{"deaf": {Deaf: true}, "garbage": {Answer: "hello\r\n\r\n"}, "gone": {Hangup: true}} {
		c.Addresses = []string{c2.Start(t)}
		if err := Learn(t.Context(), c, scorer.Spam, e, mail("pills").Raw); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
