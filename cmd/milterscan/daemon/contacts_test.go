package daemon

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// passed is a mail for two, on which the answer was given.
func passed(answer policy.Answer, drop ...string) *judge.Result {
	m := &scan.Message{Header: entity.Header{Fields: []entity.Field{{Name: "From", Value: "eve@else.example"}}}}
	return &judge.Result{Stage: scan.StageMessage, Message: m, Decision: policy.Decision{Answer: answer, Drop: drop},
		Envelope: scan.Envelope{Recipients: []string{"a@ours.example", "b@ours.example"}, Received: time.Now()}}
}

// TestOnlyDeliveredMailIsLearnt keeps mail from making its author known to recipients who did not get it.
func TestOnlyDeliveredMailIsLearnt(t *testing.T) {
	c := config.Default()
	k := newContacts()
	k.learn(passed(policy.Deliver), c)
	if len(k.queue) != 0 {
		t.Error("it is learnt, though no rule asks for it")
	}
	c.Contact.Enabled = true
	c.Contact.File = filepath.Join(t.TempDir(), "contact.db")
	for _, row := range []struct {
		r    *judge.Result
		keys int
	}{
		{passed(policy.Deliver), 2}, {passed(policy.Deliver, "a@ours.example"), 1}, {passed(policy.Reject), 0},
		{passed(policy.Discard), 0}, {passed(policy.Tempfail), 0}, {&judge.Result{}, 0},
	} {
		k.learn(row.r, c)
		n := 0
		for len(k.queue) > 0 {
			n += len((<-k.queue).keys)
		}
		if n != row.keys {
			t.Errorf("%v without %v: %d keys, want %d", row.r.Decision.Answer, row.r.Decision.Drop, n, row.keys)
		}
	}
}

// TestLearningNeverWaits: what finds no room is counted, and all else is handed on at the end.
func TestLearningNeverWaits(t *testing.T) {
	c := config.Default()
	c.Contact.Enabled = true
	k := newContacts()
	for range contactQueue + 7 {
		k.learn(passed(policy.Deliver), c)
	}
	if lost := k.lost.Load(); lost != 7 {
		t.Errorf("%d are lost", lost)
	}
	done, stop := context.WithCancel(t.Context())
	stop()
	keys := 0
	for {
		all := k.next(done)
		if len(all) == 0 {
			break
		}
		keys += len(all[c.Contact.File])
	}
	if keys != 2 || len(k.queue) != 0 {
		t.Errorf("%d keys, %d mails left", keys, len(k.queue))
	}
}
