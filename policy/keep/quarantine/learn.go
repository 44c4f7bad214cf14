package quarantine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/tell/submission"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/scorer"
)

// Teacher teaches scorers.
type Teacher interface {
	// Teach tells all scorers that learn what a message is. Who is told so twice has learned it.
	Teach(ctx context.Context, as scorer.Lesson, e scan.Envelope, mail scan.Content) error
	// Largest returns how many bytes a message may have.
	Largest() int64
}

// Lesson is what scorers are taught that a message is.
type Lesson = scorer.Lesson

// The lessons.
const (
	Spam = scorer.Spam
	Ham  = scorer.Ham
)

// The events of a lesson: it was begun, it was learned, it was not.
const (
	learn      = "learn"
	learned    = "learned"
	notLearned = "not-learned"
)

// lessonTime is how long a lesson may be under way: one that was begun before that was
// cut short, and may be given again.
const lessonTime = 2 * time.Minute

// The reasons not to teach scorers what a message is.
var (
	ErrNoTeacher    = errors.New("no scorer learns here: set spam.rspamd.controller or spam.spamassassin.learn")
	ErrTaught       = errors.New("the scorers were told so before; nothing was done")
	ErrTaughtBoth   = errors.New("the scorers were told the one and then the other; they are not told a third time")
	ErrBeingTaught  = errors.New("the scorers are being told about this message at this moment; look again in two minutes")
	ErrNoLesson     = errors.New("a virus was found in it; scorers learn nothing from that")
	ErrLessonTooBig = errors.New("the message is larger than what scorers are asked about")
	ErrNotTaught    = errors.New("the scorers have not learned it")
)

// Learned returns what scorers were taught last that the message is; "" for nothing.
func (e Entry) Learned() scorer.Lesson {
	all := e.lessons()
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}

// lessons returns what scorers have learned of the message, in order.
func (e Entry) lessons() []scorer.Lesson {
	var all []scorer.Lesson
	for _, ev := range e.Events {
		if ev.What == learned {
			all = append(all, scorer.Lesson(ev.Note))
		}
	}
	return all
}

// teachable returns an error if scorers are not to be taught that the message is as.
func (e Entry) teachable(as scorer.Lesson, now time.Time) error {
	all := e.lessons()
	switch {
	case len(e.viruses()) > 0 || e.Class == scan.Infected.String():
		return ErrNoLesson
	case e.Learned() == as:
		return ErrTaught
	case slices.Contains(all, as):
		return ErrTaughtBoth
	}
	for _, ev := range slices.Backward(e.Events) {
		switch ev.What {
		case learned, notLearned:
			return nil
		case learn:
			if now.Sub(ev.Time) < lessonTime {
				return ErrBeingTaught
			}
			return nil
		}
	}
	return nil
}

// Teach tells the scorers what a message is, once: that it is something else after all, once
// more. Where that fails, it may be tried again.
func (x Releaser) Teach(ctx context.Context, id string, as scorer.Lesson) error {
	if x.Teacher == nil {
		return ErrNoTeacher
	}
	var e Entry
	err := x.Store.Change(ctx, id, func(stored *Entry) error {
		now := stored.now(x)
		if err := stored.teachable(as, now); err != nil {
			return err
		}
		lesson := x.event(learn, nil, string(as))
		lesson.Time = now
		stored.note(lesson)
		e = *stored
		return nil
	})
	if err != nil {
		return err
	}
	taught := x.teach(ctx, e, as)
	// The caller may be gone; the outcome is written down all the same.
	return errors.Join(taught, x.Store.Change(context.WithoutCancel(ctx), id, func(e *Entry) error {
		if taught == nil {
			e.note(x.event(learned, nil, string(as)))
		} else {
			e.note(x.event(notLearned, nil, string(as)+": "+submission.OneLine(taught.Error(), maxAnswer)))
		}
		return nil
	}))
}

// teach gives one lesson.
func (x Releaser) teach(ctx context.Context, e Entry, as scorer.Lesson) error {
	mail, err := x.Store.Open(ctx, e.Record.ID)
	if err != nil {
		return err
	}
	defer mail.Close()
	most := x.Teacher.Largest()
	text, err := io.ReadAll(io.LimitReader(mail, most+1))
	switch {
	case err != nil:
		return err
	case int64(len(text)) > most:
		return fmt.Errorf("%w (%d bytes)", ErrLessonTooBig, most)
	}
	if err := x.Teacher.Teach(ctx, as, e.envelope(), bytes.NewReader(text)); err != nil {
		return fmt.Errorf("%w: %w", ErrNotTaught, err)
	}
	return nil
}

// envelope returns what scorers were told of the message when it came.
func (e Entry) envelope() scan.Envelope {
	r := e.Record
	env := scan.Envelope{QueueID: r.QueueID, ClientName: r.ClientName, Helo: r.Helo, AuthUser: r.User, TLS: r.TLS, Sender: r.Sender,
		Recipients: r.Addresses(), Received: r.Time}
	if ip, err := netip.ParseAddr(r.Client); err == nil {
		env.Client = netip.AddrPortFrom(ip, 0)
	}
	return env
}

// teachReleased has the scorers learn that a message which was let out is no spam, if that is wanted, a scorer
// has looked at it, and it was kept for nothing worse than a score. Nothing hangs on it: what goes wrong is
// an event of the message.
func (x Releaser) teachReleased(ctx context.Context, id string) {
	if !x.LearnReleased || x.Teacher == nil {
		return
	}
	e, err := x.Store.Entry(ctx, id)
	if err != nil || len(e.Grave()) > 0 || !slices.ContainsFunc(e.Record.Findings, isOpinion) {
		return
	}
	_ = x.Teach(ctx, id, scorer.Ham)
}

// isOpinion reports whether a finding is what a scorer thinks of the message.
func isOpinion(f policy.RecordFinding) bool {
	return slices.ContainsFunc(scorer.Opinions(), func(name string) bool { return f.Rule == name })
}
