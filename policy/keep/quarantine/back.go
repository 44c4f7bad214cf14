package quarantine

import (
	"context"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy/address"
	"github.com/milterscan/milterscan/scan"
)

// dismissed is the event by which a recipient says that it does not want a message. The copy stays
// for the others that it is kept back from.
const dismissed = "dismiss"

// progress is how far the copy of one recipient is on its way out.
type progress int

const (
	waits  progress = iota // it was not sent
	begun                  // it was sent, or is; whether it arrived is not known
	has                    // the recipient has it
	wanted                 // not any more
)

// progressOf returns how far the copy for a recipient is.
func (e Entry) progressOf(to string) progress {
	p := waits
	for _, ev := range e.Events {
		if !slices.Contains(ev.To, to) {
			continue
		}
		switch ev.What {
		case "release":
			p = begun
		case "unsure":
			if p != has { // it has come past a host of ours
				p = begun
			}
		case "released", passed:
			p = has
		case "failed":
			p = waits
		case dismissed:
			p = wanted
		}
	}
	return p
}

// Back returns the recipients that the message was kept back from and who have not dismissed it, whether
// they have had it since or not.
func (e Entry) Back() []string {
	return slices.DeleteFunc(undelivered(e.Record), func(to string) bool { return to == "" || e.progressOf(to) == wanted })
}

// Waiting returns those of Back who have not had the message.
func (e Entry) Waiting() []string {
	return slices.DeleteFunc(e.Back(), func(to string) bool { return e.progressOf(to) == has })
}

// Grave returns the kinds of findings in the message that matter to one who lets it go, other than
// the class: a virus, forbidden content, what was not looked into. What the record has no
// room for was not looked into.
func (e Entry) Grave() []string {
	var list []string
	add := func(k scan.Kind) {
		if word := k.String(); !slices.Contains(list, word) {
			list = append(list, word)
		}
	}
	for _, f := range e.Record.Findings {
		switch f.Kind {
		case scan.Infected, scan.Forbidden, scan.Unscannable, scan.Failed:
			add(f.Kind)
		}
	}
	if e.Record.MoreFindings > 0 {
		add(scan.Unscannable)
	}
	return list
}

// sole returns an error if the copy for one of some recipients is on its way, has arrived, or is not
// wanted. What became of the copies of others is not asked.
func (e Entry) sole(to []string) error {
	for _, a := range to {
		switch e.progressOf(a) {
		case begun:
			return ErrUnsure
		case has, wanted:
			return ErrReleased
		}
	}
	return nil
}

// settled returns the state of a message whose recipients are let have it one by one.
func (e Entry) settled() State {
	state := Released
	for _, to := range e.Back() {
		switch e.progressOf(to) {
		case begun:
			return Releasing
		case waits:
			state = Kept
		}
	}
	return state
}

// Dismiss notes that some recipients do not want a message. It is deleted when it is kept for no
// one else. Where the copy of one of them is on its way, nothing changes.
func (x Releaser) Dismiss(ctx context.Context, id string, to []string) error {
	nobody := false
	err := x.Store.Change(ctx, id, func(e *Entry) error {
		if slices.ContainsFunc(to, func(a string) bool { return e.progressOf(a) == begun }) {
			return ErrUnsure
		}
		e.note(x.event(dismissed, to, ""))
		nobody = len(e.Back()) == 0 && e.State != Releasing
		return nil
	})
	if err != nil || !nobody {
		return err
	}
	return x.Store.Delete(ctx, id, x.event("delete", to, ""))
}

// waitsFor reports whether the message is kept back from one of some addresses, which are as
// address.Fold writes them.
func (r Row) waitsFor(addresses []string) bool {
	return slices.ContainsFunc(r.WaitingFor(), func(to string) bool { return slices.Contains(addresses, to) })
}

// WaitingFor returns the addresses under which the message is found: those of Waiting, as address.Fold
// writes them, and the rest of each without the text after a sign that often delimits
// the name of a mailbox. Who sees the message is told by others.
func (r Row) WaitingFor() []string {
	var list []string
	add := func(a string) {
		if !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	for _, to := range r.Waiting {
		folded, err := address.Fold(to)
		if err != nil {
			continue
		}
		add(folded)
		at := strings.LastIndexByte(folded, '@')
		for _, sign := range []byte("+-=_") {
			if i := strings.IndexByte(folded[:at], sign); i > 0 {
				add(folded[:i] + folded[at:])
			}
		}
	}
	return list
}
