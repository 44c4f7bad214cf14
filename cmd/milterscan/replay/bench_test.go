package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/tests/child"
)

// TestMain lets the test binary start itself as the child that tries drafts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == Word {
		os.Exit(Main(os.Stdin, os.Stdout))
	}
	child.Watched(m)
}

// patience is how long a test waits for what must come.
const patience = 3 * time.Minute

// bench returns a bench for a host that keeps some mails, the newest of which came a minute ago and each
// other one a day before the one after it.
func bench(t *testing.T, mails int) *Bench {
	t.Helper()
	dir := t.TempDir()
	kept := filepath.Join(dir, "q")
	store := quarantine.NewDir(kept, lost{}, func(error) {})
	for i := range mails {
		at := time.Now().Add(-time.Minute).AddDate(0, 0, -i)
		mail := fmt.Sprintf("From: a@sender.example\nTo: b@example.com\nSubject: number %d\n\nhello\n", i)
		r := policy.Record{
			Version: policy.RecordVersion, ID: judge.FirstID(at), Time: at, Stage: "message", Sender: "a@sender.example", Client: "192.0.2.7", Size: int64(len(mail)), Action: "quarantine",
			Rule: "ours", Recipients: []policy.RecordRecipient{{Recipient: "b@example.com", Action: "quarantine", Rule: "ours"}},
		}
		if err := store.Keep(t.Context(), policy.Copy{Record: r, Raw: strings.NewReader(mail)}); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "milterscan.toml")
	text := fmt.Sprintf("[quarantine]\ndir = %q\n[history]\nfile = \"%s/h.db\"\n[people]\nfile = \"%s/p.db\"\n", kept, dir, dir)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b := NewBench(file, func(err error) { t.Log(err) })
	t.Cleanup(b.Close)
	return b
}

// lost is an index that remembers nothing.
type lost struct{ quarantine.Index }

func (lost) Put(context.Context, quarantine.Row) error { return nil }

// ended waits for a trial to end.
func ended(t *testing.T, b *Bench) Attempt {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if a, _ := b.Last(); !a.Ended.IsZero() {
			return a
		}
	}
	t.Fatal("the trial does not end")
	return Attempt{}
}

const holds = "[[rule]]\nname = \"all wait\"\nfrom = [\"a@sender.example\"]\naction = \"hold\"\n"

// TestTrial tries a draft in a child, over the mail of some days.
func TestTrial(t *testing.T) {
	b := bench(t, 5)
	if _, any := b.Last(); any || b.Cancel() {
		t.Error("there is a trial before the first")
	}
	if err := b.Begin(Order{Draft: holds, Since: time.Now().AddDate(0, 0, -3)}, "Ann"); err != nil {
		t.Fatal(err)
	}
	a := ended(t, b)
	s := a.State
	if a.By != "Ann" || s.Error != "" || s.Early != "" || s.Mails != 3 || s.Differing != 3 || s.Of != 3 || len(s.Changes) != 1 || s.Changes[0].NowRule != "all wait" ||
		s.Changes[0].NowAction != "hold" || len(s.Changes[0].Examples) != 3 || s.Changes[0].Examples[0].Sender != "a@sender.example" {
		t.Errorf("%+v", a)
	}
	ids := []string{}
	for _, e := range s.Changes[0].Examples {
		ids = append(ids, e.Mail)
	}
	if !slices.IsSortedFunc(ids, func(x, y string) int { return strings.Compare(y, x) }) {
		t.Errorf("%q are not the newest first", ids)
	}
	for draft, want := range map[string]string{"[[rule]]\nactoin = 1\n": "there is no such key", "x = " + strings.Repeat("[", 250_000): ""} {
		if err := b.Begin(Order{Draft: draft, Since: time.Now().AddDate(0, 0, -3)}, "Ann"); err != nil {
			t.Fatal(err)
		}
		s := ended(t, b).State
		if len(s.Problems) == 0 && s.Error == "" || want != "" && !strings.Contains(fmt.Sprint(s.Problems), want) || s.Mails > 0 {
			t.Errorf("%.20q: %+v", draft, s)
		}
	}
}

// TestTrialOfSample tells no more of sampled mail than its id and time.
func TestTrialOfSample(t *testing.T) {
	b := bench(t, 2)
	text, err := os.ReadFile(b.File)
	sample := filepath.Join(filepath.Dir(b.File), "sample")
	err = errors.Join(err, os.Rename(filepath.Join(filepath.Dir(b.File), "q"), sample),
		os.WriteFile(b.File, append(text, fmt.Sprintf("[replay]\nkeep = 1\ndir = %q\n", sample)...), 0o600))
	if err == nil {
		err = b.Begin(Order{Draft: holds, Sample: true, Since: time.Now().AddDate(0, 0, -3)}, "Ann")
	}
	if err != nil {
		t.Fatal(err)
	}
	s := ended(t, b).State
	told, _ := json.Marshal(s)
	if s.Differing != 2 || bytes.Contains(told, []byte("sender.example")) || bytes.Contains(told, []byte("example.com")) || bytes.Contains(told, []byte("number")) {
		t.Errorf("%s", told)
	}
}

// TestTrialEnds has children that hang, lie and die.
func TestTrialEnds(t *testing.T) {
	going, _ := json.Marshal(State{Of: 9, Mails: 4})
	for name, c := range map[string]struct{ script, err string }{
		"dies":        {"echo '" + string(going) + "'; echo whatever >&2; exit 3", "has ended"},
		"lies":        {"echo nonsense; sleep 600", "has ended"},
		"says no end": {"echo '" + string(going) + "'", "has ended"},
		"is told to":  {"echo '" + string(going) + "'; cat >/dev/null; echo '{\"done\":true,\"mails\":5,\"early\":\"cancelled\"}'", ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := bench(t, 0)
			b.Command = []string{"/bin/sh", "-c", c.script}
			if err := b.Begin(Order{}, "Ann"); err != nil {
				t.Fatal(err)
			}
			if name == "is told to" {
				if err := b.Begin(Order{}, "Eve"); !errors.Is(err, ErrBusy) {
					t.Errorf("a second one: %v", err)
				}
				if !b.Cancel() {
					t.Error("it has ended by itself")
				}
			}
			a := ended(t, b)
			if !a.State.Done || !strings.Contains(a.State.Error, c.err) || (c.err == "") != (a.State.Error == "") {
				t.Errorf("%+v", a.State)
			}
		})
	}
	b := bench(t, 0)
	b.Command = []string{"/nowhere/milterscan"}
	if err := b.Begin(Order{}, "Ann"); err == nil {
		t.Error("there is no such program")
	}
	b.Close()
	if err := b.Begin(Order{}, "Ann"); !errors.Is(err, ErrBusy) {
		t.Errorf("the bench is closed: %v", err)
	}
}

// TestLately finds messages by their ids.
func TestLately(t *testing.T) {
	b := bench(t, 4)
	dir := filepath.Join(filepath.Dir(b.File), "q")
	for days, want := range map[int]int{0: 0, 1: 1, 2: 2, 30: 4} {
		ids, more, err := lately(dir, time.Now().AddDate(0, 0, -days), 10)
		if err != nil || len(ids) != want || more {
			t.Errorf("%d days: %q, %v, %v", days, ids, more, err)
		}
	}
	all, _, _ := lately(dir, time.Time{}, 10)
	ids, more, err := lately(dir, time.Time{}, 3)
	if err != nil || !more || !slices.Equal(ids, all[:3]) {
		t.Errorf("%q, %v, %v", ids, more, err)
	}
	if ids, more, err := lately(filepath.Join(dir, "none"), time.Time{}, 3); len(ids) > 0 || more || err != nil {
		t.Errorf("nothing was kept: %q, %v", ids, err)
	}
}
