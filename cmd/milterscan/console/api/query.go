package api

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// mostOfParam bounds a parameter, in bytes.
const mostOfParam = 2000

// query is the parameters of a request. The first that cannot be read is the error of all.
type query struct {
	values url.Values
	err    error
}

// readQuery reads parameters, each of which is given once. "to" may be given several times.
func readQuery(raw string, known []string) (*query, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, wrong("the query", errors.New("it is not encoded as an address has it"))
	}
	for name, list := range values {
		switch {
		case !slices.Contains(known, name):
			return nil, wrong("the query", fmt.Errorf("there is no parameter %.60q here", name))
		case len(list) > 1 && name != "to":
			return nil, wrong(name, errors.New("it is given more than once"))
		case slices.ContainsFunc(list, func(s string) bool { return len(s) > mostOfParam }):
			return nil, wrong(name, fmt.Errorf("it has more than %d bytes", mostOfParam))
		}
	}
	return &query{values: values}, nil
}

// fail notes the first mistake.
func (q *query) fail(name string, err error) {
	if q.err == nil {
		q.err = wrong(name, err)
	}
}

func (q *query) text(name string) string { return strings.TrimSpace(q.values.Get(name)) }

// word reads one of some words, or none.
func (q *query) word(name string, words ...string) string {
	s := q.text(name)
	if s != "" && !slices.Contains(words, s) {
		q.fail(name, fmt.Errorf("write one of %s", strings.Join(words, ", ")))
	}
	return s
}

// number reads a whole number between two, or returns one that is meant where there is none.
func (q *query) number(name string, meant, least, most int64) int64 {
	s := q.text(name)
	if s == "" {
		return meant
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < least || n > most {
		q.fail(name, fmt.Errorf("write a whole number from %d to %d", least, most))
		return meant
	}
	return n
}

// moment reads a time, zero for none.
func (q *query) moment(name string) time.Time {
	s := q.text(name)
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		q.fail(name, errors.New(`write a time as RFC 3339 has it, such as "2026-11-29T17:10:00Z"`))
	}
	return t
}

// yes reads a parameter that is "true" or "false".
func (q *query) yes(name string) bool { return q.word(name, "true", "false") == "true" }

// with returns the address of a path with the parameters of the query and another one.
func (q *query) with(path, name, value string) string {
	next := url.Values{}
	for key, list := range q.values {
		next[key] = list
	}
	next.Set(name, value)
	return path + "?" + next.Encode()
}
