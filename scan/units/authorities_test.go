package units

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAuthorities: without a file the system's count; one that has none is an error that names it.
func TestAuthorities(t *testing.T) {
	if pool, err := Authorities(""); pool != nil || err != nil {
		t.Errorf("without a file: %v, %v", pool, err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if _, err := Authorities(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if err := os.WriteFile(file, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if pool, err := Authorities(file); pool != nil || err == nil || !strings.Contains(err.Error(), file+" holds no certificate") {
		t.Errorf("a file of something else: %v, %v", pool, err)
	}
}
