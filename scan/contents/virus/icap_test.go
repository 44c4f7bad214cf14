package virus

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan/scantest"
	"github.com/milterscan/milterscan/scan/units"
	"github.com/milterscan/milterscan/tests/fakes"
)

// overICAP returns an engine that asks ICAP services. Connections it keeps are
// closed at the end of the test.
func overICAP(t *testing.T, change func(*Config), addresses ...string) *Engine {
	t.Helper()
	c := Config{Name: "icap", Type: TypeICAP, Address: addresses, MaxStream: units.MB}
	if change != nil {
		change(&c)
	}
	engines, err := New([]Config{c})
	if err != nil {
		t.Fatal(err)
	}
	e := engines[1].(*Engine)
	t.Cleanup(func() {
		for _, s := range e.servers {
			s.Server.(icapService).Close()
		}
	})
	return e
}

func TestICAPContract(t *testing.T) {
	scantest.Run(t, overICAP(t, nil, (&fakes.ICAP{Virus: "member", Preview: 1024}).Start(t)), Catalogue()...)
}

// TestICAPPointsAtThePart: every part goes by itself, so the finding says which.
func TestICAPPointsAtThePart(t *testing.T) {
	e := overICAP(t, nil, (&fakes.ICAP{Virus: "evil"}).Start(t))
	m := two("hello", "some evil bytes")
	found, err := e.Scan(context.Background(), m)
	if err != nil || len(found) != 1 || found[0].Part != 1 || found[0].Rule != "virus/Fake-Virus" {
		t.Errorf("found %v, error %v", found, err)
	}
	scantest.Check(t, e, m, found, Catalogue()...)
}

// TestICAPFeeds: a service may know nothing of mail, so nothing reaches it only
// inside something else.
func TestICAPFeeds(t *testing.T) {
	for feed, want := range map[Feed]int64{FeedAuto: 2, FeedRaw: 1, FeedBoth: 3} {
		fake := &fakes.ICAP{}
		e := overICAP(t, func(c *Config) { c.Feed = feed }, fake.Start(t))
		if _, err := e.Scan(context.Background(), two("hello", "attachment")); err != nil || fake.Asked() != want {
			t.Errorf("%s: asked about %d contents, want %d; error %v", feed, fake.Asked(), want, err)
		}
	}
}

func TestICAPFailsOver(t *testing.T) {
	bad, good := &fakes.ICAP{DropAfter: 1}, &fakes.ICAP{Virus: "evil"}
	e := overICAP(t, nil, bad.Start(t), good.Start(t))
	for range 2 {
		found, err := e.Scan(context.Background(), two("hello", "evil"))
		if err != nil || len(found) != 1 {
			t.Fatalf("found %v, error %v; want one finding", found, err)
		}
	}
	if n := bad.Asked(); n != 1 {
		t.Errorf("the server that failed was asked %d times in a row", n)
	}
	good.Stop()
	if found, err := e.Scan(context.Background(), two("hello", "evil")); err == nil {
		t.Errorf("nobody answers, and found %v without an error", found)
	}
}

// TestICAPRemembers: what was clean is not asked about again, as long as the
// service's tag does not change.
func TestICAPRemembers(t *testing.T) {
	for tag, want := range map[string]int64{"db-1": 2, "": 4} {
		fake := &fakes.ICAP{Tag: tag}
		e := overICAP(t, nil, fake.Start(t))
		for range 2 {
			if _, err := e.Scan(context.Background(), two("text", "attachment")); err != nil {
				t.Fatal(err)
			}
		}
		if n := fake.Asked(); n != want {
			t.Errorf("tag %q: asked about %d contents, want %d", tag, n, want)
		}
	}
}

func TestICAPUnreadablePartIsNoFaultOfTheServer(t *testing.T) {
	e := overICAP(t, func(c *Config) { c.Feed = FeedRaw }, (&fakes.ICAP{}).Start(t))
	m := two("hello", "")
	m.Raw = short{1000}
	if _, err := e.Scan(context.Background(), m); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v, want %v", err, io.ErrUnexpectedEOF)
	}
	if e.servers[0].resting.Load() != 0 {
		t.Error("the server is blamed for it")
	}
}

func TestICAPHealth(t *testing.T) {
	good, gone := &fakes.ICAP{Tag: "db-1"}, &fakes.ICAP{}
	e := overICAP(t, nil, good.Start(t), gone.Start(t))
	gone.Stop()
	all, err := e.Health(context.Background())
	if len(all) != 1 || all[0].Version != "fake" || all[0].Database != "db-1" {
		t.Errorf("health %+v", all)
	}
	if err == nil || !strings.Contains(err.Error(), e.servers[1].String()) {
		t.Errorf("error %v does not name the server that is gone", err)
	}
}

// TestICAPOverTLS: a service whose certificate is not from the right authority is
// not asked.
func TestICAPOverTLS(t *testing.T) {
	web := httptest.NewTLSServer(nil)
	defer web.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	address := (&fakes.ICAP{Virus: "evil", TLS: web.TLS}).Start(t)
	e := overICAP(t, func(c *Config) { c.CAFile = file }, address)
	if found, err := e.Scan(context.Background(), two("hello", "evil")); err != nil || len(found) != 1 {
		t.Errorf("found %v, error %v", found, err)
	}
	if _, err := overICAP(t, nil, address).Scan(context.Background(), two("hello", "evil")); err == nil {
		t.Error("a certificate of nobody is accepted")
	}
}

func TestICAPConfigErrors(t *testing.T) {
	good := Config{Name: "c", Type: TypeICAP, Address: Addresses{"icap://scan.example.com/av"}}
	noPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(noPEM, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Config){
		"address: it is missing": func(c *Config) { c.Address = nil },
		"holds no certificate":   func(c *Config) { c.CAFile = noPEM },
		"no such file":           func(c *Config) { c.CAFile = noPEM + "x" },
		"address is":             func(c *Config) { c.Address = Addresses{"unix:/x"} },
		"no such key":            func(c *Config) { c.Lists = []string{"x"} },
	} {
		c := good
		change(&c)
		if _, err := New([]Config{c}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, error %v", want, err)
		}
	}
}
