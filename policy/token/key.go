package token

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/milterscan/milterscan/policy/disk"
)

const keyLength = 32 // bytes

// KeyFile is the path of a file with a key, in hexadecimal. Hosts that are to
// release each other's mail have the same key.
type KeyFile string

// Read returns the key. The error is fs.ErrNotExist as long as there is none.
func (f KeyFile) Read() ([]byte, error) {
	written, err := os.ReadFile(string(f))
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(written)))
	if err != nil || len(key) < keyLength {
		return nil, fmt.Errorf("%s holds no key: at least %d bytes in hexadecimal are needed", f, keyLength)
	}
	return key, nil
}

// Make returns the key, and makes one if there is none yet.
func (f KeyFile) Make() ([]byte, error) {
	key, err := f.Read()
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := disk.MakeDir(filepath.Dir(string(f))); err != nil {
		return nil, err
	}
	unlock, err := disk.Lock(string(f) + ".lock") // two processes, one key
	if err != nil {
		return nil, err
	}
	defer unlock()
	if key, err := f.Read(); err == nil {
		return key, nil
	}
	key = make([]byte, keyLength)
	rand.Read(key)
	dir, err := disk.Open(filepath.Dir(string(f)), "")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	err = disk.Write(dir, filepath.Base(string(f)), func(w io.Writer) error { _, err := fmt.Fprintf(w, "%x\n", key); return err })
	if err != nil {
		return nil, err
	}
	return key, disk.Sync(dir)
}
