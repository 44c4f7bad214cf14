package recipient

import (
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scantest"
)

// known has ann, and is sure of one domain.
func known(address string) (known, sure bool) {
	if address == "ann@example.com" {
		return true, true
	}
	return false, strings.HasSuffix(address, "@example.com")
}

func TestContract(t *testing.T) {
	scantest.Run(t, New(With{Known: known}), Catalogue()...)
	scantest.Run(t, NewEarly(With{Known: known}), Catalogue()...)
}

// rules are those of some findings, with whom they are about.
func rules(found []scan.Finding) string {
	var all []string
	for _, f := range found {
		all = append(all, f.Rule+" "+f.Recipient)
	}
	return strings.Join(all, ", ")
}

// TestUnknown: only those are unknown of whom that is sure.
func TestUnknown(t *testing.T) {
	to := []string{"ann@example.com", "eve@example.com", "eve@example.net", ""}
	m := scantest.Message("")
	m.Envelope.Recipients = to
	found, err := New(With{Known: known}).Scan(t.Context(), m)
	if want := "recipient/unknown eve@example.com"; rules(found) != want || err != nil {
		t.Errorf("got %s, %v; want %s", rules(found), err, want)
	}
	early := NewEarly(With{Known: known})
	for i := range to {
		found, err := early.ScanEnvelope(t.Context(), scan.StageRcpt, scan.Envelope{Recipients: to[:i+1]})
		if (len(found) == 1) != (i == 1) || err != nil {
			t.Errorf("%q at RCPT: %s, %v", to[i], rules(found), err)
		}
	}
	for s := scan.StageConnect; s <= scan.StageMail; s++ {
		if found, err := early.ScanEnvelope(t.Context(), s, scan.Envelope{}); len(found) > 0 || err != nil {
			t.Errorf("at %v: %s, %v", s, rules(found), err)
		}
	}
	if found, err := early.Scan(t.Context(), m); len(found) > 0 || err != nil {
		t.Errorf("once more with the message: %s, %v", rules(found), err)
	}
}

// TestNotReady: while nobody can say who is in a group, each message has a failure.
func TestNotReady(t *testing.T) {
	ready := false
	w := With{Known: known, Ready: func() bool { return ready }}
	early := NewEarly(w)
	for _, want := range []bool{false, true} {
		ready = want
		_, whole := New(w).Scan(t.Context(), scantest.Message(""))
		_, message := early.Scan(t.Context(), scantest.Message(""))
		_, rcpt := early.ScanEnvelope(t.Context(), scan.StageRcpt, scan.Envelope{Recipients: []string{"ann@example.com"}})
		if (whole == nil) != want || (message == nil) != want || (rcpt == nil) != want {
			t.Errorf("ready is %v: %v, %v, %v", want, whole, message, rcpt)
		}
	}
}
