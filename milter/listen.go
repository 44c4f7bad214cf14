package milter

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"

	"github.com/milterscan/milterscan/scan/units"
)

// ListenOn opens an address as those of Options.Listen are opened: a unix socket
// gets its owner and mode before it has its name.
func ListenOn(address string, mode os.FileMode, owner string) (net.Listener, error) {
	return Options{SocketMode: mode, SocketOwner: owner}.listen(address)
}

// listen opens one address of Options.Listen.
func (o Options) listen(address string) (net.Listener, error) {
	network, where := units.SplitAddress(address)
	switch {
	case network == "unix" && where != "":
		return o.listenUnix(where)
	case network == "tcp" && where != "":
		l, err := net.Listen("tcp", where)
		if err != nil {
			return nil, fmt.Errorf("milter: %w", err)
		}
		return l, nil
	}
	return nil, fmt.Errorf("milter: cannot listen on %q: write unix:/path or tcp:host:port", address)
}

// listenUnix makes a socket under a passing name and moves it into place when
// mode and owner are right: no client ever connects to one that is open to all, and
// a stale one is replaced without a gap.
func (o Options) listenUnix(path string) (net.Listener, error) {
	if err := free(path); err != nil {
		return nil, err
	}
	passing := path + ".new"
	if err := os.Remove(passing); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("milter: %w", err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: passing, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("milter: %w", err)
	}
	l.SetUnlinkOnClose(false)
	if err := o.install(passing, path); err != nil {
		l.Close()
		os.Remove(passing)
		return nil, fmt.Errorf("milter: socket %s: %w", path, err)
	}
	made, err := os.Lstat(path)
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("milter: %w", err)
	}
	return &socket{l, path, made}, nil
}

// free makes sure that no server is listening at path, and that nothing but a
// socket would be replaced.
func free(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("milter: %w", err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("milter: %s exists and is not a socket", path)
	}
	c, err := net.Dial("unix", path)
	if err == nil {
		c.Close()
		return fmt.Errorf("milter: another process is listening on %s", path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("milter: %s exists, and whether it is in use is not known: %w", path, err)
	}
	return nil
}

// install gives the socket its owner, mode and name.
func (o Options) install(passing, path string) error {
	if err := o.own(passing); err != nil {
		return err
	}
	return os.Rename(passing, path)
}

// own gives a socket its owner and mode.
func (o Options) own(path string) error {
	if o.SocketOwner != "" {
		uid, gid, err := owner(o.SocketOwner)
		if err != nil {
			return err
		}
		if err := os.Lchown(path, uid, gid); err != nil {
			return err
		}
	}
	return os.Chmod(path, o.SocketMode)
}

// owner reads "user", "user:group" or ":group"; -1 is "as it is".
func owner(s string) (uid, gid int, err error) {
	uid, gid = -1, -1
	name, group, _ := strings.Cut(s, ":")
	if name != "" {
		if uid, err = number(name, userID); err != nil {
			return 0, 0, err
		}
	}
	if group != "" {
		if gid, err = number(group, groupID); err != nil {
			return 0, 0, err
		}
	}
	return uid, gid, nil
}

// number returns a number as it is, or what a name is looked up to.
func number(name string, lookup func(string) (string, error)) (int, error) {
	if n, err := strconv.Atoi(name); err == nil && n >= 0 {
		return n, nil
	}
	id, err := lookup(name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(id)
}

func userID(name string) (string, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return "", err
	}
	return u.Uid, nil
}

func groupID(name string) (string, error) {
	g, err := user.LookupGroup(name)
	if err != nil {
		return "", err
	}
	return g.Gid, nil
}

// socket is a unix listener that takes its own name away when it is closed, and
// no other that has been put there since.
type socket struct {
	*net.UnixListener
	path string
	made fs.FileInfo
}

func (s *socket) Close() error {
	if now, err := os.Lstat(s.path); err == nil && os.SameFile(now, s.made) {
		os.Remove(s.path)
	}
	return s.UnixListener.Close()
}
