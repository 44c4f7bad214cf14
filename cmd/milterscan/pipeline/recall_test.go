package pipeline

import "testing"

// TestRecalled: what scanners of senders found is recalled, and nothing of what is found anew in the mail.
func TestRecalled(t *testing.T) {
	for rule, want := range map[string]bool{
		"auth/dmarc-fail": true, "auth/failed": true, "spam/list/zen": true, "relay/failed": true, "rate/over/users": true,
		"content/first-contact": true, "content/reply": true, "feed/client/bad": true,
		"content/form": false, "content/link-mismatch": false, "feed/link/bad": false, "attachment/name": false, "virus/eicar": false, "recipient/unknown": false,
	} {
		if got := Recalled(rule); got != want {
			t.Errorf("%s: %v", rule, got)
		}
	}
}
