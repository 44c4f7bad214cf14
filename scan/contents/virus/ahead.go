package virus

import (
	"context"
	"time"

	"github.com/milterscan/milterscan/scan"
)

// mostAhead bounds what is sent before a message is opened: opening waits for that.
const mostAhead = 256 << 10

// Talker is a Session that can be sent one content now, and asked about others later.
type Talker interface {
	Session
	// Talks reports whether it most likely can do so at once.
	Talks() bool
	// Talk sends the content, if it can do so at once, and returns the talk that goes on
	// about it; nil if it cannot.
	Talk(ctx context.Context, q *Question) Talk
}

// Talk is a conversation with a server about a content that was sent.
type Talk interface {
	// AskAll goes on with all questions that are open, that about the content among them. It
	// is called once.
	AskAll(ctx context.Context, open []*Question) error
	// Close ends a talk that does not go on.
	Close()
}

// begun is the question about the skeleton of a message, sent before the message was opened.
type begun struct {
	server   *server
	talk     Talk // nil once it goes on
	skeleton *skeleton
	question *Question
	leave    func() // gives the slot back
}

// Ahead implements scan.Forerunner: the skeleton is the same whatever is found in attachments.
func (e *Engine) Ahead(ctx context.Context, in scan.Received) scan.Begun {
	if e.feed != FeedAuto || in.Tree.Root == nil {
		return nil
	}
	server := e.order(time.Now())[0]
	talker, ok := server.Server.(Talker)
	if !ok || !talker.Talks() {
		return nil
	}
	s := newSkeleton(in.Raw, in.Tree.Root)
	if s.Size() > min(mostAhead, e.limit) {
		return nil
	}
	select {
	case e.slots <- struct{}{}:
	default:
		return nil
	}
	b := &begun{server: server, skeleton: s, question: about(scan.WholeMessage, s), leave: func() { <-e.slots }}
	if b.talk = talker.Talk(ctx, b.question); b.talk == nil {
		b.leave()
		return nil
	}
	return b
}

// with returns the talk with a server, if that is the one; it does not go on with any other.
func (b *begun) with(s *server) Talk {
	if b == nil || b.server != s {
		return nil
	}
	talk := b.talk
	b.talk = nil
	return talk
}

// Drop implements scan.Begun.
func (b *begun) Drop() {
	if b.talk != nil {
		b.talk.Close()
		b.talk = nil
	}
	b.leave()
}

// talk is a session with clamd in which a content was sent.
type talk struct {
	clamd
	session *session
}

// Talks implements Talker: in a session that rests, as a new one would have to be waited for. Over TCP sending may
// take its time as well.
func (d clamd) Talks() bool { return d.network == "unix" && d.resting.any() }

// Talk implements Talker.
func (d clamd) Talk(ctx context.Context, q *Question) Talk {
	s := d.resting.take()
	if s == nil {
		return nil
	}
	end := s.within(ctx)
	err := s.ask(ctx, q)
	end()
	if err != nil {
		s.close() // who asks later hears why
		return nil
	}
	return &talk{d, s}
}

// AskAll implements Talk.
func (t *talk) AskAll(ctx context.Context, open []*Question) error {
	return t.askAll(ctx, open, func(context.Context) (*session, error) { return t.session, nil })
}

// Close implements Talk.
func (t *talk) Close() { t.session.close() }
