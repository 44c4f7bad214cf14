package judge

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/open/unpack"
	"github.com/milterscan/milterscan/scan/spool"
)

const mail = "From: a@example.net\r\nSubject: =?utf-8?q?hell=C3=B6?=\r\n\r\nbody\r\n"

// scanner is a scan.Scanner that always says the same.
type scanner []scan.Finding

func (scanner) Name() string { return "content" }
func (s scanner) Scan(context.Context, *scan.Message) ([]scan.Finding, error) {
	return s, nil
}

// keeper remembers what it was asked to keep, and may refuse.
type keeper struct {
	kept []policy.Copy
	err  error
}

func (k *keeper) Keep(_ context.Context, c policy.Copy) error {
	k.kept = append(k.kept, c)
	return k.err
}

// judging returns a judge with one rule for anything suspicious.
func judging(t *testing.T, o policy.Outcome, k *keeper, told *[]*Result, found ...scan.Finding) *Judge {
	t.Helper()
	rules, err := policy.New([]policy.Rule{{
		Ref:     policy.RuleRef{Name: "odd"},
		Grounds: policy.Grounds{When: []policy.Condition{policy.OfKind(scan.Suspicious)}},
		Outcome: o,
	}}, policy.Local{})
	if err != nil {
		t.Fatal(err)
	}
	return New(Options{
		Generation: 7,
		Opener:     unpack.NewOpener(unpack.Limits{Entity: entity.DefaultLimits(), Parts: 100, Nesting: 5}, archive.Formats(), spool.New(t.TempDir(), 1<<20, 1<<20)),
		Engine:     scan.NewEngine(scanner(found)),
		Policy:     rules,
		Keeper:     k,
		Time:       time.Minute,
		Tell:       func(_ context.Context, r *Result) { *told = append(*told, r) },
	})
}

// nopCloser is content that nobody has to close.
type nopCloser struct{ *bytes.Reader }

func (nopCloser) Close() error { return nil }

func received(j *Judge, mail string) scan.Received {
	p := j.NewParser()
	p.Write([]byte(mail))
	return scan.Received{
		Envelope: scan.Envelope{Sender: "a@example.net", Recipients: []string{"b@example.com"}},
		Raw:      nopCloser{bytes.NewReader([]byte(mail))},
		Tree:     p.Close(),
		Size:     int64(len(mail)),
	}
}

var odd = scan.Finding{Kind: scan.Suspicious, Scanner: "content", Rule: "content/odd", Part: scan.WholeMessage}

func TestNobodyObjects(t *testing.T) {
	var told []*Result
	j := judging(t, policy.Outcome{}, &keeper{}, &told)
	r, release := j.Message(t.Context(), received(j, mail))
	defer release()
	if r.Answer != policy.Deliver || len(r.Changes.Headers) != 0 || r.ID == "" {
		t.Errorf("ruling %+v", r)
	}
	if len(told) != 1 || told[0].ID != r.ID || told[0].Generation != 7 || !told[0].Complete() {
		t.Errorf("told %+v", told)
	}
}

// forerunner says where it is asked, and what becomes of what it has begun.
type forerunner struct{ said *[]string }

func (f forerunner) Name() string { return "virus/test" }

func (f forerunner) Ahead(_ context.Context, in scan.Received) scan.Begun {
	*f.said = append(*f.said, "ahead")
	return f
}

func (f forerunner) Drop() { *f.said = append(*f.said, "dropped") }

func (f forerunner) Scan(ctx context.Context, m *scan.Message) ([]scan.Finding, error) {
	*f.said = append(*f.said, "scanned")
	if b := m.Ahead.Take(f.Name()); b != nil {
		defer b.Drop()
	}
	return nil, nil
}

// What scanners begin before a message is opened is with them when they scan it, not when what edits make
// of it is scanned, and goes where none scans it.
func TestAhead(t *testing.T) {
	var told []*Result
	j := judging(t, policy.Outcome{}, &keeper{}, &told)
	var said []string
	j.Options.Engine = scan.NewEngine(forerunner{&said})
	_, release := j.Message(t.Context(), received(j, mail))
	release()
	if want := []string{"ahead", "scanned", "dropped"}; !slices.Equal(said, want) {
		t.Errorf("%q, want %q", said, want)
	}
	said = nil
	j.Options.Engine = scan.NewEngine(lazy{forerunner{&said}})
	_, release = j.Message(t.Context(), received(j, mail))
	release()
	if want := []string{"ahead", "dropped"}; !slices.Equal(said, want) {
		t.Errorf("%q, want %q", said, want)
	}
}

// lazy is a forerunner that takes nothing.
type lazy struct{ forerunner }

func (lazy) Scan(context.Context, *scan.Message) ([]scan.Finding, error) { return nil, nil }

func TestKeptBeforeTheAnswer(t *testing.T) {
	var told []*Result
	k := &keeper{}
	j := judging(t, policy.Outcome{Answer: policy.Discard, Keep: true}, k, &told, odd)
	r, release := j.Message(t.Context(), received(j, mail))
	defer release()
	if r.Answer != policy.Discard || len(k.kept) != 1 || k.kept[0].Record.ID != r.ID || k.kept[0].Raw.Size() != int64(len(mail)) {
		t.Errorf("ruling %+v, kept %+v", r, k.kept)
	}
	if told[0].Decision.Action() != "quarantine" {
		t.Errorf("the log says %q", told[0].Decision.Action())
	}
}

func TestACopyThatIsNotSafeIsATemporaryFailure(t *testing.T) {
	var told []*Result
	k := &keeper{err: errors.New("no space left on device")}
	j := judging(t, policy.Outcome{Answer: policy.Discard, Keep: true}, k, &told, odd)
	r, release := j.Message(t.Context(), received(j, mail))
	defer release()
	if r.Answer != policy.Tempfail || r.Reply.Code != 451 || strings.Contains(r.Reply.Text, "space") {
		t.Errorf("ruling %+v", r)
	}
	if told[0].Complete() {
		t.Error("the log says that all was well")
	}
}

func TestTag(t *testing.T) {
	var told []*Result
	j := judging(t, policy.Outcome{Tag: "{Odd?}"}, &keeper{}, &told, odd)
	for subject, want := range map[string]policy.HeaderChange{
		"Subject: =?utf-8?q?hell=C3=B6?=\r\n": {Op: policy.Change, Name: "Subject", Value: "{Odd?} =?utf-8?q?hell=C3=B6?=", Index: 1},
		"":                                    {Op: policy.InsertTop, Name: "Subject", Value: "{Odd?}"},
	} {
		r, release := j.Message(t.Context(), received(j, "From: a@example.net\r\n"+subject+"\r\nbody\r\n"))
		if len(r.Changes.Headers) != 1 || r.Changes.Headers[0] != want {
			t.Errorf("%q: changes %+v", subject, r.Changes.Headers)
		}
		release()
	}
	r, release := j.Message(t.Context(), received(j, "Subject: {Odd?} hello\r\n\r\nbody\r\n"))
	defer release()
	if len(r.Changes.Headers) != 0 {
		t.Errorf("tagged twice: %+v", r.Changes.Headers)
	}
}

func TestOverTheLimit(t *testing.T) {
	var told []*Result
	j := judging(t, policy.Outcome{}, &keeper{}, &told)
	in := received(j, mail)
	in.Size = 1 << 30
	r := j.Examine(t.Context(), in)
	defer r.Close()
	if r.Complete() || r.Found[0].Rule != "mime/message-size" {
		t.Errorf("found %+v", r.Found)
	}
}

func TestIDs(t *testing.T) {
	a := newID()
	time.Sleep(2 * time.Millisecond)
	b := newID()
	if len(a) != 16 || a >= b {
		t.Errorf("ids %s, %s", a, b)
	}
}
