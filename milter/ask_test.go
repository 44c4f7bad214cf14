package milter

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// ask puts a mail to a running server.
func (f *fixture) ask(t *testing.T, env scan.Envelope, mail string) (policy.Ruling, error) {
	t.Helper()
	conn, err := net.Dial("unix", f.path())
	if err != nil {
		t.Fatal(err)
	}
	p := entity.NewParser(entity.DefaultLimits())
	p.Write([]byte(mail))
	return Ask(t.Context(), conn, patience, env, bytes.NewReader([]byte(mail)), p.Close().Root)
}

// What is asked arrives as it is, with the line ends of SMTP.
func TestAskTellsAll(t *testing.T) {
	env := scan.Envelope{
		Client: netip.MustParseAddrPort("192.0.2.7:0"), ClientName: "mail.example.org", Helo: "helo.example.org",
		AuthUser: "joe", Sender: "a@example.org", Recipients: []string{"b@example.com", "c@example.com"},
	}
	for name, mail := range map[string]string{
		"plain":       "Subject: hello\r\n\r\nworld\r\n",
		"folds":       "Subject: hello\r\n\tworld\r\nX-Odd:no blank\r\nX-Two:  blanks \r\n\r\nbody",
		"empty body":  "Subject: hello\r\n\r\n",
		"line feeds":  "Subject: hello\n world\n\nbody\nof lines\r\n",
		"large":       "Subject: hello\n\n" + strings.Repeat("x\r\ny\n", 40_000),
		"bare LF":     "Subject: hello\r\n\r\nbody\nof\rlines\r\n",
		"no sender":   "X: 1\r\n\r\n",
		"many fields": strings.Repeat("X-A: 1\r\n", 500) + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			j := newFake()
			f := start(t, j, Options{})
			if r, err := f.ask(t, env, mail); err != nil || !reflect.DeepEqual(r, policy.Ruling{}) {
				t.Fatalf("ruling %+v, error %v", r, err)
			}
			want := mail
			if !strings.Contains(mail[:strings.Index(mail, "\n")+1], "\r\n") {
				want = strings.ReplaceAll(strings.ReplaceAll(mail, "\r\n", "\n"), "\n", "\r\n")
			}
			got := j.last(t)
			if string(got.raw) != want {
				t.Errorf("%d bytes arrived of %d:\n%.300q", len(got.raw), len(want), got.raw)
			}
			got.Envelope.Received, got.Envelope.QueueID, got.Envelope.Times = env.Received, "", env.Times
			if !reflect.DeepEqual(got.Envelope, env) {
				t.Errorf("envelope %+v, want %+v", got.Envelope, env)
			}
		})
	}
}

// Every ruling comes back as it was given.
func TestAskHearsAll(t *testing.T) {
	sender := "new@example.org"
	for name, want := range map[string]policy.Ruling{
		"reject":   {Answer: policy.Reject, Reply: policy.Reply{Code: 554, Enhanced: "5.7.1", Text: "Not 100% welcome"}},
		"tempfail": {Answer: policy.Tempfail, Reply: policy.Reply{Code: 451, Enhanced: "4.7.1", Text: "Later"}},
		"discard":  {Answer: policy.Discard},
		"hold":     {Answer: policy.Hold, Reason: "somebody looks [id1]"},
		"changes": {Changes: policy.Changes{
			Headers: []policy.HeaderChange{
				{Op: policy.Delete, Name: "X-Old", Index: 2},
				{Op: policy.Change, Name: "Subject", Value: "other\r\n words", Index: 1},
				{Op: policy.InsertTop, Name: "X-Top", Value: "1"},
				{Op: policy.AppendBottom, Name: "X-Bottom", Value: "2"},
			},
			Sender: &sender, Drop: []string{"b@example.com"}, Add: []string{"c@example.com"},
		}},
		"body": {Changes: policy.Changes{Body: bytes.NewReader([]byte("another\nbody\n"))}},
	} {
		t.Run(name, func(t *testing.T) {
			j := newFake()
			given := want
			if b := want.Changes.Body; b != nil {
				given.Changes.Body = bytes.NewReader([]byte("another\r\nbody\r\n"))
			}
			j.rule = ruling(given)
			f := start(t, j, Options{})
			got, err := f.ask(t, scan.Envelope{Recipients: []string{"b@example.com"}}, "X-Old: 1\nX-Old: 2\nSubject: x\n\nbody\n")
			if err != nil {
				t.Fatal(err)
			}
			if text(t, got.Changes.Body) != text(t, want.Changes.Body) {
				t.Errorf("body %q", text(t, got.Changes.Body))
			}
			got.Changes.Body, want.Changes.Body = nil, nil
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func text(t *testing.T, c scan.Content) string {
	t.Helper()
	if c == nil {
		return ""
	}
	b, err := io.ReadAll(scan.Reader(c))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A mail whose header the protocol would change is not told at all.
func TestAskRefusesWhatWouldChange(t *testing.T) {
	for _, mail := range []string{
		"no header\r\n\r\nbody\r\n", "Subject : blank\r\n\r\n", "Subject: x\r\njunk\r\n\r\n", "Subject: a\rb\r\n\r\n",
		"Subject: a\x00b\r\n\r\n", "Subject: x\r\nX: mixed\n\r\n", "Subject: no end\r\n",
	} {
		j := newFake()
		f := start(t, j, Options{})
		if _, err := f.ask(t, scan.Envelope{}, mail); !errors.Is(err, ErrUnsayable) || len(j.messages()) > 0 {
			t.Errorf("%q: error %v, %d messages", mail, err, len(j.messages()))
		}
		f.stop()
	}
}

// Whoever does not answer costs no more than the time there is.
func TestAskEnds(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		io.ReadFull(theirs, make([]byte, 1))
		cancel()
	}()
	mail := "Subject: x\r\n\r\n"
	p := entity.NewParser(entity.DefaultLimits())
	p.Write([]byte(mail))
	if _, err := Ask(ctx, ours, patience, scan.Envelope{}, strings.NewReader(mail), p.Close().Root); err == nil {
		t.Error("no error though nobody answered")
	}
}
