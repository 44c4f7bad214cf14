package servers

import (
	"bytes"
	"os"
	"testing"
)

func TestStuffed(t *testing.T) {
	for in, want := range map[string]string{
		"":                     "",
		"a\r\n":                "a\r\n",
		"a":                    "a\r\n",
		".a\r\n..\r\n":         "..a\r\n...\r\n",
		"a\r\n.\r\nb\r\n":      "a\r\n..\r\nb\r\n",
		"lone \n.\n stays\r\n": "lone \n.\n stays\r\n",
	} {
		if got := string(stuffed([]byte(in))); got != want {
			t.Errorf("stuffed(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestParseDelivered(t *testing.T) {
	d := parseDelivered([]byte("Return-Path: <a@b>\nX-Original-To: c@d\nDelivered-To: c@d\nReceived: x\n\tX: y\n\nbody\n"))
	if d.Sender != "a@b" || d.Recipient != "c@d" || !bytes.HasPrefix(d.Mail, []byte("Received: x\n")) {
		t.Errorf("got %q %q %q", d.Sender, d.Recipient, d.Mail)
	}
}

// The harness itself: a Postfix whose milter is away defers mail, and clamd
// answers, stops and comes back.
func TestServersStart(t *testing.T) {
	if os.Getenv("MILTERSCAN_E2E") == "" {
		t.Skip("set MILTERSCAN_E2E=1 to start real servers")
	}
	clamd := StartClamd(t)
	clamd.Stop()
	clamd.Start(t)
	postfix := StartPostfix(t)
	m := Mail{From: "a@example.org", To: []string{"b@test.local"}, Data: []byte("Subject: x\r\n\r\nhello\r\n")}
	if r := Send(postfix.Addr, m); !r.Deferred() {
		t.Errorf("without its milter, Postfix answered %v", r)
	}
	plain := StartPostfix(t, "smtpd_milters =")
	if r := Send(plain.Addr, m); !r.Accepted() {
		t.Errorf("without a milter, Postfix answered %v", r)
	}
	if d := plain.Inbox.One(t); d.Recipient != "b@test.local" || d.Sender != "a@example.org" {
		t.Errorf("delivered %q to %q", d.Sender, d.Recipient)
	}
}
