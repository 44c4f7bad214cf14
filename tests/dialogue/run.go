package dialogue

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Transport sends the mails of a dialogue to milterscan in one way and says
// what became of each, in order; a mail that was aborted has a zero Answer.
type Transport interface {
	Send(ctx context.Context, d Dialogue) ([]Answer, error)
}

// Run plays every dialogue over tr, each as a subtest.
func Run(t *testing.T, dialogues []Dialogue, tr Transport) {
	for _, d := range dialogues {
		t.Run(strings.ReplaceAll(d.Title, " ", "-"), func(t *testing.T) {
			answers, err := tr.Send(t.Context(), d)
			if err != nil {
				t.Fatalf("%s: %v", d.Where, err)
			}
			for _, difference := range d.Compare(answers) {
				t.Errorf("%s: %s", d.Where, difference)
			}
		})
	}
}

// Compare lists how the answers differ from what the dialogue expects.
func (d Dialogue) Compare(answers []Answer) []string {
	if len(answers) != len(d.Messages) {
		return []string{fmt.Sprintf("%d answers to %d mails", len(answers), len(d.Messages))}
	}
	var all []string
	for i, m := range d.Messages {
		if m.Abort {
			continue
		}
		for _, difference := range m.Want.compare(answers[i]) {
			all = append(all, fmt.Sprintf("mail %d: %s", i+1, difference))
		}
	}
	return all
}

// compare lists how a falls short of w.
func (w Want) compare(a Answer) []string {
	var out []string
	differ := func(unless bool, format string, args ...any) {
		if !unless {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	differ(a.Action == w.Action, "action %q (%s), want %q", a.Action, a.Reply, w.Action)
	differ(strings.HasPrefix(a.Reply, w.Reply), "reply %q, want %q", a.Reply, w.Reply)
	differ(same(a.Drop, w.Drop), "dropped %q, want %q", a.Drop, w.Drop)
	differ(same(a.Add, w.Add), "added %q, want %q", a.Add, w.Add)
	differ(w.Sender == "" || a.Sender == w.Sender, "sender %q, want %q", a.Sender, w.Sender)
	differ(w.Keep < 0 || a.Keep < 0 || a.Keep == w.Keep, "%d copies kept, want %d", a.Keep, w.Keep)
	differ(!w.Untouched || !a.Changed, "the mail was changed")
	for _, h := range w.Headers {
		differ(slices.ContainsFunc(a.Headers, func(got string) bool { return fits(got, h) }), "no header %q in %q", h, a.Headers)
	}
	for _, r := range w.Rules {
		differ(a.Rules == nil || slices.Contains(a.Rules, r), "rule %q is not among %q", r, a.Rules)
	}
	return out
}

// same reports whether two lists of addresses are equal but for their order.
func same(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// fits reports whether a header field is the wanted one: the same name, and a
// value in which the wanted one occurs.
func fits(got, want string) bool {
	gotName, gotValue, _ := strings.Cut(got, ":")
	wantName, wantValue, _ := strings.Cut(want, ":")
	return strings.EqualFold(gotName, wantName) && strings.Contains(gotValue, strings.TrimSpace(wantValue))
}
