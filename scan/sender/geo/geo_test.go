package geo

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/geo/geotest"
)

var built = time.Unix(1_780_000_000, 0)

// put writes a file at once, as programs that renew databases do.
func put(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func countries() []byte {
	return geotest.Database(geotest.Rows{
		"192.0.2.0/25": geotest.Country("DE"), "192.0.2.128/25": geotest.Country("AT"), "2001:db8::/32": geotest.Country("FR"),
		"198.51.100.0/24": {"registered_country": map[string]any{"iso_code": "CH"}},
		"203.0.113.0/26":  geotest.Country("\x1b[2J"), "203.0.113.64/26": geotest.Country("de"),
		"203.0.113.128/26": {"country": "a text where a map is expected"},
	}, built)
}

func TestPlaces(t *testing.T) {
	dir := t.TempDir()
	c := Config{Country: filepath.Join(dir, "c.mmdb"), ASN: filepath.Join(dir, "a.mmdb")}
	put(t, c.Country, countries())
	put(t, c.ASN, geotest.Database(geotest.Rows{
		"192.0.2.0/24":    geotest.ASN(64496, "Example"),
		"198.51.100.0/24": geotest.ASN(4294967295, strings.Repeat("ä", 100)),
	}, built))
	var said []string
	d, err := Open(c, func(err error) { said = append(said, err.Error()) })
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]scan.Place{
		"192.0.2.1":          {Country: "DE", ASN: 64496, Network: "Example"},
		"::ffff:192.0.2.200": {Country: "AT", ASN: 64496, Network: "Example"},
		"2001:db8::1":        {Country: "FR"},
		"fe80::1%eth0":       {},
		"198.51.100.7":       {Country: "CH", ASN: 4294967295, Network: strings.Repeat("ä", 40)},
		"203.0.113.1":        {}, // a code that is none
		"203.0.113.65":       {},
		"203.0.113.129":      {}, // a row of another form
		"127.0.0.1":          {},
	} {
		if got := d.Place(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %+v", address, got)
		}
	}
	d.Place(netip.MustParseAddr("203.0.113.130"))
	if len(said) != 1 || !strings.Contains(said[0], "cannot be read about 203.0.113.1") {
		t.Errorf("%q", said)
	}
	if got := d.Place(netip.Addr{}); got != (scan.Place{}) {
		t.Errorf("no address: %+v", got)
	}
	if got := new(Databases).Place(netip.MustParseAddr("192.0.2.1")); got != (scan.Place{}) {
		t.Errorf("no database: %+v", got)
	}
	if h := d.Health(); len(h) != 2 || h[0].File != c.Country || h[0].Type != "Test" || !h[0].Built.Equal(built) {
		t.Errorf("%+v", h)
	}
}

func TestFilesThatAreNone(t *testing.T) {
	dir := t.TempDir()
	whole := countries()
	for name, data := range map[string][]byte{
		"empty": nil, "text": []byte("<html>not found</html>"), "half": whole[:len(whole)/2], "end": whole[len(whole)/2:],
	} {
		path := filepath.Join(dir, name)
		put(t, path, data)
		if _, err := Open(Config{ASN: path}, nil); err == nil || !strings.Contains(err.Error(), "geo.asn: "+path+" cannot be used") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for path, want := range map[string]string{filepath.Join(dir, "gone"): "no such file", dir: "no regular file"} {
		if _, err := Open(Config{Country: path}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestDamagedFiles changes every byte of a database: it is refused, or answers without a panic.
func TestDamagedFiles(t *testing.T) {
	whole := countries()
	refused, asked := 0, 0
	for i := range whole {
		for _, change := range []byte{0xff, 0x01, 0x80} {
			data := append([]byte(nil), whole...)
			data[i] ^= change
			r, err := load(data)
			if err != nil {
				refused++
				continue
			}
			f := &file{now: time.Now, warn: func(error) {}}
			f.looked.Store(time.Now().Unix())
			f.reader.Store(r)
			for _, a := range []string{"192.0.2.1", "2001:db8::1", "203.0.113.129", "127.0.0.1", "::"} {
				(&Databases{country: f, asn: f}).Place(netip.MustParseAddr(a))
				asked++
			}
		}
	}
	if refused == 0 || asked == 0 {
		t.Errorf("%d refused, %d asked", refused, asked)
	}
}

// TestChangedFiles has a new version used as soon as it is there, and a bad one said once.
func TestChangedFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.mmdb")
	put(t, path, countries())
	var said []string
	d, err := Open(Config{Country: path}, func(err error) { said = append(said, err.Error()) })
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	d.country.now = func() time.Time { return now }
	ask := func() string { return d.Place(netip.MustParseAddr("192.0.2.1")).Country }
	steps := []struct {
		data      []byte // nil: the file is removed
		want      string
		complaint string
	}{
		{geotest.Database(geotest.Rows{"192.0.2.0/24": geotest.Country("IT")}, built), "IT", ""},
		{[]byte("no database"), "IT", "cannot be used"},
		{nil, "IT", "no such file"},
		{geotest.Database(geotest.Rows{"192.0.2.0/24": geotest.Country("ES")}, built), "ES", ""},
	}
	for i, s := range steps {
		said = nil
		was := ask()
		if s.data == nil {
			os.Remove(path)
		} else {
			put(t, path, s.data)
		}
		if got := ask(); got != was {
			t.Errorf("step %d: looked at once: %s", i, got)
		}
		for range 3 {
			now = now.Add(lookEvery)
			if got := ask(); got != s.want {
				t.Errorf("step %d: %s", i, got)
			}
		}
		if s.complaint == "" && len(said) > 0 || s.complaint != "" && (len(said) != 1 || !strings.Contains(said[0], s.complaint)) {
			t.Errorf("step %d: %q", i, said)
		}
	}
}

func FuzzDatabase(f *testing.F) {
	f.Add(countries())
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := load(data)
		if err != nil {
			return
		}
		db := &file{now: time.Now, warn: func(error) {}}
		db.looked.Store(time.Now().Unix())
		db.reader.Store(r)
		p := (&Databases{country: db, asn: db}).Place(netip.MustParseAddr("192.0.2.1"))
		if len(p.Country) != 0 && len(p.Country) != 2 || len(p.Network) > longestName {
			t.Errorf("%+v", p)
		}
	})
}

func BenchmarkPlace(b *testing.B) {
	path := filepath.Join(b.TempDir(), "c.mmdb")
	rows := geotest.Rows{}
	for i := range 250_000 {
		rows[fmt.Sprintf("%d.%d.%d.0/24", 1+i>>16, i>>8&255, i&255)] = geotest.Country([]string{"DE", "FR"}[i%2])
	}
	if err := os.WriteFile(path, geotest.Database(rows, built), 0o600); err != nil {
		b.Fatal(err)
	}
	d, err := Open(Config{Country: path}, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			Open(Config{Country: path}, nil)
		}
	})
	b.Run("ask", func(b *testing.B) {
		for b.Loop() {
			d.Place(netip.MustParseAddr("2.7.9.1"))
		}
	})
}

func TestTreesThatLeadNowhere(t *testing.T) {
	for _, test := range []struct {
		node        []byte
		left, right int
	}{
		{[]byte{0, 0, 1, 0, 1, 0}, 1, 256},
		{[]byte{0, 0, 1, 0xa5, 0, 1, 0}, 10<<24 | 1, 5<<24 | 256},
		{[]byte{1, 0, 0, 1, 0, 0, 2, 0}, 1<<24 | 1, 512},
	} {
		if left, right := records(test.node); left != test.left || right != test.right {
			t.Errorf("%x: %d and %d", test.node, left, right)
		}
	}
	whole := countries()
	whole[0], whole[4] = 0xff, 0xff
	if _, err := load(whole); err == nil || !strings.Contains(err.Error(), "node 0") {
		t.Errorf("%v", err)
	}
}
