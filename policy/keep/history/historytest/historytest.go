// Package historytest has what every history promises, as a test.
package historytest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/find"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/scan"
)

// Opener returns two handles of one empty history, as two processes or two hosts have them, whose blocks have some
// sizes. It has cleanup close them.
type Opener func(t *testing.T, z find.Sizes) (here, there history.Store)

// Run tests a history.
func Run(t *testing.T, open Opener) {
	for _, c := range []struct {
		name string
		z    find.Sizes
		test func(*testing.T, pair)
	}{
		{"Kept", find.Usual, testKept}, {"Hostile", find.Usual, testHostile}, {"Beginning", find.Usual, testBeginning},
		{"Counts", find.Usual, testCounts}, {"Hours", find.Usual, testHours}, {"Empty", find.Usual, testEmpty},
		{"Twice", find.Usual, testTwice}, {"AtOnce", tiers(8, 16, 64), testAtOnce},
		{"Expire", tiers(2, 4, 16), testExpire}, {"Find", tiers(8, 32, 128), testFind},
		{"FindByWords", find.Sizes{Small: 8, Large: 32, Huge: 128, Long: 1 << 20, Piece: 200}, testFind},
		{"FindWhileIndexed", tiers(4, 8, 32), testFindWhileIndexed},
		{"Hold", tiers(4, 8, 32), testHold},
	} {
		t.Run(c.name, func(t *testing.T) {
			here, there := open(t, c.z)
			c.test(t, pair{here, there})
		})
	}
}

// tiers are sizes with huge blocks that have many pieces, and grams of all that can have them.
func tiers(small, large, huge int) find.Sizes {
	return find.Sizes{Small: small, Large: large, Huge: huge, Piece: 512}
}

// pair is one history, seen from two sides.
type pair struct{ here, there history.Store }

// Now is when the first record of tests was received.
var Now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// Record returns the n-th record, of the n-th minute.
func Record(n int) policy.Record {
	action := []string{"deliver", "reject"}[n%2]
	return policy.Record{
		Version: policy.RecordVersion, ID: fmt.Sprintf("id%d", n),
		Time: Now.Add(time.Duration(n) * time.Minute), Stage: "message",
		QueueID: fmt.Sprintf("Q%d", n), MessageID: fmt.Sprintf("m%d@example.net", n),
		Sender:     fmt.Sprintf("s%d@Example.net", n),
		Recipients: To(action, "a@example.com", "b@example.com", "c@example.org"), Action: action, Size: 100,
		Scanners: []policy.ScannerTime{{Scanner: "virus/clam", Took: 1, Found: n % 2}},
		Findings: []policy.RecordFinding{{Kind: scan.Note, Rule: "mime/x"}, {Kind: scan.Note, Rule: "mime/x"}},
		Verdicts: []policy.RecordVerdict{{Recipients: []string{"a@example.com", "b@example.com"}, Action: action,
			Rule: &policy.RecordRule{Name: "r"}, Applied: []string{"r", "also"}, Watched: []string{"w"}}},
	}
}

// To returns recipients with the same action.
func To(action string, addresses ...string) (list []policy.RecordRecipient) {
	for _, a := range addresses {
		list = append(list, policy.RecordRecipient{Recipient: a, Action: action})
	}
	return list
}

func write(t testing.TB, s history.Store, records ...policy.Record) {
	t.Helper()
	if err := s.Append(t.Context(), records); err != nil {
		t.Fatal(err)
	}
}

// found returns how many records a filter finds.
func found(t testing.TB, s history.Store, f history.Filter) int {
	t.Helper()
	list, err := history.List(t.Context(), s.Find, f)
	if err != nil {
		t.Error(err)
	}
	return len(list)
}

// index puts all into blocks that can be.
func index(t testing.TB, s history.Store) {
	t.Helper()
	for more := true; more; {
		var err error
		if more, err = s.Index(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func testKept(t *testing.T, p pair) {
	for n := range 10 {
		write(t, []history.Store{p.here, p.there}[n%2], Record(n))
	}
	for _, s := range []history.Store{p.here, p.there} {
		for _, key := range []string{"id3", "Q3", "m3@example.net", "<m3@example.net>", " <m3@example.net>\n"} {
			got, err := s.Lookup(t.Context(), key)
			if err != nil || len(got) != 1 || got[0].ID != "id3" || got[0].Findings[1].Rule != "mime/x" ||
				!got[0].Time.Equal(Record(3).Time) {
				t.Errorf("%q: %+v, %v", key, got, err)
			}
		}
		for _, key := range []string{"", "<>", "id33", "' OR 1=1 --"} {
			if got, err := s.Lookup(t.Context(), key); err != nil || len(got) != 0 {
				t.Errorf("%q: %+v, %v", key, got, err)
			}
		}
		for want, f := range map[int]history.Filter{
			10: {}, 3: {Limit: 3}, 5: {Action: "reject"}, 1: {Sender: "S3@*"},
			9: {Recipient: "c@example.org", Since: Record(1).Time}, 2: {Before: Record(2).Time}, 0: {Recipient: "*@example.net"},
		} {
			if got := found(t, s, f); got != want {
				t.Errorf("%+v: %d, want %d", f, got, want)
			}
		}
		if err := s.Check(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// testHostile keeps what senders may write: NUL, bytes that are no text, and much of it.
func testHostile(t *testing.T, p pair) {
	long := strings.Repeat("long", 5000)
	for n, text := range []string{"a\x00b", "\xff\xfe", `\u0000`, "\u202e\U0001f600", "'; DROP TABLE history; --", long,
		"{\"a\":\"\\\"}", "%_*?"} {
		r := Record(n)
		r.Sender, r.MessageID, r.Subject, r.QueueID = "x@"+text, text+"@example.net", text, text
		r.Recipients = To("deliver", text+"@example.com", "b@"+text)
		r.Findings = []policy.RecordFinding{{Rule: "virus/" + text}}
		write(t, p.here, r)
		want := strings.ToValidUTF8(text, "\ufffd\ufffd")
		got, err := p.there.Lookup(t.Context(), r.ID)
		if err != nil || len(got) != 1 || got[0].Subject != want {
			t.Errorf("%.50q came back as %+v, %v", text, got, err)
		}
		if got, err := p.there.Lookup(t.Context(), "<"+r.MessageID+">"); text == strings.ToValidUTF8(text, "") &&
			(err != nil || len(got) != 1) {
			t.Errorf("%.50q: %d by its Message-ID, %v", text, len(got), err)
		}
	}
	if got := found(t, p.there, history.Filter{}); got != 8 {
		t.Errorf("%d records", got)
	}
	for _, what := range []string{history.BySender, history.ByFinding} {
		all, err := p.there.Counts(t.Context(), Now)
		n := int64(0)
		for _, c := range all {
			if c.What == what {
				n += c.N
			}
		}
		if err != nil || n != 8 {
			t.Errorf("%d counts of %s, %v", n, what, err)
		}
	}
}

// testBeginning finds records by the first letters of their id.
func testBeginning(t *testing.T, p pair) {
	for n, id := range []string{"06h08cfwgrgbyv96", "06h08cfwgrgbzz00", "06h09cfwgrgbyv96"} {
		r := Record(n)
		r.ID = id
		write(t, p.here, r)
	}
	for key, want := range map[string]int{"06h08cfwgrgbyv96": 1, "06h08cfwgrgby": 1, "06h08c": 2, "06h09c": 1,
		"06h08": 0, "06h0": 0, "06h08cfwgrgbx": 0, "06h08c%": 0} {
		if got, err := p.there.Lookup(t.Context(), key); err != nil || len(got) != want {
			t.Errorf("%q: %d records, %v; want %d", key, len(got), err, want)
		}
	}
}

// counts returns all counts since a time.
func counts(t testing.TB, s history.Store, since time.Time) map[string]int64 {
	t.Helper()
	list, err := s.Counts(t.Context(), since)
	if err != nil {
		t.Error(err)
	}
	got := map[string]int64{}
	for _, c := range list {
		got[c.What+" "+c.Value] = c.N
	}
	return got
}

func testCounts(t *testing.T, p pair) {
	for n := range 4 {
		write(t, []history.Store{p.here, p.there}[n%2], Record(n))
	}
	want := map[string]int64{
		"action deliver": 2, "action reject": 2, "rule r": 8, "rule also": 8, "watched w": 8,
		"verdict deliver": 4, "verdict reject": 4,
		"sender_domain example.net": 4, "recipient_domain example.com": 4, "recipient_domain example.org": 4,
		"finding mime/x": 4, "engine virus/clam": 4, "engine_found virus/clam": 2, "bytes ": 400,
	}
	for _, s := range []history.Store{p.here, p.there} {
		if got := counts(t, s, Now); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%v\nwant %v", got, want)
		}
		if later := counts(t, s, Now.Add(time.Hour)); len(later) != 0 {
			t.Errorf("%v", later)
		}
	}
	list, err := p.here.Counts(t.Context(), Now)
	for i := range list[1:] {
		if list[i].N < list[i+1].N {
			t.Errorf("%+v comes before %+v", list[i], list[i+1])
		}
	}
	if err != nil {
		t.Error(err)
	}
}

// testHours counts by hour, from the hour of a time on. A clock that was wrong once does no harm.
func testHours(t *testing.T, p pair) {
	at := time.Date(2026, 11, 29, 10, 59, 0, 0, time.UTC)
	for n, action := range []string{"deliver", "reject", "deliver", "deliver"} {
		r := Record(n)
		r.Time, r.Action = at.Add(time.Duration(n)*time.Minute), action
		write(t, p.here, r)
	}
	write(t, p.there, policy.Record{ID: "old", Time: at.AddDate(-3, 0, 0), Action: "reject"},
		policy.Record{ID: "wrong", Time: at.AddDate(90, 0, 0), Action: "reject"},
		policy.Record{ID: "no time", Action: "reject"})
	list, err := p.there.Hours(t.Context(), history.ByAction, at)
	want := map[string]int64{"10 deliver": 1, "11 reject": 1, "11 deliver": 2}
	for _, one := range list {
		if key := one.Begin.UTC().Format("15 ") + one.Value; one.Begin.Year() < 2100 && want[key] != one.N {
			t.Errorf("%s: %d", key, one.N)
		} else if one.Begin.Year() < 2100 {
			delete(want, key)
		}
	}
	if err != nil || len(want) > 0 {
		t.Errorf("%v %v; not found: %v", list, err, want)
	}
}

// testEmpty: a history that is empty has nothing, and that is no error.
func testEmpty(t *testing.T, p pair) {
	if got := found(t, p.here, history.Filter{Sender: "a@example.com"}); got != 0 {
		t.Error(got)
	}
	held, err := p.here.Hold(t.Context(), history.Holding{Sort: history.Parts,
		Has: func(string) bool { return true }, Most: 1})
	if err != nil || len(held.Records) > 0 || held.Asked > 0 {
		t.Errorf("%+v, %v", held, err)
	}
	if list, err := p.here.Hours(t.Context(), history.ByAction, Now); err != nil || len(list) != 0 {
		t.Errorf("%v %v", list, err)
	}
	if n, err := p.here.Expire(t.Context(), Now); err != nil || n != 0 {
		t.Errorf("%d, %v", n, err)
	}
	index(t, p.here)
	write(t, p.here)
}

// testTwice writes records again: each is there once.
func testTwice(t *testing.T, p pair) {
	write(t, p.here, Record(1), Record(2), Record(3))
	write(t, p.there, Record(2), Record(3), Record(4))
	write(t, p.there, Record(3), Record(3))
	if got := found(t, p.here, history.Filter{}); got != 4 {
		t.Errorf("%d records", got)
	}
	if got, err := p.here.Lookup(t.Context(), "Q3"); err != nil || len(got) != 1 {
		t.Errorf("%d records, %v", len(got), err)
	}
}

// testAtOnce: two hosts that write at once get on with each other.
func testAtOnce(t *testing.T, p pair) {
	const each = 50
	var wg sync.WaitGroup
	for i, s := range []history.Store{p.here, p.there} {
		wg.Go(func() {
			for n := range each {
				if err := s.Append(t.Context(), []policy.Record{Record(2*n + i)}); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range each / 4 {
				if _, err := s.Index(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	index(t, p.here)
	for _, f := range []history.Filter{{}, {Recipient: "c@example.org"}} {
		if got := found(t, p.here, f); got != 2*each {
			t.Errorf("%+v: %d", f, got)
		}
	}
	if n := counts(t, p.here, Now)["bytes "]; n != 2*each*100 {
		t.Errorf("%d bytes are counted", n)
	}
}

// testExpire has records expire: those that are too old are not found any more in any way, and all others are still
// there. The old ones may be deleted later.
func testExpire(t *testing.T, p pair) {
	const each = 7 // hours between records
	for n := range 40 {
		write(t, p.here, Record(n*each*60))
		if n%8 == 7 {
			index(t, p.here)
		}
	}
	removed := 0
	for left := 39; left > 0; left -= 9 {
		first := 40 - left
		before := Record(first * each * 60).Time
		n, err := []history.Store{p.here, p.there}[left%2].Expire(t.Context(), before)
		if removed += n; err != nil || removed > first {
			t.Errorf("%d went, %v", removed, err)
		}
		for _, f := range []history.Filter{{}, {Recipient: "c@example.org"}, {Before: before.AddDate(1, 0, 0)}} {
			if got := found(t, p.there, f); got != left {
				t.Errorf("%+v: %d are left, want %d", f, got, left)
			}
		}
		if got := found(t, p.there, history.Filter{Before: before}); got != 0 {
			t.Errorf("%d are found that are too old", got)
		}
		for n, want := range map[int]int{first: 1, first - 1: 0, 0: 0} {
			if got, err := p.there.Lookup(t.Context(), fmt.Sprintf("Q%d", n*each*60)); err != nil || len(got) != want {
				t.Errorf("%d: %d, %v", n, len(got), err)
			}
		}
		held, err := p.there.Hold(t.Context(), history.Holding{Sort: history.Clients,
			Has: func(string) bool { return true }, Most: 100})
		if err != nil || held.Asked != left {
			t.Errorf("%d are asked, want %d, %v", held.Asked, left, err)
		}
		if n := counts(t, p.here, time.Time{})["action deliver"]; n != int64(left) {
			t.Errorf("%d are counted, want %d", n, left)
		}
	}
	last := Record(39 * each * 60).Time
	n, err := p.there.Expire(t.Context(), last.Add(25*time.Hour))
	if removed += n; err != nil || removed != 40 || found(t, p.here, history.Filter{}) != 0 {
		t.Errorf("%d of 40 are deleted, %v", removed, err)
	}
	write(t, p.here, Record(50*each*60))
	if got := found(t, p.there, history.Filter{}); got != 1 {
		t.Errorf("%d records", got)
	}
}
