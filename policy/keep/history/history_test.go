package history

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/milterscan/milterscan/policy"
)

// log is an Appender that may fail, or hang.
type log struct {
	mu      sync.Mutex
	records []policy.Record
	batches int
	err     error
	hang    chan struct{}
}

func (l *log) Append(_ context.Context, list []policy.Record) error {
	if l.hang != nil {
		<-l.hang
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	l.records, l.batches = append(l.records, list...), l.batches+1
	return nil
}

func TestWriterCollects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &log{}
		w := NewWriter(l, func(int, error) { t.Error("warned") })
		for range 600 {
			w.Remember(policy.Record{})
		}
		time.Sleep(2 * linger)
		w.Remember(policy.Record{})
		w.Close()
		if len(l.records) != 601 || l.batches != 11 {
			t.Errorf("%d records in %d batches", len(l.records), l.batches)
		}
	})
}

// A store that hangs holds nobody up; what does not fit is counted.
func TestWriterNeverBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &log{hang: make(chan struct{})}
		lost := 0
		w := NewWriter(l, func(n int, _ error) { lost += n })
		for range waiting + 3*batch {
			w.Remember(policy.Record{})
			synctest.Wait()
		}
		close(l.hang)
		w.Close()
		if lost != 2*batch || len(l.records) != waiting+batch {
			t.Errorf("%d lost, %d written", lost, len(l.records))
		}
	})
}

func TestWriterTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &log{err: errors.New("no space left on device")}
		var told []error
		w := NewWriter(l, func(n int, err error) { told = append(told, err) })
		w.Remember(policy.Record{ID: "a"})
		time.Sleep(linger + 2*pause + pause/2)
		l.mu.Lock()
		l.err = nil
		l.mu.Unlock()
		time.Sleep(pause)
		w.Close()
		if len(l.records) != 1 || len(told) != 3 {
			t.Errorf("wrote %v, told %v", l.records, told)
		}
	})
}

func TestWriterGivesUpAtTheEnd(t *testing.T) {
	l := &log{err: errors.New("no space left on device")}
	lost := 0
	w := NewWriter(l, func(n int, _ error) { lost += n })
	w.Remember(policy.Record{})
	w.Close()
	if lost != 1 {
		t.Errorf("%d lost", lost)
	}
}

// to has recipients of whom the same became.
func to(action string, addresses ...string) []policy.RecordRecipient {
	var list []policy.RecordRecipient
	for _, a := range addresses {
		list = append(list, policy.RecordRecipient{Recipient: a, Action: action})
	}
	return list
}

// TestFilterByRecipient has a mail that was kept from one and delivered to others.
func TestFilterByRecipient(t *testing.T) {
	r := policy.Record{Action: "deliver", Recipients: append(to("quarantine", "bob@example.com"), to("deliver", "eve@example.com", "joe@example.org")...)}
	for _, c := range []struct {
		recipient, action string
		want              bool
	}{
		{"", "", true}, {"", "deliver", true}, {"", "quarantine", true}, {"", "reject", false},
		{"bob@example.com", "", true}, {"bob@example.com", "quarantine", true}, {"bob@example.com", "deliver", false},
		{"eve@example.com", "quarantine", false}, {"eve@example.com", "deliver", true}, {"*@example.com", "quarantine", true}, {"*@example.org", "quarantine", false},
	} {
		if got := (Filter{Recipient: c.recipient, Action: c.action}).Matches(r); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestPrivacy(t *testing.T) {
	whole := policy.Record{
		Sender: "a@b.example", Recipients: to("deliver", "c@d.example"), User: "joe", Subject: "s", Client: "192.0.2.1", ClientName: "n", Helo: "h", Changes: []string{"without c@d.example"},
		Findings: []policy.RecordFinding{{Rule: "r", Name: "n", Part: "1/n", Detail: "quotes", Recipient: "c@d.example"}},
		Edits:    []policy.RecordEdit{{Kind: "header", Name: "X", Value: "quotes"}, {Kind: "drop-recipient", Value: "c@d.example"}, {Kind: "disarm", Part: "1/n"}},
		Verdicts: []policy.RecordVerdict{{Recipients: []string{"c@d.example"}}},
	}
	whole.Recipients[0].Because = &whole.Findings[0]
	got := Privacy{true, true, true, true}.Apply(whole)
	want := policy.Record{
		Sender: "*@b.example", Recipients: to("deliver", "*@d.example"), User: "*",
		Findings: []policy.RecordFinding{{Rule: "r", Recipient: "*@d.example"}},
		Edits:    []policy.RecordEdit{{Kind: "header", Name: "X"}, {Kind: "drop-recipient", Value: "*@d.example"}, {Kind: "disarm"}},
		Verdicts: []policy.RecordVerdict{{Recipients: []string{"*@d.example"}}},
	}
	want.Recipients[0].Because = &want.Findings[0]
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	if whole.Findings[0].Detail == "" || whole.Recipients[0].Recipient != "c@d.example" || whole.Edits[1].Value != "c@d.example" || whole.Verdicts[0].Recipients[0] != "c@d.example" {
		t.Error("the record itself was changed")
	}
}
