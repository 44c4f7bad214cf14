package policy

import "testing"

// TestDomainSet looks addresses up as Local does.
func TestDomainSet(t *testing.T) {
	list := []Domain{"ours.example", ".sub.example", "xn--bcher-kva.example"}
	set, local := NewDomainSet(list), Local{Domains: list}
	for address, want := range map[string]bool{
		"a@ours.example": true, "A@OURS.Example": true, "<a@ours.example>": true, "a@ours.example.": true,
		"a@x.ours.example": false, "a@notours.example": false, "a@example": false,
		"a@sub.example": false, "a@x.sub.example": true, "a@y.x.sub.example": true, "a@xsub.example": false,
		"a@b@ours.example": true, "ours.example": false, "a": false, "": false, "<>": false, "a@": false, "@ours.example": true,
		"a@xn--bcher-kva.example": true,
	} {
		if got := set.Has(address); got != want || local.Has(address) != want {
			t.Errorf("%q: %v, Local says %v, want %v", address, got, local.Has(address), want)
		}
	}
	if DomainSet(nil).Has("a@ours.example") {
		t.Error("no set has a domain")
	}
}
