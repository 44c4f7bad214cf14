package store

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/scan/breaker"
	"github.com/milterscan/milterscan/scan/sender/greylist"
	"github.com/milterscan/milterscan/scan/sender/rate"
)

// lockVariable makes the test binary a process that locks the database it names.
const lockVariable = "MILTERSCAN_TEST_LOCK"

func TestMain(m *testing.M) {
	if path := os.Getenv(lockVariable); path != "" {
		db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_pragma=busy_timeout(5000)")
		if err == nil {
			db.SetMaxOpenConns(1)
			_, err = db.Exec("BEGIN EXCLUSIVE")
		}
		fmt.Println("locked", err)
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// lockOut has another process lock a database, as an administrator might, until
// unlock is called. Locks of one process do not keep out that process itself.
func lockOut(t *testing.T, path string) (unlock func()) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), lockVariable+"="+path)
	in, inErr := cmd.StdinPipe()
	out, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "locked <nil>\n" {
		t.Fatal(line)
	}
	return sync.OnceFunc(func() {
		in.Close()
		cmd.Wait()
	})
}

// atOnce calls do so many times at the same time, and returns how long the last took.
func atOnce(n int, do func()) time.Duration {
	begun := time.Now()
	var all sync.WaitGroup
	for range n {
		all.Go(do)
	}
	all.Wait()
	return time.Since(begun)
}

var copyOf = policy.Copy{
	Record: policy.Record{ID: "06h08cfwgrgbyv96", Time: now, Verdicts: []policy.RecordVerdict{{Recipients: []string{"a@example.com"}, Action: "quarantine", Because: -1}}},
	Raw:    strings.NewReader("Subject: x\r\n\r\nbody\r\n"),
}

// Somebody holds BEGIN EXCLUSIVE on a database: of many mails at once none waits
// long, and none after them waits at all; when the lock is gone, all is as before.
func TestLockedDatabaseHoldsUpNoMail(t *testing.T) {
	quiet := func(error) {}
	for name, open := range map[string]func(path string) (mail func() error, close func() error){
		"greylist": func(path string) (func() error, func() error) {
			g := NewGreylist(path, quiet)
			return func() error {
				_, err := g.Try(t.Context(), greylist.Try{Pair: greylist.Key{1}, Now: now, Terms: greylist.Terms{Window: time.Hour}})
				return err
			}, g.Close
		},
		"rate": func(path string) (func() error, func() error) {
			r := NewRate(path, quiet)
			return func() error {
				_, err := r.Take(t.Context(), rate.Key{1}, rate.Bucket{Size: time.Hour, Every: time.Second}, now)
				return err
			}, r.Close
		},
	} {
		for _, opened := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, open %t", name, opened), func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "x.db")
				mail, closeIt := open(path)
				if err := mail(); err != nil {
					t.Fatal(err)
				}
				if !opened {
					closeIt()
				}
				defer closeIt()
				unlock := lockOut(t, path)
				defer unlock()
				ask := func() {
					if mail() == nil {
						t.Error("locked, and no error")
					}
				}
				begun := time.Now()
				if took := atOnce(16, ask); took > 20*hurry {
					t.Errorf("16 at once took %v", took)
				}
				atOnce(16, func() { // those that ask while it rests do not wait
					if err := mail(); !errors.Is(err, errRests) && time.Since(begun) < breaker.Rest {
						t.Errorf("one more: %v", err)
					}
				})
			})
		}
	}
}

// The index and the history are told after the answer.
func TestLockedIndexAndHistory(t *testing.T) {
	dir := t.TempDir()
	index := NewIndex(filepath.Join(dir, "index.db"), func(err error) { t.Error(err) })
	defer index.Close()
	later := quarantine.NewLater(index, func(err error) { t.Error(err) })
	store := quarantine.NewDir(dir, later, func(err error) { t.Error(err) })
	if err := index.Replace(t.Context(), nil, now); err != nil {
		t.Fatal(err)
	}
	h := NewHistory(filepath.Join(dir, "history.db"), func(err error) { t.Error(err) })
	defer h.Close()
	if err := h.Append(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	writer := history.NewWriter(h, func(_ int, err error) { t.Error(err) })
	unlockIndex, unlockHistory := lockOut(t, filepath.Join(dir, "index.db")), lockOut(t, filepath.Join(dir, "history.db"))
	took := atOnce(1, func() {
		if err := store.Keep(t.Context(), copyOf); err != nil {
			t.Error(err)
		}
		writer.Remember(copyOf.Record)
	})
	if took > 20*hurry {
		t.Errorf("a mail was kept after %v", took)
	}
	unlockIndex()
	unlockHistory()
	if rows, err := store.Find(t.Context(), quarantine.Filter{}); err != nil || len(rows) != 1 {
		t.Errorf("afterwards the index has %v, %v", rows, err)
	}
	writer.Close()
	if list, err := h.Lookup(t.Context(), copyOf.Record.ID); err != nil || len(list) != 1 {
		t.Errorf("afterwards the history has %v, %v", list, err)
	}
	later.Close()
}

// A lock that somebody gives back soon is waited for.
func TestShortLock(t *testing.T) {
	r := NewRate(filepath.Join(t.TempDir(), "x.db"), func(error) {})
	defer r.Close()
	bucket := rate.Bucket{Size: time.Hour, Every: time.Second}
	r.Take(t.Context(), rate.Key{1}, bucket, now)
	unlock := lockOut(t, r.path)
	time.AfterFunc(100*time.Millisecond, unlock)
	if ok, err := r.Take(t.Context(), rate.Key{1}, bucket, now); !ok || err != nil {
		t.Errorf("%t, %v", ok, err)
	}
}

// A message that is given up does not count against the database.
func TestGivenUp(t *testing.T) {
	r := NewRate(filepath.Join(t.TempDir(), "x.db"), func(error) {})
	defer r.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Take(ctx, rate.Key{1}, rate.Bucket{Size: time.Hour, Every: time.Second}, now); err == nil {
		t.Error("no error")
	}
	if !r.writes.MayTry(time.Now()) {
		t.Error("the database rests")
	}
}
