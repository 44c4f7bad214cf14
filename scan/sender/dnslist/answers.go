package dnslist

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
)

// Answers is a set of answers, within 127.0.0.0/8. As text it is an address, a
// range, a network, or "bits:" and those of which an answer must have one.
type Answers struct {
	first, last, bits uint32 // bits: 0 for any
}

// The addresses of answers (RFC 5782, section 2.1). By a convention of the large
// operators the end of them is kept for errors.
var (
	space   = netip.MustParsePrefix("127.0.0.0/8")
	refusal = netip.MustParsePrefix("127.255.255.0/24")
)

func exactly(a netip.Addr) Answers { return Answers{first: number(a), last: number(a)} }

// number returns an IPv4 address as a number.
func number(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

func address(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, n)))
}

// has reports whether an answer is in the set.
func (s Answers) has(a netip.Addr) bool {
	if !a.Is4() {
		return false
	}
	n := number(a)
	return n >= s.first && n <= s.last && (s.bits == 0 || n&s.bits != 0)
}

// UnmarshalText reads a set.
func (s *Answers) UnmarshalText(text []byte) error {
	set, ok := parseAnswers(strings.TrimSpace(string(text)))
	if !ok || set.first > set.last || !space.Contains(address(set.first)) || !space.Contains(address(set.last)) {
		return fmt.Errorf("%q are no answers of a list; write \"127.0.0.2\", \"127.0.0.4-127.0.0.7\", \"127.0.1.0/24\" or \"bits:0.0.0.24\"",
			text)
	}
	*s = set
	return nil
}

func parseAnswers(t string) (Answers, bool) {
	if mask, ok := strings.CutPrefix(t, "bits:"); ok {
		a, err := netip.ParseAddr(mask)
		if err != nil || !a.Is4() || number(a) == 0 || number(a)>>24 != 0 {
			return Answers{}, false
		}
		return Answers{number(space.Addr()), number(space.Addr()) | (1<<24 - 1), number(a)}, true
	}
	if p, err := netip.ParsePrefix(t); err == nil && p.Addr().Is4() && p == p.Masked() {
		first := number(p.Addr())
		return Answers{first: first, last: first | uint32(1<<(32-p.Bits())-1)}, true
	}
	first, last, isRange := strings.Cut(t, "-")
	if !isRange {
		last = first
	}
	a, err := netip.ParseAddr(strings.TrimSpace(first))
	b, err2 := netip.ParseAddr(strings.TrimSpace(last))
	if err != nil || err2 != nil || !a.Is4() || !b.Is4() {
		return Answers{}, false
	}
	return Answers{first: number(a), last: number(b)}, true
}

// MarshalText returns the reverse of UnmarshalText.
func (s Answers) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// String returns the set as it may be written.
func (s Answers) String() string {
	switch {
	case s.bits != 0:
		return "bits:" + address(s.bits).String()
	case s.first == s.last:
		return address(s.first).String()
	}
	return address(s.first).String() + "-" + address(s.last).String()
}
