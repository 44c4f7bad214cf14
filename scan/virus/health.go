package virus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"time"

	"github.com/baruwa-enterprise/clamd"
)

// Health is what clamd says about itself.
type Health struct {
	Address  string
	Version  string // of the program and its database: "ClamAV 1.4.6/27500/Sun Nov 22 …"
	Stats    string // threads, queue and memory, as clamd's STATS prints them
	Database string // changes whenever the database does, to the best of our knowledge
}

// Health asks every address, and returns what those say that answer. The error
// names the ones that do not.
func (e *Clamd) Health(ctx context.Context) ([]Health, error) {
	var all []Health
	var errs []error
	for _, s := range e.servers {
		h, err := s.health(ctx)
		if err != nil {
			errs = append(errs, fmt.Errorf("%v: %w", s, err))
			continue
		}
		all = append(all, h)
	}
	return all, errors.Join(errs...)
}

// Reload tells clamd at every address to read its database again.
func (e *Clamd) Reload(ctx context.Context) error {
	var errs []error
	for _, s := range e.servers {
		c, err := s.client(ctx)
		if err == nil {
			_, err = c.Reload(ctx)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%v: %w", s, err))
		}
	}
	return errors.Join(errs...)
}

func (s *server) health(ctx context.Context) (Health, error) {
	h := Health{Address: s.String()}
	c, err := s.client(ctx)
	if err != nil {
		return h, err
	}
	if _, err := c.Ping(ctx); err != nil {
		return h, fmt.Errorf("PING: %w", err)
	}
	if h.Version, err = c.Version(ctx); err != nil {
		return h, fmt.Errorf("VERSION: %w", err)
	}
	if h.Stats, err = c.Stats(ctx); err != nil {
		return h, fmt.Errorf("STATS: %w", err)
	}
	h.Database = database(h)
	return h, nil
}

// client returns a client for the simple commands. Its own time limits are set
// to what is left, since it looks at ctx only while connecting.
func (s *server) client(ctx context.Context) (*clamd.Client, error) {
	c, err := clamd.NewClient(s.network, s.address)
	if err != nil {
		return nil, err
	}
	left := dialTime
	if end, ok := ctx.Deadline(); ok {
		left = min(left, time.Until(end))
	}
	c.SetConnTimeout(left)
	c.SetCmdTimeout(left)
	c.SetConnRetries(0)
	return c, ctx.Err()
}

// pools is how much memory the loaded signatures take.
var pools = regexp.MustCompile(`pools \d+ pools_used [0-9.]+M`)

// database names the database by the version clamd gives and, since that one
// counts the official part only, by the memory all signatures take. "" if either
// is missing or a new one is just being loaded.
func database(h Health) string {
	used := pools.FindString(h.Stats)
	if used == "" || h.Version == "" || strings.Contains(h.Stats, "pools 2") {
		return ""
	}
	return h.Version + " " + used
}

// statsTime is how long the question for the database may hold up a message.
const statsTime = time.Second

// identify names the server's database, "" if that cannot be told. It stands in
// the way of a message, so it is asked with a limit on time and length.
func (s *server) identify(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, statsTime)
	defer cancel()
	version, err := s.exchange(ctx, "zVERSION\x00")
	if err != nil {
		return ""
	}
	stats, err := s.exchange(ctx, "zSTATS\x00")
	if err != nil {
		return ""
	}
	return database(Health{Version: version, Stats: stats})
}

// exchange sends one simple command and returns the whole answer.
func (s *server) exchange(ctx context.Context, command string) (string, error) {
	d := net.Dialer{Timeout: statsTime}
	conn, err := d.DialContext(ctx, s.network, s.address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	if _, err := io.WriteString(conn, command); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(io.LimitReader(conn, longestReply))
	return string(answer), err
}
