package pipeline

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/tests/corpus"
)

// TestOrdinaryMailStaysOrdinary judges the corpus of legitimate mail with the
// shipped configuration: all of it is delivered, with no findings but those its
// want file allows, and changed only where something was found.
func TestOrdinaryMailStaysOrdinary(t *testing.T) {
	mails, err := corpus.All()
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(config.Default())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, m := range mails {
		t.Run(m.Name, func(t *testing.T) { p.holdOrdinary(t, m) })
	}
}

func (p *Pipeline) holdOrdinary(t *testing.T, m corpus.Mail) {
	raw, err := p.keep(bytes.NewReader(m.Message))
	if err != nil {
		t.Fatal(err)
	}
	env := scan.Envelope{Sender: "alice@example.org", Recipients: []string{"bob@example.com"}, Received: time.Now()}
	in, err := p.receive(env, raw)
	if err != nil {
		t.Fatal(err)
	}
	r := p.Judge.Examine(t.Context(), in)
	defer r.Close()
	if got := r.Decision.Action(); got != m.Want.Action {
		t.Errorf("%s (%s), want %s: %s", got, r.Decision.Reply, m.Want.Action, m.Want.Why)
	}
	worst := scan.Note
	for _, f := range r.Found {
		worst = max(worst, f.Kind)
		if f.Kind != scan.Note && !slices.Contains(m.Want.Allow, f.Kind.String()) {
			t.Errorf("%s %s: %s; but: %s", f.Kind, f.Rule, f.Detail, m.Want.Why)
		}
	}
	if len(r.Decision.Edits) > 0 || worst <= scan.Malformed && changed(r.Decision) {
		t.Errorf("it is to be changed: %+v", r.Decision)
	}
}

// changed reports whether a decision changes anything in the mail.
func changed(d policy.Decision) bool {
	return d.Tag != "" || len(d.Headers) > 0 || len(d.Edits) > 0 || len(d.Add) > 0 || len(d.Drop) > 0
}
