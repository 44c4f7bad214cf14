package mtalog

import (
	"cmp"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// rotated is a file that was the log before: "mail.log.1", "mail.log-20261129",
// "mail.log.2.gz".
type rotated struct {
	path    string
	changed time.Time
	age     int // of two that were changed in the same moment, the larger is older
}

// suffix is what programs that rotate logs add to a name.
var suffix = regexp.MustCompile(`^[.-](\d[\d.-]*?|old)(\.gz)?$`)

// Rotated returns the files that were the log before, the oldest first.
func Rotated(path string) ([]string, error) {
	list, err := earlier(path)
	var names []string
	for _, r := range list {
		names = append(names, r.path)
	}
	return names, err
}

func earlier(path string) (list []rotated, err error) {
	dir, base := filepath.Split(path)
	entries, err := os.ReadDir(cmp.Or(dir, "."))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), base)
		m := suffix.FindStringSubmatch(rest)
		if !ok || m == nil || !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		if err != nil { // gone since
			continue
		}
		list = append(list, rotated{dir + e.Name(), info.ModTime(), age(m[1])})
	}
	slices.SortFunc(list, func(a, b rotated) int { return cmp.Or(a.changed.Compare(b.changed), cmp.Compare(b.age, a.age)) })
	return slices.DeleteFunc(list, func(r rotated) bool { return halfDone(list, r.path) }), nil
}

// age returns what a suffix says: numbers grow with every rotation, dates do not.
func age(suffix string) int {
	n, _ := strconv.Atoi(suffix[strings.LastIndexAny(suffix, ".-")+1:])
	if n > 10_000 {
		return -n
	}
	return n
}

// halfDone reports whether a file is one that is being compressed, of which the original
// is still there.
func halfDone(list []rotated, path string) bool {
	plain, compressed := strings.CutSuffix(path, ".gz")
	return compressed && slices.ContainsFunc(list, func(r rotated) bool { return r.path == plain })
}

// text is a log file without its compression.
type text struct {
	io.Reader
	file *os.File
	info fs.FileInfo
}

// Close closes the file.
func (t *text) Close() error { return t.file.Close() }

// compressed reports whether the file has something else than the text.
func (t *text) compressed() bool { return t.Reader != t.file }

// errNoFile is reported for a name that is no file: of a FIFO the end never comes.
var errNoFile = errors.New("it is no regular file")

// openText opens a log file, at an offset of its text.
func openText(path string, offset int64) (*text, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errNoFile}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	t := &text{Reader: f, file: f}
	if t.info, err = f.Stat(); err == nil {
		err = t.skip(path, offset)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return t, nil
}

// skip goes to an offset of the text.
func (t *text) skip(path string, offset int64) error {
	if !strings.HasSuffix(path, ".gz") {
		_, err := t.file.Seek(offset, io.SeekStart)
		return err
	}
	z, err := gzip.NewReader(t.file)
	if err != nil {
		return err
	}
	t.Reader = z
	_, err = io.CopyN(io.Discard, z, offset)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return err
}

// holds reports whether a rotated file is the one in which a place is.
func (p Place) holds(r rotated) bool {
	t, err := openText(r.path, 0)
	if err != nil {
		return false
	}
	defer t.Close()
	if p.Bytes == 0 {
		return p.Inode != 0 && p.Inode == inodeOf(t.info)
	}
	return p.begins(t)
}
