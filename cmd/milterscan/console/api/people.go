package api

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/folk"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy/people"
)

// person is one who gets mail here.
type person struct {
	Address   string       `json:"address"` // the main one, by which the person is known again
	Name      string       `json:"name,omitempty"`
	Addresses []string     `json:"addresses"`
	Groups    []string     `json:"groups"`
	Listed    bool         `json:"listed"`             // a source of people has it
	Language  string       `json:"language,omitempty"` // as that source says
	Delegates []string     `json:"delegates"`          // likewise
	Appointed []string     `json:"appointed"`          // delegates that were named here
	Settings  settled      `json:"settings"`
	Digest    *digestState `json:"digest,omitempty"` // none was ever sent
}

// settled lists the settings of a person; an empty one is as the host has it.
type settled struct {
	Language string `json:"language"`
	Digest   string `json:"digest"` // off, daily, hourly
	At       string `json:"at"`     // of daily ones
	Limit    string `json:"limit"`  // of the score, a number; lists of people leave it out
}

// digestState is how far the digests of a person are.
type digestState struct {
	Sent    time.Time `json:"sent,omitzero"` // the last one that the MTA took
	Failed  int       `json:"failed"`        // how many in a row did not arrive
	Trouble string    `json:"trouble,omitempty"`
}

// errSettings says what settings can be.
var errSettings = errors.New(`language is one of the console's or empty, digest is "off", "daily", "hourly" or empty, ` +
	`and at is a time such as "07:00" for daily ones`)

// told returns a person as programs have it.
func told(one folk.One) person {
	list := func(l []string) []string { return append([]string{}, l...) }
	out := person{Address: one.ID, Name: one.Name, Addresses: list(one.Addresses), Groups: list(one.Groups), Listed: one.Listed,
		Language: one.Language, Delegates: list(one.Delegates), Appointed: list(one.Appointed),
		Settings: settled{Language: one.Settings.Language, Digest: one.Settings.Digest, Limit: one.Limit.String()}}
	if one.Settings.Digest == "daily" {
		out.Settings.At = folk.TimeOfDay(one.Settings.At)
	}
	if one.Digest.Person != "" {
		out.Digest = &digestState{one.Digest.Sent, one.Digest.Fails(), one.Digest.Trouble}
	}
	return out
}

// whoIsThere lists the people that a person sees.
func (a *api) whoIsThere(w http.ResponseWriter, r *http.Request, p login.Person, q *query) error {
	like, after, limit := q.text("like"), q.text("after"), int(q.number("limit", pageSize, 1, pageMost))
	if q.err != nil {
		return q.err
	}
	list, next, err := a.folk.List(r.Context(), p, like, after, limit)
	if err != nil {
		return err
	}
	out := struct {
		People []person `json:"people"`
		Next   string   `json:"next,omitempty"`
		Early  bool     `json:"early,omitempty"` // enough people were looked at before the page was full: there may be more at next
	}{People: []person{}, Early: next != "" && len(list) < limit}
	for _, one := range list {
		out.People = append(out.People, told(one))
	}
	if next != "" {
		out.Next = q.with(r.URL.Path, "after", next)
		w.Header().Set("Link", "<"+out.Next+`>; rel="next"`)
	}
	return reply(w, http.StatusOK, out)
}

// person shows one person.
func (a *api) person(w http.ResponseWriter, r *http.Request, p login.Person, _ *query) error {
	one, err := a.folk.One(r.Context(), p, r.PathValue("address"))
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, told(one))
}

// settle changes what a person has settled, and its delegates that were named here; what the body does not have
// stays.
func (a *api) settle(w http.ResponseWriter, r *http.Request, p login.Person, q *query) error {
	var in struct {
		Language  *string   `json:"language"`
		Digest    *string   `json:"digest"`
		At        *string   `json:"at"`
		Limit     *string   `json:"limit"`
		Appointed *[]string `json:"appointed"`
	}
	address := r.PathValue("address")
	one, err := a.folk.One(r.Context(), p, address)
	if err != nil {
		return err
	}
	if err := readBody(r, &in); err != nil {
		return err
	}
	now := told(one).Settings
	for to, from := range map[*string]*string{&now.Language: in.Language, &now.Digest: in.Digest, &now.At: in.At} {
		if from != nil {
			*to = *from
		}
	}
	if in.Limit != nil {
		if err := a.folk.Limits(r, p, address, *in.Limit); err != nil {
			return limitProblem(err, a.folk.Bounds())
		}
	}
	if in.Language != nil || in.Digest != nil || in.At != nil {
		if err := a.settleAs(r, p, address, now); err != nil {
			return err
		}
	}
	if in.Appointed != nil {
		if err := a.appoint(r, p, one, *in.Appointed); err != nil {
			return err
		}
	}
	return a.person(w, r, p, q)
}

// limitProblem says what limits can be, if the one that was asked for cannot.
func limitProblem(err error, b people.Bounds) error {
	switch {
	case !errors.Is(err, console.ErrBad):
		return err
	case !b.On():
		return wrong("limit", errors.New("this host does not let people set limits of the score"))
	}
	return wrong("limit", fmt.Errorf("write a number between %v and %v as a text, or \"\" for none", b.Least, b.Most))
}

// settleAs gives a person other settings.
func (a *api) settleAs(r *http.Request, p login.Person, address string, want settled) error {
	got, err := folk.Wanted(want.Language, want.Digest, want.At)
	if err != nil {
		return wrong("the body", errSettings)
	}
	return a.folk.Settle(r, p, address, func(s *people.Settings) { s.Language, s.Digest, s.At = got.Language, got.Digest, got.At })
}

// appoint has those act for a person that a list names, and no others of those that were named here.
func (a *api) appoint(r *http.Request, p login.Person, one folk.One, want []string) error {
	for _, d := range one.Appointed {
		if !slices.Contains(want, d) {
			if err := a.folk.Dismiss(r, p, one.ID, d); err != nil {
				return err
			}
		}
	}
	for _, d := range want {
		if !slices.Contains(one.Appointed, d) {
			if err := a.folk.Appoint(r, p, one.ID, d); err != nil {
				return err
			}
		}
	}
	return nil
}
