package virus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"regexp"
	"strings"
	"time"

	client "github.com/baruwa-enterprise/clamd"
)

// Reload tells clamd to read its database again.
func (d clamd) Reload(ctx context.Context) error {
	c, err := d.client(ctx)
	if err == nil {
		_, err = c.Reload(ctx)
	}
	return err
}

// Health asks for version and statistics.
func (d clamd) Health(ctx context.Context) (Health, error) {
	h := Health{Address: d.String()}
	c, err := d.client(ctx)
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
	h.Database = clamdDatabase(h)
	h.Signatures = clamdSignatures(h.Version)
	return h, nil
}

// clamdSignatures returns the time in "ClamAV 1.4.6/27500/Sun Nov 22 08:24:13 2026",
// the zero time if there is none: official signatures are missing. clamd writes it in
// the time of its host, which is taken to be ours.
func clamdSignatures(version string) time.Time {
	parts := strings.Split(strings.TrimRight(version, " \r\n\x00"), "/")
	made, err := time.ParseInLocation("Mon Jan _2 15:04:05 2006", parts[len(parts)-1], time.Local)
	if err != nil {
		return time.Time{}
	}
	return made
}

// client returns a client for the simple commands. Its own time limits are set to the
// time left, since it looks at ctx only while connecting.
func (d clamd) client(ctx context.Context) (*client.Client, error) {
	if err := d.absent(); err != nil {
		return nil, err
	}
	c, err := client.NewClient(d.network, d.address)
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

// absent returns the system's error for a socket in the file system that is not there, or cannot be seen:
// the client has only a text of its own for both, which does not say what to do.
func (d clamd) absent() error {
	if d.network != "unix" {
		return nil
	}
	_, err := os.Stat(d.address)
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err // the caller names the address
	}
	return err
}

// pools matches the memory that the loaded signatures use, and that clamd has for them.
var pools = regexp.MustCompile(`pools \d+ pools_used [0-9.]+M(?: pools_total [0-9.]+M)?`)

// clamdDatabase names the database by the version clamd gives and, since that one
// counts the official part only, by the memory all signatures take. "" if either
// is missing or a new one is just being loaded.
func clamdDatabase(h Health) string {
	used := pools.FindString(h.Stats)
	if used == "" || h.Version == "" || strings.Contains(h.Stats, "pools 2") {
		return ""
	}
	return h.Version + " " + used
}

// statsTime is how long the question for the database may hold up a message.
const statsTime = time.Second

// Database names clamd's database, "" if that cannot be told. It is asked while a
// message waits, so with a limit on time and length.
func (d clamd) Database(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, statsTime)
	defer cancel()
	version, err := d.exchange(ctx, "zVERSION\x00")
	if err != nil {
		return ""
	}
	stats, err := d.exchange(ctx, "zSTATS\x00")
	if err != nil {
		return ""
	}
	return clamdDatabase(Health{Version: version, Stats: stats})
}

// exchange sends one simple command and returns the whole answer.
func (d clamd) exchange(ctx context.Context, command string) (string, error) {
	dialer := net.Dialer{Timeout: statsTime}
	conn, err := dialer.DialContext(ctx, d.network, d.address)
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
