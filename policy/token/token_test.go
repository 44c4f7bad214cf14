package token

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

var (
	key = []byte(strings.Repeat("k", 32))
	now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
)

const mail = "Subject: x\r\nTo: y\r\n\r\nline one\r\n\r\n.line two\r\n"

func sum(t *testing.T, s string) [32]byte {
	t.Helper()
	b, err := Sum(strings.NewReader(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func granted(t *testing.T) Grant {
	return Grant{For: Release, ID: "06h08cfwgrgbyv96", Issued: now, Body: sum(t, mail), Findings: []string{"attachment/name", "virus/*"}, Rules: []string{"a rule, with & and ü"}}
}

func TestAGrantComesBack(t *testing.T) {
	want := granted(t)
	field := Write(key, want)
	for line := range strings.SplitSeq(field, "\r\n") {
		if len(line) > 76 {
			t.Errorf("a line of %d characters", len(line))
		}
	}
	// An MTA folds as it likes.
	for _, value := range []string{field, strings.ReplaceAll(field, "\r\n", "\n"), " " + strings.ReplaceAll(field, "\r\n ", ""), strings.ReplaceAll(field, "\r\n ", "\r\n\t\t")} {
		got, err := Read(key, value, want.Body, now.Add(time.Hour))
		if err != nil || got.For != Release || got.ID != want.ID || !slices.Equal(got.Findings, want.Findings) || !slices.Equal(got.Rules, want.Rules) {
			t.Errorf("%q: %+v, %v", value, got, err)
		}
	}
}

func TestWhatIsNoPass(t *testing.T) {
	g := granted(t)
	field := Write(key, g)
	other := sum(t, mail+"more")
	for name, read := range map[string]func() (Grant, error){
		"another key":     func() (Grant, error) { return Read([]byte(strings.Repeat("x", 32)), field, g.Body, now) },
		"no key":          func() (Grant, error) { return Read(nil, Write(nil, g), g.Body, now) },
		"another body":    func() (Grant, error) { return Read(key, field, other, now) },
		"too old":         func() (Grant, error) { return Read(key, field, g.Body, now.Add(25*time.Hour)) },
		"from the future": func() (Grant, error) { return Read(key, field, g.Body, now.Add(-clocks-time.Second)) },
		"changed":         func() (Grant, error) { return Read(key, strings.Replace(field, "release", "notice", 1), g.Body, now) },
		"empty":           func() (Grant, error) { return Read(key, "", g.Body, now) },
		"no mac":          func() (Grant, error) { return Read(key, field[:strings.Index(field, "mac")], g.Body, now) },
	} {
		if got, err := read(); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// What an MTA may do to a body makes no difference, and what an attacker may do
// does.
func TestSum(t *testing.T) {
	want := sum(t, mail)
	for name, same := range map[string]string{
		"LF":              strings.ReplaceAll(mail, "\r\n", "\n"),
		"more header":     "X-New: 1\r\n" + mail,
		"no last newline": strings.TrimRight(mail, "\r\n"),
		"empty lines":     mail + "\r\n\r\n",
	} {
		if sum(t, same) != want {
			t.Errorf("%s: another sum", name)
		}
	}
	for name, different := range map[string]string{
		"a line more": mail + "x", "an empty line less": strings.Replace(mail, "\r\n\r\n.", "\r\n.", 1),
		"a CR": strings.Replace(mail, "one", "o\rne", 1), "two CRs": strings.Replace(mail, "one", "o\r\rne", 1), "no body": "Subject: x\r\n",
	} {
		if sum(t, different) == want {
			t.Errorf("%s: the same sum", name)
		}
	}
	for _, s := range []string{mail, "a\r\n\r\nb\r\r\nc\r", strings.Repeat("h", 70_000) + "\n\n" + strings.Repeat("\r\n", 90_000) + "x"} {
		if got, err := Sum(iotest.OneByteReader(strings.NewReader(s))); err != nil || got != sum(t, s) {
			t.Errorf("byte by byte another sum, %v", err)
		}
	}
	if _, err := Sum(iotest.ErrReader(errors.New("disk"))); err == nil {
		t.Error("what cannot be read has a sum")
	}
}

func TestLongListsBecomeFamilies(t *testing.T) {
	g := granted(t)
	for i := range 100 {
		g.Findings = append(g.Findings, "content/word-"+strconv.Itoa(i))
	}
	got, err := Read(key, Write(key, g), g.Body, now)
	if err != nil || !got.Covers("content/word-77") || !got.Covers("attachment/name") || got.Covers("spam/x") {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestCovers(t *testing.T) {
	g := Grant{Findings: []string{"attachment/name", "virus/*"}}
	for rule, want := range map[string]bool{"attachment/name": true, "virus/a/b": true, "attachment/name2": false, "mime/x": false} {
		if g.Covers(rule) != want {
			t.Errorf("%s: %v", rule, !want)
		}
	}
}

func TestKeyFile(t *testing.T) {
	f := KeyFile(filepath.Join(t.TempDir(), "new", "key"))
	if _, err := f.Read(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no key: %v", err)
	}
	a, err := f.Make()
	if err != nil || len(a) != keyLength {
		t.Fatalf("%x, %v", a, err)
	}
	if b, err := f.Make(); err != nil || string(a) != string(b) {
		t.Errorf("another key %x, %v", b, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(Write(key, Grant{For: Notice, Issued: now}), mail)
	f.Fuzz(func(t *testing.T, value, message string) {
		b := sum(t, message)
		if g, err := Read([]byte("another"), value, b, now); err == nil {
			t.Errorf("a pass without the key: %+v", g)
		}
	})
}
