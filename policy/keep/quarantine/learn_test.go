package quarantine

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/tell/submission"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/scorer"
)

// school is a teacher that remembers its lessons.
type school struct {
	lessons []string
	largest int64
	err     error
	during  func() // called in the middle of a lesson
}

func (s *school) Largest() int64 { return s.largest }

func (s *school) Teach(_ context.Context, as scorer.Lesson, e scan.Envelope, mail scan.Content) error {
	text, err := io.ReadAll(scan.Reader(mail))
	if err == nil {
		s.lessons = append(s.lessons, string(as)+" "+e.Sender+" "+e.Client.String()+" "+string(text))
		err = s.err
	}
	if s.during != nil {
		s.during()
	}
	return err
}

// keepSpam keeps a message that a scorer has looked at, with further findings.
func keepSpam(t *testing.T, d *Dir, n int, more ...policy.RecordFinding) {
	t.Helper()
	r := record(n)
	r.Client = "192.0.2.7"
	r.Findings = append([]policy.RecordFinding{{Kind: scan.Note, Scanner: "spam", Rule: "spam/rspamd", Score: 9}}, more...)
	r.Verdicts = []policy.RecordVerdict{{Recipients: []string{"b@example.com"}, Action: "quarantine", Because: -1, Kept: true, Rule: &policy.RecordRule{Name: "spam"}}}
	if err := d.Keep(t.Context(), policy.Copy{Record: r, Raw: strings.NewReader(mail)}); err != nil {
		t.Fatal(err)
	}
}

// events returns what happened to a message, without what did before.
func events(t *testing.T, d *Dir, n int) string {
	t.Helper()
	e, err := d.Entry(t.Context(), id(n))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, ev := range e.Events {
		all = append(all, strings.TrimSpace(ev.What+" "+ev.Note))
	}
	return strings.Join(all, ", ")
}

// TestTeach: scorers are told once, and once more that it is the other.
func TestTeach(t *testing.T) {
	d, _ := newDir(t)
	keepSpam(t, d, 1)
	s := &school{largest: 1000}
	x := newExit(d, &mta{})
	if err := x.Teach(t.Context(), id(1), scorer.Spam); !errors.Is(err, ErrNoTeacher) {
		t.Errorf("without a teacher: %v", err)
	}
	x.Teacher = s
	for i, c := range []struct {
		as   scorer.Lesson
		want error
	}{{scorer.Ham, nil}, {scorer.Ham, ErrTaught}, {scorer.Spam, nil}, {scorer.Spam, ErrTaught}, {scorer.Ham, ErrTaughtBoth}} {
		if err := x.Teach(t.Context(), id(1), c.as); !errors.Is(err, c.want) {
			t.Errorf("lesson %d: %v; want %v", i, err, c.want)
		}
	}
	want := []string{"ham a@example.net 192.0.2.7:0 " + mail, "spam a@example.net 192.0.2.7:0 " + mail}
	if !slices.Equal(s.lessons, want) {
		t.Errorf("lessons %q", s.lessons)
	}
	if got := events(t, d, 1); got != "learn ham, learned ham, learn spam, learned spam" {
		t.Errorf("events: %s", got)
	}
	if err := x.Teach(t.Context(), id(9), scorer.Spam); !errors.Is(err, ErrUnknown) {
		t.Errorf("a message that is not there: %v", err)
	}
}

// TestNotTaught: what fails may be tried again; viruses, what is too large and what is being learned are left alone.
func TestNotTaught(t *testing.T) {
	d, _ := newDir(t)
	keepSpam(t, d, 1)
	keepSpam(t, d, 2, policy.RecordFinding{Kind: scan.Infected, Scanner: "virus", Rule: "virus/x"})
	s := &school{largest: 1000, err: errors.New("rspamd: down")}
	x := newExit(d, &mta{})
	x.Teacher = s
	if err := x.Teach(t.Context(), id(1), scorer.Spam); !errors.Is(err, ErrNotTaught) || !strings.Contains(err.Error(), "rspamd: down") {
		t.Errorf("with a scorer that is down: %v", err)
	}
	if got := events(t, d, 1); !strings.HasPrefix(got, "learn spam, not-learned spam: ") || !strings.HasSuffix(got, "rspamd: down") {
		t.Errorf("events: %s", got)
	}
	s.err = nil
	s.largest = 3
	if err := x.Teach(t.Context(), id(1), scorer.Spam); !errors.Is(err, ErrLessonTooBig) {
		t.Errorf("too large: %v", err)
	}
	s.largest = 1000
	s.during = func() {
		s.during = nil
		for _, as := range []scorer.Lesson{scorer.Spam, scorer.Ham} {
			if err := x.Teach(t.Context(), id(1), as); !errors.Is(err, ErrBeingTaught) {
				t.Errorf("%s in the middle of another lesson: %v", as, err)
			}
		}
	}
	if err := x.Teach(t.Context(), id(1), scorer.Spam); err != nil {
		t.Errorf("again: %v", err)
	}
	if err := x.Teach(t.Context(), id(2), scorer.Spam); !errors.Is(err, ErrNoLesson) {
		t.Errorf("a virus: %v", err)
	}
	if len(s.lessons) != 2 {
		t.Errorf("lessons %q", s.lessons)
	}
}

// TestCutShort: a lesson whose process ended in the middle may be given again after a while.
func TestCutShort(t *testing.T) {
	e := Entry{Events: []Event{{What: learn, Time: now}}}
	if err := e.teachable(scorer.Spam, now.Add(lessonTime-1)); !errors.Is(err, ErrBeingTaught) {
		t.Error(err)
	}
	if err := e.teachable(scorer.Spam, now.Add(lessonTime)); err != nil {
		t.Error(err)
	}
	e.Events = append(e.Events, Event{What: learned, Note: "spam", Time: now.Add(time.Second)})
	if err := e.teachable(scorer.Ham, now.Add(2*time.Second)); err != nil || e.Learned() != scorer.Spam {
		t.Errorf("%s, %v", e.Learned(), err)
	}
}

// TestLearnReleased: what is let out is learned as no spam where that is wanted, if a scorer has looked at it, and it was
// kept for nothing worse; and it is let out also if no scorer learns.
func TestLearnReleased(t *testing.T) {
	suspicious := policy.RecordFinding{Kind: scan.Suspicious, Scanner: "content", Rule: "content/odd"}
	forbidden := policy.RecordFinding{Kind: scan.Forbidden, Scanner: "attachment", Rule: "attachment/name"}
	for name, c := range map[string]struct {
		wanted bool
		more   []policy.RecordFinding
		err    error
		sent   error
		order  Order
		want   int
	}{
		"spam":         {wanted: true, want: 1},
		"not wanted":   {},
		"suspicious":   {wanted: true, more: []policy.RecordFinding{suspicious}, want: 1},
		"forbidden":    {wanted: true, more: []policy.RecordFinding{forbidden}},
		"scorer down":  {wanted: true, err: errors.New("down"), want: 1},
		"MTA down":     {wanted: true, sent: errors.New("no")},
		"MTA unsure":   {wanted: true, sent: submission.ErrUnsure},
		"another text": {wanted: true, order: Order{Instead: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(mail)), nil }}},
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := newDir(t)
			keepSpam(t, d, 1, c.more...)
			s := &school{largest: 1000, err: c.err}
			x := newExit(d, &mta{err: c.sent})
			x.Teacher, x.LearnReleased = s, c.wanted
			c.order.ID = id(1)
			if _, err := x.Release(t.Context(), c.order); !errors.Is(err, c.sent) {
				t.Errorf("release: %v", err)
			}
			if len(s.lessons) != c.want || c.want > 0 && !strings.HasPrefix(s.lessons[0], "ham ") {
				t.Errorf("lessons %q; want %d", s.lessons, c.want)
			}
		})
	}
	d, _ := newDir(t)
	keep(t, d, 1)
	s := &school{largest: 1000}
	x := newExit(d, &mta{})
	x.Teacher, x.LearnReleased = s, true
	if _, err := x.Release(t.Context(), Order{ID: id(1), Infected: true}); err != nil || len(s.lessons) > 0 {
		t.Errorf("a virus: lessons %q, error %v", s.lessons, err)
	}
}
