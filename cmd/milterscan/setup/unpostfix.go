package setup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/milterscan/milterscan/cmd/milterscan/postfix"
)

// unplanPostfix takes milterscan out of the lists of milters in main.cf and leaves
// the others in them.
func unplanPostfix(ctx context.Context, m MTA, stage string, us Us, j *journal) (*Plan, error) {
	conf, err := postfix.Read(ctx, postfix.Tool{Postconf: m.program, Dir: m.Dir})
	if err != nil {
		return nil, err
	}
	added, err := addedByUs(ctx, m, stage, j)
	if err != nil {
		return nil, err
	}
	us.Listen = append(slices.Clone(us.Listen), reached(conf, added)...)
	p := newPostfixPlan(ctx, m, conf)
	var edits [][]string
	for _, name := range milterLists {
		now, err := rawSetting(ctx, m, name)
		if err != nil {
			return nil, err
		}
		rest, found := without(conf, now, us.Listen)
		switch {
		case found && rest == "":
			edits = append(edits, []string{"-X", name})
		case found:
			edits = append(edits, []string{"-e", name + " = " + rest})
		}
	}
	p.Notes = namedInMaster(conf, us.Listen)
	if len(edits) == 0 {
		return nil, errors.Join(ErrNotSetUp, fmt.Errorf("smtpd_milters in %s names no socket of milterscan's", filepath.Join(m.Dir, "main.cf")))
	}
	return p, editMain(ctx, m, stage, p, edits...)
}

// addedByUs returns the addresses that the setup has added to main.cf.
func addedByUs(ctx context.Context, m MTA, stage string, j *journal) (added []string, err error) {
	if j == nil || len(j.Files) == 0 {
		return nil, nil
	}
	before, err := addressesIn(ctx, m, stage, j.Files[0].Old)
	if err != nil {
		return nil, err
	}
	after, err := addressesIn(ctx, m, stage, j.Files[0].New)
	for _, a := range after {
		if !slices.Contains(before, a) {
			added = append(added, a)
		}
	}
	return added, err
}

// addressesIn returns the milters that some content of main.cf names.
func addressesIn(ctx context.Context, m MTA, stage string, main []byte) (all []string, err error) {
	dir, err := os.MkdirTemp(stage, "main")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "main.cf"), main, 0o600); err != nil {
		return nil, err
	}
	for _, name := range milterLists {
		out, err := run(ctx, m.program, "-c", dir, "-h", name)
		if err != nil {
			return nil, err
		}
		for _, one := range postfix.ParseMilters(out) {
			all = append(all, one.Address)
		}
	}
	return all, nil
}

// reached returns addresses in milterscan's words.
func reached(conf *postfix.Config, addresses []string) (ours []string) {
	for _, a := range addresses {
		if r := conf.Reach(postfix.Service{}, a); r != "" {
			ours = append(ours, r)
		}
	}
	return ours
}

// namedInMaster lists services for which master.cf names milterscan: this is left to
// the administrator, who wrote it.
func namedInMaster(conf *postfix.Config, listen []string) (notes []string) {
	for _, s := range conf.Services {
		for _, key := range milterLists {
			value, _ := s.Own(key)
			if _, found := without(conf, value, listen); found {
				notes = append(notes, fmt.Sprintf("master.cf names milterscan for %s; take it out there as well: postconf -P '%s/%s'", s, s, key))
			}
		}
	}
	return notes
}
