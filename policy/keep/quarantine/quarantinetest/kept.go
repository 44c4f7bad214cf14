package quarantinetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/scan"
)

// testKept: what was kept on one side is there on the other, at once and as it was.
func testKept(t *testing.T, p pair) {
	begun := time.Now().Add(-time.Minute)
	Keep(t, p.here, Record(1))
	for _, s := range p.both() {
		if got := read(t, s, 1); got != text {
			t.Errorf("kept %q", got)
		}
		e := entry(t, s, 1)
		if e.State != quarantine.Kept || e.Class != "suspicious" || e.Stored <= 0 || len(e.SHA256) != 64 ||
			e.KeptAt.Before(begun) || e.Events != nil {
			t.Errorf("entry %+v", e)
		}
		rows, err := s.Find(t.Context(), quarantine.Filter{})
		if err != nil || len(rows) != 1 {
			t.Fatal(rows, err)
		}
		same(t, "row", rows[0], e.Row())
		if err := s.Check(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// nasty are texts that senders choose, and that databases may not take.
var nasty = []string{
	"\x00", "a\x00b", `\u0000`, `\\u0000\`, "\ue000", "\ue0000", "\ue000\x00", "\xff\xfe", "\u2028\u2029",
	"<script>&\"'", "a%b_c\\", "'; DROP TABLE x; --",
	"\U0001f4a9", "\u212a\u0130\u0131", "\x7f\x1b[31m", "{\"a\":1}", "{a,b}", strings.Repeat("x", 9000),
	strings.Repeat("ü", 100_000), "\r\n", " ",
}

// testHostile: whatever a sender writes, its message is kept, and comes back as JSON would bring it.
func testHostile(t *testing.T, p pair) {
	for n, s := range nasty {
		r := Record(n, s, s+"@example.com", "ben@"+s)
		r.Sender, r.From, r.Subject, r.QueueID, r.MessageID, r.Client, r.Helo, r.User, r.Reply = s, s, s, s, s, s, s, s, s
		r.Findings = append(r.Findings, policy.RecordFinding{Kind: scan.Suspicious, Scanner: s, Rule: s, Detail: s})
		Keep(t, p.here, r)
		var want policy.Record
		written, err := json.Marshal(r)
		if err := errors.Join(err, json.Unmarshal(written, &want)); err != nil {
			t.Fatal(err)
		}
		same(t, "record", entry(t, p.there, n).Record, want)
		if err := p.there.Change(t.Context(), ID(n), func(e *quarantine.Entry) error {
			e.Events = append(e.Events, quarantine.Event{What: "forward", By: s, To: []string{s}, Note: s})
			return nil
		}); err != nil {
			t.Error(err)
		}
		rows, err := p.here.Find(t.Context(), quarantine.Filter{QueueID: want.QueueID})
		if i := slices.IndexFunc(rows, func(r quarantine.Row) bool { return r.ID == ID(n) }); err != nil || i < 0 {
			t.Errorf("%.20q is not found, %v", s, err)
		} else {
			same(t, "row", rows[i], entry(t, p.here, n).Row())
		}
		if _, err := quarantine.Resolve(t.Context(), p.here, s); errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	}
	if rows, err := p.there.Find(t.Context(), quarantine.Filter{}); err != nil || len(rows) != len(nasty) {
		t.Errorf("%d of %d, %v", len(rows), len(nasty), err)
	}
	for n := range nasty {
		if err := p.there.Delete(t.Context(), ID(n), quarantine.Event{What: "delete", By: nasty[n], Note: nasty[n]}); err != nil {
			t.Error(err)
		}
	}
}

// testSizes keeps messages whose sizes are about those of what stores cut them into.
func testSizes(t *testing.T, p pair) {
	noise := make([]byte, 5<<20)
	rand.NewChaCha8([32]byte{1}).Read(noise)
	for n, size := range []int{0, 1, 1<<19 - 1, 1 << 19, 1<<19 + 1, 1<<20 - 1, 1 << 20, 1<<20 + 1, 5 << 20} {
		if err := p.here.Keep(t.Context(), policy.Copy{Record: Record(n), Raw: bytes.NewReader(noise[:size])}); err != nil {
			t.Fatal(size, err)
		}
		if got := read(t, p.there, n); got != string(noise[:size]) {
			t.Errorf("of %d bytes %d came back", size, len(got))
		}
	}
}

// broken is content that cannot be read to its end.
type broken struct{ *bytes.Reader }

func (broken) ReadAt(b []byte, at int64) (int, error) {
	if at < 2<<20 {
		return min(len(b), 1<<10), nil
	}
	return 0, errors.New("the disk says no")
}

func (broken) Size() int64 { return 4 << 20 }

// testFailing: nothing is to be seen of a copy that could not be made.
func testFailing(t *testing.T, p pair) {
	if err := p.here.Keep(t.Context(), policy.Copy{Record: Record(1), Raw: broken{bytes.NewReader(nil)}}); err == nil {
		t.Error("a copy that could not be made was reported safe")
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.here.Keep(over, policy.Copy{Record: Record(2), Raw: strings.NewReader(text)}); err == nil {
		t.Error("a copy was made after its time")
	}
	odd := Record(3)
	odd.ID = "../../etc/passwd"
	if err := p.here.Keep(t.Context(), policy.Copy{Record: odd, Raw: strings.NewReader(text)}); err == nil {
		t.Error("a message was kept under a name that is no id")
	}
	for _, s := range p.both() {
		gone(t, s, ID(1))
		gone(t, s, ID(2))
		if got := found(t, s, quarantine.Filter{}); got != "" {
			t.Error("left:", got)
		}
	}
	Keep(t, p.here, Record(1)) // the MTA tries again
}

// testUnknown asks for messages that are not there, in an empty store and in another.
func testUnknown(t *testing.T, p pair) {
	for _, keeps := range []func(){func() {}, func() { Keep(t, p.there, Record(1)) }} {
		keeps()
		for _, id := range []string{"", ID(9), "../x", "06h0", "06h08cfwgrgb000\x00", "06H08CFWGRGB0001", strings.Repeat("0", 100)} {
			gone(t, p.here, id)
			change := p.here.Change(t.Context(), id, func(*quarantine.Entry) error { t.Error("called"); return nil })
			remove := p.here.Delete(t.Context(), id, quarantine.Event{})
			_, resolve := quarantine.Resolve(t.Context(), p.here, id)
			for _, err := range []error{change, remove, resolve} {
				if !errors.Is(err, quarantine.ErrUnknown) {
					t.Errorf("%q: %v, %v, %v", id, change, remove, resolve)
				}
			}
		}
	}
}

// testDeleted: a message goes whole, and once; a reader of it gets all of it, or an error.
func testDeleted(t *testing.T, p pair) {
	big := bytes.Repeat([]byte("0123456789abcdef"), 200_000)
	if err := p.here.Keep(t.Context(), policy.Copy{Record: Record(1), Raw: bytes.NewReader(big)}); err != nil {
		t.Fatal(err)
	}
	Keep(t, p.here, Record(2))
	r, err := p.there.Open(t.Context(), ID(1))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	first := make([]byte, 10)
	if _, err := io.ReadFull(r, first); err != nil {
		t.Fatal(err)
	}
	if err := p.here.Delete(t.Context(), ID(1), quarantine.Event{What: "delete", By: "test"}); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(r); err == nil && len(rest)+len(first) != len(big) {
		t.Errorf("a message that was deleted meanwhile ends after %d of %d bytes as if that were all", len(rest)+len(first), len(big))
	}
	for _, s := range p.both() {
		gone(t, s, ID(1))
		if err := s.Delete(t.Context(), ID(1), quarantine.Event{}); !errors.Is(err, quarantine.ErrUnknown) {
			t.Error(err)
		}
		if got := found(t, s, quarantine.Filter{}); got != "2" {
			t.Error(got)
		}
	}
}
