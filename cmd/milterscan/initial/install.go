package initial

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/contrib"
	"github.com/milterscan/milterscan/policy/disk"
)

// existing is the configuration that is there.
type existing struct {
	there    bool
	text     []byte
	mode     fs.FileMode
	uid, gid int
}

// newMode is the mode of a new file: it has no secrets, and the daemon has to read it.
const newMode = 0o644

// present reads the file that is there.
func (c *Command) present() (e existing, err error) {
	e = existing{mode: newMode, uid: os.Geteuid(), gid: os.Getegid()}
	info, err := os.Lstat(c.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return e, nil
	case err != nil:
		return e, cli.Denied(err, c.File)
	case !info.Mode().IsRegular():
		return e, fmt.Errorf("%s is no regular file; nothing was done", c.File)
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		e.uid, e.gid = int(owner.Uid), int(owner.Gid)
	}
	e.there, e.mode = true, info.Mode().Perm()
	e.text, err = os.ReadFile(c.File)
	return e, cli.Denied(err, c.File)
}

// replaced reports whether a file would be lost that the administrator has written or changed: not
// the one of the package as it was installed, nor one with the same text.
func (e existing) replaced(d Draft) bool {
	return e.there && len(e.text) > 0 && !e.same(d) && !contrib.Shipped(string(e.text))
}

// tried checks a draft in a separate directory.
func (c *Command) tried(ctx context.Context, d Draft) error {
	dir, err := os.MkdirTemp("", "milterscan-init-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	text, beside := d.Text, filepath.Join(dir, domainsFile)
	if d.Beside != "" {
		text = strings.Replace(text, strconv.Quote("file:"+d.Beside), strconv.Quote("file:"+beside), 1)
		if err := os.WriteFile(beside, []byte(d.Domains), 0o600); err != nil {
			return err
		}
	}
	file := filepath.Join(dir, "milterscan.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	return c.Check(ctx, file)
}

// steps returns the steps other than writing files, as commands that do the same.
func (c *Command) steps(d Draft) (steps []string) {
	for _, s := range d.Sockets {
		steps = append(steps, fmt.Sprintf("install -d -o %s -g %s -m 2750 %s", c.Daemon, s.Group, s.Dir))
	}
	if c.Service != nil {
		steps = append(steps, c.Service.steps(d.Sockets)...)
	}
	return steps
}

// install makes the directories of sockets, writes the files and starts the daemon. If the
// configuration does not work in its place, the old one is put back.
func (c *Command) install(ctx context.Context, d Draft, old existing) error {
	for _, s := range d.Sockets {
		if err := c.directory(s); err != nil {
			return fmt.Errorf("%w; the configuration was not written", err)
		}
	}
	if c.Service != nil {
		if err := c.Service.admit(ctx, d.Sockets); err != nil {
			return fmt.Errorf("%w; the configuration was not written", err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(c.File), 0o755); err != nil {
		return cli.Denied(err, filepath.Dir(c.File))
	}
	if d.Beside != "" {
		if err := keepOld(d.Beside, []byte(d.Domains)); err != nil {
			return cli.Denied(err, d.Beside)
		}
		if err := disk.Replace(d.Beside, ".new", []byte(d.Domains), newMode, os.Geteuid(), os.Getegid()); err != nil {
			return cli.Denied(err, d.Beside)
		}
	}
	if err := c.write(ctx, d, old); err != nil {
		return err
	}
	if c.Service == nil {
		return nil
	}
	err := c.Service.Start(ctx, c.File)
	if err == nil || !old.there {
		return err
	}
	return c.undo(ctx, old, err)
}

// undo puts the old configuration back and starts the daemon with it, as the MTA would defer all mail while that is away: also where
// nobody wants to wait for the new one any more. It adds to an error what came of that.
func (c *Command) undo(ctx context.Context, old existing, err error) error {
	if undo := c.restore(old); undo != nil {
		return fmt.Errorf("%w; %s could not be put back: %w", err, c.File, undo)
	}
	if undo := c.Service.restart(context.WithoutCancel(ctx)); undo != nil { // systemd bounds how long that takes
		return fmt.Errorf("%w; so %s is as it was, but milterscan was not started with that: %w", err, c.File, undo)
	}
	return fmt.Errorf("%w; so %s is as it was, and milterscan was started with that", err, c.File)
}

// restore takes the new configuration back.
func (c *Command) restore(old existing) error {
	if !old.there {
		return os.Remove(c.File)
	}
	return disk.Replace(c.File, ".new", old.text, old.mode, old.uid, old.gid)
}

// write writes the configuration, and takes it back if it is wrong in its place: the files of rules
// in that directory may not go with it.
func (c *Command) write(ctx context.Context, d Draft, old existing) error {
	if old.replaced(d) {
		if err := keepOld(c.File, []byte(d.Text)); err != nil {
			return cli.Denied(err, c.File)
		}
	}
	if err := disk.Replace(c.File, ".new", []byte(d.Text), old.mode, old.uid, old.gid); err != nil {
		return cli.Denied(err, filepath.Dir(c.File))
	}
	err := c.Check(ctx, c.File)
	if err == nil {
		return nil
	}
	return errors.Join(fmt.Errorf("it does not go with what is beside it, so %s is as it was: %w", c.File, err), c.restore(old))
}

// mostOld bounds the old files that are kept.
const mostOld = 100

// keepOld keeps a file that is about to get another content, under a name that is free.
func keepOld(path string, next []byte) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && string(text) == string(next) {
		return nil
	}
	if err != nil {
		return err
	}
	for i := range mostOld {
		name := fmt.Sprintf("%s.old-%d", path, i+1)
		err := os.Link(path, name)
		if err == nil || !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return fmt.Errorf("there are %d old ones beside %s; remove some", mostOld, path)
}

// directory makes the directory of a socket: milterscan's, with the MTA's group, which its
// set-group-id bit hands on to the socket.
func (c *Command) directory(s Socket) error {
	uid, gid, err := ids(c.Daemon, s.Group)
	if err != nil {
		return err
	}
	if err := os.Mkdir(s.Dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return cli.Denied(err, s.Dir)
	}
	dir, err := os.OpenFile(s.Dir, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return cli.Denied(err, s.Dir)
	}
	defer dir.Close()
	return cli.Denied(errors.Join(dir.Chown(uid, gid), dir.Chmod(0o750|fs.ModeSetgid)), s.Dir)
}

// ids looks up a user and a group.
func ids(owner, group string) (uid, gid int, err error) {
	u, err := user.Lookup(owner)
	if err != nil {
		return 0, 0, err
	}
	g, err := user.LookupGroup(group)
	if err != nil {
		return 0, 0, err
	}
	uid, err = strconv.Atoi(u.Uid)
	gid, gidErr := strconv.Atoi(g.Gid)
	return uid, gid, errors.Join(err, gidErr)
}
