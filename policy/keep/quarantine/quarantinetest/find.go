package quarantinetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/scan"
)

// several keeps messages that differ in what filters ask for, and returns their rows.
func several(t *testing.T, s quarantine.Store) (rows []quarantine.Row) {
	t.Helper()
	for n := range 12 {
		r := Record(n, fmt.Sprintf("p%d@example.com", n%3))
		r.Sender, r.Subject, r.Client = fmt.Sprintf("S%d@elsewhere.example", n%4),
			fmt.Sprintf("Ki%% _%d \u212aelvin", n), fmt.Sprintf("192.0.2.%d", n%2)
		r.Time = now.Add(time.Duration(n/2) * time.Hour) // two at a time
		switch {
		case n%5 == 1:
			r.Findings[0] = policy.RecordFinding{Kind: scan.Infected, Scanner: "virus", Rule: "virus/x"}
		case n%5 == 2:
			r.Appeal = true
			r.Verdicts[0].Kept, r.Verdicts[0].Appeal = false, true
		}
		Keep(t, s, r)
		if n%4 == 3 {
			err := s.Change(t.Context(), ID(n), func(e *quarantine.Entry) error {
				e.State = quarantine.Released
				e.Events = append(e.Events, quarantine.Event{Time: now, What: "handled", By: "root"})
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		rows = append(rows, entry(t, s, n).Row())
	}
	return rows
}

// filters returns filters of every kind, and combined ones.
func filters() []quarantine.Filter {
	at := now.Add(3 * time.Hour)
	return []quarantine.Filter{
		{}, {Limit: 1}, {Limit: 100}, {Sender: "s1@*"}, {Sender: "S2@ELSEWHERE.example"}, {Sender: "nobody"}, {Recipient: "p2@example.com"},
		{Recipient: "*@example.com", Class: "infected"}, {Client: "192.0.2.0/31"}, {Client: "192.0.2.1"},
		{Client: "no client"}, {QueueID: "4F2A7"}, {QueueID: "4f2a7"},
		{Subject: "kelvin"}, {Subject: "\u212aELVIN"}, {Subject: "% _1"}, {Subject: "*_1 *"}, {Subject: `"`},
		{Reason: "virus/*"}, {Reason: "content/odd"},
		{Class: "infected"}, {Class: "no class"}, {State: quarantine.Released},
		{State: quarantine.Kept, Class: "suspicious"}, {State: quarantine.Releasing},
		{Since: at}, {Before: at}, {Since: at, Before: at}, {Since: at, Before: at.Add(time.Millisecond)},
		{Before: at, Below: ID(7)}, {Before: at, Below: ID(6)}, {Before: at, Below: "zzzz"},
		{Open: true}, {Asked: true}, {Open: true, Asked: true, State: quarantine.Kept, Limit: 2},
		{Waiting: []string{}}, {Waiting: []string{"p1@example.com"}},
		{Waiting: []string{"p0@example.com", "p2@example.com"}, Limit: 3}, {Waiting: []string{"eve@example.com"}},
		{Waiting: []string{"p1@example.com"}, Sender: "s1@*"},
		{Name: ID(3)}, {Name: "06h08c"}, {Name: "4F2A3"}, {Name: "3@elsewhere.example"}, {Name: "06h08"}, {Name: "%"},
		{Name: "06h08_"}, {Subject: "\x00"}, {QueueID: "\x00\xff"}, {Name: "\x00\xff"},
	}
}

// testFind compares the rows found with the answer of each filter to each row.
func testFind(t *testing.T, p pair) {
	all := several(t, p.here)
	for _, s := range p.both() {
		for _, f := range filters() {
			var want []string
			for n := len(all) - 1; n >= 0; n-- {
				if f.Matches(all[n]) && (f.Limit == 0 || len(want) < f.Limit) {
					want = append(want, strings.TrimLeft(all[n].ID[12:], "0"))
				}
			}
			if got := found(t, s, f); got != strings.Join(want, " ") {
				t.Errorf("%+v: %s; want %s", f, got, want)
			}
		}
	}
}

// testPages: a list that is read page by page has each message once, whatever is deleted and kept meanwhile.
func testPages(t *testing.T, p pair) {
	several(t, p.here)
	var seen []string
	f := quarantine.Filter{Limit: 3}
	for page := 0; ; page++ {
		rows, err := p.there.Find(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			seen = append(seen, strings.TrimLeft(r.ID[12:], "0"))
			f = f.After(r)
		}
		if len(rows) < f.Limit {
			break
		}
		switch page {
		case 0:
			Keep(t, p.here, Record(99))
		case 1:
			if err := p.here.Delete(t.Context(), ID(3), quarantine.Event{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := strings.Join(seen, " "); got != "11 10 9 8 7 6 5 4 2 1 " {
		t.Errorf("%q", got)
	}
}

// testWaiting: a message is found by those it waits for, however they are written, until it does not.
func testWaiting(t *testing.T, p pair) {
	Keep(t, p.here, Record(1, "Ann@Example.com", "ben+lists@example.com", "no address"))
	ann, ben := quarantine.Filter{Waiting: []string{"ann@example.com"}}, quarantine.Filter{Waiting: []string{"ben@example.com"}}
	if a, b := found(t, p.there, ann), found(t, p.there, ben); a != "1" || b != "1" {
		t.Error(a, b)
	}
	x := releaser(p.there, &sink{})
	if err := x.Dismiss(t.Context(), ID(1), []string{"Ann@Example.com"}); err != nil {
		t.Fatal(err)
	}
	for _, s := range p.both() {
		if a, b := found(t, s, ann), found(t, s, ben); a != "" || b != "1" {
			t.Errorf("after she does not want it: %q, %q", a, b)
		}
	}
}

func testNames(t *testing.T, p pair) {
	Keep(t, p.here, Record(1))
	Keep(t, p.here, Record(2))
	for _, name := range []string{ID(1), "<1@elsewhere.example>", "1@elsewhere.example", " 4F2A1 "} {
		if got, err := quarantine.Resolve(t.Context(), p.there, name); got != ID(1) || err != nil {
			t.Errorf("%q: %s, %v", name, got, err)
		}
	}
	if got, err := quarantine.Resolve(t.Context(), p.there, ID(1)[:8]); err == nil || !strings.Contains(err.Error(), ID(2)) {
		t.Errorf("two go by it: %s, %v", got, err)
	}
}
