package fleet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/keep/postgres"
)

// TestMemory: which servers were seen outlives the process; a file that cannot be read is no reason to use any server.
func TestMemory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "there", "seen")
	open := func() *State {
		s := New(Options{Server: postgres.Server{URL: "postgres://m@127.0.0.1:1/mail"}, Connections: 1, Patience: time.Second, Seen: file})
		t.Cleanup(func() { s.Close() })
		return s
	}
	at := func(timeline uint32) postgres.Standing {
		return postgres.Standing{Place: fmt.Sprint("db", timeline), Writable: true, System: "a", Timeline: timeline}
	}
	s := open()
	if err := errors.Join(s.recall(), s.memorize()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("nothing was seen, and it is written down")
	}
	if err := errors.Join(s.timelines.See(at(2)), s.memorize()); err != nil {
		t.Fatal(err)
	}
	s = open()
	if err := s.recall(); err != nil {
		t.Fatal(err)
	}
	if err := s.timelines.See(at(1)); !errors.Is(err, ErrOld) {
		t.Error("after a restart:", err)
	}
	if err := s.several([]postgres.Standing{at(1), at(2), {Place: "db3"}}); err == nil ||
		err.Error() != "2 servers can be written to, and only one should: db1 (an old primary, which is not used), db2" {
		t.Error(err)
	}
	if err := s.several([]postgres.Standing{at(2), {Place: "db3"}, {Place: "db4", Err: ErrNewer}}); err != nil {
		t.Error(err)
	}
	less := open() // it began before
	if err := errors.Join(less.recall(), s.timelines.See(at(3)), s.memorize(), less.timelines.See(postgres.Standing{System: "b", Timeline: 7}), less.memorize(),
		s.memorize()); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != `{"a":3,"b":7}` {
		t.Errorf("two processes: %s, %v", text, err)
	}
	if err := errors.Join(os.Remove(file), s.memorize()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a file that was removed is there again")
	}
	for _, text := range []string{"", `{"a`, `{"a":-2}`, "\x00"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := open().Check(t.Context())
		if err == nil || !strings.Contains(err.Error(), file+" cannot be read") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
