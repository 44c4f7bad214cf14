// Package secret reads secrets from where a configuration says they are, which is never the configuration.
package secret

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// File says where a secret is: in a file, "/path", or in a variable of the
// environment, "env:NAME". "" is no secret.
type File string

// mostOfSecret is how many bytes a secret may have.
const mostOfSecret = 4096

// UnmarshalText reads where a secret is.
func (s *File) UnmarshalText(text []byte) error {
	name, variable := strings.CutPrefix(string(text), "env:")
	if len(text) > 0 && !(variable && name != "" && !strings.ContainsAny(name, "= ")) && !filepath.IsAbs(string(text)) {
		return fmt.Errorf("%q is no place of a secret; write the path of a file, or \"env:NAME\"", text)
	}
	*s = File(text)
	return nil
}

// Read returns the secret, without the end of its line. A file that every user of the host may
// read holds none.
func (s File) Read() (string, error) {
	if s == "" {
		return "", nil
	}
	if name, ok := strings.CutPrefix(string(s), "env:"); ok {
		if value := os.Getenv(name); value != "" {
			return value, nil
		}
		return "", fmt.Errorf("the environment has no variable %s with a secret in it", name)
	}
	f, err := os.Open(string(s))
	if err != nil {
		return "", err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Mode().Perm()&0o004 != 0 {
		return "", fmt.Errorf("%s can be read by every user of this host; run \"chmod o-r %s\"", s, s)
	}
	text, err := io.ReadAll(io.LimitReader(f, mostOfSecret+1))
	secret := strings.TrimRight(string(text), "\r\n")
	if err != nil {
		return "", err
	}
	if secret == "" || len(text) > mostOfSecret {
		return "", fmt.Errorf("%s holds no secret: one line of at most %d bytes is needed", s, mostOfSecret)
	}
	return secret, nil
}
