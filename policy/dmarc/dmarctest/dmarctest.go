// Package dmarctest has what every store of counts and reports of DMARC promises, as a test.
package dmarctest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/dmarc"
	"github.com/milterscan/milterscan/policy/tell/submission"
	"github.com/milterscan/milterscan/scan/sender/auth"
	"github.com/milterscan/milterscan/scan/sender/dns/dnstest"
)

// Side is a store as a process sees it, and what its host is called.
type Side struct {
	Store dmarc.Store
	Host  string
}

// Opener returns two handles of one empty store, as two processes or two hosts have them. It has cleanup close them.
type Opener func(t *testing.T) (here, there Side)

// Run tests a store.
func Run(t *testing.T, open Opener) {
	for _, c := range []struct {
		name string
		test func(*testing.T, pair)
	}{
		{"Together", testTogether}, {"Latest", testLatest}, {"Once", testOnce}, {"Died", testDied}, {"Late", testLate},
		{"Room", testRoom}, {"OneOwner", testOneOwner}, {"PerDestination", testPerDestination}, {"Hostile", testHostile},
		{"Expire", testExpire},
	} {
		t.Run(c.name, func(t *testing.T) {
			here, there := open(t)
			o := new(Outbox)
			c.test(t, pair{desk(here, o), desk(there, o), o})
		})
	}
}

// pair is one store, seen from two sides, which hand their reports to one outbox.
type pair struct {
	here, there dmarc.Post
	out         *Outbox
}

func (p pair) both() []dmarc.Post { return []dmarc.Post{p.here, p.there} }

// Noon is when messages are counted, Day how its day is written, and Due when every report about it is due.
var (
	Noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	Due  = Noon.Add(20 * time.Hour)
)

// Day is the day of Noon.
const Day = "2026-11-30"

// Terms returns the configuration of the reports.
func Terms() dmarc.Config {
	c := dmarc.DefaultConfig()
	c.Enabled, c.Organization, c.Email = true, "Us", "dmarc@us.example"
	return c
}

func desk(s Side, o dmarc.Sender) dmarc.Post {
	return dmarc.Post{Store: s.Store, Host: s.Host, Sender: o, Resolver: dnstest.Zone{}, Questions: 20,
		Key: func() ([]byte, error) { return make([]byte, 32), nil }, Terms: Terms()}
}

// Outbox takes mail from any number of goroutines.
type Outbox struct {
	mu   sync.Mutex
	sent []sent
	die  bool // right after the next mail is taken
}

type sent struct{ to, id string }

// Send implements dmarc.Sender.
func (o *Outbox) Send(_ context.Context, m submission.Mail) error {
	letter, err := mail.ReadMessage(m.Message)
	if err == nil {
		err = m.Check()
	}
	if err != nil {
		return err
	}
	_, id, _ := strings.Cut(letter.Header.Get("Subject"), "Report-ID: ")
	if _, err := io.Copy(io.Discard, letter.Body); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, to := range m.To {
		o.sent = append(o.sent, sent{to, id})
	}
	if o.die {
		o.die = false
		panic("the process ends here")
	}
	return nil
}

// Message returns a message of a domain that asks for reports at its own address.
func Message(domain, client string) auth.Evaluation {
	return auth.Evaluation{Client: netip.MustParseAddr(client), Author: domain, Asked: "reject",
		Policy: auth.Published{Domain: domain, P: "reject", SP: "reject", NP: "reject",
			ReportAddresses: "mailto:d@" + domain}}
}

// Count counts messages and writes them down, and returns how many were lost.
func Count(t testing.TB, p dmarc.Post, when time.Time, list ...auth.Evaluation) int64 {
	t.Helper()
	var c dmarc.Collector
	for _, e := range list {
		c.Note(&e, policy.Decision{Answer: policy.Reject}, when)
	}
	if err := c.Flush(t.Context(), p.Store, p.Terms, when); err != nil {
		t.Fatal(err)
	}
	return c.Lost()
}

// Records returns the counts in the report of a domain, by client, as a host sees it.
func Records(t testing.TB, p dmarc.Post, domain string) map[string]string {
	t.Helper()
	text, err := p.Preview(t.Context(), domain, Day)
	if errors.Is(err, dmarc.ErrNothing) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, r := range strings.Split(string(text), "<record>")[1:] {
		all[element(r, "source_ip")] = element(r, "count")
	}
	return all
}

// element returns the text between the first tags of a name.
func element(text, name string) string {
	_, rest, _ := strings.Cut(text, "<"+name+">")
	value, _, _ := strings.Cut(rest, "<")
	return value
}

// round makes a round, which may end in the middle.
func round(t testing.TB, p dmarc.Post, now time.Time) (o dmarc.Outcome) {
	t.Helper()
	defer func() {
		if ended := recover(); ended != nil {
			o = dmarc.Outcome{}
		}
	}()
	o, err := p.Round(t.Context(), now)
	if err != nil {
		t.Error(err)
	}
	return o
}

func domainOf(i int) string { return fmt.Sprintf("owner%d.com", i) }
