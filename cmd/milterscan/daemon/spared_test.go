package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history/historytest"
	"github.com/milterscan/milterscan/policy/keep/history/spill"
	"github.com/milterscan/milterscan/policy/keep/quarantine/quarantinetest"
)

// nowhere is a history that is away.
type nowhere struct{}

// Append adds nothing.
func (nowhere) Append(context.Context, []policy.Record) error { return errors.New("it is away") }

// TestStranded: a reload that names other places warns of what waits in those it named before, and of nothing else.
func TestStranded(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "milterscan.toml")
	name := func(quarantine, history string) {
		t.Helper()
		text := fmt.Sprintf("[milter]\nlisten = [%q]\n[store]\nurl = \"postgres://nobody@127.0.0.1:1/none?sslmode=disable\"\n"+
			"[quarantine]\ndir = %q\nfallback = \"dir\"\n[history]\nfile = %q\n",
			"unix:"+filepath.Join(dir, "m"), filepath.Join(dir, quarantine), filepath.Join(dir, history))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	name("a", "a.db")
	d, status := New(file, "test", t.Output())
	if d == nil || !d.listen() {
		t.Fatalf("status %d", status)
	}
	t.Cleanup(d.close)
	core, seen := observer.New(zapcore.WarnLevel)
	d.log = zap.New(core)
	reload := func(quarantine, history string, want int) {
		t.Helper()
		name(quarantine, history)
		d.reload(t.Context())
		if c := d.config.Load(); c.Quarantine.Dir != filepath.Join(dir, quarantine) {
			t.Fatalf("the reload failed: %+v", seen.All())
		}
		told := map[string]int64{}
		for _, e := range seen.TakeAll() {
			for _, key := range []string{"messages", "records"} {
				if n, ok := e.ContextMap()[key].(int64); ok {
					told[key] = n
				}
			}
		}
		if len(told) != want || want == 2 && (told["messages"] != 2 || told["records"] != 3) {
			t.Errorf("to %s and %s: told %v", quarantine, history, told)
		}
	}
	reload("b", "b.db", 0)
	reload("a", "a.db", 0)
	for n := range 2 {
		quarantinetest.Keep(t, d.Stores.Spare(d.config.Load()), quarantinetest.Record(n))
	}
	s := spill.New(nowhere{}, spill.Terms{File: filepath.Join(dir, "a.spill"), Bytes: 1 << 20, Warn: func(error) {}})
	records := []policy.Record{historytest.Record(0), historytest.Record(1), historytest.Record(2)}
	if err := s.Append(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	reload("a", "a.db", 0)
	reload("b", "b.db", 2)
	reload("b", "b.db", 0)
	reload("a", "a.db", 0)
	reload("a", "b.db", 1)
}
