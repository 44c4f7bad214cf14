package pipeline

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/hostile"
)

// explained is how many mails TestExplanations looks at.
const explained = 500

// TestExplanations takes away, mail by mail, what "explain" says the verdict
// rests on, and decides anew: the verdict must be another. With any of it given
// back, it must be the old one.
func TestExplanations(t *testing.T) {
	p := pipelineOf(t, "profile = \"strict\"\n")
	n, named, turn := 0, 0, 0
	for c := range hostile.Cases() {
		if c.Huge || c.Payload.Text != "" {
			continue
		}
		if turn++; turn%2 == 0 || n == explained { // some of every family
			continue
		}
		var mail bytes.Buffer
		if err := c.Write(&mail); err != nil {
			t.Fatal(err)
		}
		n++
		named += p.holdExplained(t, c.Name, mail.Bytes())
	}
	if n < explained || named < explained/2 {
		t.Errorf("%d mails, %d explanations", n, named)
	}
	t.Logf("%d mails, %d explanations", n, named)
}

// holdExplained judges one mail, and returns how many explanations there were.
func (p *Pipeline) holdExplained(t *testing.T, name string, mail []byte) int {
	t.Helper()
	raw, err := p.keep(bytes.NewReader(mail))
	if err != nil {
		t.Fatal(err)
	}
	in, err := p.receive(scan.Envelope{Sender: "alice@example.org", Recipients: []string{"bob@example.com"}, Received: time.Now()}, raw)
	if err != nil {
		t.Fatal(err)
	}
	r := p.Judge.Examine(t.Context(), in)
	defer r.Close()
	rec := r.Record()
	if rec.Action != "deliver" && len(rec.Alternatives) == 0 {
		t.Errorf("%s: %s, and nobody knows why", name, rec.Action)
	}
	for _, a := range rec.Alternatives {
		if p.without(r, a.Findings) == rec.Action+verdictsOf(r.Decision) {
			t.Errorf("%s: the same without %v", name, a.Findings)
		}
		for i := range a.Findings {
			if fewer := slices.Delete(slices.Clone(a.Findings), i, i+1); p.without(r, fewer) != rec.Action+verdictsOf(r.Decision) {
				t.Errorf("%s: %v says more than it takes", name, a.Findings)
			}
		}
	}
	return len(rec.Alternatives)
}

// without decides on the message without some findings.
func (p *Pipeline) without(r *judge.Result, gone []int) string {
	in := policy.Input{ID: r.ID, Stage: r.Stage, Envelope: r.Envelope, Header: r.Message.Header, Size: r.Size, Parts: r.Message.Parts, Fixed: []int{scan.WholeMessage}}
	for i, f := range r.Found {
		if !slices.Contains(gone, i) {
			in.Found = append(in.Found, f)
		}
	}
	d := p.Judge.Policy.Decide(in)
	return d.Action() + verdictsOf(d)
}

// verdictsOf is what a client and a reader notice of a decision, but for the
// words of the reply.
func verdictsOf(d policy.Decision) string {
	s := strings.Join(d.Changes(), "; ")
	if d.Reply.Code != 0 {
		s += d.Reply.String()[:9]
	}
	return s
}
