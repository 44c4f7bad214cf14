package greylist

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan"
)

// Key identifies a client's network, alone or with a sender and a recipient. It is a
// hash: a reader of the store learns no address from it that he does not know.
type Key [16]byte

// Entry is the record of a key.
type Entry struct {
	First  time.Time // when it was met; to the second
	Until  time.Time // when it is to be forgotten; to the second
	Passed int       // times that the client came back in time
}

// Store remembers. It may be used by any number of goroutines, and by several
// hosts. Where two save the same key at once, either may win: at worst one client
// waits a little longer.
type Store interface {
	// Load returns the entry of a key, the zero Entry if there is none.
	Load(ctx context.Context, k Key) (Entry, error)
	// Save replaces the entry of a key.
	Save(ctx context.Context, k Key, e Entry) error
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

// ScanEnvelope implements scan.EnvelopeScanner. The error is the store's.
func (s *Scanner) ScanEnvelope(ctx context.Context, stage scan.Stage, e scan.Envelope) ([]scan.Finding, error) {
	if stage != scan.StageRcpt || len(e.Recipients) == 0 || !e.Client.IsValid() || s.trusted(e) {
		return nil, nil
	}
	v := visit{s, ctx, s.network(e.Client.Addr()), e.Sender, e.Recipients[len(e.Recipients)-1], e.Received}
	if allowed, err := v.clientAllowed(); allowed || err != nil {
		return nil, err
	}
	return v.judge()
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

// visit is one recipient of one message.
type visit struct {
	*Scanner
	ctx          context.Context
	client       netip.Prefix
	sender, rcpt string
	now          time.Time
}

// clientAllowed reports whether the client has come back often enough, and if so
// remembers it for longer.
func (v *visit) clientAllowed() (bool, error) {
	if v.config.AutoAllow == 0 {
		return false, nil
	}
	key := keyOf(v.client.String())
	e, err := v.load(key)
	if err != nil || e.Passed < v.config.AutoAllow {
		return false, err
	}
	return true, v.prolong(key, e)
}

// judge tells the ways apart in which a client may send to a recipient.
func (v *visit) judge() ([]scan.Finding, error) {
	key := keyOf(v.client.String(), strings.ToLower(v.sender), strings.ToLower(v.rcpt))
	e, err := v.load(key)
	if err != nil {
		return nil, err
	}
	if e.Passed > 0 {
		return nil, v.prolong(key, e)
	}
	if through, err := v.letThrough(key); through || err != nil {
		return nil, err
	}
	due := e.First.Add(v.config.Delay.Go())
	switch {
	case e.First.IsZero() || v.now.Before(e.First): // the clock was wrong then, or is now
		err := v.store.Save(v.ctx, key, Entry{First: v.now, Until: v.now.Add(v.config.Window.Go())})
		return v.found(err, FirstSeen, "")
	case v.now.Before(due):
		return v.found(nil, TooEarly, fmt.Sprintf(", %v too early", due.Sub(v.now).Round(time.Second)))
	}
	err = v.store.Save(v.ctx, key, Entry{First: e.First, Until: v.now.Add(v.config.Keep.Go()), Passed: 1})
	if err == nil {
		err = v.countClient()
	}
	return v.found(err, CameBack, fmt.Sprintf(", after %v", v.now.Sub(e.First).Round(time.Second)))
}

// countClient remembers that the client has come back once more.
func (v *visit) countClient() error {
	if v.config.AutoAllow == 0 {
		return nil
	}
	key := keyOf(v.client.String())
	e, err := v.load(key)
	if err != nil {
		return err
	}
	if e.First.IsZero() {
		e.First = v.now
	}
	e.Passed++
	e.Until = v.now.Add(v.config.Keep.Go())
	return v.store.Save(v.ctx, key, e)
}

// load returns the entry of a key, unless its time is over.
func (v *visit) load(k Key) (Entry, error) {
	e, err := v.store.Load(v.ctx, k)
	if err != nil || v.now.After(e.Until) {
		return Entry{}, err
	}
	return e, nil
}

// lazily is the part of a time to be remembered that must have gone by before it
// is written again: most mail comes from those who wrote a moment ago.
const lazily = 50

// prolong remembers an entry for longer.
func (v *visit) prolong(k Key, e Entry) error {
	keep := v.config.Keep.Go()
	until := v.now.Add(keep)
	if until.Sub(e.Until) < keep/lazily {
		return nil
	}
	e.Until = until
	return v.store.Save(v.ctx, k, e)
}

// found returns a finding about the recipient. Where the store could not remember
// there is none: the client would be put off for ever.
func (v *visit) found(err error, rule, more string) ([]scan.Finding, error) {
	if err != nil {
		return nil, err
	}
	return found(rule, v.rcpt, fmt.Sprintf("%v, <%s> to <%s>%s", v.client, short(v.sender), short(v.rcpt), more)), nil
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
