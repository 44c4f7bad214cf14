package integration

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/dialogue"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// overMTA plays dialogues as an SMTP client of a real MTA. What an MTA changes
// by itself is known from another one of its kind that asks no milter.
type overMTA struct {
	t     *testing.T
	house *house
	plain servers.MTA
}

// Send plays one dialogue on one connection.
func (o overMTA) Send(_ context.Context, d dialogue.Dialogue) ([]dialogue.Answer, error) {
	kept := o.t.TempDir()
	o.house.reconfigure(o.t, inQuarantine(d.Config, kept))
	c, r := servers.TryDialSMTP(o.house.mta.SMTP())
	if c == nil {
		return nil, fmt.Errorf("no session: %v", r)
	}
	defer c.Quit()
	if err := introduce(c, d); err != nil {
		return nil, err
	}
	answers := make([]dialogue.Answer, len(d.Messages))
	for i, m := range d.Messages {
		raw, err := dialogue.Open(m.Source)
		if err != nil {
			return nil, err
		}
		sent := servers.Mail{From: m.From, To: m.To, Data: raw}
		if m.Abort {
			c.Envelope(sent)
			c.Cmd("RSET")
			continue
		}
		answers[i] = o.deliver(c, sent, kept)
	}
	return answers, nil
}

// introduce has the MTA take the client for the one of the dialogue.
func introduce(c *servers.Client, d dialogue.Dialogue) error {
	var attributes []string
	for name, value := range map[string]string{"ADDR": d.Client, "HELO": d.Helo, "LOGIN": d.Auth} {
		if value != "" {
			attributes = append(attributes, name+"="+value)
		}
	}
	if len(attributes) == 0 {
		return nil
	}
	if r := c.Pretend(attributes...); !r.Accepted() {
		return fmt.Errorf("the MTA does not pretend %q: %v", attributes, r)
	}
	return nil
}

// deliver sends one mail and says what became of it: what the client heard, and
// how what arrived differs from what arrives without a milter.
func (o overMTA) deliver(c *servers.Client, m servers.Mail, kept string) dialogue.Answer {
	o.t.Helper()
	box := o.house.mta.Mailbox()
	box.Clear()
	before, held := copies(o.t, kept), len(o.house.mta.Held(o.t))
	r := c.Send(m)
	o.house.mta.Settle(o.t)
	a := dialogue.Answer{Keep: copies(o.t, kept) - before}
	switch got := box.All(); {
	case r.Refused():
		a.Action, a.Reply = "reject", r.String()
	case !r.Accepted():
		a.Action, a.Reply = "tempfail", r.String()
	case len(got) > 0:
		a.Action = "deliver"
		o.compare(&a, m, got)
	case len(o.house.mta.Held(o.t)) > held:
		a.Action = "hold"
	case a.Keep > 0:
		a.Action = "quarantine"
	default:
		a.Action = "discard"
	}
	return a
}

// compare notes the changes between what was sent and what arrived.
func (o overMTA) compare(a *dialogue.Answer, m servers.Mail, got []servers.Delivered) {
	o.t.Helper()
	plain := o.withoutMilter(m)
	var arrived []string
	for _, d := range got {
		arrived = append(arrived, d.Recipient)
	}
	a.Drop, a.Add = without(m.To, arrived), without(arrived, m.To)
	if got[0].Sender != plain.Sender {
		a.Sender = got[0].Sender
	}
	with, alone := sansTrace(got[0].Mail, m.Data), sansTrace(plain.Mail, m.Data)
	a.Headers = without(fieldsOf(o.t, with), fieldsOf(o.t, alone))
	a.Changed = len(a.Drop)+len(a.Add) > 0 || a.Sender != "" || with != alone
}

// withoutMilter is the mail as an MTA of this kind delivers it by itself.
func (o overMTA) withoutMilter(m servers.Mail) servers.Delivered {
	o.t.Helper()
	o.plain.Mailbox().Clear()
	if r := servers.Send(o.plain.SMTP(), servers.Mail{From: m.From, To: m.To[:1], Data: m.Data}); !r.Accepted() {
		o.t.Fatalf("without a milter the client heard %v", r)
	}
	o.plain.Settle(o.t)
	return o.plain.Mailbox().One(o.t)
}

// sansTrace is a delivered mail without the first Received and what the MTA
// makes up anew for each mail that was sent without it.
func sansTrace(mail, sent []byte) string {
	var kept []string
	trace, first := false, true
	header, body, _ := strings.Cut(string(mail), "\n\n")
	for line := range strings.SplitSeq(header, "\n") {
		if !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "\t") {
			trace = first && strings.HasPrefix(line, "Received:") || madeUp(line, sent)
			first = first && !trace
		}
		if !trace {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n") + "\n\n" + body
}

// madeUp reports a field that MTAs add where it is missing.
func madeUp(line string, sent []byte) bool {
	if strings.HasPrefix(line, "Date: ") {
		header, _, _ := bytes.Cut(sent, []byte("\r\n\r\n"))
		return !bytes.Contains(append([]byte("\n"), bytes.ToLower(header)...), []byte("\ndate:"))
	}
	return strings.HasPrefix(line, "Message-Id: <") && strings.HasSuffix(line, "@mx.test.local>")
}

// fieldsOf are the header fields of a mail, but for trace fields.
func fieldsOf(t *testing.T, text string) []string {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in what arrived:\n%s", err, text)
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(m.Header)) {
		for _, value := range m.Header[name] {
			all = append(all, name+": "+value)
		}
	}
	return all
}

// without is what of list is not in other.
func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(other, s) })
}

// inQuarantine is a configuration whose copies are kept in a directory.
func inQuarantine(config []string, dir string) string {
	text := strings.Join(config, "\n")
	if strings.Contains(text, "[quarantine]") {
		return text
	}
	return text + fmt.Sprintf("\n[quarantine]\ndir = %q\n", dir)
}

// copies is the number of mails kept in a directory.
func copies(t *testing.T, dir string) int {
	t.Helper()
	n := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".eml.gz") {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// reconfigure has the running milterscan use another configuration.
func (h *house) reconfigure(t *testing.T, config string) {
	t.Helper()
	before := len(h.milter.Lines(t, "configuration reloaded"))
	h.milter.Configure(t, config)
	h.milter.Reload()
	servers.Await(t, "the new configuration", func() bool {
		return len(h.milter.Lines(t, "configuration reloaded")) > before
	})
}
