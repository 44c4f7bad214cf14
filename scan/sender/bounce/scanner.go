package bounce

import (
	"context"
	"errors"
	"fmt"

	"github.com/milterscan/milterscan/scan"
)

// With is what the scanner needs of others.
type With struct {
	Keys    func() (Keys, error)      // asked for each message that is marked or checked
	Trusted func(scan.Envelope) bool  // whose mail is marked, and not checked
	Local   func(address string) bool // whether an address is ours; nil: it is not known which are
}

// Scanner gives marks to mail that goes out, and looks for them in bounces.
type Scanner struct {
	config Config
	with   With
}

// New returns a scanner for a valid configuration.
func New(c Config, w With) *Scanner { return &Scanner{c, w} }

// Name implements scan.Scanner.
func (s *Scanner) Name() string { return word }

// Scan implements scan.Scanner. The error is that of the keys, or of reading the
// message.
func (s *Scanner) Scan(ctx context.Context, m *scan.Message) ([]scan.Finding, error) {
	switch e := m.Envelope; {
	case s.goesOut(e):
		return s.mark(m)
	case e.Sender == "" && !s.with.Trusted(e):
		return s.check(ctx, m)
	}
	return nil, nil
}

// goesOut reports whether a message is from one of us to a recipient elsewhere.
func (s *Scanner) goesOut(e scan.Envelope) bool {
	if e.Sender == "" || !s.with.Trusted(e) || s.with.Local != nil && !s.with.Local(e.Sender) {
		return false
	}
	for _, to := range e.Recipients {
		if s.with.Local == nil || !s.with.Local(to) {
			return true
		}
	}
	return false
}

// mark makes a mark, unless the mail has a good one.
func (s *Scanner) mark(m *scan.Message) ([]scan.Finding, error) {
	keys, err := s.with.Keys()
	if err != nil {
		return nil, err
	}
	e := m.Envelope
	fields := m.Header.Values(Field)
	for _, value := range fields[:min(len(fields), maxMarks)] {
		if keys.check(trim(value), e.Sender, e.Received, s.config.Valid.Go()) == nil {
			return nil, nil
		}
	}
	return []scan.Finding{found(Marked, "", keys[0].Mark(e.Sender, e.Received))}, nil
}

// check says of each recipient whether he has sent what the bounce is about.
func (s *Scanner) check(ctx context.Context, m *scan.Message) ([]scan.Finding, error) {
	keys, err := s.with.Keys()
	if err != nil {
		return nil, err
	}
	marks, err := marksIn(ctx, m)
	if err != nil {
		return nil, err
	}
	unmarked := notOurs
	if len(marks) == 0 && isAnswer(m) {
		unmarked = answer
	}
	var all []scan.Finding
	seen := map[string]bool{"": true} // as in a file, which names no recipients
	for _, to := range m.Envelope.Recipients {
		if !seen[to] {
			seen[to] = true
			all = append(all, s.verdict(keys, marks, to, m, unmarked))
		}
	}
	return all, nil
}

// verdict takes the best of the marks.
func (s *Scanner) verdict(keys Keys, marks []string, to string, m *scan.Message, unmarked string) scan.Finding {
	if len(marks) == 0 {
		return found(unmarked, to, "no mark for "+short(to))
	}
	rule := forged
	for _, text := range marks {
		err := keys.check(text, to, m.Envelope.Received, s.config.Valid.Go())
		switch {
		case err == nil:
			return found(ours, to, fmt.Sprintf("%s is for %s", text, short(to)))
		case errors.Is(err, errExpired):
			rule = expired
		}
	}
	return found(rule, to, fmt.Sprintf("%d marks, none good for %s", len(marks), short(to)))
}

// longest is how much of an address a finding quotes.
const longest = 200

func short(address string) string { return "<" + address[:min(len(address), longest)] + ">" }
