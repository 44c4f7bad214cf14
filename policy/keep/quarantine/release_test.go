package quarantine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/tell/submission"
	"github.com/milterscan/milterscan/policy/token"
)

// mta takes mail, or fails.
type mta struct {
	mu   sync.Mutex
	got  []submission.Mail
	text []string
	err  error
}

func (m *mta) Send(_ context.Context, mail submission.Mail) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	text, err := io.ReadAll(mail.Message)
	m.got, m.text = append(m.got, mail), append(m.text, string(text))
	return err
}

var key = []byte(strings.Repeat("k", 32))

func newExit(s Store, m *mta) Exit {
	return Exit{Store: s, Sender: m, Key: func() ([]byte, error) { return key, nil }, Now: func() time.Time { return now }, By: "root"}
}

func TestRelease(t *testing.T) {
	d, _ := newDir(t)
	keep(t, d, 1)
	m := &mta{}
	to, err := newExit(d, m).Release(t.Context(), Order{ID: id(1)})
	if err != nil || !slices.Equal(to, []string{"b@example.com"}) {
		t.Fatalf("to %v, %v; one recipient had it already", to, err)
	}
	if m.got[0].From != "a@example.net" || !strings.HasSuffix(m.text[0], mail) {
		t.Errorf("sent %+v %q", m.got[0], m.text[0])
	}
	g := passOn(t, m.text[0])
	if g.For != token.Release || g.ID != id(1) || !g.Covers("virus/x") || g.Covers("virus/y") || !slices.Equal(g.Rules, []string{"from nobody"}) {
		t.Errorf("pass %+v", g)
	}
	e, err := d.Entry(t.Context(), id(1))
	if err != nil || e.State != Released || len(e.Events) != 2 || e.Events[0].By != "root" {
		t.Errorf("entry %+v, %v", e, err)
	}
	audit, err := os.ReadFile(filepath.Join(d.path, "audit.log"))
	if err != nil || strings.Count(string(audit), "\n") != 2 || !strings.Contains(string(audit), `"what":"released"`) {
		t.Errorf("audit %s, %v", audit, err)
	}
}

// passOn is the pass on top of a message.
func passOn(t *testing.T, message string) token.Grant {
	t.Helper()
	field, rest, ok := strings.Cut(message, "\r\nSubject:")
	value, found := strings.CutPrefix(field, token.Field+":")
	sum, err := token.Sum(strings.NewReader("Subject:" + rest))
	if !ok || !found || err != nil {
		t.Fatalf("no pass on %q, %v", message, err)
	}
	g, err := token.Read(key, value, sum, now)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// However many ask, and however often, a message is sent once.
func TestReleaseIsIdempotent(t *testing.T) {
	d, _ := newDir(t)
	keep(t, d, 1)
	m := &mta{}
	x := newExit(d, m)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := x.Release(t.Context(), Order{ID: id(1)}); err != nil && !errors.Is(err, ErrReleased) && !errors.Is(err, ErrUnsure) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(m.got) != 1 {
		t.Errorf("sent %d times", len(m.got))
	}
	if _, err := x.Release(t.Context(), Order{ID: id(1), Again: true}); err != nil || len(m.got) != 2 {
		t.Errorf("said so, and sent %d times, %v", len(m.got), err)
	}
}

// A release nobody knows the end of is not tried again by itself; one that
// certainly failed is as if it had not been.
func TestReleaseFails(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		then error
	}{
		"refused": {errors.New("451 later"), nil},
		"unsure":  {fmt.Errorf("%w: connection reset", submission.ErrUnsure), ErrUnsure},
	} {
		d, _ := newDir(t)
		keep(t, d, 1)
		m := &mta{err: c.err}
		x := newExit(d, m)
		if _, err := x.Release(t.Context(), Order{ID: id(1)}); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", name, err)
		}
		m.err = nil
		if _, err := x.Release(t.Context(), Order{ID: id(1)}); !errors.Is(err, c.then) {
			t.Errorf("%s: then %v", name, err)
		}
	}
}

// A process that ends between sending and writing it down leaves a message that
// is not sent once more.
func TestReleaseCutShort(t *testing.T) {
	d, _ := newDir(t)
	keep(t, d, 1)
	if err := d.Change(t.Context(), id(1), func(e *Entry) error { return e.begin(&Order{ID: id(1)}) }); err != nil {
		t.Fatal(err)
	}
	m := &mta{}
	if _, err := newExit(d, m).Release(t.Context(), Order{ID: id(1)}); !errors.Is(err, ErrUnsure) || len(m.got) != 0 {
		t.Errorf("sent %d, %v", len(m.got), err)
	}
	if n, err := Expire(t.Context(), d, Retention{Keep: 1}, now.Add(time.Hour*100)); n != 0 || err != nil {
		t.Errorf("it was expired: %d, %v", n, err)
	}
}

func TestReleaseSkipsWhatIsNamed(t *testing.T) {
	d, _ := newDir(t)
	keep(t, d, 1)
	m := &mta{}
	if _, err := newExit(d, m).Release(t.Context(), Order{ID: id(1), Skip: []string{"content/*"}, To: []string{"d@example.com"}}); err != nil {
		t.Fatal(err)
	}
	if g := passOn(t, m.text[0]); g.Covers("virus/x") || !g.Covers("content/odd") || m.got[0].To[0] != "d@example.com" {
		t.Errorf("pass %+v to %v", g, m.got[0].To)
	}
}

func TestForward(t *testing.T) {
	d, _ := newDir(t)
	keep(t, d, 1)
	m := &mta{}
	if err := newExit(d, m).Forward(t.Context(), Order{ID: id(1), To: []string{"admin@example.com"}}); err != nil {
		t.Fatal(err)
	}
	e, _ := d.Entry(t.Context(), id(1))
	if m.got[0].From != "" || e.State != Kept || len(e.Events) != 1 {
		t.Errorf("sent %+v, entry %+v", m.got[0], e)
	}
	if err := newExit(d, m).Delete(t.Context(), id(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Entry(t.Context(), id(1)); !errors.Is(err, ErrUnknown) {
		t.Errorf("deleted: %v", err)
	}
}
