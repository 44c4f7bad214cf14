// Package moving takes over the settings of other filters. It reads their files as data, executes
// none of it, and writes a configuration of milterscan in which each line names its origin, with a
// report of what became of every setting.
package moving

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy/disk"
)

// How is what became of a setting.
type How int

// The outcomes for a setting, in the order of the report: those that need the administrator come first.
const (
	Unclear    How = iota // it was not understood
	Impossible            // milterscan has nothing that does it
	Differs               // it was taken over, and does something else
	Taken                 // it was taken over
	Needless              // nothing of the kind is needed
)

// Place is where a setting is written.
type Place struct {
	File string // below the directory that is read; "" if no file has it
	Line int    // 0 for a file as a whole
}

// String returns the file and the line.
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Note says what became of one setting.
type Note struct {
	Place
	What string // the setting as it is written
	How  How
	Why  string
}

// Result is what was made of the files of another filter.
type Result struct {
	Program string            // whose files they were
	Config  string            // the text of milterscan.toml
	Lists   map[string]string // the files that the configuration names, by their names below its directory
	Notes   []Note
	Beyond  []string // what milterscan does and the other filter did not
}

// Complete reports whether everything was taken over, or is not needed.
func (r *Result) Complete() bool {
	return !slices.ContainsFunc(r.Notes, func(n Note) bool { return n.How < Taken })
}

// Written are the names of the two files that every import writes.
const (
	ConfigName = "milterscan.toml"
	ReportName = "report.txt"
)

// defaultProfile says what a profile does besides the rules that were taken over; what the other filter does
// instead comes after it.
const defaultProfile = "The profile \"default\" comes after the rules that were taken over: \"milterscan check " +
	"--effective --rules\" lists all of them. It refuses infected mail, programs by their names and contents, also in " +
	"archives, macros that run by themselves, archives with a password and those that burst all limits, and messages " +
	"that are pieces or whose content is elsewhere: where it does more than you want, write a rule of your own. "

// outputMark, in a setting that needs a whole path, is replaced by the directory into which Write puts the
// configuration.
const outputMark = "@output@"

// Write writes the configuration, its lists and the report into a directory, which it makes if need
// be. If the directory has any of these files already, Write fails and writes nothing.
func (r *Result) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	full, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	files := r.files()
	files[ConfigName] = strings.ReplaceAll(files[ConfigName], outputMark, strings.Trim(quoted(full), `"`))
	for name := range files {
		if _, err := root.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			return cmp.Or(err, fmt.Errorf("%s/%s is there already; name a directory that is empty, or is not there",
				dir, name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := put(root, name, files[name]); err != nil {
			return err
		}
	}
	return disk.Sync(root)
}

// files returns the texts to be written, by name.
func (r *Result) files() map[string]string {
	files := map[string]string{ConfigName: r.Config, ReportName: r.Report()}
	for name, text := range r.Lists {
		files[name] = text
	}
	return files
}

// put writes one file, and makes the folder it is in.
func put(root *os.Root, name, text string) error {
	if folder := path.Dir(name); folder != "." {
		if err := root.Mkdir(folder, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	err := disk.Write(root, name, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
	if err != nil {
		return err
	}
	return root.Chmod(name, 0o644)
}

// oneLine makes a text fit for a line of a report or of a comment.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	const most = 160
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return s
}
