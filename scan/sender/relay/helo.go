package relay

import (
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/milterscan/milterscan/scan"
)

// checkHelo looks at what the client calls itself.
func (s *Scanner) checkHelo(e scan.Envelope) []scan.Finding {
	if !s.config.Helo || !e.Client.IsValid() || s.with.Trusted(e) {
		return nil
	}
	helo := strings.ToLower(strings.TrimSuffix(e.Helo, "."))
	detail := "HELO " + e.Helo[:min(len(e.Helo), longestHelo)]
	if inner, ok := strings.CutPrefix(helo, "["); ok {
		addr, err := netip.ParseAddr(strings.TrimPrefix(strings.TrimSuffix(inner, "]"), "ipv6:"))
		switch {
		case err != nil || !strings.HasSuffix(helo, "]"):
			return s.found(ruleHeloOdd, detail)
		case addr.Unmap() != e.Client.Addr().Unmap():
			return s.found(ruleHeloForged, detail)
		}
		return nil
	}
	switch {
	case !isHost(helo):
		return s.found(ruleHeloOdd, detail)
	case s.with.Local(helo):
		return s.found(ruleHeloForged, detail)
	case !strings.Contains(helo, "."):
		return s.found(ruleHeloLocal, detail)
	}
	return nil
}

// longestHelo bounds what a finding quotes: no host name is longer.
const longestHelo = 255

// isHost reports whether a name can be that of a host: letters, digits, hyphens
// and, as many have them, underscores; and no address (RFC 1123, section 2.1).
func isHost(name string) bool {
	if _, err := netip.ParseAddr(name); err == nil || name == "" || len(name) > longestHelo {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, unfitForHost) {
			return false
		}
	}
	return true
}

// unfitForHost reports whether a rune cannot be in a host name: letters of other
// scripts can (RFC 6531, section 3.7.1), damaged ones cannot.
func unfitForHost(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r >= 0x80 && r != utf8.RuneError)
}
