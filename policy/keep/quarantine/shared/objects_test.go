package shared

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/bucket"
	"github.com/milterscan/milterscan/policy/keep/quarantine/quarantinetest"
)

// tables is a State whose database answers each question by answer.
type tables struct {
	State
	answer func(query string, args []driver.NamedValue) [][]driver.Value
}

// Read asks it.
func (t tables) Read(_ context.Context, do func(*sql.DB) error) error {
	db := sql.OpenDB(t)
	defer db.Close()
	return do(db)
}

// Connect implements driver.Connector.
func (t tables) Connect(context.Context) (driver.Conn, error) { return connection{tables: t}, nil }

// Driver implements driver.Connector.
func (t tables) Driver() driver.Driver { return nil }

// connection is one to tables, which takes arguments of every type.
type connection struct {
	driver.Conn
	tables tables
}

// Close implements driver.Conn.
func (c connection) Close() error { return nil }

// CheckNamedValue implements driver.NamedValueChecker.
func (c connection) CheckNamedValue(*driver.NamedValue) error { return nil }

// QueryContext implements driver.QueryerContext.
func (c connection) QueryContext(_ context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return &rows{c.tables.answer(query, args)}, nil
}

// rows are an answer.
type rows struct{ left [][]driver.Value }

// Columns implements driver.Rows.
func (r *rows) Columns() []string {
	if len(r.left) == 0 {
		return nil
	}
	return make([]string, len(r.left[0]))
}

// Close implements driver.Rows.
func (r *rows) Close() error { return nil }

// Next implements driver.Rows.
func (r *rows) Next(into []driver.Value) error {
	if len(r.left) == 0 {
		return io.EOF
	}
	copy(into, r.left[0])
	r.left = r.left[1:]
	return nil
}

// shelf is a bucket with some objects, of which the first list does not have those that are late.
type shelf struct {
	Bucket
	sizes  map[string]int64
	late   string
	listed bool
	puts   int
}

// Put counts.
func (s *shelf) Put(context.Context, string, string, bucket.Content) (string, error) {
	s.puts++
	return "name", nil
}

// List lists them.
func (s *shelf) List(_ context.Context, begin string, use func([]bucket.Object) error) error {
	var page []bucket.Object
	for name, size := range s.sizes {
		if strings.HasPrefix(name, begin) && (s.listed || name != s.late) {
			page = append(page, bucket.Object{Name: name, Size: size, Time: time.Now()})
		}
	}
	s.listed = true
	slices.SortFunc(page, func(a, b bucket.Object) int { return strings.Compare(a.Name, b.Name) })
	if len(page) == 0 {
		return nil
	}
	return use(page)
}

// TestCompare: of a message that is kept while objects are compared with entries nothing is said, and of each whose object is
// missing or has another size it is.
func TestCompare(t *testing.T) {
	const size = int64(10)
	entries := [][]driver.Value{{"f/1", "good", size}, {"f/2", "lost", size}, {"f/3", "other", size}, {"f/4", "late", size}}
	state := tables{answer: func(query string, args []driver.NamedValue) (found [][]driver.Value) {
		switch {
		case strings.Contains(query, "quarantine_folder"):
			return [][]driver.Value{{"f"}}
		case strings.Contains(query, "name = $1"):
			return [][]driver.Value{{"it is there still"}}
		}
		after, last := args[0].Value.(string), args[1].Value.(string)
		for _, e := range entries {
			if name := e[0].(string); name > after && (last == "" || name <= last) {
				found = append(found, e)
			}
		}
		return found
	}}
	s := New(state, "mx1").WithObjects(NewObjects(&shelf{sizes: map[string]int64{"f/1": 10, "f/3": 11, "f/4": 10}, late: "f/4"}))
	var told []Lost
	if err := s.Compare(t.Context(), time.Now(), func(l Lost) { told = append(told, l) }); err != nil {
		t.Fatal(err)
	}
	if want := []Lost{{"lost", "f/2", -1}, {"other", "f/3", 11}}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

// TestFolderOfMany: of many mails that ask for the folder while the database hangs, none waits for another.
func TestFolderOfMany(t *testing.T) {
	const mails = 3
	asked, answer := make(chan bool), make(chan bool)
	s := New(tables{answer: func(string, []driver.NamedValue) [][]driver.Value {
		asked <- true
		<-answer
		return [][]driver.Value{{"f"}}
	}}, "mx1").WithObjects(NewObjects(nil))
	got := make(chan error, mails)
	for range mails {
		go func() {
			_, err := s.place(t.Context())
			got <- err
		}()
	}
	for range mails {
		select {
		case <-asked:
		case <-time.After(time.Minute):
			t.Fatal("a mail waits for another")
		}
	}
	close(answer)
	for range mails {
		if err := <-got; err != nil {
			t.Error(err)
		}
	}
	if folder, err := s.place(t.Context()); folder != "f" || err != nil {
		t.Errorf("%q, %v", folder, err)
	}
}

// away is a State that takes no mail.
type away struct {
	tables
	err error
}

// Commit fails.
func (a away) Commit(context.Context, func(func(string, ...any) error) error) error { return a.err }

// TestNoObjectWithoutEntry: while the database is away, no mail that is deferred for that leaves an object.
func TestNoObjectWithoutEntry(t *testing.T) {
	state := away{tables{answer: func(string, []driver.NamedValue) [][]driver.Value { return [][]driver.Value{{"f"}} }}, errors.New("away")}
	box := &shelf{}
	s := New(state, "mx1").WithObjects(NewObjects(box))
	err := s.Keep(t.Context(), policy.Copy{Record: quarantinetest.Record(1), Raw: strings.NewReader("x")})
	if !errors.Is(err, state.err) || box.puts > 0 {
		t.Errorf("%v, %d puts", err, box.puts)
	}
}
