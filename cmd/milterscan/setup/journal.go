package setup

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/milterscan/milterscan/policy/disk"
)

// StateDir is where old contents are kept while milterscan is set up.
const StateDir = "/var/lib/milterscan/setup"

// journal says what was changed, or was about to be. It is on the disk before
// the first change is made.
type journal struct {
	MTA    string
	Dir    string
	Done   bool // everything went well; otherwise it is to be undone
	Files  []saved
	Reload []Command

	path string // directory of the journal
}

// saved is a file before and after setup changed it.
type saved struct {
	Path     string
	Existed  bool
	Mode     fs.FileMode
	UID, GID int
	Old, New []byte
}

const journalName = "journal.json"

// openJournal reads the journal of an MTA, nil if there is none.
func openJournal(state, mta string) (*journal, error) {
	dir := filepath.Join(state, mta)
	text, err := os.ReadFile(filepath.Join(dir, journalName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	j := &journal{path: dir}
	if err := json.Unmarshal(text, j); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, journalName), err)
	}
	return j, nil
}

// newJournal notes what a plan is about to change. The files must be as they
// were when it was made.
func newJournal(state string, p *Plan) (*journal, error) {
	name := p.MTA.Name
	if p.removal {
		name += removal
	}
	j := &journal{MTA: p.MTA.Name, Dir: p.MTA.Dir, Reload: p.Reload, path: filepath.Join(state, name)}
	for _, c := range p.Changes {
		s, err := save(c)
		if err != nil {
			return nil, err
		}
		j.Files = append(j.Files, s)
	}
	if err := os.MkdirAll(j.path, 0o700); err != nil {
		return nil, err
	}
	for i, f := range j.Files {
		if err := os.WriteFile(j.backup(i), f.Old, 0o600); err != nil {
			return nil, err
		}
	}
	return j, j.write()
}

// backup returns the path of the old content of a file, for people; the journal has it
// as well.
func (j *journal) backup(i int) string {
	return filepath.Join(j.path, fmt.Sprintf("%d-%s", i, filepath.Base(j.Files[i].Path)))
}

// paths returns the paths of all files, for people.
func (j *journal) paths() string {
	var all []string
	for _, f := range j.Files {
		all = append(all, f.Path)
	}
	return strings.Join(all, " ")
}

// save returns the file of a change as it is now.
func save(c Change) (saved, error) {
	s := saved{Path: c.Path, New: c.New, Mode: c.Mode}
	now, err := os.ReadFile(c.Path)
	if errors.Is(err, fs.ErrNotExist) && c.Old == nil {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	if string(now) != string(c.Old) {
		return s, fmt.Errorf("%s was changed in the meantime; nothing was done", c.Path)
	}
	info, err := os.Lstat(c.Path)
	if err != nil {
		return s, err
	}
	if !info.Mode().IsRegular() {
		return s, fmt.Errorf("%s is no regular file; a link would be replaced by what it points to", c.Path)
	}
	owner := info.Sys().(*syscall.Stat_t)
	s.Existed, s.Old, s.Mode, s.UID, s.GID = true, now, info.Mode().Perm(), int(owner.Uid), int(owner.Gid)
	return s, nil
}

// write puts the journal on the disk.
func (j *journal) write() error {
	text, err := json.Marshal(j)
	if err != nil {
		return err
	}
	return disk.Replace(filepath.Join(j.path, journalName), passing, text, 0o600, os.Getuid(), os.Getgid())
}

// forget removes the journal, which from then on is none, and then the backups.
func (j *journal) forget() error {
	if err := os.Remove(filepath.Join(j.path, journalName)); err != nil {
		return err
	}
	return os.RemoveAll(j.path)
}

// install puts the new content in its place. Without any, the file goes.
func (s saved) install() error {
	if s.New == nil {
		return remove(s.Path)
	}
	return disk.Replace(s.Path, passing, s.New, s.Mode, s.UID, s.GID)
}

// remove takes a file away that may be gone already.
func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// touched reports whether the file has been changed since, by another program or a person.
func (s saved) touched() (bool, error) {
	now, err := os.ReadFile(s.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return s.Existed && s.New != nil, nil
	}
	if err != nil {
		return false, err
	}
	return string(now) != string(s.New) && (!s.Existed || string(now) != string(s.Old)), nil
}

// restore puts the old content back, and takes away what was not there.
func (s saved) restore() error {
	if err := remove(s.Path + passing); err != nil {
		return err
	}
	if s.Existed {
		return disk.Replace(s.Path, passing, s.Old, s.Mode, s.UID, s.GID)
	}
	return remove(s.Path)
}

// passing is the suffix of a file's name until it is complete.
const passing = ".milterscan-new"
