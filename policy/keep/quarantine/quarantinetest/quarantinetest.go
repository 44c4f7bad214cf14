// Package quarantinetest has what every store of kept messages promises, as a test.
package quarantinetest

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/scan"
)

// Opener returns two handles of one empty store, as two processes or two hosts have them. It
// has cleanup close them.
type Opener func(t *testing.T) (here, there quarantine.Store)

// Run tests a store.
func Run(t *testing.T, open Opener) {
	for _, c := range []struct {
		name string
		test func(*testing.T, pair)
	}{
		{"Kept", testKept}, {"Hostile", testHostile}, {"Sizes", testSizes}, {"Failing", testFailing}, {"Unknown", testUnknown},
		{"Find", testFind}, {"Pages", testPages}, {"Waiting", testWaiting}, {"Names", testNames},
		{"Change", testChange}, {"Deleted", testDeleted},
		{"Expire", testExpire}, {"ExpireAtOnce", testExpireAtOnce}, {"Released", testReleased}, {"Racers", testRacers},
		{"CutShort", testCutShort}, {"Each", testEach}, {"Deeds", testDeeds}, {"Learned", testLearned},
	} {
		t.Run(c.name, func(t *testing.T) {
			here, there := open(t)
			c.test(t, pair{here, there})
		})
	}
}

// pair is one store, seen from two sides.
type pair struct{ here, there quarantine.Store }

func (p pair) both() []quarantine.Store { return []quarantine.Store{p.here, p.there} }

const text = "Subject: x\r\nTo: b@example.com\r\n\r\nbody\r\n.\r\n"

var now = time.Date(2026, 3, 4, 5, 6, 7, 8_000_000, time.UTC)

// ID returns the n-th id.
func ID(n int) string { return fmt.Sprintf("06h08cfwgrgb%04d", n) }

// Record returns the record of the n-th message, which was kept back from some recipients.
func Record(n int, to ...string) policy.Record {
	if len(to) == 0 {
		to = []string{"ben@example.com"}
	}
	r := policy.Record{Version: policy.RecordVersion, ID: ID(n), Time: now.Add(time.Duration(n) * time.Hour), Sender: "ann@elsewhere.example",
		Client: "192.0.2.1", Subject: fmt.Sprintf("message %d", n), QueueID: fmt.Sprintf("4F2A%d", n),
		MessageID: fmt.Sprintf("%d@elsewhere.example", n), Action: "quarantine", Size: int64(len(text)),
		Findings: []policy.RecordFinding{{Kind: scan.Suspicious, Scanner: "content", Rule: "content/odd"}},
		Verdicts: []policy.RecordVerdict{{Recipients: to, Action: "quarantine", Because: 0, Kept: true, Rule: &policy.RecordRule{Name: "odd"}}}}
	for _, a := range to {
		r.Recipients = append(r.Recipients, policy.RecordRecipient{Recipient: a, Action: "quarantine"})
	}
	return r
}

// Keep keeps a message.
func Keep(t testing.TB, s quarantine.Store, r policy.Record) {
	t.Helper()
	if err := s.Keep(t.Context(), policy.Copy{Record: r, Raw: strings.NewReader(text)}); err != nil {
		t.Fatal(err)
	}
}

func entry(t testing.TB, s quarantine.Store, n int) quarantine.Entry {
	t.Helper()
	e, err := s.Entry(t.Context(), ID(n))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func read(t testing.TB, s quarantine.Store, n int) string {
	t.Helper()
	r, err := s.Open(t.Context(), ID(n))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// found lists the numbers of what a filter lets through, which are the last four letters of the ids.
func found(t testing.TB, s quarantine.Store, f quarantine.Filter) string {
	t.Helper()
	rows, err := s.Find(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, r := range rows {
		list = append(list, strings.TrimLeft(r.ID[12:], "0"))
	}
	return strings.Join(list, " ")
}

// gone reports an error if a store has a message.
func gone(t testing.TB, s quarantine.Store, id string) {
	t.Helper()
	_, err := s.Entry(t.Context(), id)
	r, openErr := s.Open(t.Context(), id)
	if openErr == nil {
		r.Close()
	}
	if !errors.Is(err, quarantine.ErrUnknown) || !errors.Is(openErr, quarantine.ErrUnknown) {
		t.Errorf("%q is there: %v, %v", id, err, openErr)
	}
}

// same reports an error if what was kept came back as something else.
func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %+v; want %+v", what, got, want)
	}
}
