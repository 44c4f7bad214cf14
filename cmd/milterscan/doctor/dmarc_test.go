package doctor

import (
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy/dmarc"
	"github.com/milterscan/milterscan/scan/sender/dns/dnstest"
)

// TestSubmitter looks at domains that reports may come from, or had better not.
func TestSubmitter(t *testing.T) {
	const policy = "TXT v=DMARC1; p=reject"
	for want, z := range map[string]dnstest.Zone{
		"reports of DMARC come from dmarc@us.example": {"_dmarc.us.example": {policy}, "us.example": {"MX 10 mx.us.example"}},
		"come from d":           {"_dmarc.us.example": {policy}, "us.example": {"192.0.2.1"}},
		"has no DMARC record":   {"_dmarc.us.example": {"TXT other"}, "us.example": {"192.0.2.1"}},
		"has no DMARC":          {},
		"it is not known":       {"_dmarc.us.example": {dnstest.Timeout}},
		"neither MX records":    {"_dmarc.us.example": {policy}, "us.example": {"TXT x"}},
		"it has a null MX":      {"_dmarc.us.example": {policy}, "us.example": {"MX 0 ."}},
		"takes no mail: us.exa": {"_dmarc.us.example": {policy}},
	} {
		found := submitter(t.Context(), z, dmarc.Config{Email: "dmarc@us.example"})
		good := strings.Contains(want, "come from")
		if len(found) != 1 || !strings.Contains(found[0].What, want) || good != (found[0].Level == OK) || !good && found[0].Fix == "" {
			t.Errorf("%q is not said: %+v", want, found)
		}
	}
}
