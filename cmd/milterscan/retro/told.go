package retro

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/milterscan/milterscan/policy/disk"
	"github.com/milterscan/milterscan/scan"
)

// mostTold is how many messages are remembered as told. Of more, the oldest are told again.
const mostTold = 100_000

// Told remembers which messages administrators were told about, in a file, so that each is told once for
// each thing that is listed. One goroutine uses it.
type Told struct {
	file string
	at   map[string]int64 // when the message came, in seconds
}

// OpenTold reads the file of a history, if it is there.
func OpenTold(history string) (*Told, error) {
	t := &Told{file: history + ".retro", at: map[string]int64{}}
	text, err := os.ReadFile(t.file)
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &t.at)
	}
	if err != nil {
		return t, fmt.Errorf("%s: %w", t.file, err)
	}
	return t, nil
}

// keyOf returns the key of a message and a hit.
func keyOf(id string, h Hit) string {
	sum := scan.SumOf([]byte(h.List + "\x00" + h.Value + "\x00" + id))
	return hex.EncodeToString(sum[:12])
}

// Fresh returns the messages with hits that were not told yet, with these alone.
func (t *Told) Fresh(all []Found) (list []Found) {
	for _, f := range all {
		hits := slices.DeleteFunc(slices.Clone(f.Hits), func(h Hit) bool {
			_, ok := t.at[keyOf(f.Record.ID, h)]
			return ok || h.Known
		})
		if len(hits) > 0 {
			list = append(list, Found{f.Record, hits})
		}
	}
	return list
}

// Mark notes that messages were told, forgets those that came before a time, and writes the file.
func (t *Told) Mark(told []Found, before time.Time) error {
	for _, f := range told {
		for _, h := range f.Hits {
			t.at[keyOf(f.Record.ID, h)] = f.Record.Time.Unix()
		}
	}
	t.forget(before.Unix())
	dir, err := disk.Open(filepath.Dir(t.file), "")
	if err != nil {
		return err
	}
	defer dir.Close()
	err = disk.Write(dir, filepath.Base(t.file), func(w io.Writer) error { return json.NewEncoder(w).Encode(t.at) })
	return errors.Join(err, disk.Sync(dir))
}

// forget drops the messages that came before a time, and the oldest of more than mostTold.
func (t *Told) forget(before int64) {
	if len(t.at) > mostTold {
		var times []int64
		for _, at := range t.at {
			times = append(times, at)
		}
		slices.Sort(times)
		before = max(before, times[len(times)-mostTold])
	}
	for key, at := range t.at {
		if at < before {
			delete(t.at, key)
		}
	}
}
