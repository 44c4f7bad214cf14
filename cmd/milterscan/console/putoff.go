package console

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan/sender/greylist"
)

// ownRecipients returns the recipients of a message whose mail a person sees, sorted.
func ownRecipients(p login.Person, r policy.Record) []string {
	return slices.Compact(slices.Sorted(slices.Values(p.Own(r.Addresses()))))
}

// putsOff reports whether greylisting found that the client of a message has yet to come back, and still asks for that.
func (c *Console) putsOff(r policy.Record) bool {
	return c.Host.Config().Greylist.Enabled && slices.ContainsFunc(r.Findings, func(f policy.RecordFinding) bool {
		return f.Rule == greylist.FirstSeen || f.Rule == greylist.TooEarly
	})
}

// letThrough has the sender of a message let through to one of its recipients at the next try, in the name of a
// person, and writes it down.
func (c *Console) letThrough(w http.ResponseWriter, r *http.Request, p login.Person, f *found) error {
	id, to := f.Record.ID, r.PostForm.Get("owner")
	if !c.putsOff(f.Record) || !slices.Contains(ownRecipients(p, f.Record), to) {
		return ErrBad
	}
	_, err := ask(r.Context(), c.asks, PartGreylist, func(ctx context.Context) (time.Time, error) {
		return c.Host.LetThrough(ctx, f.Record.Sender, to)
	})
	c.noteSender(r, p, to, "let <"+f.Record.Sender+"> through", err)
	if err != nil {
		return c.notActed(w, r, p, id, err)
	}
	http.Redirect(w, r, linkTo("/messages/"+id, "done", "let-through"), http.StatusSeeOther)
	return nil
}
