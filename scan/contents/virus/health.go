package virus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// Health is what a server says about itself.
type Health struct {
	Address    string
	Version    string    // of the program and its signatures: "ClamAV 1.4.6/27500/Sun Nov 22 …"
	Stats      string    // whatever else it tells of itself
	Database   string    // changes whenever the signatures do, to the best of our knowledge
	Signatures time.Time // when they were made; zero if the server does not say, or has no official ones
}

// Monitored is a Server that can be asked how it is.
type Monitored interface {
	Server
	Health(ctx context.Context) (Health, error)
}

// Reloader is a Server that can be told to read its signatures again.
type Reloader interface {
	Server
	Reload(ctx context.Context) error
}

// Health asks every server, and returns the answers. The error names the servers that
// do not answer. For a server that says nothing about itself it returns only the
// address.
func (e *Engine) Health(ctx context.Context) ([]Health, error) {
	var all []Health
	var errs []error
	for _, s := range e.servers {
		h := Health{Address: s.String()}
		var err error
		if m, ok := s.Server.(Monitored); ok {
			h, err = m.Health(ctx)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%v: %w", s, err))
			continue
		}
		all = append(all, h)
	}
	return all, errors.Join(errs...)
}

// Reload tells every server that can be told to read its signatures again.
func (e *Engine) Reload(ctx context.Context) error {
	var errs []error
	for _, s := range e.servers {
		r, ok := s.Server.(Reloader)
		if !ok {
			continue
		}
		if err := r.Reload(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%v: %w", s, err))
		}
	}
	return errors.Join(errs...)
}

// NameOf returns the name by which the engine of an entry reports.
func NameOf(c Config) string { return word + "/" + c.Name }

// ListsTime returns when the newest of the hash lists was written, the zero time if
// there are none. Lists are read when the engine is made, so one that is written later
// counts after a reload.
func (c Config) ListsTime() (newest time.Time) {
	for _, file := range c.Lists {
		if info, err := os.Stat(file); err == nil && !info.Mode().IsDir() && info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	return newest
}
