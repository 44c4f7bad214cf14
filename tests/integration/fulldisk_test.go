package integration

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

// smallDisk is a file system of its own, of some kilobytes.
type smallDisk string

func newSmallDisk(t *testing.T, kilobytes int) smallDisk {
	t.Helper()
	d := smallDisk(t.TempDir())
	if err := syscall.Mount("none", string(d), "tmpfs", 0, fmt.Sprintf("size=%dk,mode=0700", kilobytes)); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(string(d), syscall.MNT_DETACH) })
	return d
}

func (d smallDisk) remount(t *testing.T, flags uintptr, kilobytes int) {
	t.Helper()
	if err := syscall.Mount("none", string(d), "tmpfs", syscall.MS_REMOUNT|flags, fmt.Sprintf("size=%dk", kilobytes)); err != nil {
		t.Fatal(err)
	}
}

// bulky is an infected mail that compression makes no smaller.
func bulky(n int) servers.Mail {
	noise := make([]byte, 60_000)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	return letter(sample.Attached(fmt.Sprintf("bulky %d", n), sample.EicarFile(), sample.File{Name: "noise.bin", Type: "application/octet-stream", Content: noise}))
}

// A disk that is full, or cannot be written any more, costs no mail: what must be
// kept is deferred, everything else goes on, and when there is room again so
// does the rest.
func TestFullDisk(t *testing.T) {
	disk := newSmallDisk(t, 640)
	h := newHouse(t, "")
	h.milter.Configure(t, h.vault(string(disk), h.mta.SMTP()))
	h.milter.Stop()
	h.milter.Start(t)
	kept := 0
	for r := (servers.Reply{Code: 250}); r.Code == 250; {
		if r = h.send(bulky(kept)); r.Code == 250 {
			kept++
		} else {
			wantReply(t, "no room", r, 451, "4.3.0")
		}
	}
	if kept == 0 {
		t.Fatal("there was no room from the beginning")
	}
	wantReply(t, "clean mail, no room", h.send(clean("full.")), 250)
	h.milter.Stop() // or it would be in use
	disk.remount(t, syscall.MS_RDONLY, 640)
	h.milter.Start(t)
	wantReply(t, "a virus, read-only", h.send(bulky(-1)), 451, "4.3.0")
	wantReply(t, "clean mail, read-only", h.send(clean("read-only.")), 250)
	h.milter.Stop()
	disk.remount(t, 0, 16<<10)
	h.milter.Start(t)
	wantReply(t, "a virus, room again", h.send(bulky(-2)), 250)
	h.mta.Settle(t)
	h.wantDelivered(t, map[string]bool{"full.": true, "read-only.": true})
	if out, status := h.milter.Run(t, "quarantine reindex"); status != 0 {
		t.Errorf("reindex: status %d, %s", status, out)
	}
	if rows := h.list(t); len(rows) != kept+1 {
		t.Errorf("%d mails are kept, want %d", len(rows), kept+1)
	}
	if part, _ := filepath.Glob(filepath.Join(string(disk), "quarantine", "*", ".new-*")); len(part) != 0 {
		t.Errorf("left behind: %v", part)
	}
}
