package token

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func aLink() Link {
	return Link{Purpose: DigestLink, Address: "bob@example.com", ID: "06h08cfwgrgbyv96", Act: "release", Expires: now.Add(24 * time.Hour), Nonce: NewNonce()}
}

func TestALinkComesBack(t *testing.T) {
	quoted := aLink()
	quoted.Address = `"a b\"c/?&=#%<ü>"@example.com`
	for name, want := range map[string]Link{"usual": aLink(), "quoted": quoted, "bare": {Purpose: "log in", Expires: now}} {
		s := WriteLink(key, want)
		got, err := ReadLink(key, s, want.Purpose, now)
		if err != nil || !got.Expires.Equal(want.Expires) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		got.Expires = want.Expires
		if got != want {
			t.Errorf("%s: %+v is not %+v", name, got, want)
		}
		if strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Errorf("%s: %s does not go into an address as it is", name, s)
		}
	}
	if s := WriteLink(key, aLink()); len(s) > 120 {
		t.Errorf("%d characters", len(s))
	}
}

// No byte of a link can be changed, added or taken away.
func TestAChangedLink(t *testing.T) {
	s := WriteLink(key, aLink())
	changed := []string{"", s[1:], s[:len(s)-1], s + "A", s + "=", s + "\n", s + "\r\n", s[:10] + "\n" + s[10:], " " + s, strings.Repeat("A", 5000), s + s}
	for i := range s {
		for _, c := range "AZaz09-_/.\n" {
			if s[i] != byte(c) {
				changed = append(changed, s[:i]+string(c)+s[i+1:])
			}
		}
	}
	for _, c := range changed {
		if l, err := ReadLink(key, c, DigestLink, now); !errors.Is(err, ErrNoLink) || l != (Link{}) {
			t.Errorf("%q: %+v, %v", c, l, err)
		}
	}
}

func TestWhatIsNoLink(t *testing.T) {
	l := aLink()
	s := WriteLink(key, l)
	other := l
	other.Purpose = "log in"
	for name, read := range map[string]func() (Link, error){
		"another key":       func() (Link, error) { return ReadLink([]byte(strings.Repeat("x", 32)), s, DigestLink, now) },
		"no key":            func() (Link, error) { return ReadLink(nil, WriteLink(nil, l), DigestLink, now) },
		"another purpose":   func() (Link, error) { return ReadLink(key, s, "log in", now) },
		"a link of another": func() (Link, error) { return ReadLink(key, WriteLink(key, other), DigestLink, now) },
		"no purpose":        func() (Link, error) { return ReadLink(key, s, "", now) },
		"a pass": func() (Link, error) {
			return ReadLink(key, Write(key, Grant{For: Notice, Issued: now}), DigestLink, now)
		},
		"a pass's way of signing": func() (Link, error) { return ReadLink(key, linkText.EncodeToString(sign(key, s)), DigestLink, now) },
	} {
		if got, err := read(); !errors.Is(err, ErrNoLink) || got != (Link{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := Read(key, s, [32]byte{}, now); err == nil {
		t.Error("a link is a pass")
	}
}

// A purpose and what follows it cannot be told apart in another way than they were written.
func TestPurposesAreSeparate(t *testing.T) {
	l := aLink()
	l.Purpose = "digest\nx"
	if _, err := ReadLink(key, WriteLink(key, l), DigestLink, now); !errors.Is(err, ErrNoLink) {
		t.Error(err)
	}
}

// Clocks of hosts differ by some minutes.
func TestLinksExpire(t *testing.T) {
	l := aLink()
	s := WriteLink(key, l)
	for after, want := range map[time.Duration]error{
		-48 * time.Hour: nil, -time.Second: nil, 0: nil, 4 * time.Minute: nil, Tolerance: nil, Tolerance + time.Second: ErrExpired, 1000 * time.Hour: ErrExpired,
	} {
		got, err := ReadLink(key, s, DigestLink, l.Expires.Add(after))
		if !errors.Is(err, want) || got.ID != l.ID {
			t.Errorf("%s after: %+v, %v", after, got, err)
		}
	}
}

func TestNonces(t *testing.T) {
	if a, b := NewNonce(), NewNonce(); len(a) != nonceLength || a == b {
		t.Errorf("%x, %x", a, b)
	}
}

func FuzzReadLink(f *testing.F) {
	f.Add(WriteLink(key, aLink()), "digest")
	f.Add("AQ", "")
	f.Fuzz(func(t *testing.T, s, purpose string) {
		if l, err := ReadLink([]byte("another"), s, Purpose(purpose), now); err == nil {
			t.Errorf("a link without the key: %+v", l)
		}
		if b, err := linkText.DecodeString(s); err == nil { // as if it were signed
			parseLink(b)
		}
	})
}
