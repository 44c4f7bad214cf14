// Package servers starts real mail servers for the end-to-end tests and the
// demo: Postfix, Sendmail, clamd and milterscan itself. Each one is private: it has
// its own directory, listens on its own loopback address, and is ended by its pid.
// None of them needs, or touches, an installed server's files.
package servers

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// TB is the test or program that starts a server: *testing.T is one, and so is the
// demo. Fatalf does not return. Cleanup functions run last to first.
type TB interface {
	Helper()
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// MTA is a private mail server that asks a milter about every mail and delivers
// all it accepts, for whatever recipient, into one mailbox.
type MTA interface {
	// SMTP is where its SMTP server listens.
	SMTP() string
	// MilterSocket is where it looks for its milter.
	MilterSocket() string
	// Mailbox is where it delivers.
	Mailbox() *Maildir
	// Submit hands a mail in as a program on the same machine does.
	Submit(t TB, mail, from string, to ...string)
	// Settle waits until only held mail is left to deliver.
	Settle(t TB)
	// Held are the ids of the mails that are held in its queue.
	Held(t TB) []string
	// Release lets a held mail go on.
	Release(t TB, id string)
	// Log is what it has logged so far.
	Log() string
}

// patience is how long a server may take to do what it was asked, on a machine
// that is busy with other things as well.
const patience = 60 * time.Second

// newDir makes a directory that other users may enter, below a short path: a
// unix socket's name has at most 107 bytes. It is removed by Cleanup.
func newDir(t TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "milterscan-")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatalf("making a directory for a server: %v", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// FreeAddr returns a free loopback address and port, for a further service of a server.
func FreeAddr(t TB) string { t.Helper(); return newAddr(t) }

// newAddr returns a free loopback address and port. The address is drawn from
// 127.0.0.0/8, so that no other process takes it in the next moment.
func newAddr(t TB) string {
	t.Helper()
	ip := net.IPv4(127, byte(1+rand.IntN(250)), byte(rand.IntN(250)), byte(1+rand.IntN(250)))
	l, err := net.Listen("tcp", net.JoinHostPort(ip.String(), "0"))
	if err != nil {
		t.Fatalf("looking for a free port: %v", err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Await waits until done reports true, and fails with what was waited for when
// that takes more than a minute.
func Await(t TB, what string, done func() bool) {
	t.Helper()
	for begun := time.Now(); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Since(begun) > patience {
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

// answers reports whether a server accepts connections at the address.
func answers(network, address string) bool {
	c, err := net.DialTimeout(network, address, time.Second)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

func writeFile(t TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatalf("%v", err)
	}
}

// Root returns the top of the source tree.
func Root(t TB) string {
	t.Helper()
	_, file, _, ok := runtime.Caller(0)
	root := filepath.Join(filepath.Dir(file), "..", "..", "..")
	if _, err := os.Stat(filepath.Join(root, "go.mod")); !ok || err != nil {
		t.Fatalf("the source tree is not where it was compiled: %v", err)
	}
	return root
}

// must be root: Postfix changes user for each of its programs.
func needRoot(t TB, server string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatalf("%s has to be started by root; run as root or with sudo", server)
	}
}

// logTail returns the end of a log file, to be shown with a failure.
func logTail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Sprintf("(no log: %v)", err)
	}
	const most = 4 << 10
	if len(text) > most {
		text = text[len(text)-most:]
	}
	return string(text)
}
