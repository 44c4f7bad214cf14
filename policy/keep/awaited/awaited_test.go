package awaited

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/disk"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/tell/submission"
	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/scan"
)

const (
	mail    = "Subject: x\r\nTo: b@example.com\r\n\r\nbody\r\n"
	sandbox = "virus/sandbox"
)

var key = []byte(strings.Repeat("k", 32))

// blind is an index that knows nothing: the messages themselves are read.
type blind struct{}

func (blind) Put(context.Context, quarantine.Row) error                  { return nil }
func (blind) Delete(context.Context, string) error                       { return nil }
func (blind) Replace(context.Context, []quarantine.Row, time.Time) error { return nil }
func (blind) Find(context.Context, quarantine.Filter) ([]quarantine.Row, error) {
	return nil, quarantine.ErrIncomplete
}

// script is an engine that gives its answers one after the other, the last one for ever.
type script struct {
	mu        sync.Mutex
	answers   []any // an error, "" for clean, the name of a virus, or jobs that go on
	asked     int
	submitted int
	again     any // the answer to a message that it gets again
}

func (s *script) say(answer any, jobs []string) (Progress, error) {
	switch a := answer.(type) {
	case error:
		return Progress{}, a
	case []string:
		return Progress{Jobs: a}, nil
	case string:
		if a == "" {
			return Progress{}, nil
		}
		return Progress{Found: &scan.Finding{Kind: scan.Infected, Scanner: "virus", Rule: "virus/" + a, Part: scan.WholeMessage, Detail: sandbox + ": " + a}}, nil
	}
	return Progress{Jobs: jobs}, nil
}

func (s *script) Ask(_ context.Context, jobs []string) (Progress, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if len(s.answers) == 0 {
		return s.say(nil, jobs)
	}
	next := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	return s.say(next, jobs)
}

func (s *script) Submit(_ context.Context, message io.Reader) (Progress, error) {
	if text, err := io.ReadAll(message); err != nil || string(text) != mail {
		return Progress{}, fmt.Errorf("it got %q, %v", text, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.submitted++
	return s.say(s.again, nil)
}

// scene is a quarantine with engines and an MTA.
type scene struct {
	t       *testing.T
	dir     string
	store   *quarantine.Dir
	asker   *Asker
	now     time.Time
	engines map[string]Engine
	terms   Terms
	mu      sync.Mutex
	sent    []string // to whom, and the message
	refuse  error    // what the MTA says
	told    []Told
	deaf    error // what who tells people says
	heard   []Told
}

func newScene(t *testing.T) *scene {
	s := &scene{t: t, dir: t.TempDir(), asker: New(), now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), engines: map[string]Engine{}, terms: Terms{Within: time.Hour}}
	s.store = quarantine.NewDir(s.dir, blind{}, func(error) {})
	return s
}

func (s *scene) Send(_ context.Context, m submission.Mail) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse != nil {
		return s.refuse
	}
	text, err := io.ReadAll(m.Message)
	s.sent = append(s.sent, strings.Join(m.To, " ")+"\n"+string(text))
	return err
}

func (s *scene) with() With {
	return With{Store: s.store, Lock: filepath.Join(s.dir, "awaited.lock"),
		Terms: func(engine string) Terms { t := s.terms; t.Engine = s.engines[engine]; return t },
		Releaser: func(by string) quarantine.Releaser {
			return quarantine.Releaser{Store: s.store, Sender: s, Key: func() ([]byte, error) { return key, nil }, Now: func() time.Time { return s.now }, By: by}
		},
		Tell: func(_ context.Context, t Told) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.deaf == nil {
				s.told = append(s.told, t)
			}
			return s.deaf
		},
		Heard: func(t Told) { s.mu.Lock(); defer s.mu.Unlock(); s.heard = append(s.heard, t) },
	}
}

func id(n int) string { return fmt.Sprintf("06h08cfwgrgb%04d", n) }

// keep keeps a message about which engines have jobs, for b alone. change alters its record.
func (s *scene) keep(n int, change func(*policy.Record), engines ...string) {
	s.t.Helper()
	rule := policy.RecordRule{Name: "wait"}
	r := policy.Record{Version: policy.RecordVersion, ID: id(n), Time: s.now, Sender: "a@shop.test", Action: "quarantine", Subject: "x",
		Recipients: []policy.RecordRecipient{{Recipient: "b@example.com", Action: "quarantine"}},
		Verdicts:   []policy.RecordVerdict{{Recipients: []string{"b@example.com"}, Action: "quarantine", Kept: true, Rule: &rule}}}
	c := policy.Copy{Raw: strings.NewReader(mail)}
	for i, engine := range engines {
		r.Findings = append(r.Findings, policy.RecordFinding{Kind: scan.Failed, Scanner: "virus", Rule: scan.PendingRule(engine)})
		r.Verdicts[0].Matches = append(r.Verdicts[0].Matches, policy.RecordMatch{Rule: rule, Finding: i, Decides: true})
		c.Jobs = append(c.Jobs, policy.Job{Scanner: engine, Name: "job-" + engine})
	}
	if change != nil {
		change(&r)
	}
	c.Record = r
	if err := s.store.Keep(s.t.Context(), c); err != nil {
		s.t.Fatal(err)
	}
	if err := s.store.Change(s.t.Context(), id(n), func(e *quarantine.Entry) error {
		for i := range e.Awaits {
			e.Awaits[i].Since = s.now
		}
		return nil
	}); err != nil {
		s.t.Fatal(err)
	}
	s.asker.Note(id(n), s.now)
}

// rounds makes rounds, a minute apart.
func (s *scene) rounds(n int) (err error) {
	for range n {
		s.now = s.now.Add(time.Minute)
		err = errors.Join(err, s.asker.Round(s.t.Context(), s.with(), s.now))
	}
	return err
}

// events returns what happened to a message, and by whom.
func (s *scene) events(n int) string {
	e, err := s.store.Entry(s.t.Context(), id(n))
	if err != nil {
		return err.Error()
	}
	var list []string
	for _, ev := range e.Events {
		list = append(list, ev.What)
		if ev.By != "engine "+sandbox {
			list = append(list, "by "+ev.By)
		}
	}
	return strings.Join(list, " ")
}

// TestClean lets out what is clean in the end, once, with a pass for the missing verdict alone.
func TestClean(t *testing.T) {
	s := newScene(t)
	engine := &script{answers: []any{nil, nil, ""}}
	s.engines[sandbox] = engine
	s.keep(1, nil, sandbox)
	if err := s.rounds(2); err != nil || len(s.sent) > 0 || s.asker.Count() != 1 {
		t.Fatalf("%v, sent %v, %d known", err, s.sent, s.asker.Count())
	}
	if e, _ := s.store.Entry(t.Context(), id(1)); !slices.Equal(e.Row().Awaits, []string{sandbox}) {
		t.Errorf("%v", e.Row().Awaits)
	}
	if err := s.rounds(5); err != nil || len(s.sent) != 1 || s.asker.Count() != 0 || engine.asked != 3 || engine.submitted != 0 {
		t.Fatalf("%v, sent %v, %d known, asked %d times", err, s.sent, s.asker.Count(), engine.asked)
	}
	to, text, _ := strings.Cut(s.sent[0], "\n")
	if to != "b@example.com" || !strings.HasSuffix(text, "\r\n"+mail) || !strings.HasPrefix(text, token.Field+": ") {
		t.Errorf("%q %q", to, text)
	}
	if got := s.events(1); got != "pronounce release released" || len(s.told) > 0 || len(s.heard) != 1 || s.heard[0].Verdict != quarantine.CleanLater {
		t.Errorf("%s; told %v, heard %+v", got, s.told, s.heard)
	}
	e, _ := s.store.Entry(t.Context(), id(1))
	if e.State != quarantine.Released || len(e.Row().Awaits) > 0 {
		t.Errorf("%s, awaits %v", e.State, e.Row().Awaits)
	}
	for _, ev := range e.Events {
		if ev.What == "release" && ev.Note != "auth/* bounce/* greylist/* relay/* virus/pending/sandbox" {
			t.Errorf("the pass is for %q", ev.Note)
		}
	}
}

// TestBarred lets nothing out that something else than the missing verdict has kept.
func TestBarred(t *testing.T) {
	other := policy.RecordRule{Name: "other"}
	for name, change := range map[string]func(*policy.Record){
		"another finding": func(r *policy.Record) {
			r.Findings = append(r.Findings, policy.RecordFinding{Kind: scan.Suspicious, Rule: "content/odd"})
			r.Verdicts[0].Matches = append(r.Verdicts[0].Matches, policy.RecordMatch{Rule: other, Finding: 1, Decides: true})
		},
		"a virus that another engine found": func(r *policy.Record) {
			r.Findings = append(r.Findings, policy.RecordFinding{Kind: scan.Infected, Rule: "virus/x"})
		},
		"a rule about the message": func(r *policy.Record) {
			r.Verdicts[0].Matches = append(r.Verdicts[0].Matches, policy.RecordMatch{Rule: other, Finding: -1, Decides: true})
		},
		"findings that are not listed": func(r *policy.Record) { r.MoreFindings = 1 },
		"matches that are not listed":  func(r *policy.Record) { r.Verdicts[0].More = 1 },
		"a refusal":                    func(r *policy.Record) { r.Verdicts[0].Action = "reject" },
		"another engine without a job": func(r *policy.Record) {
			r.Findings = append(r.Findings, policy.RecordFinding{Kind: scan.Failed, Rule: "virus/pending/gone"})
			r.Verdicts[0].Matches = append(r.Verdicts[0].Matches, policy.RecordMatch{Rule: other, Finding: 1, Decides: true})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.engines[sandbox] = &script{answers: []any{""}}
			s.keep(1, change, sandbox)
			if err := s.rounds(5); err != nil || len(s.sent) > 0 || s.events(1) != "pronounce" || s.asker.Count() != 0 {
				t.Errorf("%v, sent %v, %s", err, s.sent, s.events(1))
			}
			if len(s.heard) != 1 || !errors.Is(s.heard[0].Stays, quarantine.ErrBarred) {
				t.Errorf("%+v", s.heard)
			}
		})
	}
}

// TestHarmless lets out what rules that let it pass, or only watch, have matched as well.
func TestHarmless(t *testing.T) {
	s := newScene(t)
	s.engines[sandbox] = &script{answers: []any{""}}
	s.keep(1, func(r *policy.Record) {
		r.Findings = append(r.Findings, policy.RecordFinding{Kind: scan.Note, Rule: "content/odd"})
		r.Verdicts[0].Matches = append(r.Verdicts[0].Matches, policy.RecordMatch{Finding: 1, Decides: true, Lets: true},
			policy.RecordMatch{Finding: 1, Observed: true, Decides: true}, policy.RecordMatch{Finding: -1})
		r.Verdicts = append(r.Verdicts, policy.RecordVerdict{Recipients: []string{"c@example.com"}, Action: "quarantine", Kept: true,
			Matches: []policy.RecordMatch{{Finding: 0, Decides: true}, {Finding: 1, Decides: true}}})
		r.Recipients = append(r.Recipients, policy.RecordRecipient{Recipient: "c@example.com", Action: "quarantine"})
	}, sandbox)
	if err := s.rounds(3); err != nil || len(s.sent) != 1 || !strings.HasPrefix(s.sent[0], "b@example.com\n") {
		t.Errorf("%v, sent %q", err, s.sent)
	}
	if e, _ := s.store.Entry(t.Context(), id(1)); e.State != quarantine.Kept || !slices.Equal(e.Waiting(), []string{"c@example.com"}) {
		t.Errorf("%s, %v wait", e.State, e.Waiting())
	}
}

// TestInfected keeps what is infected, or deletes it, and tells people.
func TestInfected(t *testing.T) {
	s := newScene(t)
	engine := &script{answers: []any{nil, "Fake", ""}} // which changes its mind
	s.engines[sandbox] = engine
	s.keep(1, nil, sandbox)
	s.deaf = errors.New("the queue is full")
	if err := s.rounds(3); err == nil || s.asker.Count() != 1 {
		t.Fatalf("%v: people were not told", err)
	}
	s.deaf = nil
	if err := s.rounds(5); err != nil || engine.asked != 2 || len(s.sent) > 0 || len(s.told) != 1 || s.told[0].Found.Rule != "virus/Fake" {
		t.Fatalf("%v, asked %d times, sent %v, told %+v", err, engine.asked, s.sent, s.told)
	}
	e, _ := s.store.Entry(t.Context(), id(1))
	if e.Class != "infected" || e.State != quarantine.Kept || s.events(1) != "pronounce" || len(e.Row().Awaits) > 0 {
		t.Errorf("%s %s %s %v", e.Class, e.State, s.events(1), e.Row().Awaits)
	}
	if _, err := s.with().Releaser("root").Release(t.Context(), quarantine.Order{ID: id(1)}); !errors.Is(err, quarantine.ErrInfected) {
		t.Errorf("released: %v", err)
	}
	s.terms.Delete = true
	engine.answers = []any{"Fake"}
	s.keep(2, nil, sandbox)
	if err := s.rounds(3); err != nil || s.events(2) != quarantine.ErrUnknown.Error() || len(s.told) != 2 || !s.heard[1].Deleted {
		t.Errorf("%v, %s, told %+v", err, s.events(2), s.told)
	}
}

// TestTwoEngines waits for both of two engines, whatever one says.
func TestTwoEngines(t *testing.T) {
	s := newScene(t)
	slow := &script{}
	s.engines[sandbox], s.engines["virus/slow"] = &script{answers: []any{""}}, slow
	s.keep(1, nil, sandbox, "virus/slow")
	s.keep(2, nil, sandbox, "virus/slow")
	if err := s.rounds(5); err != nil || len(s.sent) > 0 {
		t.Fatalf("%v, sent %v", err, s.sent)
	}
	slow.answers = []any{"Late", ""}
	if err := s.rounds(5); err != nil || len(s.sent) != 1 || len(s.told) != 1 {
		t.Errorf("%v, sent %v, told %v", err, s.sent, s.told)
	}
}

// TestNoVerdict gives up when it is late, keeps the message, and tells people, whatever the engine did.
func TestNoVerdict(t *testing.T) {
	for name, test := range map[string]struct {
		engine  *script
		asked   int // at most
		notice  string
		given   int
		warning bool
	}{
		"it works on":           {&script{}, 100, "not finished within", 0, false},
		"it fails":              {&script{answers: []any{errors.New("no route")}}, 30, "the engine fails", 0, true},
		"it is gone":            {nil, 0, "no such engine", 0, false},
		"it loses all":          {&script{answers: []any{ErrLost}, again: []string{"new"}}, 4, "again and again", 3, false},
		"it cannot get all":     {&script{answers: []any{ErrLost}, again: ErrClosed}, 100, "all that is in the message", 60, false},
		"it has too much to do": {&script{answers: []any{ErrLost}, again: slices.Repeat([]string{"j"}, quarantine.MostJobs+1)}, 1, "more than 200", 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			if test.engine != nil {
				s.engines[sandbox] = test.engine
			}
			s.keep(1, nil, sandbox)
			if err := s.rounds(70); (err != nil) != test.warning || len(s.sent) > 0 || len(s.told) != 1 || s.told[0].Verdict != quarantine.NoVerdict {
				t.Fatalf("%v, sent %v, told %+v", err, s.sent, s.told)
			}
			e, _ := s.store.Entry(t.Context(), id(1))
			if len(e.Events) != 1 || !strings.Contains(e.Events[0].Note, test.notice) || e.State != quarantine.Kept || s.asker.Count() > 0 {
				t.Errorf("%+v %s", e.Events, e.State)
			}
			if test.engine != nil && (test.engine.asked > test.asked || test.engine.submitted > test.given) {
				t.Errorf("asked %d times, submitted %d times", test.engine.asked, test.engine.submitted)
			}
		})
	}
}

// TestRestart goes on with what the entries say: with a job that the engine has lost meanwhile, with a message of
// which another process has kept note, and after a release of which it is not known how it ended.
func TestRestart(t *testing.T) {
	s := newScene(t)
	engine := &script{answers: []any{ErrLost, ""}, again: []string{"new"}}
	s.engines[sandbox] = engine
	s.keep(1, nil, sandbox)
	s.keep(2, nil, sandbox)
	if err := s.store.Change(t.Context(), id(2), func(e *quarantine.Entry) error { // the process ended in the middle
		e.Awaits[0].Verdict, e.State = quarantine.CleanLater, quarantine.Releasing
		e.Events = append(e.Events, quarantine.Event{Time: s.now, What: "release", By: "engine " + sandbox, To: []string{"b@example.com"}})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	s.asker = New()
	if err := s.rounds(4); err != nil || engine.submitted != 1 || len(s.sent) != 1 || len(s.told) != 1 {
		t.Fatalf("%v, submitted %d times, sent %v, told %+v", err, engine.submitted, s.sent, s.told)
	}
	if !errors.Is(s.told[0].Stays, quarantine.ErrUnsure) || s.told[0].Entry.Record.ID != id(2) {
		t.Errorf("%+v", s.told[0])
	}
}

// TestRefused tries again when the MTA does not take a message, and not for ever.
func TestRefused(t *testing.T) {
	s := newScene(t)
	s.engines[sandbox] = &script{answers: []any{""}}
	s.terms.Within = 24 * time.Hour
	s.keep(1, nil, sandbox)
	s.refuse = errors.New("451 not now")
	if err := s.rounds(3); err == nil || len(s.told) > 0 || s.asker.Count() != 1 {
		t.Fatalf("%v, told %v", err, s.told)
	}
	s.refuse = nil
	if err := s.rounds(3); err != nil || len(s.sent) != 1 {
		t.Fatalf("%v, sent %v", err, s.sent)
	}
	s.keep(2, nil, sandbox)
	s.refuse = errors.New("550 never")
	s.rounds(60)
	e, _ := s.store.Entry(t.Context(), id(2))
	if len(s.told) != 1 || s.told[0].Stays == nil || e.State != quarantine.Kept || s.asker.Count() > 0 || strings.Count(s.events(2), "failed") != mostTries {
		t.Errorf("told %+v, %s, %s", s.told, e.State, s.events(2))
	}
}

// TestOneProcess has one process ask, and a verdict acted on once, though several try.
func TestOneProcess(t *testing.T) {
	s := newScene(t)
	engine := &script{answers: []any{""}}
	s.engines[sandbox] = engine
	s.keep(1, nil, sandbox)
	unlock, err := disk.TryLock(s.with().Lock)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.rounds(1); err != nil || engine.asked > 0 {
		t.Errorf("%v, asked %d times", err, engine.asked)
	}
	unlock()
	var all sync.WaitGroup
	w, now := s.with(), s.now.Add(time.Minute)
	for i := range 8 {
		w := w
		w.Lock = fmt.Sprint(w.Lock, i) // as if it did not hold
		all.Go(func() {
			a := New()
			for range 3 {
				if err := a.Round(t.Context(), w, now); err != nil {
					t.Error(err)
				}
				now := now
				a.turned(id(1), false, now.Add(-time.Hour))
			}
		})
	}
	all.Wait()
	if len(s.sent) != 1 {
		t.Errorf("sent %d times", len(s.sent))
	}
}

// TestBounds asks about so many messages in a round, and forgets those that are gone.
func TestBounds(t *testing.T) {
	s := newScene(t)
	engine := &script{}
	s.engines[sandbox] = engine
	for n := range perRound + 20 {
		s.keep(n, nil, sandbox)
	}
	s.rounds(1)
	if engine.asked != perRound {
		t.Errorf("asked %d times", engine.asked)
	}
	for n := range perRound + 20 {
		if err := s.with().Releaser("root").Delete(t.Context(), id(n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.rounds(5); err != nil || s.asker.Count() > 0 {
		t.Errorf("%v, %d known", err, s.asker.Count())
	}
	s.keep(1, nil, sandbox)
	engine.answers = []any{""}
	w := s.with()
	w.Lock = filepath.Join(s.dir, "none", "lock")
	if err := s.asker.Round(t.Context(), w, s.now.Add(time.Hour)); err != nil || len(s.sent) != 1 {
		t.Errorf("without a directory: %v, sent %v", err, s.sent)
	}
}
