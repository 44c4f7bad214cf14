package attachment

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/scantest"
	"github.com/milterscan/milterscan/scan/units"
)

func TestContract(t *testing.T) {
	scantest.Run(t, newScanner(t, DefaultConfig()), Catalogue()...)
}

func newScanner(t testing.TB, c Config) *Scanner {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// attach is an attachment as a message has it.
func attach(content string, names ...string) scan.Part {
	return scan.Part{Parent: -1, Path: "1", Names: names, Type: "application/octet-stream", Entity: &entity.Entity{Disposition: "attachment"}, Content: scantest.Bytes([]byte(content))}
}

// inArchive is a member of a zip.
func inArchive(content string, names ...string) []scan.Part {
	zip := attach("PK", "a.zip")
	zip.Sniffed, zip.Opened = "application/zip", true
	in := attach(content, names...)
	in.Parent, in.Entity, in.Archived, in.Type, in.Path = 0, nil, true, "", "1/x"
	return []scan.Part{zip, in}
}

// rulesOf are the rules found in parts, sorted, without the scanner's word.
func rulesOf(t testing.TB, s *Scanner, parts ...scan.Part) string {
	t.Helper()
	m := &scan.Message{Parts: parts}
	found, err := s.Scan(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	scantest.Check(t, s, m, found, Catalogue()...)
	var rules []string
	for _, f := range found {
		rules = append(rules, strings.TrimPrefix(f.Rule, word+"/"))
	}
	slices.Sort(rules)
	return strings.Join(rules, " ")
}

func TestSizeAndNumber(t *testing.T) {
	c := DefaultConfig()
	c.MaxSize, c.MaxCount = units.Size(10), 2
	s := newScanner(t, c)
	small, other, large := attach("small", "a.bin"), attach("small", "b.bin"), attach("larger than ten", "b.bin")
	body := scan.Part{Parent: -1, Path: "1", Type: "text/plain", Content: scantest.Bytes([]byte("a text longer than ten bytes"))}
	again := small
	again.Entity = &entity.Entity{Disposition: "attachment", Reading: "b"}
	for _, tt := range []struct {
		parts []scan.Part
		want  string
	}{
		{[]scan.Part{body, small, other}, ""},
		{[]scan.Part{body, small, other, again, small}, ""}, // other readings are the same attachment
		{[]scan.Part{body, small, large}, "too-large"},
		{[]scan.Part{body, small, other, attach("small", "c.bin")}, "too-many"},
	} {
		if got := rulesOf(t, s, tt.parts...); got != tt.want {
			t.Errorf("%d parts: %q, want %q", len(tt.parts), got, tt.want)
		}
	}
}

func TestAllowedHash(t *testing.T) {
	c := DefaultConfig()
	c.AllowHashes = []Hash{sha256.Sum256([]byte("a setup")), sha256.Sum256([]byte("PK"))}
	s := newScanner(t, c)
	if got := rulesOf(t, s, attach("a setup", "setup.exe")); got != "allowed" {
		t.Errorf("an allowed hash gives %q", got)
	}
	if got := rulesOf(t, s, attach("another", "setup.exe")); got != "name" {
		t.Errorf("another hash gives %q", got)
	}
	if got := rulesOf(t, s, inArchive("x", "setup.exe")...); got != "allowed" {
		t.Errorf("a member of an allowed archive gives %q", got)
	}
	if got := rulesOf(t, s, attach("a setup", "setup.dat")); got != "" {
		t.Errorf("nothing to allow gives %q", got)
	}
}

func TestMembers(t *testing.T) {
	const old, exe = "driver.inf", "setup.exe"
	for _, tt := range []struct {
		members  Members
		name     string
		want     string
		wantSelf string
	}{
		{MembersOwn, exe, "member-name", "name"},
		{MembersOwn, old, "", "old-name"},
		{MembersSame, old, "member-name", "old-name"},
		{MembersIgnore, exe, "", "name"},
	} {
		c := DefaultConfig()
		c.Members = tt.members
		s := newScanner(t, c)
		if got := rulesOf(t, s, inArchive("x", tt.name)...); got != tt.want {
			t.Errorf("%s in an archive with members = %q: %q, want %q", tt.name, tt.members, got, tt.want)
		}
		if got := rulesOf(t, s, attach("x", tt.name)); got != tt.wantSelf {
			t.Errorf("%s attached: %q, want %q", tt.name, got, tt.wantSelf)
		}
	}
}

// TestTransparentHolders checks that what TNEF holds counts as attached.
func TestTransparentHolders(t *testing.T) {
	s := newScanner(t, DefaultConfig())
	for _, holder := range []scan.Part{
		{Type: "application/ms-tnef"}, {Sniffed: "application/vnd.ms-outlook"}, {Names: []string{"WINMAIL.DAT"}}, {Sniffed: "text/plain"},
	} {
		parts := inArchive("x", "driver.inf")
		holder.Parent, holder.Path = -1, "1"
		parts[0] = holder
		if got := rulesOf(t, s, parts...); got != "old-name" {
			t.Errorf("in %v: %q", holder, got)
		}
	}
	parts := inArchive("x", "\x01CompObj")
	parts[0].Sniffed = "application/msword"
	if got := rulesOf(t, s, parts...); got != "" {
		t.Errorf("a stream of a Word document: %q", got)
	}
}

func TestPatterns(t *testing.T) {
	c := DefaultConfig()
	c.Deny = []Pattern{"BAD", ".tar.gz", "exact.txt", "invoice*.zip", `/^scan_[0-9]+\.pdf$/`, "path:**/*.eml/*.zip/*.exe"}
	c.DenyMembers = []Pattern{"path:**/*.zip/secret/?.txt", "path:**/*.zip/?.txt"}
	c.Allow = []Pattern{"good.bad"}
	s := newScanner(t, c)
	for name, want := range map[string]string{
		"x.bad": "name", "good.bad": "", "a.tar.gz": "name", "a.gz": "", "Invoice 17.ZIP": "name", "an invoice.zip": "",
		"scan_17.pdf": "name", "scan_x.pdf": "", "a.exe": "", "exact.txt": "name", "not exact.txt": "",
	} {
		if got := rulesOf(t, s, attach("x", name)); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := rulesOf(t, s, inArchive("x", "b.txt")...); got != "member-name" {
		t.Errorf("a path in an archive: %q", got)
	}
	if got := rulesOf(t, s, inArchive("x", "bb.txt")...); got != "" {
		t.Errorf("another path in an archive: %q", got)
	}
}

func TestPathThroughMail(t *testing.T) {
	c := DefaultConfig()
	c.Members = MembersSame
	c.Deny = []Pattern{"path:message.eml/a.zip/*.exe"}
	s := newScanner(t, c)
	mail := scan.Part{Parent: -1, Path: "1", Type: "message/rfc822", Entity: &entity.Entity{}}
	zip := attach("PK", "a.zip")
	zip.Parent = 0
	exe := attach("x", "b.exe")
	exe.Parent, exe.Archived, exe.Entity = 1, true, nil
	if got := rulesOf(t, s, mail, zip, exe); got != "member-name" {
		t.Errorf("exe inside zip inside mail: %q", got)
	}
}

func TestBadPatterns(t *testing.T) {
	for _, text := range []string{"", "path:", "/[/", "a/b", "path:/(/"} {
		var p Pattern
		if err := p.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("the pattern %q is taken", text)
		}
	}
}

func TestDenyFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "names")
	c := DefaultConfig()
	c.DenyFiles = []string{file}
	if _, err := New(c); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file gives %v", err)
	}
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# ours\n\nlokal\n/[/\n")
	if _, err := New(c); err == nil || !strings.Contains(err.Error(), file+":4: ") {
		t.Errorf("a broken line gives %v", err)
	}
	write("# ours\n\nlokal\n")
	if got := rulesOf(t, newScanner(t, c), attach("x", "a.lokal")); got != "name" {
		t.Errorf("a name of the file gives %q", got)
	}
}

func TestConfigText(t *testing.T) {
	var h Hash
	if err := h.UnmarshalText([]byte(strings.Repeat("aB", 32))); err != nil || h.String() != strings.Repeat("ab", 32) {
		t.Errorf("a hash: %v, %v", h, err)
	}
	if h.UnmarshalText([]byte("ab")) == nil {
		t.Error("a short hash is taken")
	}
	var m Members
	var k Kind
	if m.UnmarshalText([]byte("all")) == nil || k.UnmarshalText([]byte("all")) == nil {
		t.Error("unknown words are taken")
	}
	for _, c := range []Config{{}, {LongestName: 1, MaxCount: -1}} {
		if c.Check() == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}

// unreadable is content that cannot be read.
type unreadable struct{}

var errDisk = errors.New("disk on fire")

func (unreadable) ReadAt([]byte, int64) (int, error) { return 0, errDisk }
func (unreadable) Size() int64                       { return 100 }

func TestUnreadablePart(t *testing.T) {
	s := newScanner(t, DefaultConfig())
	bad := attach("", "a.exe")
	bad.Content = unreadable{}
	found, err := s.Scan(context.Background(), &scan.Message{Parts: []scan.Part{bad, attach("x", "b.exe")}})
	if !errors.Is(err, errDisk) || len(found) != 2 {
		t.Errorf("found %v, %v; want both names and the error", found, err)
	}
}

func TestDetailIsPrintable(t *testing.T) {
	s := newScanner(t, DefaultConfig())
	name := "a\u202e\x00\xff" + strings.Repeat("x", 10_000) + ".exe"
	found, err := s.Scan(context.Background(), &scan.Message{Parts: []scan.Part{attach("x", name)}})
	if err != nil || len(found) == 0 {
		t.Fatal(found, err)
	}
	for _, f := range found {
		if len(f.Detail) > 1000 || strings.ContainsFunc(f.Detail, isControl) || strings.ContainsFunc(f.Detail, isBidi) {
			t.Errorf("the detail %q", f.Detail)
		}
	}
}

// FuzzNames checks that any name is judged, the same as attachment in any case
// of letters.
func FuzzNames(f *testing.F) {
	for _, tt := range nameTests {
		f.Add(tt.name)
	}
	s := newScanner(f, DefaultConfig())
	f.Fuzz(func(t *testing.T, name string) {
		got := rulesOf(t, s, attach("", name))
		if strings.HasSuffix(name, ".exe") && !strings.Contains(got, "name") {
			t.Fatalf("%q passes", name)
		}
		rulesOf(t, s, inArchive("", name)...)
	})
}

// FuzzContent checks that any content is judged.
func FuzzContent(f *testing.F) {
	for _, tt := range contentTests {
		if len(tt.content) < 1000 {
			f.Add([]byte(tt.content))
		}
	}
	s := newScanner(f, DefaultConfig())
	f.Fuzz(func(t *testing.T, content []byte) {
		rulesOf(t, s, attach(string(content), "a"))
	})
}

func BenchmarkScan(b *testing.B) {
	s := newScanner(b, DefaultConfig())
	p := attach(strings.Repeat("text ", 10_000), "Protokoll der Sitzung vom 2. März 2026.pdf")
	m := &scan.Message{Parts: []scan.Part{p, p, p}}
	b.ReportAllocs()
	for b.Loop() {
		if found, err := s.Scan(context.Background(), m); len(found) > 0 || err != nil {
			b.Fatal(found, err)
		}
	}
}

func TestHashStopsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := hashOf(ctx, bytes.NewReader(make([]byte, 10))); !errors.Is(err, context.Canceled) {
		t.Errorf("hashing goes on: %v", err)
	}
}
