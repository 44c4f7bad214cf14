// Package redis keeps in Valkey or Redis what several hosts share and may lose. Mail waits for it but shortly, and not at
// all while it cannot be used.
package redis

import (
	"context"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/valkey-io/valkey-go"

	"github.com/milterscan/milterscan/scan/breaker"
	"github.com/milterscan/milterscan/scan/sender/rate"
)

// Options say where the server is, and what it may cost.
type Options struct {
	Server   Server
	Password func() (string, error) // asked for each connection
	Prefix   string                 // of all keys
	Patience time.Duration          // that mail has for one call
}

// State is what hosts share. It may be used by any number of goroutines.
type State struct {
	options Options
	scripts scripts

	calls breaker.Breaker
	clean *asking

	mu     sync.Mutex
	client valkey.Client // nil until it is used
	told   error         // what the last look said
}

// scripts run on the server, each as one step that nothing comes in between of.
type scripts struct{ try, pass, take *valkey.Lua }

//go:embed greylist_try.lua
var tryText string

//go:embed greylist_pass.lua
var passText string

//go:embed rate_take.lua
var takeText string

// errUnasked is what is known of a server before it is looked at.
var errUnasked = errors.New("it has not been reached yet")

// New returns the state on a server, of which nothing is asked yet.
func New(o Options) *State {
	return &State{options: o, told: errUnasked, clean: newAsking(), scripts: scripts{
		try: valkey.NewLuaScript(tryText), pass: valkey.NewLuaScript(passText), take: valkey.NewLuaScript(takeText)}}
}

// Place returns where the server is.
func (s *State) Place() string { return s.options.Server.Place() }

// key returns the name of a key: what kind it is of, and a hash.
func (s *State) key(kind string, hash [16]byte) string {
	return s.options.Prefix + kind + base64.RawURLEncoding.EncodeToString(hash[:])
}

// Sizes and times of a connection. All calls take turns on one; each is a few hundred bytes.
const (
	buffer     = 16 << 10         // in bytes, for each direction
	ring       = 8                // 256 calls may wait for their answers
	oneForAll  = -1               // connection
	pingsAfter = 10 * time.Second // of silence: a dead peer is noticed
)

// open returns the client. One that could not connect when it was made connects when it is used.
func (s *State) open() (valkey.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != nil {
		return s.client, nil
	}
	o, err := s.options.Server.option()
	if err != nil {
		return nil, err
	}
	o.AuthCredentialsFn = s.options.identify(o.Username)
	o.Dialer = net.Dialer{Timeout: s.options.Patience, KeepAlive: pingsAfter}
	o.ConnWriteTimeout = s.options.Patience
	o.ClientName = "milterscan"
	o.ReadBufferEachConn, o.WriteBufferEachConn, o.RingScaleEachConn, o.PipelineMultiplex = buffer, buffer, ring, oneForAll
	o.ForceSingleClient, o.DisableCache, o.DisableRetry = true, true, true
	s.client, err = valkey.NewClient(o)
	return s.client, err
}

// identify returns who asks, with the password of now.
func (o Options) identify(user string) func(valkey.AuthCredentialsContext) (valkey.AuthCredentials, error) {
	return func(valkey.AuthCredentialsContext) (a valkey.AuthCredentials, err error) {
		a.Username = user
		if o.Password != nil {
			if a.Password, err = o.Password(); err != nil {
				return a, fmt.Errorf("password_file: %w", err)
			}
		}
		return a, nil
	}
}

// ask calls do for mail: with a deadline, and not at all while the server makes others wait in vain. do may be called again
// if the connection ends in the middle.
func (s *State) ask(ctx context.Context, do func(context.Context, valkey.Client) error) error {
	if err := ctx.Err(); err != nil {
		return s.named(err)
	}
	if !s.calls.MayTry(time.Now()) {
		return s.named(breaker.ErrRests)
	}
	return s.named(s.try(ctx, do))
}

// try calls do. A caller that gives up does not end it: others may be waiting for the same connection, and it has a
// deadline.
func (s *State) try(ctx context.Context, do func(context.Context, valkey.Client) error) error {
	hurried, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.options.Patience)
	defer cancel()
	c, err := s.open()
	if err == nil {
		if err = do(hurried, c); broke(err) {
			err = do(hurried, c)
		}
	}
	s.calls.Note(time.Now(), err != nil)
	return err
}

// broke reports whether a connection that was good has ended in the middle: another one may do.
func broke(err error) bool {
	if _, answered := valkey.IsValkeyErr(err); err == nil || answered || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	var n net.Error
	if errors.As(err, &n) && n.Timeout() {
		return false
	}
	var o *net.OpError
	return !errors.As(err, &o) || o.Op != "dial"
}

// lookTime is how long it takes to see whether the server can be used.
const lookTime = 5 * time.Second

// Look sees whether the server does what mail asks of it, which is to say also whether it may write. Mail goes by what it
// finds.
func (s *State) Look(ctx context.Context) error {
	err := s.try(ctx, func(ctx context.Context, c valkey.Client) error {
		_, err := s.takeFrom(ctx, c, rate.Key{}, rate.Bucket{Size: lookTime, Every: time.Second})
		return err
	})
	err = s.named(err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = err
	return err
}

// Every is how often a daemon sees whether the server can be used.
const Every = breaker.Rest

// Watch sees whether the server can be used, until ctx is done, and tells each change: an error, or nil when it can.
func (s *State) Watch(ctx context.Context, tick <-chan time.Time, tell func(error)) {
	s.mu.Lock()
	told := s.told
	s.mu.Unlock()
	breaker.Watch{Look: s.Look, Matter: matter, Tell: tell}.Run(ctx, tick, told)
}

// matter returns what an error says, "" for none. That a server does not answer is said in several ways: by the connection that waits,
// or by who waits for it.
func matter(err error) string {
	var n net.Error
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &n) && n.Timeout():
		return "no answer"
	}
	return err.Error()
}

// hints say what to do about errors of the server that do not say it themselves, by how they begin.
var hints = []struct{ begins, hint string }{
	{"OOM", "its memory is full and its maxmemory-policy evicts nothing; raise maxmemory, or set maxmemory-policy volatile-ttl"},
	{"READONLY", "it is a replica; name the server that replicas copy"},
	{"MISCONF", "it cannot write its snapshots to the disk, and takes nothing until it can; what milterscan keeps there needs none"},
	{"WRONGPASS", "see password_file and the user of the url"},
	{"NOAUTH", "set password_file"},
	{"NOPERM", "let the user do what docs/hosts.md lists"},
	{"CROSSSLOT", "it is a node of a cluster; name a single server"},
	{"MOVED", "it is a node of a cluster; name a single server"},
}

// named returns an error with the name of the server, and what may be done about it.
func (s *State) named(err error) error {
	if err == nil {
		return nil
	}
	var o *net.OpError
	if errors.As(err, &o) { // the number of our own port would make each error another one
		err = &net.OpError{Op: o.Op, Net: o.Net, Addr: o.Addr, Err: o.Err}
	}
	for _, h := range hints {
		if e, ok := valkey.IsValkeyErr(err); ok && strings.HasPrefix(e.Error(), h.begins) {
			err = fmt.Errorf("%w (%s)", err, h.hint)
		}
	}
	return fmt.Errorf("redis %s: %w", s.Place(), err)
}

// Close closes the connection. It is made again if it is used again.
func (s *State) Close() error {
	s.mu.Lock()
	c := s.client
	s.client = nil
	s.mu.Unlock()
	if c != nil {
		c.Close()
	}
	return nil
}
