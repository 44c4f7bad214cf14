package texts_test

import (
	"testing"

	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/hostile"
	"github.com/milterscan/milterscan/scan/open/texts"
	"github.com/milterscan/milterscan/scan/scantest"
)

// listed is the inventory of a mail that is opened as the daemon opens it.
func listed(t *testing.T, mail []byte) *texts.Texts {
	t.Helper()
	m := scantest.Open(t, mail)
	defer m.Close()
	texts, err := texts.New(texts.DefaultLimits(), texts.Everything).Of(t.Context(), m)
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

func leadsTo(t *texts.Texts, host string) bool {
	for _, l := range t.Links() {
		if markup.ParseLink(l.Target).Host == host {
			return true
		}
	}
	return false
}
