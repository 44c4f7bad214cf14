// Package arc verifies chains of ARC (RFC 8617): sets of header fields in which
// hosts that pass a message on seal what they found when they got it. A valid
// chain says that what the sealers said was not changed. Whether they tell the
// truth is for the caller to know.
package arc

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/dkim"
)

// maxSets bounds the sets of a chain. RFC 8617, section 5.2, step 1, calls a
// longer one a failure.
const maxSets = 50

// Why a chain is not valid.
var (
	// ErrFail: the chain is broken, now and for ever.
	ErrFail = errors.New("the chain is broken")
	// ErrTemporary: a key could not be looked up. RFC 8617, section 5.2, says that
	// such a chain counts as broken; asking again may help.
	ErrTemporary = errors.New("the chain could not be verified")
)

// Chain is the sets of a message.
type Chain struct {
	Sets []Set // the oldest first; none if the message has no chain, or if Fault says why there is none

	fault  error
	fields []rawField // the whole header
}

// Set is what one host that passed the message on has added.
type Set struct {
	Instance int
	Sealer   string // d= of ARC-Seal, in lower case
	Signer   string // d= of ARC-Message-Signature, in lower case
	Selector string // s= of ARC-Seal
	Results  string // the value of ARC-Authentication-Results after its instance

	results, signature, seal *arcField
}

// arcField is one field of a set.
type arcField struct {
	raw  string // with its name and line ends
	tags tags   // none of ARC-Authentication-Results
}

// The fields of a set, in the order in which they are hashed (RFC 8617, section
// 5.1.1).
const (
	resultsField   = "arc-authentication-results"
	signatureField = "arc-message-signature"
	sealField      = "arc-seal"
)

// Read returns the chain of a message without verifying a signature. The error says
// that the message could not be read.
func Read(m *scan.Message) (Chain, error) {
	if !present(m) {
		return Chain{}, nil
	}
	head, err := dkim.Header(m)
	if err != nil {
		return Chain{}, err
	}
	var c Chain
	if err := dkim.Bearable(head, nil); err != nil {
		c.fault = broken("%v", err)
		return c, nil
	}
	c.fields = split(string(head))
	c.Sets, c.fault = sets(c.fields)
	return c, nil
}

// present reports whether the message has a field of ARC.
func present(m *scan.Message) bool {
	for _, name := range [...]string{resultsField, signatureField, sealField} {
		if len(m.Header.Values(name)) > 0 {
			return true
		}
	}
	return false
}

// Fault returns why the fields of ARC that the message has are no chain; nil if they
// are one, or if there are none.
func (c Chain) Fault() error { return c.fault }

// Newest returns the set that was added last. There must be one.
func (c Chain) Newest() Set { return c.Sets[len(c.Sets)-1] }

func broken(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrFail, cut(fmt.Sprintf(format, args...)))
}

// sets collects the fields into complete sets, numbered from 1 on without a gap
// (RFC 8617, section 5.2, steps 1 and 3).
func sets(fields []rawField) ([]Set, error) {
	found := map[int]*Set{}
	for _, f := range fields {
		if f.name != resultsField && f.name != signatureField && f.name != sealField {
			continue
		}
		if err := place(found, f); err != nil {
			return nil, err
		}
	}
	list := make([]Set, 0, len(found))
	for i := 1; i <= len(found); i++ {
		s, ok := found[i]
		if !ok {
			return nil, broken("set %d is missing", i)
		}
		if err := s.complete(); err != nil {
			return nil, err
		}
		list = append(list, *s)
	}
	return list, nil
}

// longestField bounds one field, in bytes.
const longestField = 16 << 10

// place reads a field and puts it into its set.
func place(found map[int]*Set, f rawField) error {
	if len(f.raw) > longestField {
		return broken("%s of %d bytes is not looked at", f.name, len(f.raw))
	}
	field, n, rest, err := read(f)
	if err != nil {
		return err
	}
	s := found[n]
	if s == nil {
		s = &Set{Instance: n}
		found[n] = s
	}
	to := &s.seal
	switch f.name {
	case resultsField:
		to, s.Results = &s.results, rest
	case signatureField:
		to = &s.signature
	}
	if *to != nil {
		return broken("there are two %s with i=%d", f.name, n)
	}
	*to = field
	return nil
}

// read returns a field, its instance, and of ARC-Authentication-Results the rest of
// the value.
func read(f rawField) (field *arcField, n int, rest string, err error) {
	field = &arcField{raw: f.raw}
	instance := ""
	if f.name == resultsField {
		instance, rest, _ = strings.Cut(f.value(), ";")
		name, number, _ := strings.Cut(uncommented(instance), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "i") {
			return nil, 0, "", broken("%s has no i=", f.name)
		}
		instance = strings.TrimSpace(number)
	} else {
		if field.tags, err = parseTags(f.value()); err != nil {
			return nil, 0, "", broken("%s: %v", f.name, err)
		}
		instance = field.tags["i"]
	}
	n, err = strconv.Atoi(instance)
	if err != nil || n < 1 {
		return nil, 0, "", broken("%s has i=%s", f.name, instance)
	}
	if n > maxSets {
		return nil, 0, "", broken("there are more than %d sets", maxSets)
	}
	return field, n, rest, nil
}

// complete checks that nothing is missing in a set, and takes over who made it.
func (s *Set) complete() error {
	for _, f := range [...]struct {
		name  string
		field *arcField
	}{{resultsField, s.results}, {signatureField, s.signature}, {sealField, s.seal}} {
		if f.field == nil {
			return broken("set %d has no %s", s.Instance, f.name)
		}
	}
	s.Sealer, s.Signer = s.seal.tags.domain(), s.signature.tags.domain()
	s.Selector = cut(s.seal.tags["s"])
	return nil
}

// longestText bounds the text taken over from a field, or from an error that quotes
// one.
const longestText = 253

func cut(s string) string { return strings.ToValidUTF8(s[:min(len(s), longestText)], "?") }
