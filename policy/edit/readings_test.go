package edit

import (
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

// A file that clients decode in several ways has one name and is taken out as one; what is
// in it can be changed in none.
func TestEditsOfSeveralDecodings(t *testing.T) {
	b := newBench(t)
	head := "Content-Type: application/octet-stream; name=\"a.exe\"\nContent-Disposition: attachment; filename=\"a.exe\"\nContent-Transfer-Encoding: "
	for name, body := range map[string]string{
		"indented after a soft break": "quoted-printable\n\nMZ program=\n text\n",
		"stray escape":                "quoted-printable\n\nMZ pro=G1gram\n",
		"data after padding":          "base64\n\nTVogcA==cm9ncmFt\n",
	} {
		for _, place := range placements[:2] {
			part, text, _ := strings.Cut(head+body, "\n\n")
			m := b.opened(strings.ReplaceAll(place.put(part+"\n", text), "\n", "\r\n"))
			var found []scan.Finding
			for i, p := range m.Parts {
				if slices.Contains(p.Names, "a.exe") {
					found = append(found, scan.Finding{Kind: scan.Forbidden, Scanner: "attachment", Rule: "attachment/name", Part: i})
				}
			}
			if len(found) < 2 {
				t.Fatalf("%s: %d readings", name, len(found))
			}
			for kind, want := range map[policy.EditKind]string{policy.Rename: "a.exe.renamed", policy.Replace: "removed.txt"} {
				out, err := b.apply(b.job(m, kind, found...))
				if err != nil || !strings.Contains(out, want) || strings.Contains(out, "a.exe\"\r\n") {
					t.Errorf("%s, %s, %s: %v\n%s", name, place.name, kind, err, out)
				}
			}
			if out, err := b.apply(b.job(m, policy.Disarm, found...)); err == nil {
				t.Errorf("%s, %s: disarmed\n%s", name, place.name, out)
			}
			m.Close()
		}
	}
}
