package attachment

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scantest"
)

// counted is a content that counts how often it is read.
type counted struct {
	*bytes.Reader
	reads *int
}

func (c counted) ReadAt(p []byte, off int64) (int, error) {
	*c.reads++
	return c.Reader.ReadAt(p, off)
}

// TestContainersAreLookedAtOnce has a container of any sort and with any name hold
// few members and many: what is read of it is the same.
func TestContainersAreLookedAtOnce(t *testing.T) {
	s := newScanner(t, DefaultConfig())
	for _, sort := range []struct{ content, sniffed, name string }{
		{"PK", "application/zip", "a.zip"},
		{"PK", "application/zip", strings.Repeat("\xff", 4090) + ".zip"},
		{"begin 644 a\n", "text/plain", "a.txt"},
		{"x", "application/ms-tnef", "winmail.dat"},
		{"x", "", strings.Repeat("日", 1000) + ".p7m"},
		{compoundMark, "", "a.doc"},
	} {
		reads := map[int]int{}
		for _, members := range []int{2, 3000} {
			n := 0
			holder := attach("", sort.name)
			holder.Sniffed, holder.Content = sort.sniffed, counted{bytes.NewReader([]byte(sort.content)), &n}
			parts := []scan.Part{holder}
			for i := range members {
				parts = append(parts, scan.Part{Parent: 0, Path: fmt.Sprint("1/", i), Names: []string{fmt.Sprint(i, ".txt")}, Archived: true, Content: scantest.Bytes([]byte("x"))})
			}
			if _, err := s.Scan(t.Context(), scantest.Message("Subject: x\r\n\r\n", parts...)); err != nil {
				t.Fatal(err)
			}
			reads[members] = n
		}
		if reads[2] == 0 || reads[2] != reads[3000] {
			t.Errorf("%.20q is read %d times for 2 members, %d times for 3,000", sort.name, reads[2], reads[3000])
		}
	}
}

// TestPlacesFollowTheHolders nests containers of every sort.
func TestPlacesFollowTheHolders(t *testing.T) {
	holder := func(parent int, name, content, sniffed string) scan.Part {
		p := attach(content, name)
		p.Parent, p.Archived, p.Sniffed = parent, parent >= 0, sniffed
		return p
	}
	n := newNest(scantest.Message("Subject: x\r\n\r\n",
		holder(-1, "winmail.dat", "x", ""), // 0
		holder(0, "a.zip", "PK", ""),       // 1: shown
		holder(1, "b.p7m", "x", ""),        // 2: a member
		holder(2, "c.doc", compoundMark, ""),
		holder(3, "Macros", "x", ""),     // 4: a stream
		holder(0, "d.txt", "x", ""),      // 5: shown, after another container's
		holder(2, "e/../f.txt", "x", ""), // 6
		holder(9, "before its container", "x", ""),
	))
	want := []place{attached, attached, member, member, internal, attached, member, attached}
	names := []string{"", "winmail.dat/", "winmail.dat/a.zip/", "winmail.dat/a.zip/b.p7m/", "winmail.dat/a.zip/b.p7m/c.doc/", "winmail.dat/", "winmail.dat/a.zip/b.p7m/", ""}
	for i := range want {
		if n.places[i] != want[i] || n.around(i) != names[i] {
			t.Errorf("part %d: place %d in %q, want %d in %q", i, n.places[i], n.around(i), want[i], names[i])
		}
	}
}
