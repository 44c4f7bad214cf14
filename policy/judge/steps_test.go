package judge

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

// leisure is a scanner and a keeper that take their time.
type leisure struct{ scanning, keeping time.Duration }

func (leisure) Name() string { return "content" }

func (s leisure) Scan(context.Context, *scan.Message) ([]scan.Finding, error) {
	time.Sleep(s.scanning)
	return []scan.Finding{odd}, nil
}

func (s leisure) Keep(context.Context, policy.Copy) error {
	time.Sleep(s.keeping)
	return nil
}

// resolving is a scanner of the sender that goes on for a while after the message is there.
type resolving struct{ time.Duration }

func (resolving) Name() string { return "auth" }

func (a resolving) Scan(context.Context, *scan.Message) ([]scan.Finding, error) { return nil, nil }

func (a resolving) ScanEnvelope(context.Context, scan.Stage, scan.Envelope) ([]scan.Finding, error) {
	time.Sleep(a.Duration)
	return nil, nil
}

// taken returns the steps that a message took, with their times.
func taken(r *Result) string {
	var list []string
	for _, s := range Steps() {
		if took, ok := r.Step(s); ok {
			list = append(list, fmt.Sprint(s, " ", took))
		}
	}
	return strings.Join(list, ", ")
}

// TestSteps measures every step of a message, and none that it did not take.
func TestSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []*Result
		j := judging(t, policy.Outcome{Answer: policy.Discard, Keep: true}, &keeper{}, &told)
		s := leisure{2 * time.Second, 3 * time.Second}
		j.Engine, j.Keeper, j.Once = scan.NewEngine(s), s, scan.NewEngine(resolving{6 * time.Second})
		in := received(j, mail)
		in.Begun = []*scan.Pending{j.Once.Begin(t.Context(), scan.StageRcpt, in.Envelope)}
		_, release := j.Message(t.Context(), in)
		defer release()
		if got := taken(told[0]); got != "open 0s, scan 2s, ask 4s, decide 0s, keep 3s" {
			t.Error(got)
		}
		j.Once = scan.NewEngine()
		r := j.Examine(t.Context(), received(j, mail))
		defer r.Close()
		if got := taken(r); got != "open 0s, scan 2s, ask 0s, decide 0s" {
			t.Error(got)
		}
	})
}

// TestStepsOfAnEdit has a message edited and scanned again.
func TestStepsOfAnEdit(t *testing.T) { synctest.Test(t, stepsOfAnEdit) }

func stepsOfAnEdit(t *testing.T) {
	j := cleaning(t, &finder{word: "VIRUS", later: func() ([]scan.Finding, error) {
		time.Sleep(20 * time.Second)
		return nil, nil
	}}, policy.Outcome{Edit: policy.Replace})
	r := j.Examine(t.Context(), received(j, infectedMail))
	defer r.Close()
	if got := taken(r); got != "open 0s, scan 0s, ask 0s, decide 0s, clean 20s" {
		t.Error(got)
	}
}

// TestNoStepsBefore has a stage before the message refused.
func TestNoStepsBefore(t *testing.T) {
	var told []*Result
	j := judging(t, policy.Outcome{Answer: policy.Reject}, &keeper{}, &told)
	j.Once = scan.NewEngine(suspect{})
	begun := []*scan.Pending{j.Once.Begin(t.Context(), scan.StageRcpt, scan.Envelope{})}
	if r := j.Early(t.Context(), scan.StageRcpt, scan.Envelope{Recipients: []string{"b@example.com"}}, begun); r.Answer != policy.Reject {
		t.Fatal(r)
	}
	if got := taken(told[0]); got != "" {
		t.Error(got)
	}
}

// suspect objects to any envelope.
type suspect struct{ resolving }

func (suspect) ScanEnvelope(context.Context, scan.Stage, scan.Envelope) ([]scan.Finding, error) {
	return []scan.Finding{odd}, nil
}
