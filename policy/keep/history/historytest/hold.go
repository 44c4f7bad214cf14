package historytest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// SumOf returns the hash of a text, as lists have it.
func SumOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return string(sum[:])
}

// part returns a part that has a text.
func part(text string, size int, name string) policy.RecordPart {
	return policy.RecordPart{SHA256: hex.EncodeToString([]byte(SumOf(text))), Size: int64(size), Name: name}
}

// Holds returns a mail of many: with two texts that no other has, with one of 10,000 pictures in one of three, and
// links to some of 20,000 hosts. Of every fiftieth not all is recorded, of every thirtieth nothing.
func Holds(n int, at time.Time) policy.Record {
	r := Natural(n, at)
	rnd := rand.New(rand.NewPCG(8, uint64(n)))
	if n%30 == 29 {
		return r
	}
	c := &policy.RecordContents{Parts: []policy.RecordPart{}, Hosts: []string{}}
	if rnd.IntN(3) == 0 {
		c.Parts = append(c.Parts, part(fmt.Sprint("picture ", rnd.IntN(10_000)), 30_000, "logo.png"))
	}
	for i := range 2 {
		c.Parts = append(c.Parts, part(fmt.Sprint("text ", n, i), rnd.IntN(20_000), ""))
	}
	for range rnd.IntN(5) {
		c.Hosts = append(c.Hosts, fmt.Sprintf("www.site%d.example.net", rnd.IntN(20_000)))
	}
	if n%50 == 17 {
		c.MoreParts, c.MoreHosts = 3, 1
	}
	r.Contents = c
	return r
}

// With plants a file and a link in a record.
func With(r policy.Record, file, host string) policy.Record {
	r.Contents = &policy.RecordContents{Hosts: []string{host}, Parts: []policy.RecordPart{part(file, 7, "invoice.exe")}}
	return r
}

// On returns what reports whether one of some values is asked for.
func On(values ...string) func(string) bool {
	return func(v string) bool { return slices.Contains(values, v) }
}

// testHold compares the answer with every record by itself: in large and small blocks, and in none.
func testHold(t *testing.T, p pair) {
	early := Natural(500, Now.Add(500*time.Minute))
	early.Stage = "rcpt"
	var all []policy.Record
	for n := range 119 {
		r := Holds(n, Now.Add(time.Duration(n)*time.Minute))
		switch n {
		case 3, 50, 110, 118:
			r = With(r, "evil", "evil.example")
		}
		all = append(all, r)
	}
	all = append(all, early)
	for some := range slices.Chunk(all, 7) {
		write(t, p.here, some...)
		index(t, p.there)
	}
	for name, q := range map[string]history.Holding{
		"file":    {Sort: history.Parts, Has: On(SumOf("evil"))},
		"host":    {Sort: history.Hosts, Has: On("evil.example", "www.site7.example.net")},
		"client":  {Sort: history.Clients, Has: On(all[60].Client)},
		"none":    {Sort: history.Parts, Has: On("!", "?", "")},
		"since":   {Sort: history.Parts, Has: On(SumOf("evil")), Since: Now.Add(30 * time.Minute), Before: Now.Add(118 * time.Minute)},
		"cut":     {Sort: history.Hosts, Has: On("evil.example"), Most: 2},
		"nothing": {Sort: history.Hosts, Has: On("evil.example"), Since: Now.Add(1000 * time.Hour)},
	} {
		cut := q.Most > 0
		if !cut {
			q.Most = 100
		}
		want := held(all, q)
		got, err := p.there.Hold(t.Context(), q)
		if err != nil || got.Coverage != want.Coverage || got.More != want.More || (got.More > 0) != cut ||
			!slices.Equal(IDs(got.Records), IDs(want.Records)) {
			t.Errorf("%s: %v %+v and %d more of %+v; want %v and %d more of %+v", name, err,
				IDs(got.Records), got.More, got.Coverage, IDs(want.Records), want.More, want.Coverage)
		}
		if name == "file" && (len(got.Records) != 4 || got.Unrecorded < 3 || got.Partly < 2) {
			t.Errorf("%s: %v %+v", name, IDs(got.Records), got.Coverage)
		}
	}
}

// held returns the answer by asking every record.
func held(all []policy.Record, q history.Holding) (want history.Held) {
	for _, r := range slices.Backward(all) {
		want.Add(q.Covers(r))
		switch {
		case !q.Matches(r):
		case len(want.Records) < q.Most:
			want.Records = append(want.Records, r)
		default:
			want.More++
		}
	}
	return want
}

// IDs lists the ids of records.
func IDs(list []policy.Record) (ids []string) {
	for _, r := range list {
		ids = append(ids, r.ID)
	}
	return ids
}
