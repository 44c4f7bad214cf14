package find

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// block is a block of records with these subjects, a minute apart, and the keys 100, 101, …
func block(subjects ...string) Block {
	var b Builder
	for i, s := range subjects {
		b.Add(int64(100+i), policy.Record{Subject: s, Time: time.UnixMilli(int64(i) * 60_000), Sender: fmt.Sprintf("s%d@example.net", i), Client: "192.0.2.1"})
	}
	return b.Block()
}

// ask returns the keys that a block lets through.
func ask(b Block, f history.Filter) (keys []int64, err error) {
	rows, err := NewQuery(f).Ask(b.Span, history.Cursor{}, func(p Part, use func([]byte) error) error { return use(b.Parts[p]) })
	for _, r := range rows {
		keys = append(keys, r.Key)
	}
	return keys, err
}

// TestPhrases lets through what has all tokens in their order, and little else.
func TestPhrases(t *testing.T) {
	var texts []string
	for range 40 { // more than are let through without being asked
		texts = append(texts, "Invoice 4711 from Berlin", "from 4711 Berlin invoice", "re: INVOICE 47 11", "x1 x1 x1", "日本語の件名", "")
	}
	for pattern, want := range map[string][]int{
		"invoice": {0, 1, 2}, "invoice 4711": {0}, "oice 47": {0, 2}, "4711 b": {1}, "in*berl": {}, "*in*berlin*": {0, 1}, "*4711 from*": {0}, "re:": {2}, ": inv": {2}, "x1 x1": {3}, "x1 x1 x1 x1": {},
		"本語の": {4}, "件": {4}, "none": {}, "invoice 4711 from berlin and more words than are looked up for a phrase": {}, `" OR subject:* --`: {}, "*": {0, 1, 2, 3, 4, 5}, " ": {0, 1, 2, 3, 4, 5},
	} {
		got, err := ask(block(texts...), history.Filter{Subject: pattern})
		var kinds []int
		for _, key := range got {
			if kind := int(key-100) % 6; !slices.Contains(kinds, kind) {
				kinds = append(kinds, kind)
			}
		}
		slices.Sort(kinds)
		exact := pattern == "in*berl" // anchored, which is for the filter to see
		if err != nil || !exact && !slices.Equal(kinds, want) || exact && len(kinds) == 6 {
			t.Errorf("%q: %v, %v; want %v", pattern, kinds, err, want)
		}
	}
}

// TestBounds begins another block where a record does not fit.
func TestBounds(t *testing.T) {
	at := time.UnixMilli(1e12)
	for name, c := range map[string]struct {
		first, second policy.Record
		key           int64
		fits          bool
	}{
		"near": {policy.Record{Time: at}, policy.Record{Time: at.Add(time.Hour)}, 2, true}, "before": {policy.Record{Time: at}, policy.Record{Time: at}, -5, true},
		"far key": {policy.Record{Time: at}, policy.Record{Time: at}, 1 << 25, false}, "no time": {policy.Record{Time: at}, policy.Record{}, 2, false}, "text": {policy.Record{Time: at, Subject: strings.Repeat("x", 9<<20)}, policy.Record{Time: at}, 2, false},
	} {
		var b Builder
		if !b.Add(1, c.first) || b.Add(c.key, c.second) != c.fits {
			t.Errorf("%s: fits: %v", name, !c.fits)
		}
		s := b.Block().Span
		if want := map[bool]int{true: 2, false: 1}[c.fits]; s.Rows != want {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// FuzzBlock changes parts of a block, with and without a sum that is right: what cannot be
// read is said to be damaged, and nothing crashes.
func FuzzBlock(f *testing.F) {
	texts := slices.Repeat([]string{"Invoice 4711", "", "Re: invoice 4712", strings.Repeat("a ", 300)}, 10)
	whole := block(texts...)
	parts := slices.Sorted(maps.Keys(whole.Parts))
	for i := range parts {
		f.Add(byte(i), 3, byte(255), true)
		f.Add(byte(i), 0, byte(1), false)
	}
	filters := []history.Filter{{}, {Subject: "invoice 4711"}, {Subject: "a a"}, {Sender: "s1"}, {Sender: "*"}, {Client: "192.0.2.0/24"}, {Larger: 1}, {MessageID: "x"}, {Action: "deliver"}}
	f.Fuzz(func(t *testing.T, part byte, at int, value byte, right bool) {
		b := block(texts...)
		data := b.Parts[parts[int(part)%len(parts)]]
		if len(data) <= crc32.Size || at < 0 {
			return
		}
		at %= len(data) - crc32.Size
		was := data[at]
		data[at] = value
		if right {
			end := len(data) - crc32.Size
			binary.LittleEndian.PutUint32(data[end:], crc32.Checksum(data[:end], castagnoli))
		}
		for _, filter := range filters {
			keys, err := ask(b, filter)
			if err != nil && !errors.Is(err, ErrDamaged) {
				t.Errorf("%+v: %v", filter, err)
			}
			if !right && was != value && err == nil && len(keys) > len(texts) {
				t.Errorf("%+v: %v", filter, keys)
			}
		}
	})
}
