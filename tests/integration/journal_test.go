package integration

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/keep/mtalog"
	"github.com/milterscan/milterscan/policy/keep/store"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// journalOf is the journal of a host of its own, with a journalctl that sees no other.
type journalOf struct {
	*testing.T
	dir, program string
	n            int
}

func newJournalOf(t *testing.T) *journalOf {
	t.Helper()
	machine, err := os.ReadFile("/etc/machine-id")
	if err != nil {
		t.Skipf("this host has no id, which journals need: %v", err)
	}
	if _, err := exec.LookPath(mtalog.Journalctl); err != nil {
		t.Fatalf("%v (.ci/packages installs it)", err)
	}
	j := &journalOf{T: t, dir: t.TempDir()}
	j.program = filepath.Join(j.dir, "journalctl")
	if err := os.Mkdir(filepath.Join(j.dir, strings.TrimSpace(string(machine))), 0o755); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\nexec unshare --mount sh -c 'mount --bind %s /var/log/journal && exec %s \"$@\"' sh \"$@\"\n", j.dir, mtalog.Journalctl)
	if err := os.MkdirAll("/var/log/journal", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(j.program, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return j
}

// write has the journal take a line of Postfix, and one that is no mail's.
func (j *journalOf) write() {
	j.Helper()
	j.n++
	const entry = "__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=5e5f5e5f5e5f5e5f5e5f5e5f5e5f5e5f\n_HOSTNAME=mx\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=postfix/qmgr\nMESSAGE=%08X: removed\n\n"
	now := time.Now().UnixMicro()
	cmd := exec.Command("/lib/systemd/systemd-journal-remote", "-o", j.file(), "-")
	cmd.Stdin = strings.NewReader(fmt.Sprintf(entry+entry, now, 1000*j.n, 2, j.n, now, 1000*j.n+1, 3, 99))
	if out, err := cmd.CombinedOutput(); err != nil {
		j.Fatalf("systemd-journal-remote (.ci/packages installs it): %v\n%s", err, out)
	}
}

func (j *journalOf) file() string {
	dirs, _ := filepath.Glob(filepath.Join(j.dir, "*", ""))
	for _, d := range dirs {
		if info, err := os.Stat(d); err == nil && info.IsDir() {
			return filepath.Join(d, "system.journal")
		}
	}
	return ""
}

// TestTimelineJournal follows a real journal by the real journalctl, and goes on where it
// was left.
func TestTimelineJournal(t *testing.T) {
	needServers(t)
	servers.NeedMounts(t)
	j := newJournalOf(t)
	events := store.NewEvents(filepath.Join(t.TempDir(), "e.db"), func(err error) { t.Error(err) })
	defer events.Close()
	follow := func() (stop func()) {
		ctx, cancel := context.WithCancel(t.Context())
		f := &mtalog.Follower{Store: events, Journal: j.program, Warn: func(err error) { t.Log(err) }}
		var loop sync.WaitGroup
		loop.Go(func() { f.Run(ctx) })
		return func() { cancel(); loop.Wait() }
	}
	await := func(n int) {
		t.Helper()
		servers.Await(t, fmt.Sprintf("event %d", n), func() bool {
			list, err := events.Queue(t.Context(), fmt.Sprintf("%08X", n))
			return err == nil && len(list) > 0
		})
	}
	j.write()
	stop := follow()
	await(1)
	j.write()
	await(2)
	stop()
	j.write()
	stop = follow()
	await(3)
	stop()
	for n, want := range map[int]int{1: 1, 2: 1, 3: 1, 99: 0} {
		if list, err := events.Queue(t.Context(), fmt.Sprintf("%08X", n)); len(list) != want || err != nil {
			t.Errorf("event %d was read %d times, %v", n, len(list), err)
		}
	}
}
