package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// anyOf returns one of some values.
func anyOf[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// mixed is a record of values that many records share, or few, or that are made to be taken
// for something else.
func mixed(r *rand.Rand, n int) policy.Record {
	domain := anyOf(r, "example.com", "Example.COM", "mail.example.com", "example.net", "xn--bcher-kva.example", "example.net.")
	action := anyOf(r, "deliver", "deliver", "deliver", "reject", "quarantine")
	out := policy.Record{
		Version: policy.RecordVersion, ID: fmt.Sprintf("id%06d", n), Time: now.Add(time.Duration(n/3)*time.Second + time.Duration(r.IntN(40))*time.Second + time.Duration(r.IntN(1e9))),
		QueueID: fmt.Sprintf("Q%d", r.IntN(200)), MessageID: anyOf(r, "", "same@example.net", fmt.Sprintf("m%d@example.net", r.IntN(100))),
		Client: anyOf(r, "192.0.2.1", "192.0.2.10", "198.51.100.7", "2001:db8::1", "2001:0DB8::1", "::ffff:192.0.2.1", ""), ClientName: anyOf(r, "mx.example.net", "Mail.example.org", ""),
		From:   anyOf(r, "", "", `"Boss b@c.example" <Boss@`+domain+">", "alice@"+domain),
		Sender: anyOf(r, "", "<>", "alice@"+domain, "Bob.B@"+domain, fmt.Sprintf("u%d@%s", r.IntN(50), domain), `"a@b"@`+domain, "no-domain", "Ärger@"+domain),
		User:   anyOf(r, "", "", "joe", "ann@example.com"), Action: action, Size: int64(r.IntN(5)) * 1000,
		Subject:  anyOf(r, "", "Rechnung 4711", "rechnung4711", "Re: Rechnung  4711!", "ÄRGER\u202e mit \x1b[31m Gruß", "a-b_c", "日本語の件名", `" OR subject:* NEAR(a b) --`, "%_*?", strings.Repeat("x1 ", 3000), "\U0001f600 sale\U0001f600", "\xff\xfe broken", "Invoice\t4711\n"),
		Scanners: []policy.ScannerTime{{Scanner: "virus/clamd", Found: r.IntN(2)}, {Scanner: "content", Error: anyOf(r, "", "", "timeout")}},
		Watched:  anyOf(r, nil, []string{"watcher"}),
	}
	for range r.IntN(3) {
		out.Recipients = append(out.Recipients, policy.RecordRecipient{Recipient: fmt.Sprintf("r%d@%s", r.IntN(20), anyOf(r, "example.com", "example.org")), Action: anyOf(r, action, "deliver"), Rule: anyOf(r, "", "own")})
	}
	if action != "deliver" {
		out.Findings = []policy.RecordFinding{{Rule: anyOf(r, "virus/clamd", "attachment/name")}}
		out.Verdicts = []policy.RecordVerdict{{Rule: &policy.RecordRule{Name: anyOf(r, "default/virus", "Default/Program")}, Applied: []string{"added"}}}
	}
	return out
}

// mixedFilter is a filter of patterns for some fields, some of which nothing is like.
func mixedFilter(r *rand.Rand) (f history.Filter) {
	addresses := []string{"@example.com", ".example.com", "alice@example.com", "ALICE", "*b@*", "<>", "example", "nobody@nowhere.example", "u1?@example.net", "a@b", "<alice@example.com>", " alice ", "*", "ärger@", "alice@.example.com", "postmaster@*", "r1@example.org", "@example.org", "no-domain"}
	set := map[int]func(){
		0: func() { f.Sender = anyOf(r, addresses...) }, 1: func() { f.Recipient = anyOf(r, addresses...) }, 2: func() { f.User = anyOf(r, "joe", "@example.com", "nobody", "*") },
		3: func() {
			f.Client = anyOf(r, "192.0.2.1", "192.0.2.0/24", "192.0.0.0/9", "2001:db8::/32", "2001:db8::1", "example", "*.ORG", "::ffff", "192.0.2.1/32", "203.0.113.0/24")
		},
		4: func() {
			f.Subject = anyOf(r, "rechnung", "Rechnung 4711", "nung 47", "4711!", "*4711", "rech*11", "?echnung*", "ärger", "gruß", "件名", `" OR`, "NEAR(", "--", "%_", "x1 x1", " ", "\x1b[31m", "\u202e", "😀", "sale😀", "\xff", "nothing such", "e\t4", strings.Repeat("x1 ", 3400))
		},
		5: func() { f.Reason = anyOf(r, "virus", "virus/*", "default/*", "PROGRAM", "none") }, 6: func() { f.Rule = anyOf(r, "watcher", "own", "added", "default/virus", "none") }, 7: func() { f.Finding = anyOf(r, "attachment/*", "virus/clamd", "none") },
		8: func() { f.Engine, f.Did = anyOf(r, "", "virus", "content", "none"), anyOf(r, "", "found", "failed") }, 9: func() { f.QueueID = fmt.Sprintf("Q%d", r.IntN(250)) },
		10: func() { f.MessageID = anyOf(r, "same@example.net", "<m7@example.net>", " <none@example.net>") }, 11: func() { f.Action = anyOf(r, "deliver", "reject", "quarantine", "hold") },
		12: func() { f.Larger = anyOf[int64](r, 1, 2000, 9000) }, 13: func() { f.Smaller = anyOf[int64](r, 1, 2000, 9000) },
		14: func() { f.Since = now.Add(time.Duration(r.IntN(400)) * 777 * time.Millisecond) }, 15: func() { f.Before = now.Add(time.Duration(r.IntN(400)) * 777 * time.Millisecond) },
		16: func() {
			f.Domains = anyOf(r, []string{}, []string{"example.com"}, []string{"example.org", "none.example"}, []string{".example.com"}, []string{".com", "example.net"})
		},
	}
	for range r.IntN(4) {
		set[r.IntN(len(set))]()
	}
	return f
}

// world is a history, and the same records in a list.
type world struct {
	*History
	all  []policy.Record // in the order in which they were written
	keys map[string]int  // by id
	gone time.Time       // what is older was expired
}

func (w *world) write(t *testing.T, records ...policy.Record) {
	t.Helper()
	for list := range slices.Chunk(records, 50) {
		if err := w.Append(t.Context(), list); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range records {
		w.all = slices.DeleteFunc(w.all, func(was policy.Record) bool { return was.ID == r.ID })
		w.all = append(w.all, r)
		w.keys[r.ID] = len(w.keys) + 1
	}
}

// want is what the filter finds, by reading everything.
func (w *world) want(f history.Filter) (ids []string) {
	found := slices.DeleteFunc(slices.Clone(w.all), func(r policy.Record) bool { return !f.Matches(r) || r.Time.UnixMilli() < w.gone.UnixMilli() })
	order := map[string]int{}
	for i, r := range w.all {
		order[r.ID] = i
	}
	slices.SortFunc(found, func(a, b policy.Record) int {
		return cmp.Or(cmp.Compare(b.Time.UnixMilli(), a.Time.UnixMilli()), cmp.Compare(order[b.ID], order[a.ID]))
	})
	for _, r := range found {
		ids = append(ids, r.ID)
	}
	return ids
}

// pages reads page after page.
func (w *world) pages(t *testing.T, f history.Filter) (ids []string) {
	t.Helper()
	var after history.Cursor
	for n := 0; ; n++ {
		p, err := w.Find(t.Context(), f, after)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Records {
			ids = append(ids, r.ID)
		}
		if len(p.Records) > f.Size() || n > 100_000 {
			t.Fatalf("%d records on page %d", len(p.Records), n)
		}
		if p.Next.IsZero() {
			return ids
		}
		if after, err = history.ParseCursor(p.Next.String()); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) compare(t *testing.T, r *rand.Rand, filters int) {
	t.Helper()
	found := 0
	for range filters {
		f := mixedFilter(r)
		f.Limit = anyOf(r, 7, 100, 1000)
		if r.IntN(20) == 0 {
			f.Limit, f.Patience = 100, time.Nanosecond
		}
		got, want := w.pages(t, f), w.want(f)
		if !slices.Equal(got, want) {
			t.Fatalf("%+v:\n got %d %.300s\nwant %d %.300s", f, len(got), strings.Join(got, " "), len(want), strings.Join(want, " "))
		}
		found += min(1, len(got))
	}
	if found < filters/4 {
		t.Errorf("only %d of %d filters found anything", found, filters)
	}
}

// index makes steps until there is nothing more to do, at most n.
func (w *world) index(t *testing.T, n int) {
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

// TestFindAgreesWithReading has every filter find what reading all records finds, whatever
// part of them is in blocks.
func TestFindAgreesWithReading(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(1, seed))
	w := &world{History: newHistory(t), keys: map[string]int{}}
	w.sizes = sizes{16, 128}
	var records []policy.Record
	for n := range 450 {
		records = append(records, mixed(r, n))
	}
	w.first(t, records[:200])
	w.compare(t, r, 15)
	w.write(t, records[200:205]...)
	w.compare(t, r, 15)
	w.index(t, 1)
	w.write(t, records[205:300]...)
	w.compare(t, r, 20)
	w.index(t, 3)
	w.compare(t, r, 20)
	w.write(t, records[300:]...)
	w.write(t, records[10], records[350], records[449])
	w.index(t, 1000)
	w.compare(t, r, 60)
	w.gone = now.Add(60 * time.Second)
	if _, err := w.Expire(t.Context(), w.gone); err != nil {
		t.Fatal(err)
	}
	w.compare(t, r, 20)
	w.tidy(t)
}

// first makes a history of the first version.
func (w *world) first(t *testing.T, records []policy.Record) {
	t.Helper()
	old := &History{file: newFile(w.path, creating(historySchema), nil)}
	err := old.use(t.Context(), func(db *sql.DB) error {
		for _, r := range records {
			text := policy.JSON(r)
			if _, err := db.Exec(`INSERT OR REPLACE INTO message (id, time, queue, mid, action, sender, recipients, record) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
				r.ID, r.Time.UnixMilli(), hashed(r.QueueID), hashed(r.MessageID), actions(r), r.Sender, "", string(text)); err != nil {
				return err
			}
			w.all, w.keys[r.ID] = append(w.all, r), len(w.keys)+1
		}
		return nil
	})
	if err := errors.Join(err, old.file.Close()); err != nil {
		t.Fatal(err)
	}
}

// tidy has no block left that is of no use, no part without a block, and all old records in
// blocks.
func (w *world) tidy(t *testing.T) {
	t.Helper()
	err := w.look(t.Context(), func(tx *sql.Tx) error {
		var old, orphans, small int
		err := tx.QueryRow(`SELECT (SELECT count(*) FROM block WHERE newest < ?), (SELECT count(*) FROM part WHERE block NOT IN (SELECT first FROM block)),
			(SELECT count(*) FROM block WHERE merged = 0)`, w.gone.UnixMilli()).Scan(&old, &orphans, &small)
		e, extentErr := extentOf(t.Context(), tx)
		if old+orphans > 0 || small >= 8 || e.low != 0 || e.next-e.high >= 16 {
			t.Errorf("%d old blocks, %d parts without a block, %d small blocks, %+v", old, orphans, small, e)
		}
		return errors.Join(err, extentErr)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestFindWhileIndexed searches while records come and are put into blocks: none is missed
// and none found twice.
func TestFindWhileIndexed(t *testing.T) {
	w := &world{History: newHistory(t), keys: map[string]int{}}
	w.sizes = sizes{8, 32}
	r := rand.New(rand.NewPCG(1, 2))
	var records []policy.Record
	for n := range 400 {
		records = append(records, mixed(r, n))
	}
	w.first(t, records[:200])
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	other := NewHistory(w.path, func(err error) { t.Error(err) })
	other.sizes = w.sizes
	defer other.Close()
	go func() {
		for ctx.Err() == nil {
			if _, err := other.Index(ctx); err != nil && ctx.Err() == nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for list := range slices.Chunk(records[200:], 20) {
		w.write(t, list...)
		for _, f := range []history.Filter{{Limit: 30}, {Subject: "4711", Limit: 9}, {Sender: "@example.com", Limit: 50}} {
			if got, want := w.pages(t, f), w.want(f); !slices.Equal(got, want) {
				t.Fatalf("%+v: %d, want %d", f, len(got), len(want))
			}
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestDamagedBlock has the records of a block read that cannot be.
func TestDamagedBlock(t *testing.T) {
	w := &world{History: newHistory(t), keys: map[string]int{}}
	w.sizes = sizes{16, 128}
	r := rand.New(rand.NewPCG(3, 4))
	for n := range 64 {
		w.write(t, mixed(r, n))
	}
	w.index(t, 100)
	for _, damage := range []string{`UPDATE part SET data = substr(data, 1, length(data) / 2) WHERE part % 3 = 0`, `UPDATE part SET data = x'ffffffff00' WHERE part % 3 = 1`, `DELETE FROM part WHERE part % 3 = 2`} {
		if err := w.use(t.Context(), func(db *sql.DB) error { _, err := db.Exec(damage); return err }); err != nil {
			t.Fatal(err)
		}
		for range 60 {
			f := mixedFilter(r)
			if got, want := w.pages(t, f), w.want(f); !slices.Equal(got, want) {
				t.Fatalf("%+v: %d, want %d", f, len(got), len(want))
			}
		}
	}
}

// TestOtherVersions has a daemon of the first version fail with the reason, and this one on a
// history of a later version.
func TestOtherVersions(t *testing.T) {
	h := newHistory(t)
	if err := h.Append(t.Context(), []policy.Record{record(1)}); err != nil {
		t.Fatal(err)
	}
	h.Close()
	old := newFile(h.path, creating(historySchema), nil)
	defer old.Close()
	err := old.use(t.Context(), func(db *sql.DB) error {
		_, err := db.Exec(`INSERT OR REPLACE INTO message (id, time, action, sender, recipients, record) VALUES ('x', 1, '', '', '', '{}')`)
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "newer milterscan") || !strings.Contains(err.Error(), "update this one") {
		t.Errorf("the first version writes: %v", err)
	}
	if err := old.use(t.Context(), func(db *sql.DB) error { _, err := db.Exec(`PRAGMA user_version = 99`); return err }); err != nil {
		t.Fatal(err)
	}
	later := NewHistory(h.path, func(err error) { t.Error(err) })
	defer later.Close()
	_, findErr := later.Find(t.Context(), history.Filter{}, history.Cursor{})
	_, expireErr := later.Expire(t.Context(), now)
	for _, err := range []error{later.Append(t.Context(), []policy.Record{record(2)}), findErr, expireErr} {
		if !errors.Is(err, ErrNewer) {
			t.Errorf("a later version: %v", err)
		}
	}
	if aside, _ := filepath.Glob(h.path + ".damaged-*"); len(aside) > 0 {
		t.Errorf("set aside: %v", aside)
	}
}

// TestReadingDoesNotUpgrade leaves a history as it is that a daemon of the first version may
// be at work on.
func TestReadingDoesNotUpgrade(t *testing.T) {
	w := &world{History: newHistory(t), keys: map[string]int{}}
	r := rand.New(rand.NewPCG(5, 6))
	w.first(t, []policy.Record{mixed(r, 1), mixed(r, 2)})
	p, err := w.Find(t.Context(), history.Filter{}, history.Cursor{})
	if err != nil || len(p.Records) != 2 || p.Unindexed != 2 {
		t.Errorf("%d records, %d in no block, %v", len(p.Records), p.Unindexed, err)
	}
	if more, err := w.Index(t.Context()); more || err != nil {
		t.Errorf("indexed: %v, %v", more, err)
	}
	err = w.look(t.Context(), func(tx *sql.Tx) error {
		version, err := versionOf(t.Context(), tx)
		if version != 0 {
			t.Errorf("upgraded to %d", version)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
