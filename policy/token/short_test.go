package token

import (
	"errors"
	"strings"
	"testing"
)

const anID = "06h08cfwgrgbyv96"

// TestShortLinks: they are short, whatever the case they come back in, and no letter of one
// can be changed.
func TestShortLinks(t *testing.T) {
	s := WriteShort(key, AppealLink, anID)
	if len("/a/"+s) > 30 || !strings.HasPrefix(s, anID) {
		t.Errorf("%q", s)
	}
	for _, good := range []string{s, strings.ToUpper(s)} {
		if id, err := ReadShort(key, good, AppealLink); id != anID || err != nil {
			t.Errorf("%q: %q, %v", good, id, err)
		}
	}
	bad := []string{"", anID, s[1:], s[:len(s)-1], s + "0", " " + s, s + " ", s[:26] + "é", strings.Repeat("0", len(s)), WriteShort(key, AppealForm, anID), WriteShort(key, "", anID),
		WriteShort([]byte(strings.Repeat("x", 32)), AppealLink, anID), WriteLink(key, Link{Purpose: AppealLink, ID: anID})}
	for i := range s {
		for _, c := range "0z-/\n" {
			if s[i] != byte(c) {
				bad = append(bad, s[:i]+string(c)+s[i+1:])
			}
		}
	}
	for _, b := range bad {
		if id, err := ReadShort(key, b, AppealLink); id != "" || !errors.Is(err, ErrNoLink) {
			t.Errorf("%q: %q, %v", b, id, err)
		}
	}
	if _, err := ReadShort(nil, WriteShort(nil, AppealLink, anID), AppealLink); err == nil {
		t.Error("a link without a key")
	}
}

func FuzzReadShort(f *testing.F) {
	f.Add(WriteShort(key, AppealLink, anID))
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := ReadShort([]byte("another"), s, AppealLink); err == nil {
			t.Errorf("%q without the key is of %q", s, id)
		}
	})
}
