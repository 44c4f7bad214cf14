package integration

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

// faulty is a fleet of two whose database fails in many ways. The first host keeps by itself meanwhile, the second
// does not.
type faulty struct {
	sharing
	cables   [2]*servers.Cable
	password string // the file that both read
	count    ledger
}

// role is a role of the database that its limits hold for.
const role = "CREATE ROLE filter LOGIN PASSWORD 'first'; GRANT ALL ON SCHEMA public TO filter"

func newFaulty(t *testing.T) *faulty {
	t.Helper()
	needServers(t)
	f := &faulty{sharing: sharing{pg: servers.StartPostgres(t, role)}, password: filepath.Join(t.TempDir(), "password")}
	key := filepath.Join(t.TempDir(), "key")
	_, err := token.KeyFile(key).Make()
	if err := errors.Join(err, f.write("first")); err != nil {
		t.Fatal(err)
	}
	for i := range f.cables {
		f.cables[i] = servers.StartCable(t, f.pg.Addr)
		h, kept := &house{mta: servers.StartPostfix(t)}, filepath.Join(t.TempDir(), "quarantine")
		h.milter = servers.StartMilterscan(t, h.mta.MilterSocket(), fmt.Sprintf(
			"[store]\nurl = \"postgres://filter@%s/postgres\"\npassword_file = %q\nname = \"mx%d\"\ntimeout = \"1s\"\n[quarantine]\ndir = %q\nkey_file = %q\n%s\n",
			f.cables[i].Addr, f.password, i+1, kept, key, []string{`fallback = "dir"`, ""}[i])+keepPrograms)
		f.houses, f.kept = append(f.houses, h), append(f.kept, kept)
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("the log of mx%d:\n%s", i+1, last(h.milter.Output(), 5000))
			}
		})
	}
	return f
}

// write changes the password that both hosts read.
func (f *faulty) write(password string) error {
	return errors.Join(os.WriteFile(f.password, []byte(password+"\n"), 0o600), os.Chmod(f.password, 0o600))
}

// end ends all connections of the hosts.
const end = "; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'filter'"

// send has each host hear of some mail.
func (f *faulty) send(t *testing.T, n int) {
	t.Helper()
	for range n {
		for i, h := range f.houses {
			f.count.keep(t, h)
			f.count.pass(t, h, fmt.Sprint(i))
		}
	}
}

// settled waits until all that was accepted is delivered or in the database, each once.
func (f *faulty) settled(t *testing.T) {
	t.Helper()
	eventually(t, "all to be in the database", func() error {
		if stored, here := f.stored(t), len(spared(f.kept[0])); stored != f.count.kept || here > 0 {
			return fmt.Errorf("%d are in the database, and %d on the host; %d were accepted", stored, here, f.count.kept)
		}
		return nil
	})
	eventually(t, "all to be delivered", func() error {
		if n := f.delivered(); n != f.count.passed {
			return fmt.Errorf("%d were delivered, and %d accepted", n, f.count.passed)
		}
		return nil
	})
	t.Logf("accepted %d = delivered %d + kept %d; put off %d", f.count.kept+f.count.passed, f.delivered(), f.stored(t), f.count.deferred)
}

// tell logs what was heard during a fault.
func (f *faulty) tell(t *testing.T, before ledger) {
	t.Logf("to keep: %d accepted, %d of them on the host, %d put off; harmless: %d accepted",
		f.count.kept-before.kept, len(spared(f.kept[0])), f.count.deferred-before.deferred, f.count.passed-before.passed)
}

// back waits until each host keeps in the database again.
func (f *faulty) back(t *testing.T) {
	t.Helper()
	for i, h := range f.houses {
		eventually(t, fmt.Sprintf("host %d to use the database", i+1), func() error {
			before := f.count.kept
			if f.count.keep(t, h); f.count.kept == before {
				return errors.New("it puts off what is to be kept")
			}
			return nil
		})
	}
}

// TestDatabaseFaults has the database refuse, hang and fill up, for both hosts or for one: every message that was
// accepted is delivered or kept, once, and harmless mail is never put off. docs/hosts.md has the table.
func TestDatabaseFaults(t *testing.T) {
	f := newFaulty(t)
	f.back(t)
	f.settled(t)
	for _, fault := range []struct {
		name        string
		begin, mend func(*testing.T)
	}{
		{"connections used up", func(t *testing.T) { f.pg.SQL(t, "ALTER ROLE filter CONNECTION LIMIT 0"+end) },
			func(t *testing.T) { f.pg.SQL(t, "ALTER ROLE filter CONNECTION LIMIT -1") }},
		{"password changed", func(t *testing.T) { f.pg.SQL(t, "ALTER ROLE filter PASSWORD 'second'"+end) },
			func(t *testing.T) {
				if err := f.write("second"); err != nil {
					t.Fatal(err)
				}
			}},
		{"network of one host cut", func(*testing.T) { f.cables[0].Cut() }, func(*testing.T) { f.cables[0].Mend() }},
		{"hanging", func(*testing.T) { f.pg.Pause() }, func(*testing.T) { f.pg.Continue() }},
		{"killed", func(*testing.T) { f.pg.Kill() }, func(t *testing.T) { f.pg.Start(t) }},
	} {
		t.Run(fault.name, func(t *testing.T) {
			before := f.count
			fault.begin(t)
			f.send(t, 3)
			f.tell(t, before)
			if f.count.kept < before.kept+3 {
				t.Errorf("the host with a fallback kept %d of 3", f.count.kept-before.kept)
			}
			fault.mend(t)
			f.back(t)
			f.settled(t)
		})
	}
	t.Run("disk full", f.diskFull)
}

// diskFull has the messages on a file system of some megabytes, which another program fills.
func (f *faulty) diskFull(t *testing.T) {
	disk := newSmallDisk(t, 4096)
	if err := os.Chmod(filepath.Dir(string(disk)), 0o755); err != nil { // or the server cannot enter it
		t.Fatal(err)
	}
	if out, err := exec.Command("chown", "postgres", string(disk)).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	f.pg.SQL(t, fmt.Sprintf("CREATE TABLESPACE small LOCATION '%s'", disk))
	f.pg.SQL(t, "ALTER TABLE quarantine_body SET TABLESPACE small; ALTER INDEX quarantine_body_pkey SET TABLESPACE small")
	t.Cleanup(func() {
		f.pg.SQL(t, "ALTER TABLE quarantine_body SET TABLESPACE pg_default; ALTER INDEX quarantine_body_pkey SET TABLESPACE pg_default; DROP TABLESPACE small")
	})
	ballast := filepath.Join(string(disk), "ballast")
	fillDisk(t, ballast)
	before := f.count
	for range 4 {
		for _, h := range f.houses {
			f.count.note(t, h.send(bulkyProgram()))
			f.count.pass(t, h, "full")
		}
	}
	f.tell(t, before)
	if len(spared(f.kept[0])) == 0 || f.count.deferred == 0 {
		t.Errorf("%d are on the host, and %d were put off: was the disk full?", len(spared(f.kept[0])), f.count.deferred)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	f.back(t)
	f.settled(t)
}

// fillDisk writes a file until there is no room.
func fillDisk(t *testing.T, file string) {
	t.Helper()
	ballast, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer ballast.Close()
	for err == nil {
		_, err = ballast.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

// bulkyProgram returns a mail to be kept that is larger than the free space in the pages of a table.
func bulkyProgram() servers.Mail {
	noise := make([]byte, 60_000)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	return letter(sample.Attached("setup", sample.Program("setup.exe"),
		sample.File{Name: "noise.bin", Type: "application/octet-stream", Content: noise}))
}
