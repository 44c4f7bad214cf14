package policy

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
)

func parsed(t testing.TB, texts ...string) []Network {
	t.Helper()
	list := make([]Network, len(texts))
	for i, text := range texts {
		if err := list[i].UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// A compiled list says what the list says.
func TestCompiledNetworks(t *testing.T) {
	list := parsed(t, "192.0.2.0/24", "192.0.2.128/25", "198.51.100.7", "2001:db8::/32", "::1", "10.0.0.0/8")
	for range 200 {
		b := [4]byte{192, 0, byte(1 + rand.IntN(3)), byte(rand.Uint32())}
		list = append(list, Network{netip.PrefixFrom(netip.AddrFrom4(b), 32)})
	}
	compiled := compileNetworks(list)
	addrs := []netip.Addr{{}, netip.MustParseAddr("::ffff:192.0.2.1"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("::1"), netip.MustParseAddr("::2"), netip.MustParseAddr("198.51.100.8")}
	for i := range 1024 {
		addrs = append(addrs, netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)}))
	}
	for _, a := range addrs {
		if got, want := compiled.hold(a), inNetworks(list, a); got != want {
			t.Errorf("%v: %v, want %v", a, got, want)
		}
	}
	if compileNetworks(parsed(t, "0.0.0.0/0")).hold(netip.MustParseAddr("::1")) || !compileNetworks(parsed(t, "0.0.0.0/0")).hold(netip.MustParseAddr("192.0.2.1")) {
		t.Error("all of IPv4 is all of IPv4")
	}
}

func BenchmarkNetworks(b *testing.B) {
	var texts []string
	for i := range 100_000 {
		texts = append(texts, fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255))
	}
	n := compileNetworks(parsed(b, texts...))
	for b.Loop() {
		n.hold(netip.MustParseAddr("192.0.2.1"))
	}
}
