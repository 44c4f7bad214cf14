package bounce

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// Limits of a file of keys.
const (
	keyLength   = 32       // bytes that a key has at least (RFC 2104, section 3)
	longestFile = 64 << 10 // bytes
	othersMay   = 0o027    // what a group must not do, and others neither
)

// Key is a secret and the name it goes by in marks.
type Key struct {
	ID     string
	Secret []byte
}

// Keys are those that are in use: the first marks, and all are good for checking.
type Keys []Key

// KeyFile is the path of a file of keys.
type KeyFile string

// Read returns the keys, at least one. It is read whenever keys are needed, so
// that a new file counts at once; put it in place by renaming it. The error names
// the file and the fault, and never a secret.
func (f KeyFile) Read() (Keys, error) {
	file, err := os.Open(string(f))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() > longestFile:
		return nil, fmt.Errorf("%s: no file of at most %d bytes", f, longestFile)
	case info.Mode()&othersMay != 0:
		return nil, fmt.Errorf("%s: its mode is %04o, so that others may read it or the group write it; make it 0640 or less", f,
			info.Mode().Perm())
	}
	text, err := io.ReadAll(io.LimitReader(file, longestFile))
	if err != nil {
		return nil, err
	}
	keys, err := parseKeys(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f, err)
	}
	return keys, nil
}

// parseKeys reads one key from each line that is neither empty nor a comment.
func parseKeys(text string) (Keys, error) {
	var keys Keys
	n := 0
	for line := range strings.Lines(text) {
		n++
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		k, err := parseKey(words)
		if _, known := keys.find(k.ID); err == nil && known {
			err = fmt.Errorf("there are two keys %q", k.ID)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no key in it; write a name and what \"openssl rand -hex 32\" says on one line")
	}
	return keys, nil
}

var keyID = regexp.MustCompile(`^[0-9A-Za-z]{1,16}$`)

func parseKey(words []string) (Key, error) {
	if len(words) != 2 || !keyID.MatchString(words[0]) {
		return Key{}, errors.New("a key is a name of up to 16 letters and digits, a blank, and the secret in hexadecimal")
	}
	secret, err := hex.DecodeString(words[1])
	if err != nil || len(secret) < keyLength {
		return Key{}, fmt.Errorf("the secret of %q is not at least %d bytes in hexadecimal", words[0], keyLength)
	}
	return Key{words[0], secret}, nil
}

func (keys Keys) find(id string) (Key, bool) {
	for _, k := range keys {
		if k.ID == id {
			return k, true
		}
	}
	return Key{}, false
}
