package scan

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// fake is a scanner that is its own answer.
type fake struct {
	name string
	scan func(ctx context.Context) ([]Finding, error)
}

func (f fake) Name() string { return f.name }
func (f fake) Scan(ctx context.Context, _ *Message) ([]Finding, error) {
	return f.scan(ctx)
}

// early is a fake that also speaks before the message.
type early struct{ fake }

func (e early) ScanEnvelope(ctx context.Context, s Stage, env Envelope) ([]Finding, error) {
	return []Finding{{Rule: "spam/" + s.String(), Detail: env.Sender, Part: WholeMessage}}, nil
}

func found(rule string) func(context.Context) ([]Finding, error) {
	return func(context.Context) ([]Finding, error) { return []Finding{{Rule: rule, Part: WholeMessage}}, nil }
}

func TestEngineReportsInConfiguredOrder(t *testing.T) {
	slow := fake{"virus/slow", func(context.Context) ([]Finding, error) {
		time.Sleep(time.Second)
		return []Finding{{Rule: "virus/x"}}, nil
	}}
	synctest.Test(t, func(t *testing.T) {
		reports := NewEngine(slow, fake{"attachment", found("attachment/name")}).Scan(t.Context(), &Message{})
		if len(reports) != 2 || reports[0].Scanner != "virus/slow" || reports[1].Scanner != "attachment" {
			t.Fatalf("reports %+v", reports)
		}
		if reports[0].Took != time.Second || len(Findings(reports)) != 2 {
			t.Errorf("took %v, findings %v", reports[0].Took, Findings(reports))
		}
	})
}

func TestWhoDoesNotKnowHasFailed(t *testing.T) {
	silent := make(chan struct{})
	for name, scanner := range map[string]fake{
		"error":   {"virus/clam1", func(context.Context) ([]Finding, error) { return nil, errors.New("refused") }},
		"panic":   {"virus/clam1", func(context.Context) ([]Finding, error) { panic("refused") }},
		"silence": {"virus/clam1", func(context.Context) ([]Finding, error) { <-silent; return nil, nil }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				silent = make(chan struct{})
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				r := NewEngine(scanner).Scan(ctx, &Message{})[0]
				if r.Err == nil || len(r.Findings) != 1 {
					t.Fatalf("report %+v", r)
				}
				f := r.Findings[0]
				if f.Kind != Failed || f.Scanner != "virus" || f.Rule != "virus/failed/clam1" || f.Part != WholeMessage {
					t.Errorf("finding %+v", f)
				}
				close(silent)
			})
		})
	}
}

func TestFindingsBesideAnErrorCount(t *testing.T) {
	half := fake{"virus/half", func(context.Context) ([]Finding, error) {
		return []Finding{{Kind: Infected, Rule: "virus/x"}}, errors.New("the rest was not read")
	}}
	got := NewEngine(half).Scan(t.Context(), &Message{})[0].Findings
	if len(got) != 2 || got[0].Kind != Infected || got[1].Kind != Failed {
		t.Errorf("findings %+v", got)
	}
}

func TestMessageStaysOpenForAScannerThatOutstays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reading := make(chan struct{})
		slow := fake{"content", func(context.Context) ([]Finding, error) { <-reading; return nil, nil }}
		m, closed := &Message{}, make(closer)
		m.OnClose(closed)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		NewEngine(slow).Scan(ctx, m)
		m.Close()
		synctest.Wait()
		select {
		case <-closed:
			t.Fatal("the bytes went while a scanner was reading them")
		default:
		}
		close(reading)
		<-closed
	})
}

// TestCloseGivesBackAtOnce: where all scanners are done, nothing is held any more
// when Close returns, and a second Close does nothing.
func TestCloseGivesBackAtOnce(t *testing.T) {
	quick := fake{"content", func(context.Context) ([]Finding, error) { return nil, nil }}
	m, closed := &Message{}, make(closer)
	m.OnClose(closed)
	NewEngine(quick, quick).Scan(t.Context(), m)
	m.Close()
	m.Close()
	select {
	case <-closed:
	default:
		t.Error("something is held")
	}
}

type closer chan struct{}

func (c closer) Close() error { close(c); return nil }

func TestBeginAsksOnlyWhoCanSayEarly(t *testing.T) {
	e := NewEngine(fake{"virus", nil}, early{fake{"spam", nil}})
	env := Envelope{Sender: "a@example.com", Recipients: []string{"b@example.com"}}
	p := e.Begin(t.Context(), StageMail, env)
	for range 2 { // waiting twice gives the same
		r := p.Wait()
		if len(r) != 1 || r[0].Findings[0].Rule != "spam/mail" || r[0].Findings[0].Detail != "a@example.com" {
			t.Errorf("reports %+v", r)
		}
	}
	if r := NewEngine(fake{"virus", nil}).Begin(t.Context(), StageMail, env).Wait(); len(r) != 0 {
		t.Errorf("reports of nobody: %+v", r)
	}
}

// choosy speaks at one stage only.
type choosy struct {
	early
	at Stage
}

func (c choosy) At(s Stage) bool { return s == c.at }

func TestBeginAsksOnlyWhoSpeaksAtTheStage(t *testing.T) {
	e := NewEngine(choosy{early{fake{"spam", nil}}, StageConnect}, choosy{early{fake{"greylist", nil}}, StageRcpt}, early{fake{"auth", nil}})
	for stage, want := range map[Stage][]string{StageConnect: {"spam", "auth"}, StageHelo: {"auth"}, StageRcpt: {"greylist", "auth"}} {
		var got []string
		for _, r := range e.Begin(t.Context(), stage, Envelope{}).Wait() {
			got = append(got, r.Scanner)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v: %q were asked, not %q", stage, got, want)
		}
	}
}

// local is a fake that asks nobody.
type local struct{ fake }

func (local) Local() bool { return true }

// Local scanners look at a small message one after the other, and at a large one at once. Either way all
// of them answer, in their order and with their own times, whatever becomes of one, and beside those that wait.
func TestLocalScannersShareAGoroutine(t *testing.T) {
	for name, test := range map[string]struct {
		size int
		took time.Duration
	}{"small": {1000, 2 * time.Second}, "large": {smallMessage, time.Second}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				slow := func(context.Context) ([]Finding, error) { time.Sleep(time.Second); return nil, nil }
				e := NewEngine(local{fake{"attachment", slow}}, fake{"virus", slow}, local{fake{"document", func(context.Context) ([]Finding, error) {
					panic("strange")
				}}}, local{fake{"content", slow}})
				m := &Message{Parts: []Part{{Content: bytes.NewReader(make([]byte, test.size))}}}
				begun := time.Now()
				reports := e.Scan(t.Context(), m)
				if took := time.Since(begun); took != test.took {
					t.Errorf("it took %v, not %v", took, test.took)
				}
				for i, want := range []string{"attachment", "virus", "document", "content"} {
					r := reports[i]
					if failed := want == "document"; r.Scanner != want || (r.Err != nil) != failed || !failed && r.Took != time.Second {
						t.Errorf("%d: %+v", i, r)
					}
				}
			})
		})
	}
}

func TestGoroutinesInTheOrderTheyAreStarted(t *testing.T) {
	scanners := []Scanner{local{}, fake{}, local{}, fake{}, local{}}
	for _, tt := range []struct {
		little bool
		want   [][]int
	}{
		{true, [][]int{{0, 2, 4}, {1}, {3}}},
		{false, [][]int{{0}, {2}, {4}, {1}, {3}}},
	} {
		if got := goroutines(scanners, tt.little); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("little %v: %v", tt.little, got)
		}
	}
	if got := goroutines([]Scanner{fake{}}, true); !reflect.DeepEqual(got, [][]int{{0}}) {
		t.Errorf("without local ones: %v", got)
	}
}

// What waits behind a local scanner that outstays its time is not known, and so has failed.
func TestLateLocalScannersHaveFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reading := make(chan struct{})
		e := NewEngine(local{fake{"attachment", found("attachment/name")}},
			local{fake{"document", func(context.Context) ([]Finding, error) { <-reading; return nil, nil }}},
			local{fake{"content", found("content/form")}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var failed []bool
		for _, r := range e.Scan(ctx, &Message{}) {
			failed = append(failed, r.Err != nil)
		}
		if !slices.Equal(failed, []bool{false, true, true}) {
			t.Errorf("failed: %v", failed)
		}
		close(reading)
	})
}

// Works that are late are waited for at the same time, however many there are, and what has answered in time is not
// late because another is.
func TestGraceIsGivenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		defer close(hang)
		e := NewEngine(fake{"virus", func(context.Context) ([]Finding, error) { <-hang; return nil, nil }}, fake{"spam", found("spam/x")})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		var works []*Pending
		for range 10 {
			works = append(works, e.Start(ctx, &Message{}))
		}
		for _, w := range works {
			if r := w.Wait(); r[0].Err == nil || r[1].Err != nil || len(r[1].Findings) != 1 {
				t.Errorf("%+v", r)
			}
		}
		if took := time.Since(begun); took != time.Second+grace {
			t.Errorf("it took %v", took)
		}
	})
}

func TestNames(t *testing.T) {
	for i := Note; i <= Failed; i++ {
		if k, ok := ParseKind(i.String()); !ok || k != i {
			t.Errorf("kind %v is read back as %v", i, k)
		}
	}
	if s := Kind(99).String(); !strings.HasPrefix(s, "unknown") {
		t.Errorf("Kind(99) is called %q", s)
	}
	if r := FailedRule("attachment"); r != "attachment/failed" {
		t.Errorf("rule %q", r)
	}
}
