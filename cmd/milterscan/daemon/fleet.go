package daemon

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/fleet"
)

// Times of what hosts share.
const (
	joinTime  = 10 * time.Second // a start waits for the database
	factEvery = 5 * time.Minute  // engines are asked for others to know
)

// join has the first mail find what hosts share, if that can be reached. If not, mail goes on without it.
func (d *Daemon) join(ctx context.Context) {
	if d.Stores.Fleet == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, joinTime)
	defer cancel()
	d.tellOfFleet(d.Stores.Fleet.Prepare(ctx))
	d.book().Read(ctx) // which warns itself
}

// share sees to it that what hosts share can be used, and says how this host is, until ctx is done.
func (d *Daemon) share(ctx context.Context) {
	if d.Stores.Fleet == nil {
		return
	}
	m := announcer{d: d, begun: time.Now()}
	every(ctx, fleet.Every, func(ctx context.Context, tick <-chan time.Time) {
		d.Stores.Fleet.Watch(ctx, tick, d.tellOfFleet, m.announce)
	})
}

// tellOfFleet logs whether what hosts share can be used.
func (d *Daemon) tellOfFleet(err error) {
	d.shares.Store(err == nil)
	if err != nil {
		d.log.Warn("the shared database cannot be used; mail goes on without it", zap.Error(err))
		return
	}
	d.log.Info("the shared database can be used", zap.String("database", d.Stores.Fleet.Place()))
}

// announcer speaks for this host among those that share.
type announcer struct {
	d     *Daemon
	begun time.Time
	facts map[string]string
	asked time.Time // when the facts were collected
	doubt string    // about the servers, that was told last
}

// announce tells the others how this host is.
func (m *announcer) announce(ctx context.Context) error {
	m.tellDoubts()
	c := m.d.config.Load()
	if now := time.Now(); now.Sub(m.asked) >= factEvery {
		m.facts, m.asked = factsOf(ctx, c), now
	}
	h := fleet.Host{Name: c.Store.Host(), Version: m.d.version, Config: c.Fingerprint(), Started: m.begun, Facts: m.facts}
	if n := m.d.spared(c); n > 0 {
		h.Behind = map[string]int64{fleet.KeptMessages: n}
	}
	return m.d.Stores.Fleet.Announce(ctx, h)
}

// tellDoubts logs what is odd about the servers, once, and when it is not any more.
func (m *announcer) tellDoubts() {
	err, said := m.d.Stores.Fleet.Doubts(), ""
	if err != nil {
		said = err.Error()
	}
	switch {
	case said == m.doubt:
	case err != nil:
		m.d.log.Warn("the servers of the shared database are not as they should be", zap.Error(err))
	default:
		m.d.log.Info("the servers of the shared database are as they should be again")
	}
	m.doubt = said
}

// factsOf returns what hosts of one fleet have alike: fingerprints of keys, and how old the signatures of engines are.
func factsOf(ctx context.Context, c *config.Config) map[string]string {
	facts := map[string]string{}
	for name, file := range map[string]string{"key of released mail": c.Quarantine.Key(),
		"key of links": c.Quarantine.LinkKey(), "keys of bounces": c.Bounce.Keys} {
		if text, err := os.ReadFile(file); err == nil {
			facts[name] = fingerprint(text)
		}
	}
	if key, err := c.Store.Redis.VerdictKey(); err == nil && key != nil {
		facts["key of verdicts"] = fingerprint(key)
	}
	for _, e := range askEngines(ctx, c) {
		switch {
		case e.asked && e.up == 0:
			facts[fleet.Signatures+e.name] = fleet.NoAnswer
		case !e.signatures.IsZero():
			facts[fleet.Signatures+e.name] = e.signatures.UTC().Format(time.RFC3339)
		}
	}
	return facts
}

// fingerprint returns so little of a hash of a key that the key cannot be found by it.
func fingerprint(key []byte) string {
	sum := sha256.Sum256(append([]byte("milterscan key\x00"), key...))
	return hex.EncodeToString(sum[:4])
}
