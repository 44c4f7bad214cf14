package directory

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/milterscan/milterscan/policy/disk"
)

// head begins the file with the last good load of a source.
type head struct {
	Source    string `json:"source"` // a fingerprint of where the rows are from
	Rows      int    `json:"rows"`
	Addresses int    `json:"addresses"`
}

// fileName returns the name of the file with the last good load of a source.
func (s Source) fileName() string { return "people-" + s.Name + ".json" }

// fingerprint tells sources apart: what one has said is nothing that another has.
func (s Source) fingerprint() string {
	s.Every, s.Timeout, s.Fresh, s.Domains = 0, 0, 0, nil
	text, err := json.Marshal(s)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// save keeps a good load on the disk. The file is as old as the load.
func (s *source) save(dir string) error {
	path, at := filepath.Join(dir, s.fileName()), s.state.Loaded
	if s.saved && os.Chtimes(path, at, at) == nil {
		return nil
	}
	err := s.write(dir)
	if err == nil {
		err = os.Chtimes(path, at, at)
	}
	s.saved = err == nil
	return err
}

// write writes the rows of a source into its file.
func (s *source) write(dir string) error {
	return disk.Save(filepath.Join(dir, s.fileName()), func(w io.Writer) error {
		buffered := bufio.NewWriterSize(w, 1<<16)
		out := json.NewEncoder(buffered)
		errs := []error{out.Encode(head{s.fingerprint(), len(s.rows), s.state.Addresses})}
		for i := range s.rows {
			errs = append(errs, out.Encode(&s.rows[i]))
		}
		return errors.Join(append(errs, buffered.Flush())...)
	})
}

// restore takes what was kept on the disk, if it is of this source.
func (s *source) restore(dir string) {
	s.state.Source, s.state.Type = s.Name, s.Type
	if dir == "" {
		return
	}
	rows, h, at, err := s.readBack(filepath.Join(dir, s.fileName()))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		s.state.Problems = []string{"what was kept of the last load cannot be used: " + err.Error()}
		return
	}
	s.rows, s.saved = rows, true
	s.known.Store(true)
	s.state.Loaded, s.state.Restored = at, true
	s.state.Addresses = h.Addresses
}

var errOther = errors.New("it is of another source")

// readBack reads what write has written, and when it was loaded.
func (s Source) readBack(path string) (rows []Row, h head, at time.Time, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, h, at, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, h, at, err
	}
	in := json.NewDecoder(io.LimitReader(bufio.NewReaderSize(f, 1<<16), 2*mostOfFile))
	if err := in.Decode(&h); err != nil {
		return nil, h, at, err
	}
	if h.Source != s.fingerprint() {
		return nil, h, at, errOther
	}
	for range min(h.Rows, mostOfAddresses) {
		var r Row
		if err := in.Decode(&r); err != nil {
			return nil, h, at, fmt.Errorf("row %d: %w", len(rows)+1, err)
		}
		if len(r.Address) < 2 {
			return nil, h, at, fmt.Errorf("row %d has no address", len(rows)+1)
		}
		rows = append(rows, r)
	}
	return rows, h, info.ModTime(), nil
}

// Kept returns when the load of a source was done that is kept in a directory, and how many addresses it has.
func Kept(dir string, s Source) (at time.Time, addresses int, err error) {
	f, err := os.Open(filepath.Join(dir, s.fileName()))
	if err != nil {
		return at, 0, err
	}
	defer f.Close()
	var h head
	if err := json.NewDecoder(io.LimitReader(f, 1<<12)).Decode(&h); err != nil {
		return at, 0, err
	}
	if h.Source != s.fingerprint() {
		return at, 0, errOther
	}
	info, err := f.Stat()
	if err != nil {
		return at, 0, err
	}
	return info.ModTime(), h.Addresses, nil
}
