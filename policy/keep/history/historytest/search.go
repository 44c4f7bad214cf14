package historytest

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// anyOf returns one of some values.
func anyOf[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// subjects are such as to be taken for something else.
var subjects = []string{"", "Rechnung 4711", "rechnung4711", "Re: Rechnung  4711!",
	"ÄRGER\u202e mit \x1b[31m Gruß", "a-b_c", "日本語の件名", `" OR subject:* NEAR(a b) --`, "%_*?",
	strings.Repeat("x1 ", 3000), "\U0001f600 sale\U0001f600", "\xff\xfe broken", "Invoice\t4711\n"}

// Mixed returns a record of values that many records share, or few, or that are made to be taken
// for something else.
func Mixed(r *rand.Rand, n int) policy.Record {
	domain := anyOf(r, "example.com", "Example.COM", "mail.example.com", "example.net",
		"xn--bcher-kva.example", "example.net.")
	action := anyOf(r, "deliver", "deliver", "deliver", "reject", "quarantine")
	at := time.Duration(n/3)*time.Second + time.Duration(r.IntN(40))*time.Second + time.Duration(r.IntN(1e9))
	out := policy.Record{
		Version: policy.RecordVersion, ID: fmt.Sprintf("id%06d", n), Time: Now.Add(at),
		QueueID:   fmt.Sprintf("Q%d", r.IntN(200)),
		MessageID: anyOf(r, "", "same@example.net", fmt.Sprintf("m%d@example.net", r.IntN(100))),
		Client: anyOf(r, "192.0.2.1", "192.0.2.10", "198.51.100.7", "2001:db8::1", "2001:0DB8::1",
			"::ffff:192.0.2.1", ""),
		ClientName: anyOf(r, "mx.example.net", "Mail.example.org", ""),
		From:       anyOf(r, "", "", `"Boss b@c.example" <Boss@`+domain+">", "alice@"+domain),
		Sender: anyOf(r, "", "<>", "alice@"+domain, "Bob.B@"+domain, fmt.Sprintf("u%d@%s", r.IntN(50), domain),
			`"a@b"@`+domain, "no-domain", "Ärger@"+domain),
		User: anyOf(r, "", "", "joe", "ann@example.com"), Action: action, Size: int64(r.IntN(5)) * 1000,
		Subject: anyOf(r, subjects...),
		Scanners: []policy.ScannerTime{{Scanner: "virus/clamd", Found: r.IntN(2)},
			{Scanner: "content", Error: anyOf(r, "", "", "timeout")}},
		Watched: anyOf(r, nil, []string{"watcher"}),
	}
	for range r.IntN(3) {
		out.Recipients = append(out.Recipients, policy.RecordRecipient{Action: anyOf(r, action, "deliver"),
			Rule: anyOf(r, "", "own"), Recipient: fmt.Sprintf("r%d@%s", r.IntN(20), anyOf(r, "example.com", "example.org"))})
	}
	if action != "deliver" {
		out.Findings = []policy.RecordFinding{{Rule: anyOf(r, "virus/clamd", "attachment/name")}}
		name := anyOf(r, "default/virus", "Default/Program")
		out.Verdicts = []policy.RecordVerdict{{Rule: &policy.RecordRule{Name: name}, Applied: []string{"added"}}}
	}
	return out
}

// Patterns for each sort of values.
var (
	addresses = []string{"@example.com", ".example.com", "alice@example.com", "ALICE", "*b@*", "<>", "example",
		"nobody@nowhere.example", "u1?@example.net", "a@b", "<alice@example.com>", " alice ", "*", "ärger@",
		"alice@.example.com", "postmaster@*", "r1@example.org", "@example.org", "no-domain"}
	clients = []string{"192.0.2.1", "192.0.2.0/24", "192.0.0.0/9", "2001:db8::/32", "2001:db8::1",
		"example", "*.ORG", "::ffff", "192.0.2.1/32", "203.0.113.0/24"}
	phrases = []string{"rechnung", "Rechnung 4711", "nung 47", "4711!", "*4711", "rech*11", "?echnung*", "ärger", "gruß",
		"件名", `" OR`, "NEAR(", "--", "%_", "x1 x1", " ", "\x1b[31m", "\u202e", "😀", "sale😀", "\xff",
		"nothing such", "e\t4", strings.Repeat("x1 ", 3400)}
)

// setters set one field of a filter each.
var setters = []func(r *rand.Rand, f *history.Filter){
	func(r *rand.Rand, f *history.Filter) { f.Sender = anyOf(r, addresses...) },
	func(r *rand.Rand, f *history.Filter) { f.Recipient = anyOf(r, addresses...) },
	func(r *rand.Rand, f *history.Filter) { f.User = anyOf(r, "joe", "@example.com", "nobody", "*") },
	func(r *rand.Rand, f *history.Filter) { f.Client = anyOf(r, clients...) },
	func(r *rand.Rand, f *history.Filter) { f.Subject = anyOf(r, phrases...) },
	func(r *rand.Rand, f *history.Filter) {
		f.Reason = anyOf(r, "virus", "virus/*", "default/*", "PROGRAM", "none")
	},
	func(r *rand.Rand, f *history.Filter) {
		f.Rule = anyOf(r, "watcher", "own", "added", "default/virus", "none")
	},
	func(r *rand.Rand, f *history.Filter) { f.Finding = anyOf(r, "attachment/*", "virus/clamd", "none") },
	func(r *rand.Rand, f *history.Filter) {
		f.Engine, f.Did = anyOf(r, "", "virus", "content", "none"), anyOf(r, "", "found", "failed")
	},
	func(r *rand.Rand, f *history.Filter) { f.QueueID = fmt.Sprintf("Q%d", r.IntN(250)) },
	func(r *rand.Rand, f *history.Filter) {
		f.MessageID = anyOf(r, "same@example.net", "<m7@example.net>", " <none@example.net>")
	},
	func(r *rand.Rand, f *history.Filter) { f.Action = anyOf(r, "deliver", "reject", "quarantine", "hold") },
	func(r *rand.Rand, f *history.Filter) { f.Larger = anyOf[int64](r, 1, 2000, 9000) },
	func(r *rand.Rand, f *history.Filter) { f.Smaller = anyOf[int64](r, 1, 2000, 9000) },
	func(r *rand.Rand, f *history.Filter) {
		f.Since = Now.Add(time.Duration(r.IntN(400)) * 777 * time.Millisecond)
	},
	func(r *rand.Rand, f *history.Filter) {
		f.Before = Now.Add(time.Duration(r.IntN(400)) * 777 * time.Millisecond)
	},
	func(r *rand.Rand, f *history.Filter) {
		f.Domains = anyOf(r, []string{}, []string{"example.com"}, []string{"example.org", "none.example"},
			[]string{".example.com"}, []string{".com", "example.net"})
	},
}

// MixedFilter returns a filter of patterns for some fields, some of which nothing is like.
func MixedFilter(r *rand.Rand) (f history.Filter) {
	for range r.IntN(4) {
		anyOf(r, setters...)(r, &f)
	}
	return f
}

// World is a history, and the same records in a list.
type World struct {
	history.Store
	All  []policy.Record // in the order in which they were written
	Gone time.Time       // older records have expired

	filters, found int // that were compared, and how many of them found anything
}

// Write writes records, some at a time.
func (w *World) Write(t *testing.T, records ...policy.Record) {
	t.Helper()
	for list := range slices.Chunk(records, 50) {
		write(t, w.Store, list...)
	}
	for _, r := range records {
		w.All = slices.DeleteFunc(w.All, func(was policy.Record) bool { return was.ID == r.ID })
		w.All = append(w.All, r)
	}
}

// want returns the ids that the filter finds, by reading everything.
func (w *World) want(f history.Filter) (ids []string) {
	var list []policy.Record
	for _, r := range w.All {
		if f.Matches(r) && r.Time.UnixMilli() >= w.Gone.UnixMilli() {
			list = append(list, r)
		}
	}
	return inOrder(list)
}

// inOrder returns ids by time, the newest first. Those of one millisecond may be found in any order.
func inOrder(list []policy.Record) (ids []string) {
	slices.SortStableFunc(list, func(a, b policy.Record) int {
		return cmp.Or(cmp.Compare(b.Time.UnixMilli(), a.Time.UnixMilli()), cmp.Compare(a.ID, b.ID))
	})
	for _, r := range list {
		ids = append(ids, r.ID)
	}
	return ids
}

// pages reads page after page.
func (w *World) pages(t *testing.T, f history.Filter) []string {
	t.Helper()
	var after history.Cursor
	var all []policy.Record
	for n := 0; ; n++ {
		p, err := w.Find(t.Context(), f, after)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p.Records...)
		if len(p.Records) > f.Size() || n > 100_000 {
			t.Fatalf("%d records on page %d", len(p.Records), n)
		}
		for i := 1; i < len(p.Records); i++ {
			if p.Records[i].Time.UnixMilli() > p.Records[i-1].Time.UnixMilli() {
				t.Fatalf("%+v: %s comes before a newer one", f, p.Records[i-1].ID)
			}
		}
		if p.Next.IsZero() {
			return inOrder(all)
		}
		if after, err = history.ParseCursor(p.Next.String()); err != nil {
			t.Fatal(err)
		}
	}
}

// Compare has mixed filters find what reading all records finds.
func (w *World) Compare(t *testing.T, r *rand.Rand, filters int) {
	t.Helper()
	for range filters {
		f := MixedFilter(r)
		f.Limit = anyOf(r, 7, 100, 1000)
		if r.IntN(20) == 0 {
			f.Limit, f.Patience = 100, time.Nanosecond
		}
		w.filters++
		w.found += min(1, w.Same(t, f))
	}
	if w.filters >= 60 && w.found < w.filters/8 { // of some tens, chance may have few find anything
		t.Errorf("only %d of %d filters found anything", w.found, w.filters)
	}
}

// Same has one filter find what reading all records finds, and returns how many.
func (w *World) Same(t *testing.T, f history.Filter) int {
	t.Helper()
	got, want := w.pages(t, f), w.want(f)
	if !slices.Equal(got, want) {
		t.Fatalf("%+v:\n got %d %.300s\nwant %d %.300s", f, len(got), strings.Join(got, " "), len(want),
			strings.Join(want, " "))
	}
	return len(got)
}

// Steps has at most n steps of indexing.
func (w *World) Steps(t *testing.T, n int) {
	t.Helper()
	for range n {
		more, err := w.Index(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			return
		}
	}
}

// testFind has every filter find what reading all records finds, whatever part of them is in blocks.
func testFind(t *testing.T, p pair) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(1, seed))
	w := &World{Store: p.here}
	var records []policy.Record
	for n := range 450 {
		records = append(records, Mixed(r, n))
	}
	for _, step := range []struct{ upTo, steps, filters int }{{5, 0, 15}, {100, 1, 20}, {300, 3, 20}, {450, 0, 10}} {
		w.Write(t, records[len(w.All):step.upTo]...)
		w.Steps(t, step.steps)
		w.Compare(t, r, step.filters)
	}
	w.Write(t, records[10], records[350], records[449])
	w.Steps(t, 1000)
	w.Compare(t, r, 60)
	w.Store = p.there
	w.Gone = Now.Add(60 * time.Second)
	if _, err := w.Expire(t.Context(), w.Gone); err != nil {
		t.Fatal(err)
	}
	w.Compare(t, r, 20)
}

// testFindWhileIndexed searches while records come and another host puts them into blocks: none is missed, and none
// found twice.
func testFindWhileIndexed(t *testing.T, p pair) {
	w := &World{Store: p.here}
	r := rand.New(rand.NewPCG(1, 2))
	var records []policy.Record
	for n := range 400 {
		records = append(records, Mixed(r, n))
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		for ctx.Err() == nil {
			if _, err := p.there.Index(ctx); err != nil && ctx.Err() == nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for list := range slices.Chunk(records, 40) {
		w.Write(t, list...)
		for _, f := range []history.Filter{{Limit: 30}, {Subject: "4711", Limit: 9}, {Sender: "@example.com", Limit: 50}} {
			w.Same(t, f)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
