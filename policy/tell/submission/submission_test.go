package submission

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/milterscan/milterscan/tests/fakes"
)

func TestWay(t *testing.T) {
	for _, good := range []string{"smtp:127.0.0.1:25", "smtp:[::1]:10025", "sendmail:/usr/sbin/sendmail"} {
		var w Way
		if err := w.UnmarshalText([]byte(good)); err != nil || string(w) != good {
			t.Errorf("%s: %s, %v", good, w, err)
		}
	}
	for _, bad := range []string{"", "127.0.0.1:25", "smtp:localhost", "sendmail:sendmail", "sh:/bin/sh"} {
		var w Way
		if err := w.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

const message = "Subject: x\r\n\r\n.dot\r\n..\n8bit \xfc\nlast"

func aMail() Mail {
	return Mail{From: "a@example.net", To: []string{"b@example.com", "ü@example.com"}, Message: strings.NewReader(message)}
}

func TestSMTP(t *testing.T) {
	s := &fakes.SMTP{}
	if err := Way("smtp:"+s.Start(t)).Send(t.Context(), aMail()); err != nil {
		t.Fatal(err)
	}
	got := s.Got()[0]
	if got.From != "<a@example.net> BODY=8BITMIME SMTPUTF8" || strings.Join(got.To, " ") != "<b@example.com> <ü@example.com>" {
		t.Errorf("envelope %+v", got)
	}
	if got.Data != "Subject: x\r\n\r\n.dot\r\n..\r\n8bit \xfc\r\nlast\r\n" {
		t.Errorf("data %q", got.Data)
	}
}

// Only what goes wrong behind the end of the message leaves anything open.
func TestSMTPFails(t *testing.T) {
	for command, c := range map[string]struct {
		reply  string
		unsure bool
	}{
		"EHLO": {"554 no", false}, "MAIL": {"451 later", false}, "RCPT": {"550 who?", false}, "DATA": {"hang up", false}, ".": {"451 full", false},
		"QUIT": {"hang up", false},
	} {
		s := &fakes.SMTP{Replies: map[string]string{command: c.reply}}
		err := Way("smtp:"+s.Start(t)).Send(t.Context(), aMail())
		if (err == nil) != (command == "QUIT") || errors.Is(err, ErrUnsure) {
			t.Errorf("%s %s: %v", command, c.reply, err)
		}
	}
	s := &fakes.SMTP{Replies: map[string]string{".": "hang up"}}
	if err := Way("smtp:"+s.Start(t)).Send(t.Context(), aMail()); !errors.Is(err, ErrUnsure) {
		t.Errorf("nobody knows, and the error is %v", err)
	}
}

// A message that cannot be read to its end is not sent, not even its beginning.
func TestBrokenMessage(t *testing.T) {
	s := &fakes.SMTP{}
	m := aMail()
	m.Message = iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader(message)))
	if err := Way("smtp:"+s.Start(t)).Send(t.Context(), m); err == nil || errors.Is(err, ErrUnsure) || len(s.Got()) != 0 {
		t.Errorf("%v, the server has %v", err, s.Got())
	}
}

func TestNobodyListens(t *testing.T) {
	if err := Way("smtp:127.0.0.1:1").Send(t.Context(), aMail()); err == nil || errors.Is(err, ErrUnsure) {
		t.Error(err)
	}
}

func TestAddresses(t *testing.T) {
	for _, to := range []string{"", "-oQ/tmp", "a@b\r\nDATA", "a> <b", "a b"} {
		m := aMail()
		m.To = []string{to}
		if to == "" {
			m.To = nil
		}
		if err := Way("smtp:127.0.0.1:1").Send(t.Context(), m); err == nil || strings.Contains(err.Error(), "connect") {
			t.Errorf("%q: %v", to, err)
		}
	}
}

// program makes a program that does as the lines of sh say.
func program(t *testing.T, lines string) Way {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sendmail")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+lines), 0o700); err != nil {
		t.Fatal(err)
	}
	return Way("sendmail:" + path)
}

func TestSendmail(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	m := aMail()
	m.From = ""
	if err := program(t, `echo "$@" >`+out+`; cat >>`+out).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(out); string(got) != "-i -f <> -- b@example.com ü@example.com\n"+message {
		t.Errorf("it got %q", got)
	}
	if err := program(t, "cat >/dev/null; echo no; exit 75").Send(t.Context(), aMail()); err == nil || !strings.Contains(err.Error(), "75: no") || errors.Is(err, ErrUnsure) {
		t.Error(err)
	}
	if err := program(t, "kill -9 $$").Send(t.Context(), aMail()); !errors.Is(err, ErrUnsure) {
		t.Error(err)
	}
	if err := Way("sendmail:/nonexistent").Send(context.Background(), aMail()); err == nil || errors.Is(err, ErrUnsure) {
		t.Error(err)
	}
}
