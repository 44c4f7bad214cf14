package api

import (
	"errors"
	"net/http"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy"
)

// problem is an error as RFC 9457 has it. It says nothing of the request, so that it is the
// same for a message that is another's and for one that is not there.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

// problemType begins the names of problems. They are names only, no addresses.
const problemType = "urn:milterscan:problem:"

// mistake is something in a request that cannot be.
type mistake struct {
	status            int
	name, title, text string
}

// Error returns the text.
func (m *mistake) Error() string { return m.title + ": " + m.text }

var errMethod = &mistake{http.StatusMethodNotAllowed, "method", "Method not allowed",
	"The field Allow lists the methods that this path takes."}

// wrong reports mistakes in a parameter, or in the body.
func wrong(what string, err error) error {
	return &mistake{http.StatusBadRequest, "request", "The request cannot be understood", what + ": " + err.Error()}
}

// fail answers with an error.
func (a *api) fail(w http.ResponseWriter, r *http.Request, _ login.Person, err error) {
	out := a.problem(err)
	if out.Status >= http.StatusInternalServerError {
		a.Note(r, err)
	}
	h := w.Header()
	switch out.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="milterscan"`)
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "5")
	}
	h.Set("Content-Type", "application/problem+json")
	w.WriteHeader(out.Status)
	w.Write(append(policy.JSON(out), '\n'))
}

// problem describes an error. What it says itself is for the log, except where it is about
// the request.
func (a *api) problem(err error) problem {
	var m *mistake
	if errors.As(err, &m) {
		return problem{problemType + m.name, m.title, m.status, m.text}
	}
	status := console.StatusOf(err)
	if status == http.StatusUnauthorized {
		return problem{problemType + "nobody", "No valid token", status,
			"Send a token as \"Authorization: Bearer ...\"; \"milterscan token add\" makes one."}
	}
	name, title, text := a.Words(err)
	return problem{problemType + name, title, status, text}
}

// reply answers with a value.
func reply(w http.ResponseWriter, status int, v any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(policy.JSON(v), '\n'))
	return nil
}
