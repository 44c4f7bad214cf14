package listing

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"net/url"
	"strings"

	"github.com/milterscan/milterscan/scan/format/markup"
)

// key identifies an entry: 128 bits of its SHA-256, so that no two that differ have one, by chance
// or on purpose.
type key [16]byte

// keyOf returns the key of an entry in the one form by which it is found.
func keyOf(entry string) key {
	sum := sha256.Sum256([]byte(entry))
	return key(sum[:16])
}

// add takes in an entry, and reports whether it is one.
func (b *builder) add(entry string) bool {
	if b.Kind == Networks {
		return b.network(entry)
	}
	form, ok := b.form(entry)
	if ok {
		b.keys = append(b.keys, keyOf(form))
	}
	if ok && b.Kind == Hashes {
		b.sums |= 1 << len(form)
	}
	return ok
}

// form returns an entry in the one form by which it is found.
func (t *Table) form(entry string) (string, bool) {
	switch t.Kind {
	case Hosts:
		return host(entry)
	case URLs:
		return page(markup.ParseURL(entry))
	}
	sum, err := hex.DecodeString(strings.TrimSpace(entry))
	return string(sum), err == nil && (len(sum) == 16 || len(sum) == 20 || len(sum) == 32)
}

// host returns a host as browsers connect to it. Public suffixes and single names are none: all
// there is would be below them.
func host(entry string) (string, bool) {
	entry = strings.TrimPrefix(strings.TrimPrefix(entry, "*"), ".")
	if strings.ContainsAny(entry, "/\\?#@<> ") {
		return "", false
	}
	u := markup.ParseURL("//" + strings.TrimSuffix(entry, "."))
	if u.Numeric {
		return u.Host, u.Host != ""
	}
	return u.Host, markup.Suffixed(u.Host)
}

// page returns an address as two of the same page have it: without scheme and fragment, and with
// nothing escaped.
func page(u markup.URL) (string, bool) {
	if u.Scheme == "" || !u.Web() {
		return "", false
	}
	rest, _, _ := strings.Cut(strings.ReplaceAll(u.Rest, "\\", "/"), "#")
	if plain, err := url.PathUnescape(rest); err == nil {
		rest = plain
	}
	if !strings.HasPrefix(rest, "/") {
		rest = "/" + rest
	}
	return u.Host + ":" + u.Port + rest, true
}

// isAddress reports whether a text is an IP address.
func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// network takes in a network, an address, or a range of them from one to another.
func (b *builder) network(entry string) bool {
	if from, to, ok := strings.Cut(entry, "-"); ok {
		first, err := netip.ParseAddr(from)
		last, also := netip.ParseAddr(to)
		return err == nil && also == nil && b.span(first.Unmap(), last.Unmap())
	}
	if a, err := netip.ParseAddr(entry); err == nil {
		a = a.Unmap()
		return b.span(a, a)
	}
	p, err := netip.ParsePrefix(entry)
	if err != nil || p.Bits() == 0 { // all addresses are no list
		return false
	}
	p = p.Masked()
	return b.span(p.Addr().Unmap(), lastOf(p))
}

// lastOf returns the last address of a network.
func lastOf(p netip.Prefix) netip.Addr {
	a := p.Addr().As16()
	bits := p.Bits()
	if p.Addr().Is4() {
		bits += 96
	}
	for i := bits; i < 128; i++ {
		a[i/8] |= 1 << (7 - i%8)
	}
	return netip.AddrFrom16(a).Unmap()
}

// span takes in the addresses from one to another.
func (b *builder) span(first, last netip.Addr) bool {
	if first.Zone() != "" || first.Is4() != last.Is4() || last.Less(first) {
		return false
	}
	if first.Is4() {
		b.four = append(b.four, span4{number(first), number(last)})
	} else {
		b.six = append(b.six, span6{first.As16(), last.As16()})
	}
	return true
}
