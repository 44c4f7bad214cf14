package initial

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
)

// Daemon is what is to be known of the program that the service runs.
type Daemon struct {
	Listen  func(file string) []string                     // where it is to listen
	Answers func(ctx context.Context, address string) bool // whether it does
}

// Service is the daemon as systemd runs it.
type Service struct {
	Unit string
	Daemon
	// Writable are the directories that the unit lets the daemon write to; nil if it bounds them in no way.
	Writable []string
	Extra    string // the file that adds to the unit
}

const (
	unit = "milterscan.service"
	// extra is one of the files in which systemd looks for what is added to a unit.
	extra = "/etc/systemd/system/milterscan.service.d/sockets.conf"
)

// Systemd returns the service of this host; nil if systemd does not run or has none.
func Systemd(ctx context.Context, d Daemon) *Service {
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		return nil
	}
	if exec.CommandContext(ctx, "systemctl", "cat", unit).Run() != nil {
		return nil
	}
	return &Service{Unit: unit, Daemon: d, Writable: writable(ctx), Extra: extra}
}

// writable asks systemd where the daemon may write.
func writable(ctx context.Context) []string {
	out, err := exec.CommandContext(ctx, "systemctl", "show", "-p", "ProtectSystem", "-p", "ReadWritePaths", unit).Output()
	if err != nil {
		return nil
	}
	return parseWritable(string(out))
}

func parseWritable(shown string) []string {
	set := map[string]string{}
	for line := range strings.Lines(shown) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		set[key] = value
	}
	if set["ProtectSystem"] != "strict" {
		return nil
	}
	all := []string{"/run/milterscan"}
	for _, dir := range strings.Fields(set["ReadWritePaths"]) {
		all = append(all, strings.TrimLeft(dir, "-+"))
	}
	return all
}

// missing returns the directories of sockets to which the unit does not let the daemon write.
func (s *Service) missing(sockets []Socket) (dirs []string) {
	if s.Writable == nil {
		return nil
	}
	for _, socket := range sockets {
		inside := func(dir string) bool { return dir == socket.Dir || strings.HasPrefix(socket.Dir, dir+"/") }
		if !slices.ContainsFunc(s.Writable, inside) {
			dirs = append(dirs, socket.Dir)
		}
	}
	return dirs
}

// addition is what lets the daemon write to the directories of all sockets; "" if the unit does.
func (s *Service) addition(sockets []Socket) string {
	if len(s.missing(sockets)) == 0 {
		return ""
	}
	text := "[Service]\n"
	for _, socket := range sockets {
		text += "ReadWritePaths=-" + socket.Dir + "\n"
	}
	return text
}

// steps returns what is done to have the daemon listen at the sockets, as commands.
func (s *Service) steps(sockets []Socket) (steps []string) {
	if text := s.addition(sockets); text != "" {
		steps = append(steps, fmt.Sprintf("printf '%s' | install -D -m 644 /dev/stdin %s", strings.ReplaceAll(text, "\n", "\\n"), s.Extra),
			"systemctl daemon-reload")
	}
	return append(steps, "systemctl restart "+s.Unit)
}

// admit adds to the unit what the daemon needs to make its sockets.
func (s *Service) admit(ctx context.Context, sockets []Socket) error {
	text := s.addition(sockets)
	if text == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(s.Extra), 0o755); err != nil {
		return cli.Denied(err, filepath.Dir(s.Extra))
	}
	if err := os.WriteFile(s.Extra, []byte(text), 0o644); err != nil {
		return cli.Denied(err, s.Extra)
	}
	return systemctl(ctx, "daemon-reload")
}

// systemctl runs it, and returns its complaint as an error.
func systemctl(ctx context.Context, args ...string) error {
	if out, err := exec.CommandContext(ctx, "systemctl", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("systemctl %s: %s", strings.Join(args, " "), cmp.Or(strings.TrimSpace(string(out)), err.Error()))
	}
	return nil
}

func (s *Service) restart(ctx context.Context) error { return systemctl(ctx, "restart", s.Unit) }

// The daemon opens stores before it listens.
const (
	startTime  = time.Minute
	startPause = 500 * time.Millisecond
)

// Start starts the daemon with its new configuration, and waits until it listens.
func (s *Service) Start(ctx context.Context, file string) error {
	if err := s.restart(ctx); err != nil {
		return err
	}
	for _, address := range s.Listen(file) {
		if err := s.await(ctx, address); err != nil {
			return fmt.Errorf("%w (\"journalctl -u %s\" says why)%s", err, s.Unit, s.complaint(ctx))
		}
	}
	return nil
}

// complaint returns the last error that the daemon has logged, to be put after a text.
func (s *Service) complaint(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "journalctl", "-u", s.Unit, "-n", "20", "-o", "cat", "--no-pager").Output()
	if err != nil {
		return ""
	}
	return lastError(string(out))
}

func lastError(log string) (last string) {
	for line := range strings.Lines(log) {
		if strings.Contains(line, `"level":"error"`) {
			last = ": " + strings.TrimSpace(line)
		}
	}
	return last
}

// await waits until milterscan listens at an address. Another program that takes connections there and says nothing makes
// each try long.
func (s *Service) await(ctx context.Context, address string) error {
	for begun := time.Now(); time.Since(begun) < startTime; {
		if s.Answers(ctx, address) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(startPause):
		}
	}
	return fmt.Errorf("milterscan does not listen at %s", address)
}
