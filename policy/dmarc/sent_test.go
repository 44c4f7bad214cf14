package dmarc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan/sender/auth"
	"github.com/milterscan/milterscan/scan/sender/dns"
	"github.com/milterscan/milterscan/scan/sender/dns/dnstest"
)

// wildcard is the DNS of an attacker who has thousands of domains and agrees, by one record, to reports about all of
// them at any host of its zone. It counts what it is asked.
type wildcard struct {
	dnstest.Zone
	asked *int
}

func (w wildcard) Lookup(ctx context.Context, name string, kind dns.Type) ([]dns.Record, error) {
	*w.asked++
	return w.Zone.Lookup(ctx, name, kind)
}

// manyDomains counts messages of so many domains, each of its own owner, that want their reports at an address; "%d" in it is the
// number of the domain.
func manyDomains(t *testing.T, p Post, n int, address string) {
	t.Helper()
	var c Collector
	for i := range n {
		to := address
		if strings.Contains(to, "%d") {
			to = fmt.Sprintf(to, i)
		}
		e := failed()
		e.Policy = auth.Published{Domain: fmt.Sprintf("evil%d.com", i), P: "reject", ReportAddresses: "mailto:" + to}
		c.Note(&e, policy.Decision{Answer: policy.Reject}, noon)
	}
	if err := c.Flush(t.Context(), p.Store, p.Terms, noon); err != nil || c.Lost() > 0 {
		t.Fatalf("%v, %d lost", err, c.Lost())
	}
}

// rounds makes rounds until nothing is waiting, and returns what became of all reports.
func (p Post) rounds(t *testing.T, now time.Time) (all Outcome) {
	t.Helper()
	for range 5_000/mostAtOnce + 2 {
		o, err := p.Round(t.Context(), now)
		if err != nil && !strings.Contains(err.Error(), "not now") {
			t.Fatal(err)
		}
		all = Outcome{all.Sent + o.Sent, all.Unwanted + o.Unwanted, all.Failed + o.Failed, all.PutOff + o.PutOff}
	}
	return all
}

// TestWildcardDestination has 5,000 domains that want their reports at one address, or at hosts without number, of one
// zone which agrees to all: that organisation gets so many on a day and no more, its resolver is asked no more
// than about as many, and others get theirs.
func TestWildcardDestination(t *testing.T) {
	for address, n := range map[string]int{"a@h%d.service.com": 5_000, "victim@mail.service.com": 300, "a%d@service.com": 300} {
		t.Run(address, func(t *testing.T) {
			o, asked := new(outbox), 0
			zone := dnstest.Zone{"*._report._dmarc.mail.service.com": {"TXT v=DMARC1"}, "*.service.com": {"TXT v=DMARC1"}, "*._report._dmarc.service.com": {"TXT v=DMARC1"}}
			p := post(t, o, nil)
			p.Resolver, p.Terms.PerDestination = wildcard{zone, &asked}, 50
			manyDomains(t, p, n, address)
			e := failed()
			p.count(t, noon, e)
			got := p.rounds(t, due)
			if got.Sent != 51 || got.Failed != n-50 || got.PutOff > 0 || len(o.sent) != 51 || !strings.Contains(strings.Join(o.sent, " "), "d@example.org") {
				t.Errorf("%+v, %d sent", got, len(o.sent))
			}
			if asked > 60 {
				t.Errorf("%d questions", asked)
			}
			list, err := p.Store.(*File).find(t.Context(), `WHERE state = $1 LIMIT 1`, string(Failed))
			if err != nil || len(list) != 1 || !strings.Contains(list[0].Why, "per_destination") {
				t.Errorf("%+v, %v", list, err)
			}
			manyAgain := due.Add(24 * time.Hour)
			p.count(t, noon.Add(24*time.Hour), e)
			if again := p.rounds(t, manyAgain); again.Sent != 1 {
				t.Errorf("on the next day: %+v", again)
			}
		})
	}
}

// TestRefusedIsNotCounted gives the place of a report back that the MTA has not taken, and that of one it has refused for
// good stays taken: its destination was bothered.
func TestRefusedIsNotCounted(t *testing.T) {
	o := &outbox{err: errors.New("451 not now")}
	p := post(t, o, dnstest.Zone{})
	p.Terms.PerDestination = 1
	to := Destination{Address: "d@mail.example.org"}
	p.count(t, noon, failed())
	if got, _ := p.Round(t.Context(), due); got.PutOff != 1 {
		t.Fatalf("%+v", got)
	}
	if full, err := p.Store.full(t.Context(), dayOf(due), to, p.Terms); full || err != nil {
		t.Errorf("full %v, %v", full, err)
	}
	o.err = nil
	if got, err := p.Round(t.Context(), due.Add(time.Hour)); got.Sent != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if full, err := p.Store.full(t.Context(), dayOf(due), to, p.Terms); !full || err != nil {
		t.Errorf("full %v, %v", full, err)
	}
	if taken, err := p.Store.take(t.Context(), dayOf(due), to, p.Terms); taken || err != nil {
		t.Errorf("taken %v, %v", taken, err)
	}
	if _, err := p.Store.Expire(t.Context(), due.Add(48*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if full, err := p.Store.full(t.Context(), dayOf(due), to, p.Terms); full || err != nil {
		t.Errorf("long after: full %v, %v", full, err)
	}
}
