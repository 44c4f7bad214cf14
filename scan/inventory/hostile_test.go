package inventory_test

import (
	"bytes"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/archive"
	"github.com/milterscan/milterscan/scan/entity"
	"github.com/milterscan/milterscan/scan/inventory"
	"github.com/milterscan/milterscan/scan/markup"
	"github.com/milterscan/milterscan/scan/spool"
	"github.com/milterscan/milterscan/scan/units"
	"github.com/milterscan/milterscan/scan/unpack"
	"github.com/milterscan/milterscan/tests/hostile"
)

// held is a message that somebody else keeps.
type held struct{ *bytes.Reader }

func (held) Close() error { return nil }

// listed is the inventory of a mail that is opened as the daemon opens it.
func listed(t *testing.T, mail []byte) *inventory.Texts {
	t.Helper()
	limits := unpack.Limits{
		Entity:  entity.DefaultLimits(),
		Archive: archive.Limits{Expanded: 64 * units.MB, Member: 64 * units.MB, Ratio: 200, Entries: 1000, Depth: 8},
		Parts:   1000,
		Nesting: 20,
	}
	opener := unpack.NewOpener(limits, archive.Formats(), spool.New(t.TempDir(), 64<<20, 64<<20))
	parser := opener.NewParser()
	parser.Write(mail)
	m := opener.Open(t.Context(), scan.Received{Raw: held{bytes.NewReader(mail)}, Tree: parser.Close(), Size: int64(len(mail))})
	defer m.Close()
	texts, err := inventory.New(inventory.DefaultLimits(), inventory.Everything).Of(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// TestHiddenLinksAreListed looks for the link that charsets, references and
// style hide.
func TestHiddenLinksAreListed(t *testing.T) {
	lure := markup.ParseURL(hostile.Lure)
	cases := 0
	for c := range hostile.Cases() {
		if c.Family != "D25" {
			continue
		}
		cases++
		if texts := listed(t, c.Message); !leadsTo(texts, lure.Host) {
			t.Errorf("%s: %s: no link to %s", c.Name, c.Why, lure.Host)
		}
	}
	if cases < 50 {
		t.Errorf("%d cases", cases)
	}
}

func leadsTo(t *inventory.Texts, host string) bool {
	for _, l := range t.Links() {
		if markup.ParseLink(l.Target).Host == host {
			return true
		}
	}
	return false
}
