package servers

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
)

// Maildir is where a private Postfix delivers: one file a mail and recipient.
type Maildir struct{ dir string }

// Delivered is one delivered mail: the envelope as the delivery agent noted it,
// and the mail below those notes.
type Delivered struct {
	Sender    string // from Return-Path, without angle brackets
	Recipient string // from Delivered-To
	Mail      []byte // from Postfix' Received downwards, with LF line ends

	file string
}

// Count returns the number of mails delivered so far.
func (m *Maildir) Count() int { return len(m.files()) }

// Clear forgets what was delivered so far.
func (m *Maildir) Clear() {
	for _, f := range m.files() {
		os.Remove(f)
	}
}

// Remove forgets one mail.
func (m *Maildir) Remove(d Delivered) { os.Remove(d.file) }

// All returns what was delivered so far, in the order of delivery as far as file
// names tell.
func (m *Maildir) All() []Delivered {
	var all []Delivered
	for _, name := range m.files() {
		if text, err := os.ReadFile(name); err == nil {
			d := parseDelivered(text)
			d.file = name
			all = append(all, d)
		}
	}
	return all
}

// Await waits until there are n mails, and returns them all.
func (m *Maildir) Await(t TB, n int) []Delivered {
	t.Helper()
	Await(t, "mail to be delivered", func() bool { return m.Count() >= n })
	return m.All()
}

// One waits for the one mail the maildir is to hold.
func (m *Maildir) One(t TB) Delivered {
	t.Helper()
	all := m.Await(t, 1)
	if len(all) != 1 {
		t.Fatalf("%d mails were delivered, not one", len(all))
	}
	return all[0]
}

func (m *Maildir) files() []string {
	var names []string
	entries, err := os.ReadDir(filepath.Join(m.dir, "new"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		panic(err)
	}
	for _, e := range entries {
		names = append(names, filepath.Join(m.dir, "new", e.Name()))
	}
	sort.Strings(names)
	return names
}

// parseDelivered takes off the fields virtual(8) puts on top: Return-Path,
// X-Original-To and Delivered-To.
func parseDelivered(text []byte) Delivered {
	var d Delivered
	for {
		line, rest, _ := bytes.Cut(text, []byte("\n"))
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch string(name) {
		case "Return-Path":
			d.Sender = string(bytes.Trim(value, "<>"))
		case "Delivered-To":
			d.Recipient = string(value)
		case "X-Original-To":
		default:
			d.Mail = text
			return d
		}
		text = rest
	}
}
