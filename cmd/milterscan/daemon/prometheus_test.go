package daemon

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/tests/sample"
)

// everything is a daemon that has something to count of each kind.
const everything = counted + keeping + `
[dns]
servers = ["127.0.0.1:1"]
timeout = "200ms"
[[spam.list]]
name = "test"
zone = "bl.test"
lookup = "sender"
answers = ["127.0.0.2"]
[[feed]]
name = "known"
url = "PUBLISHER/hosts.txt"
kind = "hosts"
`

// counts has mails judged by a daemon that counts everything, and returns the counts.
func allCounts(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	(&running{t: t, dir: dir}).clamd("well")
	settings := strings.Replace(everything, "PUBLISHER", publisher(t).URL, 1) + engine("clamd", "well", `on_failure = "deliver"`) + engine("gone", "nothing", `on_failure = "deliver"`)
	r := start(t, dir, settings)
	r.await("log", `"ready"`)
	r.mustAsk("m", "one")
	infected := "From: a@example.org\r\nSubject: two\r\n\r\n" + sample.EICAR + "\r\n"
	if a, err := r.ask("m", infected); err != nil || a.Answer != policy.Discard {
		t.Fatalf("%+v, %v", a, err)
	}
	r.stop()
	if err := os.Remove(filepath.Join(dir, "log")); err != nil {
		t.Fatal(err)
	}
	r = start(t, dir, settings) // stores are measured at the start
	r.await("log", `"ready"`)
	r.mustAsk("m", "three")
	if a, err := r.ask("m", infected); err != nil || a.Answer != policy.Discard {
		t.Fatalf("%+v, %v", a, err)
	}
	r.fetch("web", "/readyz")
	var text string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if _, text = r.fetch("web", "/metrics"); strings.Contains(text, "milterscan_quarantine_messages{") && strings.Contains(text, "milterscan_feed_seen") {
			return text
		}
	}
	t.Fatal(text)
	return ""
}

// sharedCounts returns the counts of a daemon that shares a database and a Redis, which are away.
func sharedCounts(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	(&running{t: t, dir: dir}).clamd("well")
	r := start(t, dir, counted+engine("clamd", "well", "")+"[store]\nurl = \"postgres://mail@127.0.0.1:1/mail?sslmode=disable\"\n[store.redis]\nurl = \"redis://127.0.0.1:1\"\n")
	r.await("log", `"ready"`)
	_, text := r.fetch("web", "/metrics")
	var list []string
	for _, line := range strings.SplitAfter(text, "\n") { // what other daemons have as well is in their counts
		if strings.Contains(line, "milterscan_shared_") || strings.Contains(line, "_waiting_messages") {
			list = append(list, line)
		}
	}
	all := strings.Join(list, "")
	away := func(name string) bool { return strings.Contains(all, name+" 0\n") }
	if away("milterscan_shared_database_up") && away("milterscan_shared_redis_up") && away("_waiting_messages") {
		return all
	}
	t.Fatal(text)
	return ""
}

// names returns the names of metrics in a text.
func names(text string) map[string]bool {
	list := map[string]bool{}
	for _, name := range regexp.MustCompile(`\bmilterscan_[a-z_]+`).FindAllString(text, -1) {
		list[name] = true
	}
	return list
}

// families returns the names without what histograms add to them.
func families(all map[string]bool, histograms map[string]bool) []string {
	list := map[string]bool{}
	for name := range all {
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base, ok := strings.CutSuffix(name, suffix); ok && histograms[base] {
				name = base
			}
		}
		list[name] = true
	}
	return slices.Sorted(maps.Keys(list))
}

func read(t *testing.T, elements ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"..", "..", ".."}, elements...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestPrometheus compares the counts with what goes by them: the table of the manual has
// all, and no other; rules and board use none that is not there, and leave none out.
func TestPrometheus(t *testing.T) {
	text := allCounts(t) + sharedCounts(t)
	histograms := map[string]bool{}
	for _, m := range regexp.MustCompile(`# TYPE (\S+) histogram`).FindAllStringSubmatch(text, -1) {
		histograms[m[1]] = true
	}
	served := families(names(text), histograms)
	manual := read(t, "docs", "operating.md")
	table, _, _ := strings.Cut(manual[strings.Index(manual, "## Metrics"):], "A label has at most")
	if got := families(names(table), histograms); !slices.Equal(got, served) {
		t.Errorf("docs/operating.md lists\n%s\nand there is\n%s", got, served)
	}
	rules, board := expressions(read(t, "contrib", "prometheus", "milterscan.rules.yml")), strings.Join(queries(t), "\n")
	used := families(names(rules+board), histograms)
	for _, name := range used {
		if !slices.Contains(served, name) {
			t.Errorf("%s is used in contrib/prometheus, and does not exist", name)
		}
	}
	for _, name := range served {
		if !slices.Contains(used, name) {
			t.Errorf("neither the board nor a rule shows %s", name)
		}
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "milterscan_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// expressions returns all of the rules but their texts for people.
func expressions(rules string) string {
	return regexp.MustCompile(`(?m)^\s+(summary|description|runbook_url):.*$`).ReplaceAllString(rules, "")
}

// queries returns the expressions of all panels of the board.
func queries(t *testing.T) (list []string) {
	t.Helper()
	var board struct {
		Title  string
		UID    string
		Panels []struct {
			Title, Type, Description string
			Targets                  []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "contrib", "prometheus", "milterscan.json")), &board); err != nil {
		t.Fatal(err)
	}
	if board.Title == "" || board.UID == "" || len(board.Panels) == 0 {
		t.Fatal("the board has no name, or no panels")
	}
	for _, p := range board.Panels {
		if p.Title == "" || p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("a panel %q of type %s has no title or no target", p.Title, p.Type)
		}
		for _, target := range p.Targets {
			list = append(list, target.Expr)
		}
	}
	return list
}

// TestAlertsAreExplained finds for each alert its section in the manual.
func TestAlertsAreExplained(t *testing.T) {
	rules, manual := read(t, "contrib", "prometheus", "milterscan.rules.yml"), read(t, "docs", "operating.md")
	tests := read(t, "contrib", "prometheus", "milterscan.rules.test.yml")
	alerts := regexp.MustCompile(`(?m)alert: (\S+)$`).FindAllStringSubmatch(rules, -1)
	for _, m := range alerts {
		name := m[1]
		if !strings.Contains(manual, "\n### "+name+"\n") {
			t.Errorf("docs/operating.md does not explain %s", name)
		}
		if !strings.Contains(rules, "docs/operating.md#"+strings.ToLower(name)+"\n") {
			t.Errorf("%s does not lead to its section", name)
		}
		if !strings.Contains(tests, "  - name: "+name+"\n") {
			t.Errorf("no test shows when %s fires", name)
		}
	}
	for _, annotation := range []string{"summary", "description", "runbook_url"} {
		if n := strings.Count(rules, " "+annotation+": "); n != len(alerts) {
			t.Errorf("%d alerts, and %d times %s", len(alerts), n, annotation)
		}
	}
	if sections := strings.Count(manual, "\n### Milterscan"); sections != len(alerts) || len(alerts) < 10 {
		t.Errorf("%d alerts, %d sections", len(alerts), sections)
	}
}
