package feed

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan/format/listing"
	"github.com/milterscan/milterscan/scan/units"
)

// publisher is a server of one list that does what the present step of a test says.
type publisher struct {
	*httptest.Server
	mu     sync.Mutex
	answer http.HandlerFunc
	asked  []http.Header
}

func newPublisher(t *testing.T) *publisher {
	t.Helper()
	p := &publisher{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		answer := p.answer
		p.asked = append(p.asked, r.Header.Clone())
		p.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *publisher) now(answer http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

// text answers with a list.
func text(list string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, list) }
}

// hosts is a list of n hosts.
func hosts(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "host%d.evil.example.com\n", i)
	}
	return b.String()
}

func feedOf(p *publisher, change func(*Config)) Config {
	var c Config
	c.SetDefaults()
	c.Name, c.URL, c.Kind = "f", p.URL+"/list.txt", listing.Hosts
	if change != nil {
		change(&c)
	}
	return c
}

func setOf(t *testing.T, dir string, tell func(State), list ...Config) *Set {
	t.Helper()
	for _, c := range list {
		if err := c.Check(); err != nil {
			t.Fatal(err)
		}
	}
	s := New(Options{Tell: tell})
	s.Use(list, dir)
	return s
}

// TestMisbehaving has a publisher do everything wrong that one can. The last good list stays, is on
// the disk, and is told of once.
func TestMisbehaving(t *testing.T) {
	p := newPublisher(t)
	old := time.Now().Add(-48 * time.Hour).UTC()
	dated := func(at time.Time, list string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Last-Modified", at.Format(http.TimeFormat))
			fmt.Fprint(w, list)
		}
	}
	page := "<!doctype html><html>\n<head><title>x</title></head>\n<body>\nThis service has ended.\n</body></html>\n"
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"an error":  {func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusServiceUnavailable) }, "503"},
		"a page":    {text(page), "this is no such list"},
		"no answer": {func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
		"older":     {dated(old.Add(-time.Hour), hosts(100)), "older than the last one"},
		"few left":  {text(hosts(9)), "it has 9 entries, and the last one had 100"},
		"none left": {text("# empty\n"), "it has 0 entries"},
		"empty":     {text(""), "it has 0 entries"},
		"a fragment": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "9999")
			fmt.Fprint(w, hosts(100))
		}, "EOF"},
		"without end": {func(w http.ResponseWriter, r *http.Request) {
			line := []byte(hosts(1000))
			for range 10 << 30 / len(line) { // 10 GB
				if _, err := w.Write(line); err != nil {
					return
				}
			}
		}, "more than 100000 bytes"},
		"a bomb": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(zeros)
		}, "more than 100000 bytes"},
		"slow": {func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "not fetched within 1s"},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://lists.example.com/", http.StatusFound)
		}, "redirected to http://lists.example.com/"},
		"a circle": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, "redirected"},
		"not asked for": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusPartialContent)
		}, "206"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c := feedOf(p, func(c *Config) { c.MaxSize, c.Timeout = 100_000, units.Duration(time.Second) })
			var told []State
			s := setOf(t, dir, func(s State) { told = append(told, s) }, c)
			p.now(dated(old, hosts(100)))
			if err := s.Update(t.Context(), "f", Carefully); err != nil {
				t.Fatal(err)
			}
			p.now(test.answer)
			for range 3 {
				if err := s.Update(t.Context(), "f", Carefully); err == nil || !strings.Contains(err.Error(), test.want) {
					t.Fatalf("%v, want %q", err, test.want)
				}
			}
			if got := s.Table("f"); got == nil || got.Len() != 100 {
				t.Errorf("the last good list is gone")
			}
			if len(told) != 1 || told[0].Err == nil || told[0].Entries != 100 {
				t.Errorf("told %+v", told)
			}
			p.now(dated(time.Now().UTC(), hosts(99)))
			if err := s.Update(t.Context(), "f", Carefully); err != nil {
				t.Errorf("afterwards: %v", err)
			}
			if len(told) != 2 || told[1].Err != nil || s.Table("f").Len() != 99 {
				t.Errorf("told %+v", told)
			}
			if next := setOf(t, dir, nil, c); next.Table("f") == nil || next.Table("f").Len() != 99 {
				t.Error("the list is not there after a restart")
			}
		})
	}
}

// TestUnchanged asks for a list only if it has changed, also after a restart.
func TestUnchanged(t *testing.T) {
	p, dir := newPublisher(t), t.TempDir()
	c := feedOf(p, nil)
	p.now(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") == `"1"` && r.Header.Get("If-Modified-Since") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("Last-Modified", "Mon, 02 Nov 2026 08:00:00 GMT")
		fmt.Fprint(w, hosts(3))
	})
	for i := range 3 {
		s := setOf(t, dir, nil, c)
		if err := s.Update(t.Context(), "f", Carefully); err != nil {
			t.Fatal(err)
		}
		if s.Table("f").Len() != 3 || time.Since(s.States()[0].Seen) > time.Minute {
			t.Errorf("%+v", s.States())
		}
		if got := p.asked[i].Get("If-None-Match"); (got == `"1"`) != (i > 0) {
			t.Errorf("asked %d: %q", i, got)
		}
	}
	s := setOf(t, dir, nil, c)
	os.Remove(filepath.Join(dir, c.fileName()))
	if err := s.Update(t.Context(), "f", Carefully); err != nil || Kept(c, dir).Entries != 3 {
		t.Errorf("a copy that is gone is not made again: %v", err)
	}
	p.now(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNotModified) })
	if err := setOf(t, t.TempDir(), nil, c).Update(t.Context(), "f", Carefully); err == nil {
		t.Error("nothing is known, and it has not changed")
	}
}

// TestForced takes what is doubtful if an administrator says so, and has a daemon take it from the disk.
func TestForced(t *testing.T) {
	p, dir := newPublisher(t), t.TempDir()
	c := feedOf(p, nil)
	p.now(text(hosts(100)))
	daemon := setOf(t, dir, nil, c)
	if err := daemon.Update(t.Context(), "f", Carefully); err != nil {
		t.Fatal(err)
	}
	p.now(text(hosts(2)))
	if err := daemon.Update(t.Context(), "f", Carefully); !errors.Is(err, errDoubtful) {
		t.Errorf("%v", err)
	}
	if err := setOf(t, dir, nil, c).Update(t.Context(), "f", Forced); err != nil {
		t.Fatal(err)
	}
	daemon.reread(daemon.feeds[0])
	if daemon.Table("f").Len() != 2 || daemon.States()[0].Err != nil {
		t.Errorf("the daemon goes on with %+v", daemon.States())
	}
	p.now(text("<html>\n"))
	if err := daemon.Update(t.Context(), "f", Forced); !errors.Is(err, listing.ErrNoList) {
		t.Errorf("a page is forced: %v", err)
	}
}

func fixture(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestSigned takes lists that minisign has signed, in both of its forms, and no others.
func TestSigned(t *testing.T) {
	p := newPublisher(t)
	list := fixture(t, "list.txt")
	key := strings.Split(fixture(t, "minisign.pub"), "\n")[1]
	hashed, legacy := fixture(t, "hashed.minisig"), fixture(t, "legacy.minisig")
	for name, test := range map[string]struct {
		list, signature, want string
	}{
		"hashed":             {list, hashed, ""},
		"legacy":             {list, legacy, ""},
		"another list":       {list + "more.example.com\n", hashed, "not signed by the key"},
		"another time":       {list, strings.Replace(hashed, "1780000000", "1790000000", 1), "not signed by the key"},
		"another key":        {list, strings.Replace(hashed, "RUTeic", "RUTeid", 1), "not signed by the key"},
		"no signature":       {list, "", "the signature: "},
		"half a signature":   {list, hashed[:100], "cannot be read"},
		"a page":             {list, "<html>\n<body>\nnot\nfound", "cannot be read"},
		"too long":           {list, hashed + strings.Repeat("x", mostSignature), "more than"},
		"as another's":       {list, strings.Replace(hashed, "\thashed", "\tlegacy", 1), "not signed by the key"},
		"of the other form":  {list, strings.Replace(legacy, "RWTeic", "RUTeic", 1), "not signed by the key"},
		"of the other forms": {list, strings.Replace(hashed, "RUTeic", "RWTeic", 1), "not signed by the key"},
	} {
		p.now(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case !strings.HasSuffix(r.URL.Path, ".minisig"):
				fmt.Fprint(w, test.list)
			case test.signature == "":
				http.NotFound(w, r)
			default:
				fmt.Fprint(w, test.signature)
			}
		})
		s := setOf(t, t.TempDir(), nil, feedOf(p, func(c *Config) { c.Signature = "minisign:" + key }))
		err := s.Update(t.Context(), "f", Forced)
		switch {
		case test.want == "" && (err != nil || !s.States()[0].Signed.Equal(time.Unix(1_780_000_000, 0)) || s.Table("f").Len() != 2):
			t.Errorf("%s: %v, %+v", name, err, s.States())
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || s.Table("f") != nil):
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

// TestSignedEarlier: a list that was signed before the last one is an old one that somebody sends again.
func TestSignedEarlier(t *testing.T) {
	now := time.Now()
	for name, test := range map[string]struct {
		last, next version
		entries    int
		want       string
	}{
		"newer":         {version{Signed: now}, version{Signed: now.Add(1)}, 5, ""},
		"older":         {version{Signed: now}, version{Signed: now.Add(-1)}, 5, "before the last one"},
		"without time":  {version{Signed: now}, version{Modified: now.Add(time.Hour)}, 5, "before the last one"},
		"server's time": {version{Signed: now, Modified: now}, version{Signed: now, Modified: now.Add(-time.Hour)}, 5, ""},
	} {
		l := &list{version: test.next}
		l.table, _, _ = listing.Read(strings.NewReader(hosts(5)), listing.Syntax{Kind: listing.Hosts})
		err := l.follows(test.last, test.entries)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if at := signedAt("timestamp:99999999999999\tfile:x"); !at.IsZero() {
		t.Errorf("%v", at)
	}
}

func TestPinned(t *testing.T) {
	p := newPublisher(t)
	p.now(text("evil.example.com\n"))
	s := setOf(t, t.TempDir(), nil, feedOf(p, func(c *Config) {
		c.SHA256 = "6A4C0D3D2E0C8B6F4E0E6B9C1D7D7E6A4C0D3D2E0C8B6F4E0E6B9C1D7D7E6A4C"
	}))
	err := s.Update(t.Context(), "f", Carefully)
	if err == nil || !strings.Contains(err.Error(), "its SHA-256 is ") {
		t.Fatal(err)
	}
	sum := strings.Fields(strings.TrimPrefix(err.Error(), "its SHA-256 is "))[0]
	s = setOf(t, t.TempDir(), nil, feedOf(p, func(c *Config) { c.SHA256 = strings.ToUpper(strings.TrimSuffix(sum, ",")) }))
	if err := s.Update(t.Context(), "f", Carefully); err != nil {
		t.Error(err)
	}
}

// TestDamagedCopies: of what is on the disk, nothing counts that is not whole and of this feed.
func TestDamagedCopies(t *testing.T) {
	p, dir := newPublisher(t), t.TempDir()
	c := feedOf(p, nil)
	p.now(text(hosts(10)))
	if err := setOf(t, dir, nil, c).Update(t.Context(), "f", Carefully); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, c.fileName())
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(whole); i += 7 {
		for _, data := range [][]byte{whole[:i], append(append([]byte(nil), whole[:i]...), append([]byte{whole[i] ^ 1}, whole[i+1:]...)...)} {
			os.WriteFile(path, data, 0o600)
			if s := setOf(t, dir, nil, c); s.Table("f") != nil && s.Table("f").Len() != 10 {
				t.Errorf("at %d: %d entries", i, s.Table("f").Len())
			}
		}
	}
	os.WriteFile(path, whole, 0o600)
	other := feedOf(p, func(c *Config) { c.URL += "?other" })
	if s := setOf(t, dir, nil, other); s.Table("f") != nil || !errors.Is(s.States()[0].Err, errOther) {
		t.Errorf("the list of another place is taken: %+v", s.States())
	}
}

// TestRun fetches at once what is not known, and ends when it is told to.
func TestRun(t *testing.T) {
	p, dir := newPublisher(t), t.TempDir()
	fetched := make(chan struct{}, 10)
	p.now(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, hosts(5)); fetched <- struct{}{} })
	s := New(Options{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { s.Run(ctx); close(done) }()
	s.Use([]Config{feedOf(p, nil)}, dir)
	<-fetched
	s.Use([]Config{feedOf(p, nil), feedOf(p, func(c *Config) { c.Name = "g"; c.Score = 2 })}, dir)
	<-fetched
	cancel()
	<-done
	s.Use(nil, dir)
	if s.Table("f") != nil || len(s.States()) != 0 {
		t.Error("a feed that is not named any more is there")
	}
}

func TestCheck(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"name":      func(c *Config) { c.Name = "../x" },
		"url":       func(c *Config) { c.URL = "http://lists.example.com/" },
		"kind":      func(c *Config) { c.Kind = "" },
		"format":    func(c *Config) { c.Kind, c.Format = listing.Hashes, listing.HostFile },
		"column":    func(c *Config) { c.Column = 0 },
		"separator": func(c *Config) { c.Separator = ",," },
		"interval":  func(c *Config) { c.Interval = units.Duration(time.Minute) },
		"timeout":   func(c *Config) { c.Timeout = 0 },
		"max_size":  func(c *Config) { c.MaxSize = units.GB },
		"signature": func(c *Config) { c.Signature = "minisign:RWQ" },
		"sha256":    func(c *Config) { c.SHA256 = "abc" },
	} {
		var c Config
		c.SetDefaults()
		c.Name, c.URL, c.Kind = "f", "https://lists.example.com/x", listing.Hosts
		if err := c.Check(); err != nil {
			t.Fatal(err)
		}
		change(&c)
		if faults := units.Faults(c.Check()); len(faults) != 1 || faults[0].Key != want {
			t.Errorf("%s: %v", want, faults)
		}
	}
	for place, want := range map[string]bool{
		"https://a.example/": true, "http://127.0.0.1:80/": true, "http://[::1]/": true, "http://localhost/": true, "http://localhost.example/": false,
		"https://user:secret@a.example/": false, "ftp://a.example/": false, "file:///etc/passwd": false, "https:///x": false, "": false,
	} {
		if fetchable(place) != want {
			t.Errorf("%s: %v", place, !want)
		}
	}
}
