package integration

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

// shippedFor is a file of contrib/prometheus.
func shippedFor(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(servers.Root(t), "contrib", "prometheus", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// promtool runs promtool in contrib/prometheus.
func promtool(t *testing.T, in io.Reader, args ...string) string {
	t.Helper()
	cmd := exec.Command("promtool", args...)
	cmd.Dir, cmd.Stdin = filepath.Join(servers.Root(t), "contrib", "prometheus"), in
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// TestPromtool has Prometheus' own tool look at all that is shipped for it, and at what a
// daemon serves.
func TestPromtool(t *testing.T) {
	needServers(t)
	promtool(t, nil, "check", "rules", "milterscan.rules.yml")
	promtool(t, nil, "check", "config", "prometheus.yml")
	if out := promtool(t, nil, "test", "rules", "milterscan.rules.test.yml"); !strings.Contains(out, "SUCCESS") {
		t.Error(out)
	}
	address := servers.FreeAddress(t)
	servers.StartMilterscan(t, filepath.Join(t.TempDir(), "m"), "[metrics]\nlisten = [\"tcp:"+address+"\"]\n")
	answer, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var ours bytes.Buffer // not the process' own, whose names are not ours to choose
	text, err := io.ReadAll(answer.Body)
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "milterscan_") {
			ours.WriteString(line)
		}
	}
	if err != nil || ours.Len() == 0 {
		t.Fatal(err)
	}
	promtool(t, &ours, "check", "metrics")
}

// TestPrometheusFires has a Prometheus fetch the counts of a milterscan whose engine is gone:
// it counts a mail, and says of two alerts, and no others, that they fire. When the engine is
// there, they end.
func TestPrometheusFires(t *testing.T) {
	address := servers.FreeAddress(t)
	h := newHouse(t, "[metrics]\nlisten = [\"tcp:"+address+"\"]\n")
	config := strings.NewReplacer("127.0.0.1:8026", address, "scrape_interval: 30s", "scrape_interval: 1s").Replace(shippedFor(t, "prometheus.yml"))
	rules := regexp.MustCompile(`for: \S+`).ReplaceAllString(shippedFor(t, "milterscan.rules.yml"), "for: 1s")
	p := servers.StartPrometheus(t, "global: {evaluation_interval: 1s}\n"+config, map[string]string{"milterscan.rules.yml": rules})
	if r := h.send(servers.Mail{From: "a@example.net", To: []string{"b@example.com"}, Data: sample.Plain("counted", "hello")}); !r.Accepted() {
		t.Fatal(r)
	}
	servers.Await(t, "Prometheus to count a mail", func() bool {
		all := p.Query(t, `milterscan_messages_total{stage="message", action="deliver"}`)
		return len(all) == 1 && all[0].Value[1] == "1" && all[0].Labels["job"] == "milterscan"
	})
	if all := firing(t, p); len(all) != 0 {
		t.Errorf("when all is well: %v", all)
	}
	h.clamd.Kill()
	servers.Await(t, "the alerts to fire", func() bool {
		return firing(t, p)["MilterscanNotReady"] != "" && firing(t, p)["MilterscanEngineDown"] != ""
	})
	if all := firing(t, p); len(all) != 2 || !strings.Contains(all["MilterscanEngineDown"], "virus/clamd does not answer") {
		t.Errorf("%v", all)
	}
}

// firing returns the summaries of all alerts that fire, by their names: but of that on the disk, which is right where the
// host that runs the tests has a full one.
func firing(t *testing.T, p *servers.Prometheus) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, a := range p.Alerts(t) {
		if a.State == "firing" && a.Labels["alertname"] != "MilterscanDiskLow" {
			all[a.Labels["alertname"]] = a.Annotations["summary"]
		}
	}
	return all
}
