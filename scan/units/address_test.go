package units

import "testing"

func TestAddresses(t *testing.T) {
	for s, want := range map[string][2]string{
		"unix:/run/m.sock": {"unix", "/run/m.sock"}, "unix:/run/a:b": {"unix", "/run/a:b"},
		"tcp:127.0.0.1:7357": {"tcp", "127.0.0.1:7357"}, "tcp:[::1]:7357": {"tcp", "[::1]:7357"},
		"": {}, "unix:": {}, "unix:run/m.sock": {}, "tcp:7357": {}, "tcp::7357": {}, "udp:127.0.0.1:1": {}, "/run/m.sock": {},
	} {
		network, address, err := ParseAddress(s)
		if got := [2]string{network, address}; got != want || (err == nil) != (network != "") {
			t.Errorf("%q: %q, %v", s, got, err)
		}
		if split, where := SplitAddress(s); err == nil && [2]string{split, where} != want {
			t.Errorf("%q: split as %q and %q", s, split, where)
		}
	}
}
