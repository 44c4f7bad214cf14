package virus

import (
	"reflect"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/milterscan/milterscan/scan/units"
)

func TestConfigFromTOML(t *testing.T) {
	var file struct {
		Virus []Config `toml:"virus"`
	}
	_, err := toml.Decode(`
[[virus]]
name = "a"
type = "clamd"
address = "unix:/run/clamav/clamd.ctl"
max_stream = "10MB"
timeout = "30s"

[[virus]]
name = "b"
type = "clamd"
address = ["tcp:192.0.2.1:3310", "tcp:[2001:db8::1]:3310"]
feed = "both"
connections = 4
on_failure = "hold"

[[virus]]
name = "lists"
type = "hashes"
lists = []
`, &file)
	if err != nil {
		t.Fatal(err)
	}
	if file.Virus[0].MaxStream != 10*units.MB || !reflect.DeepEqual(file.Virus[0].Address, Addresses{"unix:/run/clamav/clamd.ctl"}) {
		t.Errorf("first entry: %+v", file.Virus[0])
	}
	if len(file.Virus[1].Address) != 2 {
		t.Errorf("second entry: %+v", file.Virus[1])
	}
	engines, err := New(file.Virus)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range engines {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); got != "virus/a virus/b virus/lists" {
		t.Errorf("engines: %s", got)
	}
}

func TestHashesAlwaysOn(t *testing.T) {
	for name, cfgs := range map[string][]Config{
		"nothing":    nil,
		"only clamd": {{Name: "c", Type: TypeClamd, Address: Addresses{"unix:/x"}}},
		"default":    Default(),
	} {
		engines, err := New(cfgs)
		if err != nil || engines[0].Name() != "virus/hashes" {
			t.Errorf("%s: %v, error %v", name, engines, err)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	good := Config{Name: "c", Type: TypeClamd, Address: Addresses{"unix:/x"}}
	for want, change := range map[string]func(*Config){
		"name: \"two words\"":      func(c *Config) { c.Name = "two words" },
		"name: \"a/b\" is no name": func(c *Config) { c.Name = "a/b" },
		"type: \"clam\"":           func(c *Config) { c.Type = "clam" },
		"address: it is missing":   func(c *Config) { c.Address = nil },
		`address is "/x"`:          func(c *Config) { c.Address = Addresses{"/x"} },
		`address is "unix:x"`:      func(c *Config) { c.Address = Addresses{"unix:x"} },
		`address is "tcp:1.2.3.4`:  func(c *Config) { c.Address = Addresses{"unix:/x", "tcp:1.2.3.4"} },
		"feed: \"some\"":           func(c *Config) { c.Feed = "some" },
		"on_failure: \"ignore\"":   func(c *Config) { c.OnFailure = "ignore" },
		"negative":                 func(c *Config) { c.Connections = -1 },
		"max_stream: 1KB":          func(c *Config) { c.MaxStream = units.KB },
		"has no such key":          func(c *Config) { c.Lists = []string{"x"} },
		"type hashes has no":       func(c *Config) { c.Type = TypeHashes },
	} {
		c := good
		change(&c)
		if _, err := New([]Config{c}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, error %v", want, err)
		}
	}
	_, err := New([]Config{good, good, {Name: "d"}})
	if err == nil || !strings.Contains(err.Error(), "another engine") || !strings.Contains(err.Error(), `"d"`) {
		t.Errorf("error %v; want both errors", err)
	}
}

func TestAddressesRefuse(t *testing.T) {
	var a Addresses
	for _, v := range []any{int64(1), []any{"unix:/x", int64(2)}, nil, map[string]any{}} {
		if a.UnmarshalTOML(v) == nil {
			t.Errorf("%v is taken", v)
		}
	}
}
