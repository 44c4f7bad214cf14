package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
)

// Problem is a reason not to answer. Its key names the text that a page shows.
type Problem struct {
	Status int
	Key    string
}

// Error returns the key.
func (p *Problem) Error() string { return "console: " + p.Key }

// The problems that all surfaces have.
var (
	ErrNobody    = &Problem{http.StatusUnauthorized, "problem-nobody"}
	ErrForbidden = &Problem{http.StatusForbidden, "problem-forbidden"}
	ErrForged    = &Problem{http.StatusForbidden, "problem-forged"}
	ErrNotFound  = &Problem{http.StatusNotFound, "problem-not-found"}
	ErrBad       = &Problem{http.StatusBadRequest, "problem-bad"}
	ErrLarge     = &Problem{http.StatusRequestEntityTooLarge, "problem-large"}
	ErrBusy      = &Problem{http.StatusServiceUnavailable, "problem-busy"}
	ErrFault     = &Problem{http.StatusInternalServerError, "problem-fault"}
	ErrAway      = &Problem{http.StatusServiceUnavailable, "problem-away"}
)

// The problems of what recipients ask for, which other rooms have.
var (
	ErrNoReason   = &Problem{http.StatusBadRequest, "problem-no-reason"}
	ErrManyAsked  = &Problem{http.StatusTooManyRequests, "problem-many-asked"}
	ErrAnswered   = &Problem{http.StatusConflict, "problem-answered"}
	ErrNoneChosen = errNoneChosen
)

// Part is a part of the daemon that a page asks.
type Part string

// The parts. Their texts are "part-" and the word.
const (
	PartHistory    Part = "history"
	PartQuarantine Part = "quarantine"
	PartPeople     Part = "people"
	PartReloads    Part = "reloads"
	PartJudge      Part = "judge"
	PartMTA        Part = "mta"
	PartScorers    Part = "scorers"
	PartHealth     Part = "health"
	PartTimeline   Part = "timeline"
	PartGreylist   Part = "greylist"
)

// PartError says that a part did not answer, or answered with an error.
type PartError struct {
	Part Part
	Err  error
}

// Error names the part.
func (e *PartError) Error() string { return string(e.Part) + ": " + e.Err.Error() }

// Unwrap returns the reason.
func (e *PartError) Unwrap() error { return e.Err }

// Hangs reports whether the part did not answer in time.
func (e *PartError) Hangs() bool { return errors.Is(e.Err, context.DeadlineExceeded) }

// StatusOf returns the status of HTTP for an error.
func StatusOf(err error) int {
	var p *Problem
	var part *PartError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &p):
		return p.Status
	case errors.As(err, &large):
		return http.StatusRequestEntityTooLarge
	case errors.As(err, &part):
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// nameOf returns the name of an error: the key of a problem, or of the trouble with
// a part.
func nameOf(err error) string {
	var p *Problem
	var part *PartError
	switch {
	case errors.As(err, &p):
		return strings.TrimPrefix(p.Key, "problem-")
	case StatusOf(err) == ErrLarge.Status:
		return "large"
	case errors.As(err, &part) && part.Hangs():
		return string(part.Part) + "-hangs"
	case errors.As(err, &part):
		return string(part.Part) + "-fails"
	}
	return "fault"
}

// fail shows an error as a page. One who has not logged in is asked to do so.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, p login.Person, err error) {
	if errors.Is(err, ErrNobody) && r.Method == http.MethodGet {
		http.Redirect(w, r, "/login?to="+url.QueryEscape(escapedPath(r.URL)), http.StatusSeeOther)
		return
	}
	c.note(r, err)
	v := c.view(r, p, "problem")
	v.Page = troubleOf(v.pages, err)
	v.write(w, StatusOf(err))
}
