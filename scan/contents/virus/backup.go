package virus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan"
)

// standby is an engine with backups that are asked when it fails. It fails only when
// all of them fail.
type standby struct {
	first   *Engine
	backups []*Engine
}

// Name returns the name of the first engine, whose failure policy holds.
func (s *standby) Name() string { return s.first.Name() }

// Scan asks one engine after the other until one can answer. It returns the findings
// of all of them.
func (s *standby) Scan(ctx context.Context, m *scan.Message) ([]scan.Finding, error) {
	var all []scan.Finding
	var errs []error
	for _, e := range s.order(time.Now()) {
		found, err := e.Scan(ctx, m)
		all = append(all, found...)
		if err == nil {
			return append(all, s.note(e, errs)...), nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", e.Name(), err))
		if ctx.Err() != nil {
			break
		}
	}
	return all, errors.Join(errs...)
}

// order returns the engines as they are, those that failed a moment ago after the
// others: no message has to wait for one that hangs.
func (s *standby) order(now time.Time) []*Engine {
	var fit, tired []*Engine
	for _, e := range append([]*Engine{s.first}, s.backups...) {
		if e.rests(now) {
			tired = append(tired, e)
		} else {
			fit = append(fit, e)
		}
	}
	return append(fit, tired...)
}

// rests reports whether every server of the engine failed a moment ago.
func (e *Engine) rests(now time.Time) bool {
	return !slices.ContainsFunc(e.servers, func(s *server) bool { return !s.rests(now) })
}

// note says that another engine looked in place of the first.
func (s *standby) note(looked *Engine, errs []error) []scan.Finding {
	if looked == s.first {
		return nil
	}
	why := "failed a moment ago"
	if len(errs) > 0 {
		why = strings.ReplaceAll(errors.Join(errs...).Error(), "\n", "; ")
	}
	return []scan.Finding{{
		Kind: scan.Note, Scanner: word, Rule: ruleBackup, Part: scan.WholeMessage,
		Detail: fmt.Sprintf("%s looked in the place of %s: %s", looked.Name(), s.first.Name(), why),
	}}
}

// withBackups joins engines with their backups. The entries must be valid.
func withBackups(cfgs []Config, engines []scan.Scanner) []scan.Scanner {
	var list []scan.Scanner
	for i, c := range cfgs {
		if c.BackupFor != "" {
			continue
		}
		s := &standby{}
		s.first, _ = engines[i].(*Engine)
		for j, b := range cfgs {
			if b.BackupFor == c.Name {
				s.backups = append(s.backups, engines[j].(*Engine))
			}
		}
		if len(s.backups) == 0 {
			list = append(list, engines[i])
			continue
		}
		list = append(list, s)
	}
	return list
}
