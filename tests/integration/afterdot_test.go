package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/milterscan/milterscan/tests/fakes"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// TestDeadAfterTheDot has a host die when the MTA has taken a released message and before the entry says so, its daemon included. Where
// the message came past a milter of ours, the other host knows that it was delivered; where it did not, it says that this is not
// known. Nobody sends it again in either case.
func TestDeadAfterTheDot(t *testing.T) {
	f := newFleet(t, 2, keepPrograms)
	one, two := f.houses[0], f.houses[1]
	sink := &fakes.SMTP{}
	for _, way := range []struct {
		name, server string
		arrived      func() int
		state, says  string // of the entry; to who releases it again
	}{
		{"past a milter of ours", two.mta.SMTP(), two.mta.Mailbox().Count, "released", "released already"},
		{"past none", sink.Start(t), func() int { return len(sink.Got()) }, "releasing", "it is not known how it ended"},
	} {
		wantReply(t, way.name, one.send(program()), 250)
		id := one.list(t, "--state", "kept")[0].ID
		one.dieReleasing(t, way.server, id)
		servers.Await(t, "what is known of it", func() bool {
			rows := two.list(t, "--state", way.state)
			return len(rows) == 1 && rows[0].ID == id
		})
		f.refuse(t, id, way.says)
		two.mta.Settle(t)
		if n := way.arrived(); n != 1 {
			t.Errorf("%s: it arrived %d times", way.name, n)
		}
		t.Logf("%s: 1 kept, 1 arrived, it is %q; 2 further releases refused", way.name, way.state)
		one.milter.Start(t)
	}
	if out, status := two.milter.Run(t, "quarantine release", two.list(t, "--state", "releasing")[0].ID, "--again"); status == 0 || !strings.Contains(out, "may still be under way") {
		t.Errorf("again: %d, %s", status, out)
	}
	f.pg.SQL(t, `UPDATE quarantine SET entry = jsonb_set(entry, '{events,0,time}',
		to_jsonb((entry->'events'->0->>'time')::timestamptz - interval '11 minutes')) WHERE state = 'releasing' RETURNING entry->'events'`)
	out, status := two.milter.Run(t, "store check")
	if status == 0 || strings.Count(out, "was begun") != 1 {
		t.Errorf("store check: %d, %s", status, out)
	}
}

// dieReleasing releases a message by a server, and is killed with its daemon when that has taken it.
func (h *house) dieReleasing(t *testing.T, server, id string) {
	t.Helper()
	text, err := os.ReadFile(h.milter.ConfigFile())
	if err != nil {
		t.Fatal(err)
	}
	file, cmd := filepath.Join(t.TempDir(), "milterscan.toml"), &exec.Cmd{}
	begun := make(chan struct{})
	door := servers.StartDoorstep(t, server, func() {
		<-begun
		cmd.Process.Kill()
		h.milter.Kill()
	})
	changed := strings.Replace(string(text), "smtp:"+h.mta.SMTP(), "smtp:"+door, 1)
	if changed == string(text) {
		t.Fatal("it is sent another way")
	}
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	*cmd = *exec.Command(servers.Binary(t), "quarantine", "release", id, "-c", file)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	close(begun)
	if err := cmd.Wait(); cmd.ProcessState.Exited() {
		t.Errorf("it was not killed: %v, %s", err, said.String())
	}
}

// refuse has both hosts release a message at the same time, which both refuse with some words.
func (f *sharing) refuse(t *testing.T, id, says string) {
	t.Helper()
	var all sync.WaitGroup
	for _, h := range f.houses {
		all.Go(func() {
			if out, status := h.milter.Run(t, "quarantine release", id); status == 0 || !strings.Contains(out, says) {
				t.Errorf("%d: %s", status, out)
			}
		})
	}
	all.Wait()
}
