package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan/sender/geo/geotest"
)

// TestPlaces: how old a database is, and one that is gone.
func TestPlaces(t *testing.T) {
	h := sound(t)
	path := filepath.Join(h.dir, "c.mmdb")
	p := h.installation(t, "[geo]\ncountry = \""+path+"\"\n")
	for _, test := range []struct {
		age   time.Duration // of the database; negative: there is none
		level Level
		what  string
	}{{-1, Fault, "no such file"}, {time.Hour, OK, "(Test) was made on"}, {90 * 24 * time.Hour, Advice, "(Test) was made on"}} {
		if test.age > 0 {
			data := geotest.Database(geotest.Rows{"192.0.2.0/24": geotest.Country("DE")}, time.Now().Add(-test.age))
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		found := p.places(t.Context())
		if len(found) != 1 || found[0].Level != test.level || !strings.Contains(found[0].What, test.what) {
			t.Errorf("%v: %+v", test.age, found)
		}
	}
	if found := h.installation(t, "").places(t.Context()); len(found) > 0 {
		t.Errorf("no database is named: %+v", found)
	}
}
