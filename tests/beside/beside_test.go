package beside

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan/sender/dns/dnstest"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

var update = flag.Bool("update", false, "write docs/comparison.md")

// trick is a mail that does something, and one that is the same but for that.
type trick struct {
	name       string
	with, less letter
	right      string // pattern of what a filter should say of it; any more than of the other if empty
	wrong      string // pattern of what it must not say
}

// point are tricks of one kind.
type point struct {
	title, about string
	only         string // pattern of what is of interest; all if empty
	not          string // pattern of what is of none
	tricks       []trick
}

// answer is what one filter says of a trick and not of the other mail.
type answer struct {
	said  []string
	right bool
}

func (tr trick) judge(p point, with, less []string) (a answer) {
	only, not := regexp.MustCompile(p.only), regexp.MustCompile(cmp.Or(p.not, `^$`))
	for _, name := range with {
		if only.MatchString(name) && !not.MatchString(name) && !slices.Contains(less, name) && !slices.Contains(a.said, name) {
			a.said = append(a.said, name)
		}
	}
	slices.Sort(a.said)
	matches := func(pattern string) bool { return slices.ContainsFunc(with, regexp.MustCompile(pattern).MatchString) }
	a.right = len(a.said) > 0
	if tr.right != "" {
		a.right = matches(tr.right)
	}
	a.right = a.right && (tr.wrong == "" || !matches(tr.wrong))
	return a
}

// TestBeside asks all of them about everything. It fails only if it cannot: what they say is
// what the page tells.
func TestBeside(t *testing.T) {
	if os.Getenv("MILTERSCAN_BESIDE") == "" {
		t.Skip("MILTERSCAN_BESIDE is not set")
	}
	zone := dnstest.Zone{}
	points := allPoints(t, zone)
	records := zoneRecords(zone)
	filters := startFilters(t, servers.StartKnot(t, map[string]string{"test": records, "com": "", "org": ""}))
	var page strings.Builder
	sums := map[string][]int{}
	for _, p := range points {
		fmt.Fprintf(&page, "\n## %s\n\n%s\n\n| mail |", p.title, p.about)
		for _, f := range filters {
			fmt.Fprintf(&page, " %s |", f.name)
		}
		page.WriteString("\n|---|" + strings.Repeat("---|", len(filters)) + "\n")
		sums[p.title] = make([]int, len(filters))
		for _, tr := range p.tricks {
			fmt.Fprintf(&page, "| %s |", tr.name)
			for i, f := range filters {
				a := tr.judge(p, f.says(t, tr.with), f.says(t, tr.less))
				if a.right {
					sums[p.title][i]++
				}
				page.WriteString(" " + cell(a) + " |")
			}
			page.WriteString("\n")
		}
	}
	text := summary(t, points, filters, sums) + page.String()
	t.Log(text)
	if *update {
		writePage(t, text)
	}
}

// mostSaid bounds the names in a cell.
const mostSaid = 3

func cell(a answer) string {
	said := slices.Clone(a.said)
	more := ""
	if len(said) > mostSaid {
		more = fmt.Sprintf(" and %d more", len(said)-mostSaid)
		said = said[:mostSaid]
	}
	for i := range said {
		said[i] = "`" + said[i] + "`"
	}
	text := strings.Join(said, ", ") + more
	switch {
	case a.right:
		return strings.TrimSpace("✓ " + text)
	case text == "":
		return "–"
	}
	return "– (" + text + ")"
}

// summary returns the table of how many tricks of each point each filter tells of.
func summary(t *testing.T, points []point, filters []*filter, sums map[string][]int) string {
	var b strings.Builder
	b.WriteString("| of |")
	for _, f := range filters {
		fmt.Fprintf(&b, " %s |", f.name)
	}
	b.WriteString("\n|---|" + strings.Repeat("--:|", len(filters)) + "\n")
	for _, p := range points {
		fmt.Fprintf(&b, "| %s: %d |", p.title, len(p.tricks))
		for _, n := range sums[p.title] {
			fmt.Fprintf(&b, " %d |", n)
		}
		b.WriteString("\n")
	}
	b.WriteString("\nWhat that took; daemons are measured as they are, all their processes together, and `milterscan scan` with its start and its children:\n\n" +
		"| | processor time of a mail | memory |\n|---|--:|--:|\n")
	for _, f := range filters {
		if f.most != nil {
			fmt.Fprintf(&b, "| `%s scan` | at most %.2f s | a process of %d MB |\n", f.name, f.most.cpu.Seconds(), f.most.memory>>10)
			continue
		}
		cpu, memory := f.spent(t)
		fmt.Fprintf(&b, "| %s | %.3f s on average | %d MB |\n", f.name, cpu.Seconds()/float64(f.asked), memory>>20)
	}
	return b.String()
}

const mark = "<!-- what follows is written by tests/beside -->\n"

// writePage replaces what the page has after its mark.
func writePage(t *testing.T, text string) {
	t.Helper()
	file := filepath.Join(servers.Root(t), "docs", "comparison.md")
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, _, ok := strings.Cut(string(page), mark)
	if !ok {
		t.Fatalf("%s has no mark", file)
	}
	if err := os.WriteFile(file, []byte(before+mark+"\n"+text), 0o644); err != nil {
		t.Fatal(err)
	}
}
