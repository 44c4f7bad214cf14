// Package dns asks the resolvers an administrator names, over UDP and TCP, and
// remembers what they say. It trusts no answer: questions have budgets of time
// and number, and an answer counts only if it is one to the question.
package dns

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
)

// Type is the type of a resource record (RFC 1035, section 3.2.2).
type Type uint16

// The types that can be asked for.
const (
	A    Type = 1
	NS   Type = 2
	PTR  Type = 12
	MX   Type = 15
	TXT  Type = 16
	AAAA Type = 28
)

var typeNames = map[Type]string{A: "A", NS: "NS", PTR: "PTR", MX: "MX", TXT: "TXT", AAAA: "AAAA"}

// String returns the type as zone files write it.
func (t Type) String() string {
	if name, ok := typeNames[t]; ok {
		return name
	}
	return fmt.Sprintf("TYPE%d", uint16(t)) // RFC 3597, section 5
}

// Record is one resource record, as far as its type has these fields.
type Record struct {
	Addr       netip.Addr // A, AAAA
	Host       string     // NS, PTR, MX: lower case, without the final dot; "" for the root
	Preference uint16     // MX
	Text       string     // TXT: its strings joined
}

// Resolver answers questions. Any number of goroutines may ask at once.
type Resolver interface {
	// Lookup returns the records of one type that a name has, aliases followed.
	// A name that exists and has none is no error; one that does not exist is
	// ErrNotFound. The name is in ASCII, with or without its final dot. The
	// records must not be changed.
	Lookup(ctx context.Context, name string, t Type) ([]Record, error)
}

// Why a question has no answer. All but ErrNotFound mean "I do not know".
var (
	// ErrNotFound: the name does not exist (NXDOMAIN), or no such name can.
	ErrNotFound = errors.New("no such domain")
	// ErrFailed: the resolver says that it cannot tell (SERVFAIL, REFUSED), or
	// what it says is no answer.
	ErrFailed = errors.New("the resolver gave no usable answer")
	// ErrTimeout: nothing came in time, while other questions are answered.
	ErrTimeout = errors.New("no answer in time")
	// ErrUnreachable: no resolver answers any question.
	ErrUnreachable = errors.New("no resolver answers")
	// ErrBudget: the questions are used up; see Limited.
	ErrBudget = errors.New("too many questions for one message")
)

// Error says which question has no answer, and why.
type Error struct {
	Name   string
	Type   Type
	Err    error  // one of the above, or the context's
	Detail string // "" if there is nothing to add
}

// Error returns the whole story on one line.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s %v: %v", e.Name, e.Type, e.Err)
	if e.Detail != "" {
		s += " (" + e.Detail + ")"
	}
	return s
}

// Unwrap makes errors.Is look at the reason.
func (e *Error) Unwrap() error { return e.Err }

// NotFound reports whether the error says that the name does not exist. Any
// other error says nothing about the name.
func NotFound(err error) bool { return errors.Is(err, ErrNotFound) }
