package rspamd

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/scorer"
	"github.com/milterscan/milterscan/scan/units"
)

// Controller is the worker of rspamd that learns.
type Controller struct {
	Address  string // as Config has them
	CAFile   string
	Password func() (string, error) // nil for none
	Timeout  time.Duration
}

// CheckController returns the error in the address of a controller, with or without a password.
func CheckController(address string, secret bool) error {
	_, err := parseAddress(address)
	if err == nil && secret {
		err = checkPassword([]string{address})
	}
	return err
}

// Learn has rspamd learn what a message is. One that it has learned already is learned. What it was
// taught of the message before is forgotten.
func (c Controller) Learn(ctx context.Context, as scorer.Lesson, e scan.Envelope, mail scan.Content) error {
	roots, err := units.Authorities(c.CAFile)
	if err != nil {
		return err
	}
	q := question{path: "learn" + string(as), fields: fields(e), mail: mail}
	return scorer.NewServers([]string{c.Address}, 1).Ask(ctx, c.Timeout, func(ctx context.Context, address string) error {
		r, err := client{roots, c.Password}.ask(ctx, address, q)
		if err != nil {
			return err
		}
		return r.learned()
	})
}

// Ping asks whether the controller is there.
func (c Controller) Ping(ctx context.Context) error {
	roots, err := units.Authorities(c.CAFile)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	if err := (client{roots: roots}).ping(ctx, c.Address); err != nil {
		return fmt.Errorf("%s: %w", c.Address, err)
	}
	return nil
}

// learned reads the answer to a lesson. That a message was learned before is an error of rspamd, with
// one status or another, and none of ours.
func (r reply) learned() error {
	var a struct {
		Success bool   `json:"success"`
		Error   string `json:"error"`
	}
	err := json.Unmarshal(r.body, &a)
	switch {
	case r.code == http.StatusAlreadyReported || err == nil && strings.Contains(a.Error, "already learned"):
		return nil
	case r.code == http.StatusNoContent:
		return scorer.ErrNotLearned
	case r.code != http.StatusOK:
		return r.refusal()
	case err != nil:
		return fmt.Errorf("%w: %.200v", ErrGarbage, err)
	case a.Error != "":
		return fmt.Errorf("%w: %.200q", ErrServer, a.Error)
	case !a.Success:
		return fmt.Errorf("%w: %.80q", ErrGarbage, r.body)
	}
	return nil
}
