package servers

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"time"
)

// Prometheus is a running Prometheus.
type Prometheus struct {
	address string
	client  http.Client
}

// StartPrometheus starts a Prometheus with a configuration and further files next to it,
// by their names. Cleanup stops it.
func StartPrometheus(t TB, config string, files map[string]string) *Prometheus {
	t.Helper()
	dir := newDir(t)
	writeFile(t, filepath.Join(dir, "prometheus.yml"), config)
	for name, text := range files {
		writeFile(t, filepath.Join(dir, name), text)
	}
	p := &Prometheus{address: newAddr(t), client: http.Client{Timeout: 10 * time.Second}}
	proc := run(t, filepath.Join(dir, "log"), "prometheus", "--config.file="+filepath.Join(dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+p.address)
	t.Cleanup(proc.stop)
	proc.ready(t, "prometheus at "+p.address, func() bool { _, err := p.get("/-/ready"); return err == nil })
	return p
}

// FreeAddress returns a loopback address and port where nothing listens.
func FreeAddress(t TB) string {
	t.Helper()
	return newAddr(t)
}

func (p *Prometheus) get(path string) ([]byte, error) {
	answer, err := p.client.Get("http://" + p.address + path)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = errors.New(answer.Status)
	}
	return text, err
}

// Sample is a value that Prometheus has.
type Sample struct {
	Labels map[string]string `json:"metric"`
	Value  [2]any            `json:"value"` // its time, and itself as a text
}

// Query returns what an expression comes to now.
func (p *Prometheus) Query(t TB, expression string) []Sample {
	t.Helper()
	var answer struct {
		Data struct{ Result []Sample }
	}
	p.ask(t, "/api/v1/query?query="+url.QueryEscape(expression), &answer)
	return answer.Data.Result
}

// Alert is an alert that is pending or fires.
type Alert struct {
	Labels, Annotations map[string]string
	State               string
}

// Alerts returns all alerts of now.
func (p *Prometheus) Alerts(t TB) []Alert {
	t.Helper()
	var answer struct {
		Data struct{ Alerts []Alert }
	}
	p.ask(t, "/api/v1/alerts", &answer)
	return answer.Data.Alerts
}

func (p *Prometheus) ask(t TB, path string, answer any) {
	t.Helper()
	text, err := p.get(path)
	if err == nil {
		err = json.Unmarshal(text, answer)
	}
	if err != nil {
		t.Fatalf("prometheus: %s: %v\n%s", path, err, text)
	}
}
