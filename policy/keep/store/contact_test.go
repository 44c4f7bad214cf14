package store

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan/sender/contact"
	"github.com/milterscan/milterscan/scan/sender/sendertest"
)

var _ contact.Store = (*Contact)(nil)

func newContact(t *testing.T, path string) *Contact {
	t.Helper()
	c := NewContact(path, func(err error) { t.Log(err) })
	t.Cleanup(func() { c.Close() })
	return c
}

// TestContacts holds a file to what every store of contacts promises.
func TestContacts(t *testing.T) {
	sendertest.Contact(t, func(t *testing.T) sendertest.Contacts {
		path := filepath.Join(t.TempDir(), "contact.db")
		return sendertest.Contacts{newContact(t, path), newContact(t, path)}
	})
}

// TestContactsOutliveTheirProcess reads on from where another process has ended.
func TestContactsOutliveTheirProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "contact.db")
	first := newContact(t, path)
	if err := first.Remember(t.Context(), map[contact.Key]time.Time{{1}: now}); err != nil {
		t.Fatal(err)
	}
	began, err := first.Began(t.Context())
	if err != nil || time.Since(began) > time.Hour || time.Since(began) < -time.Hour {
		t.Errorf("began %v, %v", began, err)
	}
	first.Close()
	second := newContact(t, path)
	if again, err := second.Began(t.Context()); !again.Equal(began) || err != nil {
		t.Errorf("began %v, then %v, %v", began, again, err)
	}
	if known, err := second.Known(t.Context(), []contact.Key{{1}, {2}}, now); len(known) != 1 || err != nil {
		t.Errorf("%v, %v", known, err)
	}
}

func TestContactsThatCannotBe(t *testing.T) {
	c := newContact(t, filepath.Join("/dev/null", "contact.db"))
	if _, err := c.Known(t.Context(), []contact.Key{{}}, now); err == nil || !strings.Contains(err.Error(), "/dev/null/contact.db") {
		t.Errorf("%v", err)
	}
	if _, err := c.Began(t.Context()); err == nil {
		t.Error("began nowhere")
	}
	if err := c.Remember(t.Context(), map[contact.Key]time.Time{{}: now}); err == nil {
		t.Error("remembered nowhere")
	}
}
