// Package scantest holds the promises every scan.Scanner makes, as a test that
// any scanner can run:
//
//	func TestContract(t *testing.T) { scantest.Run(t, New(Default()), Catalogue()...) }
//
// It does not know the purpose of a scanner. It asks whether the scanner may
// be used for many messages at once, leaves them as they are, stops when told
// to, says so when it could not read something, and reports only findings that
// its catalogue lists and that point at a part that is there.
package scantest

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
)

// patience bounds how long a scanner may take before the suite calls it stuck.
const patience = 30 * time.Second

// callers is how many goroutines use the scanner at once.
const callers = 8

// Run checks s against the promises of scan.Scanner. Rules is the catalogue of
// everything s can report; a finding under any other rule is an error.
func Run(t *testing.T, s scan.Scanner, rules ...scan.Rule) {
	t.Helper()
	t.Run("name", func(t *testing.T) { checkName(t, s) })
	stock := Messages()
	for _, name := range slices.Sorted(maps.Keys(stock)) {
		t.Run("message/"+name, func(t *testing.T) { checkMessage(t, s, stock[name], rules) })
	}
	t.Run("at once", func(t *testing.T) { checkAtOnce(t, s) })
	t.Run("cancelled before", func(t *testing.T) { checkCancelledBefore(t, s, rules) })
	t.Run("cancelled while reading", func(t *testing.T) { checkCancelledWhile(t, s, rules) })
	t.Run("unreadable", func(t *testing.T) { checkUnreadable(t, s, rules) })
}

// checkMessage scans m and compares it with what it was before.
func checkMessage(t *testing.T, s scan.Scanner, m *scan.Message, rules []scan.Rule) {
	before := fingerprint(m)
	found, err := Scan(t, context.Background(), s, m)
	if err != nil {
		t.Errorf("Scan: %v", err)
	}
	Check(t, s, m, found, rules...)
	if fingerprint(m) != before {
		t.Error("the scanner changed the message")
	}
}

// checkAtOnce has many callers scan the same messages; all must see the same.
func checkAtOnce(t *testing.T, s scan.Scanner) {
	for name, m := range Messages() {
		before := fingerprint(m)
		found := make([][]scan.Finding, callers)
		var wg sync.WaitGroup
		for i := range found {
			wg.Go(func() { found[i], _ = Scan(t, context.Background(), s, m) })
		}
		wg.Wait()
		for _, f := range found[1:] {
			if !reflect.DeepEqual(f, found[0]) {
				t.Errorf("%s: two scans at once differ:\n%v\n%v", name, f, found[0])
			}
		}
		if fingerprint(m) != before {
			t.Errorf("%s: the scanner changed the message", name)
		}
	}
}

// checkCancelledBefore asks with a context that is already done.
func checkCancelledBefore(t *testing.T, s scan.Scanner, rules []scan.Rule) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	m := Message("Subject: late\r\n\r\nbody\r\n", scan.Part{Parent: -1, Path: "1", Type: "text/plain", Content: Bytes([]byte("body\r\n"))})
	found, _ := Scan(t, ctx, s, m)
	Check(t, s, m, found, rules...)
}

// checkCancelledWhile ends the context at the first read of a large part, and
// counts the bytes read after that.
func checkCancelledWhile(t *testing.T, s scan.Scanner, rules []scan.Rule) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c := &leak{cancel: cancel}
	m := Message("Subject: large\r\n\r\n", scan.Part{Parent: -1, Path: "1", Type: "application/octet-stream", Content: c})
	found, _ := Scan(t, ctx, s, m)
	Check(t, s, m, found, rules...)
	if n := c.read.Load(); n > afterCancel {
		t.Errorf("the scanner read on for %d bytes after its context was done", n)
	}
}

// checkUnreadable gives the scanner a part that cannot be read: a scanner that tried
// must not call it clean.
func checkUnreadable(t *testing.T, s scan.Scanner, rules []scan.Rule) {
	c := &broken{}
	m := Message("Subject: broken\r\n\r\n", scan.Part{Parent: -1, Path: "1", Type: "application/octet-stream", Content: c})
	found, err := Scan(t, context.Background(), s, m)
	Check(t, s, m, found, rules...)
	if c.tried.Load() && err == nil && !scan.Incomplete(found) {
		t.Errorf("a part could not be read, and the scanner says nothing of it: %v", found)
	}
	if err != nil && !errors.Is(err, errBroken) {
		t.Logf("the error does not wrap the reader's own: %v", err)
	}
}

// Scan runs s on m and fails the test if it does not come back.
func Scan(t testing.TB, ctx context.Context, s scan.Scanner, m *scan.Message) ([]scan.Finding, error) {
	t.Helper()
	type answer struct {
		found []scan.Finding
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		found, err := s.Scan(ctx, m)
		done <- answer{found, err}
	}()
	select {
	case a := <-done:
		return a.found, a.err
	case <-time.After(patience):
		t.Errorf("%s did not return", s.Name())
		return nil, context.DeadlineExceeded
	}
}
