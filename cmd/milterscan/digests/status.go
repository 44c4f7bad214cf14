package digests

import (
	"context"
	"fmt"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/people"
)

// state is how digests go.
type state struct {
	Enabled bool            `json:"enabled"`
	Until   time.Time       `json:"until,omitzero"` // no digest that was due up to then is left to be sent
	People  int             `json:"people"`         // who have got one
	Last    time.Time       `json:"last,omitzero"`  // when one was sent last
	Going   int             `json:"going"`          // that are being sent
	Trouble []people.Digest `json:"trouble"`        // some of which did not arrive
	Dropped int             `json:"dropped"`        // who get none any more
}

// status says how digests go.
func status(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("digest status", "[-c FILE] [--json]", std)
	asJSON := f.Bool("json", false, "print a JSON object")
	d, status, ok := open(ctx, f, args, std, cli.Parse)
	if !ok {
		return status
	}
	defer d.close()
	s, err := d.state(ctx)
	switch {
	case err != nil:
		return d.fail(err)
	case *asJSON:
		show.JSON(std.Out, s)
	default:
		d.print(s)
	}
	if s.Dropped > 0 {
		return cli.ExitFound
	}
	return cli.ExitOK
}

func (d *desk) state(ctx context.Context) (state, error) {
	s := state{Enabled: d.config.People.Digest.Enabled, Trouble: []people.Digest{}}
	book := d.Book(d.config)
	var err error
	if s.Until, err = book.DigestRound(ctx); err != nil {
		return s, err
	}
	all, err := book.Digests(ctx)
	for _, one := range all {
		s.People++
		if one.Sent.After(s.Last) {
			s.Last = one.Sent
		}
		if !one.Claimed.IsZero() {
			s.Going++
		}
		if one.Trouble == "" && one.Fails() == 0 {
			continue
		}
		s.Trouble = append(s.Trouble, one)
		if one.Fails() >= d.config.People.Digest.DropAfter {
			s.Dropped++
		}
	}
	return s, err
}

func (d *desk) print(s state) {
	c := d.config.People.Digest
	if !s.Enabled {
		fmt.Fprintln(d.Out, "digests are off; set people.digest.enabled")
	} else {
		fmt.Fprintf(d.Out, "digests are %s", c.Default)
		if c.Default == "daily" {
			fmt.Fprintf(d.Out, ", at %s (%s)", c.At, c.Location())
		}
		fmt.Fprintln(d.Out, ", for those who have settled nothing else")
	}
	fmt.Fprintf(d.Out, "all sent that were due up to: %s\npeople who have got one: %d, the last at: %s\nbeing sent: %d\n",
		moment(s.Until), s.People, moment(s.Last), s.Going)
	for _, one := range s.Trouble {
		word := "trouble"
		if one.Fails() >= c.DropAfter {
			word = "DROPPED"
		}
		fmt.Fprintf(d.Out, "%s  %s: %d in a row did not arrive: %s\n", word, show.Printable(one.Address), one.Fails(),
			show.Printable(one.Trouble))
	}
	if s.Dropped > 0 {
		fmt.Fprintf(d.Out, "dropped: %d; milterscan digest resume ADDRESS takes one up again\n", s.Dropped)
	}
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return show.Time(t)
}
