package scratch

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

func TestReadAt(t *testing.T) {
	c := bytes.NewReader([]byte("abcdef"))
	for _, test := range []struct {
		off  int64
		n    int
		want string
	}{{0, 3, "abc"}, {4, 3, "ef"}, {0, 6, "abcdef"}, {6, 1, ""}, {7, 1, ""}, {-1, 2, ""}, {2, 0, ""}} {
		if got, err := ReadAt(c, test.off, test.n); string(got) != test.want || err != nil {
			t.Errorf("%d bytes at %d: %q, %v", test.n, test.off, got, err)
		}
	}
}

func TestUntil(t *testing.T) {
	late := errors.New("too late")
	var now error
	over := func() error { return now }
	c := bytes.NewReader([]byte("abcdef"))
	r, at := Until(over, Reader(c)), UntilAt(over, c)
	b := make([]byte, 3)
	if n, err := r.Read(b); n != 3 || err != nil {
		t.Errorf("read %d, %v", n, err)
	}
	if n, err := at.ReadAt(b, 1); n != 3 || err != nil || at.Size() != 6 {
		t.Errorf("read %d, %v", n, err)
	}
	now = late
	if _, err := io.ReadAll(r); !errors.Is(err, late) {
		t.Errorf("read on: %v", err)
	}
	if _, err := at.ReadAt(b, 1); !errors.Is(err, late) {
		t.Errorf("read on: %v", err)
	}
}
