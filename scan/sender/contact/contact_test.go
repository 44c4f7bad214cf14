package contact

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/scantest"
	"github.com/milterscan/milterscan/scan/units"
)

// table is a store in memory that can be out of order.
type table struct {
	mu    sync.Mutex
	keys  map[Key]bool
	began time.Time
	asked int // keys
	err   error
}

func (t *table) Known(_ context.Context, keys []Key, _ time.Time) (map[Key]bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked += len(keys)
	known := map[Key]bool{}
	for _, k := range keys {
		if t.keys[k] {
			known[k] = true
		}
	}
	return known, t.err
}

func (t *table) Began(context.Context) (time.Time, error) { return t.began, t.err }

// learn takes in what a mail makes known.
func (t *table) learn(m Mail) {
	k := m.Known()
	for _, key := range append(k.Pairs, k.Sent...) {
		t.keys[key] = true
	}
}

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// newTable is a store that has learnt for long enough.
func newTable() *table { return &table{keys: map[Key]bool{}, began: now.Add(-365 * 24 * time.Hour)} }

func scanner(s Store) *Scanner {
	return New(DefaultConfig(), With{Store: s, Delimiter: "+", Trusted: func(e scan.Envelope) bool { return e.AuthUser != "" }})
}

// header is of fields, one a line.
func header(text string) (h entity.Header) {
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		h.Fields = append(h.Fields, entity.Field{Name: name, Value: value})
	}
	return h
}

// look is what is found in a mail: "first-contact:a@ours.example reply:b@ours.example".
func look(t *testing.T, s *Scanner, fields string, to ...string) string {
	t.Helper()
	m := &scan.Message{Header: header(fields), Envelope: scan.Envelope{Recipients: to, Received: now, Sender: "x@relay.example"}}
	found, err := s.Scan(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	scantest.Check(t, s, m, found, Catalogue()...)
	var list []string
	for _, f := range found {
		list = append(list, strings.TrimSuffix(strings.TrimPrefix(f.Rule, "content/")+":"+f.Recipient, ":"))
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func TestContract(t *testing.T) { scantest.Run(t, scanner(newTable()), Catalogue()...) }

const (
	ann = "ann@ours.example"
	bob = "bob@ours.example"
)

func TestFirstContact(t *testing.T) {
	known := newTable()
	known.learn(Mail{Header: header("From: Eve <Eve@Else.example>"), Recipients: []string{"Ann+news@ours.example"}, Delimiter: "+"})
	known.learn(Mail{Header: header("From: bob@ours.example\nMessage-ID: <1@ours.example>"), Sender: "bob+x@ours.example", Ours: true,
		Recipients: []string{"customer@else.example", ann}, Delimiter: "+"})
	s := scanner(known)
	for _, row := range []struct {
		fields string
		to     []string
		want   string
	}{
		{"From: new@else.example", []string{ann}, "first-contact:" + ann},
		{"From: eve@else.example", []string{ann}, ""},
		{"From: eve@else.example", []string{"ANN@ours.example", "ann+shop@ours.example"}, ""},
		{"From: eve+x@else.example", []string{ann}, "first-contact:" + ann},
		{"From: eve@else.example", []string{bob}, "first-contact:" + bob},
		{"From: eve@else.example", []string{ann, bob}, "first-contact-some first-contact:" + bob},
		{"From: new@else.example", []string{ann, bob, ann}, "first-contact:" + ann + " first-contact:" + bob},
		{"From: eve@else.example, new@else.example", []string{ann}, "first-contact:" + ann},
		{"From: eve@else.example\nFrom: new@else.example", []string{ann}, "first-contact:" + ann},
		{"From: customer@else.example", []string{bob}, ""},
		{"From: Customer <customer@ELSE.example>", []string{"bob@ours.example"}, ""},
		{"From: bob@ours.example", []string{ann}, ""},
		{"From: new@else.example\nIn-Reply-To: <1@ours.example>", []string{bob, ann}, "first-contact:" + ann + " first-contact:" + bob + " reply:" + bob},
		{"From: new@else.example\nReferences: <0@x> <1@ours.example> <2@x>", []string{bob}, "first-contact:" + bob + " reply:" + bob},
		{"From: customer@else.example\nIn-Reply-To: <2@ours.example>", []string{bob}, ""},
		{"From: nobody", []string{ann}, ""},
		{"From: new@else.example", nil, ""},
		{"From: new@else.example", []string{"", "postmaster"}, ""},
		{"Subject: x", []string{ann}, ""},
	} {
		if got := look(t, s, row.fields, row.to...); got != row.want {
			t.Errorf("%q to %v: found %q, want %q", row.fields, row.to, got, row.want)
		}
	}
}

// TestOwnMail is compared with nothing.
func TestOwnMail(t *testing.T) {
	s := scanner(newTable())
	m := &scan.Message{Header: header("From: ann@ours.example"), Envelope: scan.Envelope{AuthUser: "ann", Recipients: []string{"x@else.example"}, Received: now}}
	if found, err := s.Scan(t.Context(), m); len(found) > 0 || err != nil {
		t.Errorf("%v, %v", found, err)
	}
}

// TestLearning: until pairs have been collected for a while, no contact is the first. Answers are known.
func TestLearning(t *testing.T) {
	young := newTable()
	young.began = now.Add(-DefaultConfig().Learn.Go() + time.Second)
	young.learn(Mail{Header: header("From: ann@ours.example\nMessage-ID: <1@ours.example>"), Sender: ann, Ours: true})
	if got := look(t, scanner(young), "From: new@else.example\nIn-Reply-To: <1@ours.example>", ann, bob); got != "reply:"+ann {
		t.Errorf("found %q", got)
	}
	young.began = now.Add(-DefaultConfig().Learn.Go())
	if got := look(t, scanner(young), "From: new@else.example", ann); got != "first-contact:"+ann {
		t.Errorf("found %q", got)
	}
}

// TestStrangersMakeNoReplies: only mail of ours makes its Message-ID one that can be answered, for its writer.
func TestStrangersMakeNoReplies(t *testing.T) {
	k := newTable()
	k.learn(Mail{Header: header("From: eve@else.example\nMessage-ID: <1@x>"), Sender: "ann@ours.example", Recipients: []string{bob}})
	k.learn(Mail{Header: header("From: bob@ours.example\nMessage-ID: <2@x>"), Sender: bob, Ours: true, Recipients: []string{ann}})
	if got := look(t, scanner(k), "From: eve@else.example\nReferences: <1@x> <2@x>", ann, bob); got != "first-contact-some first-contact:"+ann+" reply:"+bob {
		t.Errorf("found %q", got)
	}
}

func TestStoreThatIsGone(t *testing.T) {
	gone := newTable()
	gone.err = errors.New("no disk")
	for _, fields := range []string{"From: a@b.example", "From: a@b.example\nIn-Reply-To: <x>", "In-Reply-To: <x>"} {
		m := &scan.Message{Header: header(fields), Envelope: scan.Envelope{Recipients: []string{ann}, Received: now}}
		if found, err := scanner(gone).Scan(t.Context(), m); len(found) > 0 || err == nil {
			t.Errorf("%s: found %v, %v", fields, found, err)
		}
	}
}

// TestHostileFields bounds what is asked, whatever a mail holds.
func TestHostileFields(t *testing.T) {
	k := newTable()
	var to []string
	for i := range 1000 {
		to = append(to, fmt.Sprintf("user%d@ours.example", i))
	}
	fields := "From: " + strings.Repeat("a@b.example, ", 500) + "\n"
	for i := range 100 {
		fields += fmt.Sprintf("From: x%d@else.example\nReferences: %s\nIn-Reply-To: <%s>\n", i, strings.Repeat(fmt.Sprintf("<%d@x>", i), 200), strings.Repeat("y", 1000))
	}
	look(t, scanner(k), fields, to...)
	if most := len(to)*mostAuthors + mostAnswered*2*mostIDs; k.asked > most {
		t.Errorf("%d keys were asked for, at most %d are to be", k.asked, most)
	}
}

func TestConfigIsChecked(t *testing.T) {
	if err := DefaultConfig().Check(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Config){
		"file":          func(c *Config) { c.File = "here" },
		"less than a":   func(c *Config) { c.Keep = units.Duration(time.Hour) },
		"more than":     func(c *Config) { c.Learn = c.Keep + 1 },
		"less than no":  func(c *Config) { c.Learn = -1 },
		"less than an ": func(c *Config) { c.Replies = 0 },
		"entries":       func(c *Config) { c.Entries = 0 },
	} {
		c := DefaultConfig()
		change(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// FuzzKnown: reading fields ends, and what a mail makes known is not more than it can.
func FuzzKnown(f *testing.F) {
	f.Add("Ann <a@b>", "<1@x> <2@y", "a+b@c", "d@e")
	f.Fuzz(func(t *testing.T, from, ids, sender, to string) {
		h := entity.Header{Fields: []entity.Field{{Name: "From", Value: from}, {Name: "Message-ID", Value: ids}, {Name: "References", Value: ids}}}
		k := Mail{Header: h, Sender: sender, Recipients: []string{to}, Ours: true, Delimiter: "+"}.Known()
		if len(k.Pairs) > 2*mostAuthors+1 || len(k.Sent) > (mostAuthors+1)*mostIDs || len(answered(h)) > 2*mostIDs {
			t.Errorf("%d pairs, %d of mail that was sent", len(k.Pairs), len(k.Sent))
		}
	})
}
