package moving

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"unicode/utf8"
)

// Bounds of the files of another filter.
const (
	maxFile  = 64 << 20  // bytes of one file
	maxTotal = 256 << 20 // bytes of all files
	maxLine  = 64 << 10  // bytes of a line; a longer one is noted and left out
	maxFiles = 2000
	maxNotes = 100000
)

// line is a line of a file.
type line struct {
	text string
	at   Place
}

// taking is a running import: the files that it reads, and the configuration that it makes of them.
type taking struct {
	root  *os.Root
	step  func() // is called for each line, and for each row of a dump
	read  int64
	files int
	out   writing
	lists map[string]string
	notes []Note
	names map[string]int // of rules
}

// begin opens the directory with the files of another filter. Nothing outside of it is read, even if
// links in it lead there.
func begin(dir string, step func()) (*taking, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &taking{root: root, step: step, lists: map[string]string{}, names: map[string]int{}}, nil
}

// end closes the directory and returns the result.
func (t *taking) end(program string, beyond []string) *Result {
	t.root.Close()
	return &Result{Program: program, Config: t.out.text(program), Lists: t.lists, Notes: t.notes, Beyond: beyond}
}

// note says what became of a setting. The last note that there is room for says that the report ends.
func (t *taking) note(how How, at Place, what, why string, values ...any) {
	switch n := len(t.notes); {
	case n < maxNotes-1:
		t.notes = append(t.notes, Note{at, what, how, fmt.Sprintf(why, values...)})
	case n == maxNotes-1:
		t.notes = append(t.notes, Note{at, what, Unclear, fmt.Sprintf("a report has at most %d lines; from here on "+
			"nothing is said of what became of the settings", maxNotes)})
	}
}

// lineError says from which line on a file is not understood.
type lineError struct {
	line int
	err  error
}

// Error names the line.
func (e *lineError) Error() string { return fmt.Sprintf("line %d: %v", e.line, e.err) }

// broken notes where a file could not be followed any further.
func (t *taking) broken(name string, err error) {
	at := Place{File: name}
	var where *lineError
	if errors.As(err, &where) {
		at.Line, err = where.line, where.err
	}
	t.note(Unclear, at, "", "the file cannot be followed to its end: %v; what comes before that was read", err)
}

// bytes reads a file.
func (t *taking) bytes(name string) ([]byte, error) {
	info, err := t.root.Stat(name)
	switch {
	case err != nil:
		return nil, plain(err)
	case !info.Mode().IsRegular():
		return nil, errors.New("it is no file")
	case info.Size() > maxFile:
		return nil, fmt.Errorf("it is larger than %d MB", maxFile>>20)
	case t.files >= maxFiles:
		return nil, fmt.Errorf("there are more than %d files", maxFiles)
	}
	f, err := t.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, plain(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	t.files++
	t.read += int64(len(text))
	switch {
	case err != nil:
		return nil, plain(err)
	case len(text) > maxFile || t.read > maxTotal:
		return nil, fmt.Errorf("it and the files before it are larger than %d MB", maxTotal>>20)
	}
	return text, nil
}

// errAbsent is returned for a file that is not there.
var errAbsent = errors.New("there is no such file")

// plain returns an error about a file without the name of the file, which the note has already.
func plain(err error) error {
	var at *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errAbsent
	case errors.Is(err, syscall.ELOOP):
		return errors.New("its link leads back to itself")
	case errors.As(err, &at):
		return at.Err
	}
	return err
}

// open returns the lines of a file. It notes lines that are too long, and leaves them out.
func (t *taking) open(name string) ([]line, error) {
	text, err := t.bytes(name)
	if err != nil {
		return nil, err
	}
	return t.split(name, text), nil
}

// split splits a text into lines.
func (t *taking) split(name string, text []byte) (lines []line) {
	n := 0
	for raw := range bytes.Lines(bytes.TrimPrefix(text, []byte("\ufeff"))) {
		n++
		t.step()
		at := Place{name, n}
		raw = bytes.TrimRight(raw, "\r\n")
		switch {
		case len(raw) > maxLine:
			t.note(Unclear, at, string(raw[:64]),
				"the line has %d bytes, and lines of at most %d are read; it was left out", len(raw), maxLine)
		case bytes.IndexByte(raw, 0) >= 0:
			t.note(Unclear, at, string(raw), "the line has a NUL; it was left out")
		case !utf8.Valid(raw) && !comment(string(raw)):
			t.note(Unclear, at, string(raw), "the line is not in UTF-8; it was left out")
		default:
			lines = append(lines, line{string(raw), at})
		}
	}
	return lines
}

// comment reports whether a line is empty or a comment.
func comment(text string) bool {
	text = strings.TrimSpace(text)
	return text == "" || text[0] == '#'
}

// list keeps a file with a list, for the configuration to name.
func (t *taking) list(name, text string) string {
	file := "lists/" + name + ".txt"
	t.lists[file] = text
	return file
}

// nameRule returns a name that no other rule has.
func (t *taking) nameRule(name string) string {
	t.names[name]++
	if n := t.names[name]; n > 1 {
		return fmt.Sprintf("%s (%d)", name, n)
	}
	return name
}
