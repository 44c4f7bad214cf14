package feed

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/milterscan/milterscan/policy/disk"
	"github.com/milterscan/milterscan/scan/format/listing"
)

// head begins the file with the last good list of a feed, on a line.
type head struct {
	Feed  string       `json:"feed"` // its fingerprint
	Kind  listing.Kind `json:"kind"`
	Sum   string       `json:"sha256"` // of all that follows
	Bytes int          `json:"bytes"`  // that were fetched
	Wrong int          `json:"wrong"`  // lines without an entry
	version
}

// fileName returns the name of the file with the last good list of a feed.
func (c Config) fileName() string { return "feed-" + c.Name + ".list" }

// save keeps a list on the disk. The file is as old as the list was last seen at its publisher's.
func (c Config) save(dir string, l *list, at time.Time) error {
	var entries bytes.Buffer
	l.table.WriteTo(&entries) // into memory: cannot fail
	sum := sha256.Sum256(entries.Bytes())
	h := head{Feed: c.fingerprint(), Kind: c.Kind, Sum: hex.EncodeToString(sum[:]), Bytes: l.bytes, Wrong: l.counts.Wrong, version: l.version}
	path := filepath.Join(dir, c.fileName())
	err := disk.Save(path, func(w io.Writer) error {
		if err := json.NewEncoder(w).Encode(h); err != nil {
			return err
		}
		_, err := entries.WriteTo(w)
		return err
	})
	if err != nil {
		return err
	}
	return os.Chtimes(path, at, at)
}

// errOther says that the file on the disk is of another feed of that name.
var errOther = errors.New("it is of another place, or was read otherwise")

// mostHead is how many bytes the first line may have.
const mostHead = 4 << 10

// restore reads what save has kept, and when that was.
func (c Config) restore(dir string) (*list, time.Time, error) {
	path := filepath.Join(dir, c.fileName())
	info, err := os.Stat(path)
	if err != nil {
		return nil, time.Time{}, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, time.Time{}, err
	}
	line, entries, ok := bytes.Cut(data, []byte("\n"))
	var h head
	if !ok || len(line) > mostHead || json.Unmarshal(line, &h) != nil {
		return nil, time.Time{}, fmt.Errorf("%s is damaged", path)
	}
	if h.Feed != c.fingerprint() {
		return nil, time.Time{}, errOther
	}
	if sum := sha256.Sum256(entries); hex.EncodeToString(sum[:]) != h.Sum {
		return nil, time.Time{}, fmt.Errorf("%s is damaged", path)
	}
	t, err := listing.ReadTable(h.Kind, entries)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("%s: %w", path, err)
	}
	return &list{version: h.version, table: t, counts: listing.Counts{Wrong: h.Wrong}, bytes: h.Bytes}, info.ModTime(), nil
}
