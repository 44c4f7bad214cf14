package pipeline

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/contents/virus"
)

// Recall finds again what the record of a mail says was found about its sender when it came. It
// replaces the scanners that ask others about senders: their answers of today say nothing of that
// day, and a rehearsal has no business with the network. It serves one mail at a time.
type Recall struct{ found []scan.Finding }

// Of recalls a record from now on; nil recalls nothing.
func (r *Recall) Of(record *policy.Record) {
	r.found = nil
	if record == nil {
		return
	}
	for _, f := range record.Findings {
		if Recalled(f.Rule) {
			r.found = append(r.found, scan.Finding{
				Kind: f.Kind, Scanner: f.Scanner, Rule: f.Rule, Part: scan.WholeMessage, Detail: f.Detail, Score: f.Score, Recipient: f.Recipient,
			})
		}
	}
}

// Name returns the name under which a mistake of the scanner itself would be reported.
func (r *Recall) Name() string { return "sender" }

// Scan returns what was found then.
func (r *Recall) Scan(context.Context, *scan.Message) ([]scan.Finding, error) { return r.found, nil }

// Recalled reports whether Recall replaces the scanner that a rule is of. Where scanners of
// contents share the first word of a rule, as in content/first-contact, the whole name says so.
func Recalled(rule string) bool {
	sender, shared := false, false
	for _, row := range roster() {
		for _, r := range row.finds() {
			switch named, _ := path.Match(r.Name, rule); {
			case word(r.Name) != word(rule):
			case !row.recalled():
				shared = true
			case named:
				return true
			default:
				sender = true
			}
		}
	}
	return sender && !shared
}

// word returns the first word of the name of a rule, which is the scanner's.
func word(rule string) string {
	w, _, _ := strings.Cut(rule, "/")
	return w
}

// recalled reports whether Recall replaces the scanners of the row. The directory of people is at
// hand, and is as the configuration says today.
func (e entry) recalled() bool { return e.looks == sender && e.section != "people" }

// NewOffline makes a pipeline that asks no other host: about senders it goes by what r recalls,
// and engines that are elsewhere are left out. The notes name those.
func NewOffline(c *config.Config, r *Recall) (p *Pipeline, notes []string, err error) {
	local := *c
	local.Virus = nil
	for _, engine := range c.Virus {
		if engine.Local() {
			local.Virus = append(local.Virus, engine)
			continue
		}
		notes = append(notes, fmt.Sprintf("the engine %s is on another host and was not asked", engine.Name))
	}
	for i, engine := range local.Virus {
		there := func(other virus.Config) bool { return other.Name == engine.BackupFor }
		if engine.BackupFor != "" && !slices.ContainsFunc(local.Virus, there) {
			local.Virus[i].BackupFor = ""
		}
	}
	with := NewShared(&local)
	with.Recall = r
	p, err = newPipeline(&local, with)
	return p, notes, err
}
