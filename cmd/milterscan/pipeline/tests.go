package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/judge"
)

// RunTests judges the mails that the configuration has tests for, and returns an
// error for each that is not what its test expects.
func RunTests(ctx context.Context, p *Pipeline, tests []config.Test) error {
	var errs []error
	for _, t := range tests {
		if err := p.test(ctx, t); err != nil {
			errs = append(errs, fmt.Errorf("%s: test: %s: %w", t.Origin(), t.Mail, err))
		}
	}
	return errors.Join(errs...)
}

func (p *Pipeline) test(ctx context.Context, t config.Test) error {
	about := Delivery{From: t.From, To: t.To, Client: t.Client, Helo: t.Helo, Auth: t.Auth}
	env, err := about.Envelope()
	if err != nil {
		return err
	}
	r, err := p.ScanFile(ctx, t.Mail, nil, env)
	if err != nil {
		return err
	}
	defer r.Close()
	if got := r.Decision.Action(); got != t.Expect {
		return fmt.Errorf("%s, not %s%s", got, t.Expect, because(r))
	}
	if t.Rule == "" {
		return nil
	}
	for _, v := range r.Decision.Verdicts {
		if v.Rule.Name == t.Rule {
			return nil
		}
	}
	return fmt.Errorf("%s, but not by rule %q%s", t.Expect, t.Rule, because(r))
}

// because returns the rule and findings that a decision rests on, for an error.
func because(r *judge.Result) string {
	for _, v := range r.Decision.Verdicts {
		switch {
		case v.Because >= 0:
			f := r.Found[v.Because]
			return fmt.Sprintf(": %s, because of %s (%s)", v.Rule, f.Rule, show.FirstLine(f.Detail))
		case v.Rule.Name != "":
			return fmt.Sprintf(": %s", v.Rule)
		}
	}
	return ": no rule objects"
}
