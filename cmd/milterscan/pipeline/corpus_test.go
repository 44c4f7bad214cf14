package pipeline

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/tests/corpus"
)

const corpusDir = "../../../tests/corpus"

// TestOrdinaryMailStaysOrdinary judges the corpus of legitimate mail with the
// shipped configuration: all of it is delivered, with no findings of other kinds
// than its want file allows, exactly those that its found file lists, and changed
// only where something was found.
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
		t.Run(m.Name, func(t *testing.T) {
			r := p.judged(t, m)
			defer r.Close()
			holdFound(t, corpusDir, m, r)
			holdOrdinary(t, m, r)
		})
	}
}

// TestPrivateMailIsJudgedAsBefore holds mail that may not be published to the files
// beside it, where there is any.
func TestPrivateMailIsJudgedAsBefore(t *testing.T) {
	dir := filepath.Join(corpusDir, "private")
	mails, err := corpus.Private(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(mails) == 0 {
		t.Skip("no mail in", dir)
	}
	p, err := New(config.Default())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, m := range mails {
		t.Run(m.Name, func(t *testing.T) {
			r := p.judged(t, m)
			defer r.Close()
			holdFound(t, dir, m, r)
		})
	}
}

// holdFound compares the findings with those that were made before, or with -update
// writes them down.
func holdFound(t *testing.T, dir string, m corpus.Mail, r *judge.Result) {
	t.Helper()
	var found []string
	for _, f := range r.Found {
		found = append(found, strings.TrimSpace(fmt.Sprintf("%s %s %s", f.Kind, f.Rule, strings.Trim(strconv.QuoteToASCII(r.Message.PathOf(f)), `"`))))
	}
	slices.Sort(found)
	if *update {
		if err := m.Update(dir, r.Decision.Action(), found); err != nil {
			t.Error(err)
		}
		return
	}
	if got := r.Decision.Action(); got != m.Want.Action {
		t.Errorf("%s (%s), want %s: %s", got, r.Decision.Reply, m.Want.Action, m.Want.Why)
	}
	if !slices.Equal(found, m.Found) {
		t.Errorf("found\n  %s\nwant\n  %s\nif that is right: go test ./cmd/milterscan/pipeline -run TestOrdinary -update",
			strings.Join(found, "\n  "), strings.Join(m.Found, "\n  "))
	}
}

// judged judges a mail of a corpus.
func (p *Pipeline) judged(t *testing.T, m corpus.Mail) *judge.Result {
	t.Helper()
	raw, err := p.keep(bytes.NewReader(m.Message))
	if err != nil {
		t.Fatal(err)
	}
	env := scan.Envelope{Sender: "alice@example.org", Recipients: []string{"bob@example.com"}, Received: time.Now()}
	in, err := p.receive(env, raw)
	if err != nil {
		t.Fatal(err)
	}
	return p.Judge.Examine(t.Context(), in)
}

func holdOrdinary(t *testing.T, m corpus.Mail, r *judge.Result) {
	t.Helper()
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
