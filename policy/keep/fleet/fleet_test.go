package fleet

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/keep/postgres"
	"github.com/milterscan/milterscan/scan/breaker"
)

// nowhere is a state in a database that is not there.
func nowhere(t *testing.T) *State {
	t.Helper()
	s := New(Options{Server: postgres.Server{URL: "postgres://m@127.0.0.1:1/mail"}, Connections: 4, Patience: time.Second})
	t.Cleanup(func() { s.Close() })
	return s
}

// TestLayoutFits holds what a daemon does with tables of others.
func TestLayoutFits(t *testing.T) {
	for _, test := range []struct {
		layout Layout
		known  int
		want   string
	}{
		{Layout{3, 1}, 3, ""}, {Layout{5, 3}, 3, ""}, {Layout{5, 4}, 3, "newer milterscan: they need one that knows layout 4, and this one knows 3"},
		{Layout{2, 1}, 3, "have layout 2, and this milterscan needs 3"}, {Layout{}, 3, "have layout 0"},
	} {
		err := test.layout.fits(test.known)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v known %d: %v, want %q", test.layout, test.known, err, test.want)
		}
	}
	if !errors.Is(Layout{9, 9}.fits(1), ErrNewer) {
		t.Error("a newer layout is not said to be one")
	}
}

// TestFiles: each file leaves the layout of its number, so that no daemon takes tables for others than they are.
func TestFiles(t *testing.T) {
	names, err := fs.Glob(files, folder+"/*.sql")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names[1:] {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		number := strings.TrimLeft(strings.SplitN(filepath.Base(name), "_", 2)[0], "0")
		if want := "UPDATE layout SET version = " + number; !strings.Contains(string(text), want) {
			t.Errorf("%s does not say %q", name, want)
		}
	}
	if Known() < len(names) {
		t.Errorf("of %d files the last is %d", len(names), Known())
	}
}

// TestNothingIsAsked: what has not been prepared fails at once, and says where it is.
func TestNothingIsAsked(t *testing.T) {
	s := nowhere(t)
	asked := func(context.Context, *sql.DB) error { t.Error("the database is asked"); return nil }
	err := s.Ask(t.Context(), asked)
	if !errors.Is(err, errUnprepared) || !strings.Contains(err.Error(), "127.0.0.1/mail") {
		t.Error(err)
	}
	if err := s.Read(t.Context(), func(*sql.DB) error { return asked(nil, nil) }); !errors.Is(err, errUnprepared) {
		t.Error(err)
	}
	err = s.Commit(t.Context(), func(func(string, ...any) error) error { return asked(nil, nil) })
	if !errors.Is(err, errUnprepared) {
		t.Error(err)
	}
	if err := s.Prepare(t.Context()); err == nil || s.Ready() == nil {
		t.Errorf("%v, %v", err, s.Ready())
	}
}

// TestMailIsSpared: of many mails one finds out that the database is away; and one whose client is gone finds out nothing.
func TestMailIsSpared(t *testing.T) {
	s := nowhere(t)
	s.judge(nil)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	asked := 0
	ask := func(ctx context.Context) error {
		return s.Ask(ctx, func(ctx context.Context, db *sql.DB) error {
			asked++
			return db.PingContext(ctx)
		})
	}
	for range 3 {
		if err := ask(gone); err == nil {
			t.Error("a question that is over has an answer")
		}
	}
	for range 10 {
		if err := ask(t.Context()); err == nil {
			t.Error("there is an answer from nowhere")
		}
	}
	if asked != 4 {
		t.Errorf("the database was asked %d times", asked)
	}
	if err := ask(t.Context()); !errors.Is(err, breaker.ErrRests) {
		t.Error(err)
	}
}

// TestDoOver: a statement that is wrong is no reason to spare others.
func TestDoOver(t *testing.T) {
	s := nowhere(t)
	s.judge(nil)
	for range 3 {
		if err := s.Ask(t.Context(), func(context.Context, *sql.DB) error { return sql.ErrNoRows }); !errors.Is(err, sql.ErrNoRows) {
			t.Fatal(err)
		}
	}
}

// TestPassword is read for each connection, and is in no error.
func TestPassword(t *testing.T) {
	read := 0
	s := New(Options{Server: postgres.Server{URL: "postgres://m@127.0.0.1:1/mail"}, Connections: 1, Patience: time.Second,
		Password: func() (string, error) { read++; return "s3cret", nil }})
	defer s.Close()
	for range 2 {
		if err := s.Check(t.Context()); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Error(err)
		}
	}
	if read < 2 {
		t.Errorf("the password was read %d times", read)
	}
	bad := New(Options{Server: postgres.Server{URL: "postgres://m@127.0.0.1:1/mail"}, Connections: 1, Patience: time.Second,
		Password: func() (string, error) { return "", errors.New("nobody may read it") }})
	defer bad.Close()
	if err := bad.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "password_file: nobody may read it") {
		t.Error(err)
	}
}

// TestMost: docs and doctor count the connections that there are.
func TestMost(t *testing.T) {
	s := nowhere(t)
	p, err := s.open()
	if err != nil {
		t.Fatal(err)
	}
	n := 1 // which listens
	for _, db := range []*sql.DB{p.mail, p.others, p.records, p.watch} {
		n += db.Stats().MaxOpenConnections
	}
	if most := s.options.Most(); n != most {
		t.Errorf("there may be %d connections, and Most says %d", n, most)
	}
	if most := (Options{Connections: 8}).Most(); most != 15 {
		t.Errorf("%d connections with the default of 8; docs/hosts.md says 15", most)
	}
}
