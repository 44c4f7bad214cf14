package greylist

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"github.com/milterscan/milterscan/scan"
)

// Key identifies a client's network, alone or with a sender and a recipient. It is a
// hash: a reader of the store learns no address from it that he does not know.
type Key [16]byte

// Store remembers. It may be used by any number of goroutines, and by several hosts: what a client does at one of them
// counts at all, and is counted once.
type Store interface {
	// Try records that a client tries to send, and returns its standing by Try.Judge. A store that several hosts
	// share has its own clock.
	Try(ctx context.Context, t Try) (Answer, error)
	// Pass remembers a pass for a time from now, and returns when it is over. The store has its own clock as above.
	Pass(ctx context.Context, k Key, now time.Time, hold time.Duration) (until time.Time, err error)
}

// Scanner remembers which sender has sent to which recipient. It judges each recipient
// at RCPT by the time at which the message began; where an MTA, or a relay of ours,
// tells no recipients before the message, it reports nothing.
type Scanner struct {
	config  Config
	store   Store
	trusted func(scan.Envelope) bool
}

// New returns a scanner for a valid configuration. Nothing is said about mail
// whose envelope is trusted.
func New(c Config, s Store, trusted func(scan.Envelope) bool) *Scanner {
	return &Scanner{config: c, store: s, trusted: trusted}
}

// Name implements scan.Scanner.
func (s *Scanner) Name() string { return word }

// Scan implements scan.Scanner. All that is to be said is said before the
// message.
func (s *Scanner) Scan(context.Context, *scan.Message) ([]scan.Finding, error) { return nil, nil }

// Local implements scan.IsLocal: all is asked before the message.
func (s *Scanner) Local() bool { return true }

// At implements scan.SpeaksAt.
func (s *Scanner) At(stage scan.Stage) bool { return stage == scan.StageRcpt }

// ScanEnvelope implements scan.EnvelopeScanner. The error is the store's.
func (s *Scanner) ScanEnvelope(ctx context.Context, stage scan.Stage, e scan.Envelope) ([]scan.Finding, error) {
	if stage != scan.StageRcpt || len(e.Recipients) == 0 || !e.Client.IsValid() || s.trusted(e) {
		return nil, nil
	}
	client, to := s.network(e.Client.Addr()), e.Recipients[len(e.Recipients)-1]
	answer, err := s.store.Try(ctx, s.config.try(client, e.Sender, to, e.Received))
	if err != nil {
		return nil, err
	}
	return answer.found(to, fmt.Sprintf("%v, <%s> to <%s>", client, short(e.Sender), short(to))), nil
}

// network returns the part of a client's address that counts.
func (s *Scanner) network(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := s.config.IPv6
	if a.Is4() {
		bits = s.config.IPv4
	}
	p, _ := a.Prefix(bits) // which fails for bits that Check does not let through
	return p
}

// longest is how much of an address a finding quotes.
const longest = 200

func short(address string) string { return address[:min(len(address), longest)] }

// keyOf returns the key of some words, none of which can run into the next.
func keyOf(words ...string) (k Key) {
	h := sha256.New()
	for _, w := range words {
		h.Write(binary.AppendUvarint(nil, uint64(len(w))))
		h.Write([]byte(w))
	}
	copy(k[:], h.Sum(nil))
	return k
}
