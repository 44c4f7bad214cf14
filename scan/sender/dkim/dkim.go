// Package dkim verifies the DKIM signatures of a message (RFC 6376). Several
// checks ask for them, and each message is verified once.
package dkim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/sender/dns"
)

// Result is the result of a signature, in the words of RFC 8601, section 2.7.1.
type Result string

// The results.
const (
	Pass      Result = "pass"
	Fail      Result = "fail"      // the message is not the one that was signed
	PermError Result = "permerror" // the signature or its key is no good, and never will be
	TempError Result = "temperror" // the key cannot be had now
)

// Signature is one DKIM-Signature field and its result.
type Signature struct {
	Domain   string // d=, in lower case; "" if it cannot be read
	Identity string // i=, or "@" and the domain
	Selector string // s=; "" if it cannot be read
	Result   Result
	Reason   string // for the log; "" if it is valid
}

// Valid reports whether the domain answers for the message.
func (s Signature) Valid() bool { return s.Result == Pass }

// Verifier verifies messages. Any number of goroutines may ask; what it found it
// keeps for as long as the message is in use.
type Verifier struct {
	resolver dns.Resolver
	most     int
	known    scan.Memo[[]Signature]
}

// New returns a verifier that asks r for keys, and verifies at most so many
// signatures of a message: the topmost.
func New(r dns.Resolver, most int) *Verifier {
	return &Verifier{resolver: r, most: most}
}

// Of returns the signatures of a message, topmost first. The error says that the
// message could not be read. The list must not be changed.
func (v *Verifier) Of(ctx context.Context, m *scan.Message) ([]Signature, error) {
	return v.known.Of(ctx, m, v.verify)
}

// field is the name of the header field that holds a signature.
const field = "DKIM-Signature"

func (v *Verifier) verify(ctx context.Context, m *scan.Message) ([]Signature, error) {
	values := m.Header.Values(field)
	if len(values) == 0 {
		return nil, nil
	}
	head, err := Header(m)
	if err != nil {
		return nil, fmt.Errorf("the message cannot be read: %w", err)
	}
	if err := Bearable(head, values[:min(len(values), v.most)]); err != nil {
		return []Signature{{Result: PermError, Reason: err.Error()}}, nil
	}
	in := &source{ctx: ctx, r: io.MultiReader(bytes.NewReader(head), Body(m))}
	list, err := dkim.VerifyWithOptions(in, &dkim.VerifyOptions{
		LookupTXT:        func(name string) ([]string, error) { return Key(ctx, v.resolver, name) },
		MaxVerifications: v.most,
	})
	switch {
	case in.err != nil:
		return nil, fmt.Errorf("the message cannot be read: %w", in.err)
	case err != nil && !errors.Is(err, dkim.ErrTooManySignatures):
		return []Signature{{Result: PermError, Reason: err.Error()}}, nil
	}
	signatures := make([]Signature, len(list))
	for i, one := range list {
		signatures[i] = signature(one)
		if i < len(values) {
			signatures[i].Selector = selector(values[i])
		}
	}
	return signatures, nil
}

// signature translates the library's result.
func signature(v *dkim.Verification) Signature {
	s := Signature{Domain: strings.ToLower(strings.TrimSuffix(cut(v.Domain), ".")), Identity: cut(v.Identifier), Result: Pass}
	if v.Err == nil && markup.Hostname(s.Domain) == "" { // RFC 6376, section 3.5
		s.Result, s.Reason = PermError, "the domain is no name of a host"
	}
	if v.Err == nil {
		return s
	}
	s.Reason = cut(strings.TrimPrefix(v.Err.Error(), "dkim: "))
	switch {
	case dkim.IsTempFail(v.Err):
		s.Result = TempError
	case dkim.IsPermFail(v.Err):
		s.Result = PermError
	default:
		s.Result = Fail
	}
	return s
}

// selector returns the tag s of a signature, without blanks.
func selector(value string) string {
	for tag := range strings.SplitSeq(value, ";") {
		if name, s, _ := strings.Cut(tag, "="); strings.TrimSpace(name) == "s" {
			return cut(strings.Join(strings.Fields(s), ""))
		}
	}
	return ""
}

// longestText bounds the text taken over from a signature, or from an error that
// quotes one.
const longestText = 253

func cut(s string) string { return strings.ToValidUTF8(s[:min(len(s), longestText)], "?") }
