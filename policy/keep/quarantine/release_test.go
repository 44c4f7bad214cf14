package quarantine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/tell/submission"
	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/scan"
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

func newExit(s Store, m *mta) Releaser {
	return Releaser{Store: s, Sender: m, Key: func() ([]byte, error) { return key, nil }, Now: func() time.Time { return now }, By: "root", From: "postmaster@mx.example.com", Host: "mx.example.com"}
}

func TestRelease(t *testing.T) {
	d, _ := newDir(t)
	keep(t, d, 1)
	m := &mta{}
	to, err := newExit(d, m).Release(t.Context(), Order{ID: id(1), Infected: true})
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

// partsOf returns the text of a forwarded mail, and the type and content of what is
// attached to it.
func partsOf(t *testing.T, m *netmail.Message) (text, kind, attached string) {
	t.Helper()
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	next := func() (kind, content string) {
		p, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		return p.Header.Get("Content-Type"), string(b)
	}
	_, text = next()
	kind, attached = next()
	if _, err := parts.NextRawPart(); err != io.EOF {
		t.Error("more than two parts")
	}
	return text, kind, attached
}

// passOn is the pass on top of a message.
func passOn(t *testing.T, message string) token.Grant {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	value, ok := m.Header.Get(token.Field), strings.HasPrefix(message, token.Field+":")
	sum, err := token.Sum(strings.NewReader(message))
	if !ok || err != nil {
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
			if _, err := x.Release(t.Context(), Order{ID: id(1), Infected: true}); err != nil && !errors.Is(err, ErrReleased) && !errors.Is(err, ErrUnsure) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(m.got) != 1 {
		t.Errorf("sent %d times", len(m.got))
	}
	if _, err := x.Release(t.Context(), Order{ID: id(1), Again: true, Infected: true}); err != nil || len(m.got) != 2 {
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
		if _, err := x.Release(t.Context(), Order{ID: id(1), Infected: true}); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", name, err)
		}
		m.err = nil
		if _, err := x.Release(t.Context(), Order{ID: id(1), Infected: true}); !errors.Is(err, c.then) {
			t.Errorf("%s: then %v", name, err)
		}
	}
}

// A process that ends between sending and writing it down leaves a message that
// is not sent once more.
func TestReleaseCutShort(t *testing.T) {
	d, _ := newDir(t)
	keep(t, d, 1)
	if err := d.Change(t.Context(), id(1), func(e *Entry) error { return e.begin(&Order{ID: id(1), Infected: true}) }); err != nil {
		t.Fatal(err)
	}
	m := &mta{}
	if _, err := newExit(d, m).Release(t.Context(), Order{ID: id(1), Infected: true}); !errors.Is(err, ErrUnsure) || len(m.got) != 0 {
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
	if _, err := newExit(d, m).Release(t.Context(), Order{ID: id(1), Skip: []string{"content/*"}, Infected: true, To: []string{"d@example.com"}}); err != nil {
		t.Fatal(err)
	}
	if g := passOn(t, m.text[0]); g.Covers("virus/x") || !g.Covers("content/odd") || m.got[0].To[0] != "d@example.com" {
		t.Errorf("pass %+v to %v", g, m.got[0].To)
	}
}

// TestInfectedNeedsAWord asks for an infected message with and without the word, and
// for one that is not.
func TestInfectedNeedsAWord(t *testing.T) {
	actions := map[string]func(x Releaser, o Order) error{
		"release": func(x Releaser, o Order) error { _, err := x.Release(t.Context(), o); return err },
		"forward": func(x Releaser, o Order) error { return x.Forward(t.Context(), o) },
	}
	for name, do := range actions {
		for _, c := range []struct {
			infected, word, sent bool
		}{{true, false, false}, {true, true, true}, {false, false, true}} {
			d, _ := newDir(t)
			copied := aCopy(1)
			if !c.infected {
				copied.Record.Findings[1].Kind = scan.Suspicious
			}
			if err := d.Keep(t.Context(), copied); err != nil {
				t.Fatal(err)
			}
			m := &mta{}
			err := do(newExit(d, m), Order{ID: id(1), To: []string{"d@example.com"}, Infected: c.word, Again: true, Skip: []string{"*"}})
			if sent := len(m.got) == 1; sent != c.sent || sent != (err == nil) || !sent && !errors.Is(err, ErrInfected) {
				t.Errorf("%s %+v: sent %v, %v", name, c, sent, err)
			}
			e, err := d.Entry(t.Context(), id(1))
			if err != nil || !c.sent && (e.State != Kept || len(e.Events) != 0) {
				t.Errorf("%s %+v: entry %+v, %v", name, c, e, err)
			}
			if c.sent && passOn(t, m.text[0]).Infected != c.word {
				t.Errorf("%s %+v: the pass says otherwise", name, c)
			}
		}
	}
}

// TestAddressesAreChecked lets nothing out for what is no address.
func TestAddressesAreChecked(t *testing.T) {
	for _, to := range []string{"", "--help", "-a@example.com", "a b@example.com", "a@example.com\r\nDATA", "<a@example.com>"} {
		d, _ := newDir(t)
		keep(t, d, 1)
		m := &mta{}
		o := Order{ID: id(1), To: []string{"a@example.com", to}, Infected: true}
		_, err := newExit(d, m).Release(t.Context(), o)
		if e, _ := d.Entry(t.Context(), id(1)); err == nil || len(m.got) != 0 || e.State != Kept {
			t.Errorf("release to %q: %v, %+v", to, err, e)
		}
		if err := newExit(d, m).Forward(t.Context(), o); err == nil || len(m.got) != 0 {
			t.Errorf("forward to %q: %v", to, err)
		}
	}
}

func TestForward(t *testing.T) {
	d, _ := newDir(t)
	keep(t, d, 1)
	m := &mta{}
	if err := newExit(d, m).Forward(t.Context(), Order{ID: id(1), To: []string{"admin@example.com"}, Infected: true}); err != nil {
		t.Fatal(err)
	}
	e, _ := d.Entry(t.Context(), id(1))
	if m.got[0].From != "" || e.State != Kept || len(e.Events) != 1 {
		t.Errorf("sent %+v, entry %+v", m.got[0], e)
	}
	sent, err := netmail.ReadMessage(strings.NewReader(m.text[0]))
	if err != nil {
		t.Fatal(err)
	}
	if from := sent.Header.Get("From"); from != "postmaster@mx.example.com" || !strings.Contains(sent.Header.Get("Subject"), "INFECTED") {
		t.Errorf("header %v", sent.Header)
	}
	if text, kind, attached := partsOf(t, sent); !strings.Contains(text, "virus/x") || kind != "message/rfc822" || attached != mail {
		t.Errorf("text %q, then %s %q", text, kind, attached)
	}
	if g := passOn(t, m.text[0]); g.For != token.Release || !g.Covers("virus/x") || !g.Infected {
		t.Errorf("pass %+v", g)
	}
	if err := newExit(d, m).Delete(t.Context(), id(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Entry(t.Context(), id(1)); !errors.Is(err, ErrUnknown) {
		t.Errorf("deleted: %v", err)
	}
}
