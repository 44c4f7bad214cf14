package people

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
)

func TestFold(t *testing.T) {
	for _, c := range []struct{ written, want string }{
		{"ann@example.com", "ann@example.com"},
		{" <Ann@Example.COM> ", "ann@example.com"},
		{"ann@example.com.", "ann@example.com"},
		{"Ann+List@example.com", "ann+list@example.com"},
		{"ann@bücher.example", "ann@xn--bcher-kva.example"},
		{"ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"},
		{"ANN@BÜCHER.example", "ann@xn--bcher-kva.example"},
		{"ann@example。com", "ann@example.com"},
		{"jürgen@example.com", "jürgen@example.com"},
		{`"a@b"@example.com`, `"a@b"@example.com`},
		{"", ""},
		{"ann", ""},
		{"@example.com", ""},
		{"ann@", ""},
		{"ann@.example.com", ""},
		{"ann@example..com", ""},
		{"ann@192.0.2.1", ""},
		{"ann@[192.0.2.1]", ""},
		{"ann@exa mple.com", ""},
		{"an n@example.com", ""},
		{"ann@example.com>", "ann@example.com"},
		{"ann<x@example.com", ""},
		{"ann@example.com\r\nBcc: eve@example.org", ""},
		{"ann\x00@example.com", ""},
		{"ann\u202e@example.com", ""},
		{"ann@*.example.com", ""},
		{"\xff@example.com", ""},
		{"0123456789012345678901234567890123456789012345678901234567890123x@example.com", ""},
	} {
		got, err := Fold(c.written)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q: %q, %v; want %q", c.written, got, err, c.want)
		}
	}
}

// TestNothingIsMade has no file made by one who only closes the store.
func TestNothingIsMade(t *testing.T) {
	dir := t.TempDir()
	s := New(filepath.Join(dir, "a.db"))
	if err := s.There(); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if made, _ := filepath.Glob(filepath.Join(dir, "*")); len(made) > 0 {
		t.Error(made)
	}
}
