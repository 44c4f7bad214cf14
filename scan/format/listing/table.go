package listing

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan/format/markup"
)

// Table is a list that was read. It never changes; any number of goroutines may ask it.
type Table struct {
	Kind Kind
	keys []key // in order
	four []span4
	six  []span6
	sums uint64 // the lengths of hashes that there are, a bit for each
}

// span4 and span6 are addresses from one to another, in order, and never overlapping.
type (
	span4 struct{ first, last uint32 }
	span6 struct{ first, last [16]byte }
)

// builder is a table that is being read.
type builder struct{ Table }

// done puts a table in order.
func (b *builder) done() *Table {
	slices.SortFunc(b.keys, func(x, y key) int { return bytes.Compare(x[:], y[:]) })
	b.keys = slices.Clip(slices.Compact(b.keys))
	b.four = joined(b.four, span4.before, func(s span4, t span4) (span4, bool) {
		return span4{s.first, max(s.last, t.last)}, t.first <= s.last || t.first == s.last+1
	})
	b.six = joined(b.six, span6.before, func(s, t span6) (span6, bool) {
		if bytes.Compare(t.last[:], s.last[:]) < 0 {
			t.last = s.last
		}
		return span6{s.first, t.last}, bytes.Compare(t.first[:], s.last[:]) <= 0
	})
	return &b.Table
}

func (s span4) before(t span4) int { return cmp.Compare(s.first, t.first) }
func (s span6) before(t span6) int { return bytes.Compare(s.first[:], t.first[:]) }

// joined puts spans in order and makes one of those that overlap.
func joined[S any](list []S, before func(S, S) int, join func(S, S) (S, bool)) []S {
	slices.SortFunc(list, before)
	out := list[:0]
	for _, s := range list {
		if n := len(out); n > 0 {
			if one, ok := join(out[n-1], s); ok {
				out[n-1] = one
				continue
			}
		}
		out = append(out, s)
	}
	return slices.Clip(out)
}

// Len returns how many entries there are. Networks that touch are one.
func (t *Table) Len() int { return len(t.keys) + len(t.four) + len(t.six) }

// Bytes returns how much memory the entries take.
func (t *Table) Bytes() int { return 16*len(t.keys) + 8*len(t.four) + 32*len(t.six) }

// has reports whether a form of an entry is listed.
func (t *Table) has(form string) bool {
	k := keyOf(form)
	_, ok := slices.BinarySearchFunc(t.keys, k, func(x, y key) int { return bytes.Compare(x[:], y[:]) })
	return ok
}

// mostLabels is how many domains a host is looked for in; more labels no name has that is in use.
const mostLabels = 32

// Host returns the entry that lists a host, the host itself or a domain above it.
func (t *Table) Host(h string) (entry string, ok bool) {
	if t.Kind != Hosts || h == "" {
		return "", false
	}
	for range mostLabels {
		if t.has(h) {
			return h, true
		}
		_, above, more := strings.Cut(h, ".")
		if !more || isAddress(h) {
			return "", false
		}
		h = above
	}
	return "", false
}

// URL returns the entry that lists a link: its page, with what follows the "?" or without.
func (t *Table) URL(u markup.URL) (entry string, ok bool) {
	form, ok := page(u)
	if t.Kind != URLs || !ok {
		return "", false
	}
	if t.has(form) {
		return form, true
	}
	if form, _, ok = strings.Cut(form, "?"); ok && t.has(form) {
		return form, true
	}
	return "", false
}

// Sum reports whether a hash is listed: the bytes of an MD5, SHA-1 or SHA-256.
func (t *Table) Sum(sum []byte) bool { return t.Kind == Hashes && t.has(string(sum)) }

// HasSums reports whether any hash of a length in bytes is listed.
func (t *Table) HasSums(length int) bool { return t.sums>>length&1 != 0 }

// Addr reports whether an address is in one of the networks.
func (t *Table) Addr(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsValid() {
		return false
	}
	if a.Is4() {
		n := number(a)
		i, ok := slices.BinarySearchFunc(t.four, n, func(s span4, n uint32) int { return cmp.Compare(s.first, n) })
		return ok || i > 0 && n <= t.four[i-1].last
	}
	n := a.As16()
	i, ok := slices.BinarySearchFunc(t.six, n, func(s span6, n [16]byte) int { return bytes.Compare(s.first[:], n[:]) })
	return ok || i > 0 && bytes.Compare(n[:], t.six[i-1].last[:]) <= 0
}

// Has reports whether a text is listed: a host, a URL, a hash in hexadecimal or an address.
func (t *Table) Has(text string) bool {
	switch t.Kind {
	case Networks:
		a, err := netip.ParseAddr(text)
		return err == nil && t.Addr(a)
	case URLs:
		_, ok := t.URL(markup.ParseURL(text))
		return ok
	}
	form, ok := t.form(text)
	if t.Kind == Hosts && ok {
		_, ok = t.Host(form)
		return ok
	}
	return ok && t.has(form)
}

// number returns an address of IPv4 as a number.
func number(a netip.Addr) uint32 {
	four := a.As4()
	return binary.BigEndian.Uint32(four[:])
}

// WriteTo writes the entries, for ReadTable.
func (t *Table) WriteTo(w io.Writer) (int64, error) {
	out := make([]byte, 0, headSize+t.Bytes())
	out = binary.BigEndian.AppendUint64(out, t.sums)
	for _, n := range []int{len(t.keys), len(t.four), len(t.six)} {
		out = binary.BigEndian.AppendUint64(out, uint64(n))
	}
	for _, k := range t.keys {
		out = append(out, k[:]...)
	}
	for _, s := range t.four {
		out = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(out, s.first), s.last)
	}
	for _, s := range t.six {
		out = append(append(out, s.first[:]...), s.last[:]...)
	}
	n, err := w.Write(out)
	return int64(n), err
}

// headSize is how many bytes are before the entries.
const headSize = 4 * 8

// errDamaged says that a table that was written is not whole.
var errDamaged = errors.New("the entries are damaged")

// ReadTable reads what WriteTo has written.
func ReadTable(k Kind, data []byte) (*Table, error) {
	if len(data) < headSize {
		return nil, errDamaged
	}
	sums := binary.BigEndian.Uint64(data)
	var n [3]uint64
	for i := range n {
		n[i] = binary.BigEndian.Uint64(data[8*i+8:])
		if n[i] > mostEntries {
			return nil, errDamaged
		}
	}
	if data = data[headSize:]; uint64(len(data)) != 16*n[0]+8*n[1]+32*n[2] {
		return nil, errDamaged
	}
	t := &Table{Kind: k, sums: sums, keys: make([]key, n[0]), four: make([]span4, n[1]), six: make([]span6, n[2])}
	for i := range t.keys {
		t.keys[i], data = key(data[:16]), data[16:]
	}
	for i := range t.four {
		t.four[i] = span4{binary.BigEndian.Uint32(data), binary.BigEndian.Uint32(data[4:])}
		data = data[8:]
	}
	for i := range t.six {
		t.six[i] = span6{[16]byte(data[:16]), [16]byte(data[16:32])}
		data = data[32:]
	}
	if !slices.IsSortedFunc(t.keys, func(x, y key) int { return bytes.Compare(x[:], y[:]) }) ||
		!slices.IsSortedFunc(t.four, span4.before) || !slices.IsSortedFunc(t.six, span6.before) {
		return nil, errDamaged
	}
	return t, nil
}
