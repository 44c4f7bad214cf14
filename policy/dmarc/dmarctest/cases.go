package dmarctest

import (
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/dmarc"
	"github.com/milterscan/milterscan/scan/sender/auth"
)

// testTogether adds up what both have counted, and shows it to both.
func testTogether(t *testing.T, p pair) {
	one, other := Message("owner.com", "192.0.2.1"), Message("owner.com", "2001:db8::1")
	lost := Count(t, p.here, Noon, one, one, other) + Count(t, p.there, Noon, one, one, one) + Count(t, p.here, Noon, one)
	for i, side := range p.both() {
		if got := Records(t, side, "owner.com"); !maps.Equal(got,
			map[string]string{"192.0.2.1": "6", "2001:db8::1": "1"}) || lost != 0 {
			t.Errorf("side %d sees %v; %d are lost", i, got, lost)
		}
	}
}

// testLatest reports the policy that was seen last, and sends the report where that asks for it.
func testLatest(t *testing.T, p pair) {
	e := Message("owner.com", "192.0.2.1")
	Count(t, p.here, Noon, e)
	e.Policy.P, e.Policy.ReportAddresses = "none", "mailto:new@owner.com"
	Count(t, p.there, Noon.Add(time.Hour), e)
	text, err := p.here.Preview(t.Context(), "owner.com", Day)
	if err != nil || element(string(text), "p") != "none" {
		t.Errorf("%v\n%s", err, text)
	}
	if got := round(t, p.here, Due); got.Sent != 1 || p.out.sent[0].to != "new@owner.com" {
		t.Errorf("%+v, sent to %v", got, p.out.sent)
	}
}

// testOnce has both send all reports at the same time, many times over: each goes out once.
func testOnce(t *testing.T, p pair) {
	const reports = 30
	for i := range reports {
		Count(t, p.both()[i%2], Noon, Message(domainOf(i), "192.0.2.1"))
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	total := 0
	for i := range 6 {
		all.Go(func() {
			o := round(t, p.both()[i%2], Due)
			mu.Lock()
			defer mu.Unlock()
			total += o.Sent
		})
	}
	all.Wait()
	seen := map[sent]bool{}
	for _, s := range p.out.sent {
		seen[s] = true
	}
	if len(p.out.sent) != reports || len(seen) != reports || total != reports {
		t.Errorf("%d mails, %d different ones, %d sent", len(p.out.sent), len(seen), total)
	}
	for i := range reports {
		if state, err := p.there.SendNow(t.Context(), domainOf(i), Day, Due); state != dmarc.Sent || err != nil {
			t.Errorf("%s: %q, %v", domainOf(i), state, err)
		}
	}
	if len(p.out.sent) != reports {
		t.Errorf("then %d mails", len(p.out.sent))
	}
}

// testDied ends a process when the MTA has taken the report and before that is written down. The other leaves it
// alone for an hour, and then sends it by the same name.
func testDied(t *testing.T, p pair) {
	Count(t, p.here, Noon, Message("owner.com", "192.0.2.1"))
	p.out.die = true
	if got := round(t, p.here, Due); got.Sent != 0 || len(p.out.sent) != 1 {
		t.Fatalf("%+v, %v", got, p.out.sent)
	}
	if got := round(t, p.there, Due.Add(59*time.Minute)); got != (dmarc.Outcome{}) {
		t.Errorf("while the first may be at it: %+v", got)
	}
	if got := round(t, p.there, Due.Add(61*time.Minute)); got.Sent != 1 || len(p.out.sent) != 2 ||
		p.out.sent[0] != p.out.sent[1] {
		t.Errorf("after an hour: %+v, %v", got, p.out.sent)
	}
	if got := round(t, p.here, Due.Add(5*time.Hour)); got != (dmarc.Outcome{}) {
		t.Errorf("at last: %+v", got)
	}
}

// testLate counts as lost what comes when a report was begun, and changes nothing in that.
func testLate(t *testing.T, p pair) {
	e := Message("owner.com", "192.0.2.1")
	Count(t, p.here, Noon, e)
	round(t, p.here, Due)
	if lost := Count(t, p.there, Noon, e, e, Message("owner.com", "192.0.2.2"),
		Message("punctual.com", "192.0.2.1")); lost != 3 {
		t.Errorf("%d are lost", lost)
	}
	if got := Records(t, p.here, "owner.com"); !maps.Equal(got, map[string]string{"192.0.2.1": "1"}) {
		t.Errorf("the report has %v", got)
	}
	if got := Records(t, p.here, "punctual.com"); len(got) != 1 {
		t.Errorf("the other report has %v", got)
	}
}

// testRoom holds the bounds of a day, and says what found no room.
func testRoom(t *testing.T, p pair) {
	var sides [2][]auth.Evaluation
	for i := range 10 {
		client := fmt.Sprintf("192.0.2.%d", i)
		sides[i%2] = append(sides[i%2], Message("owner0.com", client), Message("owner0.com", client),
			Message(domainOf(i), client))
	}
	var lost int64
	for i, side := range p.both() {
		side.Terms.Domains, side.Terms.Rows = 2, 3
		lost += Count(t, side, Noon, sides[i]...)
	}
	list, err := p.here.Store.Reports(t.Context(), 100)
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	var kept int64
	for _, r := range list {
		records := Records(t, p.there, r.Domain)
		if len(records) > 3 {
			t.Errorf("%s has %v", r.Domain, records)
		}
		for _, n := range records {
			var one int64
			fmt.Sscan(n, &one)
			kept += one
		}
	}
	if kept+lost != 30 || lost == 0 {
		t.Errorf("%d are kept and %d lost, of 30", kept, lost)
	}
}

// testOneOwner holds the bound of reports about domains of one owner.
func testOneOwner(t *testing.T, p pair) {
	var lost int64
	for i, side := range p.both() {
		var list []auth.Evaluation
		for n := range 120 {
			list = append(list, Message(fmt.Sprintf("h%d-%d.evil.com", i, n), "192.0.2.1"))
		}
		lost += Count(t, side, Noon, append(list, Message(domainOf(i), "192.0.2.1"))...)
	}
	list, err := p.here.Store.Reports(t.Context(), 1000)
	if len(list) != 202 || lost != 40 || err != nil {
		t.Errorf("%d reports, %d lost, %v", len(list), lost, err)
	}
}

// testPerDestination sends so many reports to one organisation, and no more, whichever host sends them.
func testPerDestination(t *testing.T, p pair) {
	for i := range 12 {
		e := Message(fmt.Sprintf("h%d.owner.com", i), "192.0.2.1")
		Count(t, p.both()[i%2], Noon, e)
	}
	var all dmarc.Outcome
	for _, side := range p.both() {
		side.Terms.PerDestination = 5
		o := round(t, side, Due)
		all.Sent, all.Failed = all.Sent+o.Sent, all.Failed+o.Failed
	}
	if len(p.out.sent) != 5 || all.Sent != 5 || all.Failed != 7 {
		t.Errorf("%d mails, %+v", len(p.out.sent), all)
	}
}

// testHostile counts what no database likes to hold.
func testHostile(t *testing.T, p pair) {
	e := Message("owner.com", "192.0.2.1")
	e.Sender, e.Author = "x\x00\xff.example", "\x00'; --.owner.com"
	e.DKIM = []auth.Signed{{Domain: "\x00", Selector: "\xff\xfe\ue000", Result: "fail"}}
	e.Policy.ReportAddresses = "\x00\xff,mailto:d@owner.com"
	odd := Message("x\x00\xff.other.com", "192.0.2.1")
	if lost := Count(t, p.here, Noon, e, e, odd) + Count(t, p.there, Noon, e, odd); lost != 0 {
		t.Errorf("%d are lost", lost)
	}
	if got := Records(t, p.there, "owner.com"); !maps.Equal(got, map[string]string{"192.0.2.1": "3"}) {
		t.Errorf("the report has %v", got)
	}
	if got := round(t, p.here, Due); got.Sent != 1 || len(p.out.sent) != 1 {
		t.Errorf("%+v, %v", got, p.out.sent)
	}
}

// testExpire forgets old counts, and nothing else.
func testExpire(t *testing.T, p pair) {
	Count(t, p.here, Noon, Message("owner.com", "192.0.2.1"))
	Count(t, p.there, Noon.Add(24*time.Hour), Message("owner.com", "192.0.2.1"), Message("other.com", "192.0.2.1"))
	if got := round(t, p.here, Due); got.Sent != 1 {
		t.Errorf("%+v", got)
	}
	if n, err := p.there.Store.Expire(t.Context(), Noon.Add(24*time.Hour)); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if list, err := p.here.Store.Reports(t.Context(), 10); len(list) != 2 || err != nil {
		t.Errorf("%+v, %v", list, err)
	}
	if got := Records(t, p.here, "owner.com"); got != nil {
		t.Errorf("the old report has %v", got)
	}
}
