package daemon

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/policy/config"
)

// fetch asks a socket of the daemon for a page.
func (r *running) fetch(socket, page string) (status int, text string) {
	r.t.Helper()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(r.dir, socket))
	}
	transport := &http.Transport{DialContext: dial, DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, Timeout: patience}
	answer, err := client.Get("http://milterscan" + page)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

const counted = plain + `
[metrics]
listen = ["unix:DIR/web"]
`

// TestCounts judges a mail and reads of it what Prometheus would.
func TestCounts(t *testing.T) {
	r := start(t, t.TempDir(), counted)
	r.await("log", `"ready"`)
	r.mustAsk("m", "one")
	r.await("log", `"message"`)
	wanted := []string{
		`milterscan_messages_total{action="deliver",stage="message"} 1`, `milterscan_recipients_total 1`, `milterscan_stage_seconds_count{stage="scan"} 1`,
		`milterscan_stage_seconds_count{stage="tell"} 1`, "milterscan_connections 0", "milterscan_connections_accepted_total 1",
		`milterscan_workers_ended_total{reason="cpu"} 0`, "milterscan_log_lines_lost_total 0",
		`milterscan_scanner_seconds_count{scanner="attachment"} 1`, "milterscan_generation 1", "milterscan_troubles 0", "milterscan_spool_disk_bytes 0",
		"milterscan_history_records_lost_total 0",
	}
	var text string
	missing := func(want string) bool { return !strings.Contains(text, want+"\n") }
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if _, text = r.fetch("web", "/metrics"); !slices.ContainsFunc(wanted, missing) { // counted and hung up, whichever comes first
			break
		}
	}
	for _, want := range slices.DeleteFunc(wanted, func(want string) bool { return !missing(want) }) {
		t.Errorf("there is no %s in\n%s", want, text)
	}
	for page, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/": 404, "/metrics/x": 404} {
		if status, text := r.fetch("web", page); status != want {
			t.Errorf("%s: %d %s", page, status, text)
		}
	}
}

// TestCountsAreReloaded listens elsewhere after a reload, and where it was if that
// cannot be.
func TestCountsAreReloaded(t *testing.T) {
	r := start(t, t.TempDir(), plain)
	r.await("log", `"ready"`)
	if status, _ := r.fetch("web", "/healthz"); status != 0 {
		t.Error("counts are served where none are wanted")
	}
	r.reload(counted)
	r.await("log", `"generation":2`)
	if status, text := r.fetch("web", "/readyz"); status != 200 {
		t.Errorf("%d %s", status, text)
	}
	r.reload(strings.Replace(counted, "DIR/web", "DIR/none/web", 1))
	r.await("log", "metrics.listen")
	if _, text := r.fetch("web", "/metrics"); !strings.Contains(text, `milterscan_reloads_total{result="refused"} 1`+"\n") ||
		!strings.Contains(text, `milterscan_reloads_total{result="used"} 1`+"\n") {
		t.Error(text)
	}
	r.reload(plain)
	r.await("log", `"generation":3`)
	if status, _ := r.fetch("web", "/healthz"); status != 0 {
		t.Error("counts are served where none are wanted any more")
	}
}

// TestCountsComeBack has a listener that fails by itself: the next reload opens its
// address again.
func TestCountsComeBack(t *testing.T) {
	address := config.Address("unix:" + filepath.Join(t.TempDir(), "web"))
	none := func() (http.Handler, error) { return http.NotFoundHandler(), nil }
	w := &web{section: "metrics", ended: func(...zap.Field) {}, handler: none, log: zap.NewNop(), servers: map[config.Address]*webServer{}}
	defer w.close()
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead.Close()
	w.serve(address, dead, http.NotFoundHandler())
	w.serving.Wait()
	if err := w.use([]config.Address{address}); err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("unix", strings.TrimPrefix(string(address), "unix:"))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

// TestConsole opens the pages at a reload, and closes them at the next.
func TestConsole(t *testing.T) {
	r := start(t, t.TempDir(), plain)
	r.await("log", `"ready"`)
	if status, _ := r.fetch("pages", "/"); status != 0 {
		t.Error("pages are served where none are wanted")
	}
	r.reload(plain + "[console]\nlisten = [\"unix:DIR/pages\"]\nfile = \"DIR/console.db\"\n")
	r.await("log", `"generation":2`)
	if status, text := r.fetch("pages", "/style/any.css"); status != 200 || !strings.Contains(text, "--page") {
		t.Errorf("%d %s", status, text)
	}
	r.reload(plain)
	r.await("log", `"generation":3`)
	if status, _ := r.fetch("pages", "/"); status != 0 {
		t.Error("pages are served where none are wanted any more")
	}
}

// TestDrift tells when the file is not what is in force.
func TestDrift(t *testing.T) {
	dir := t.TempDir()
	r := &running{t: t, dir: dir}
	r.configure(plain)
	var errs bytes.Buffer
	d, _ := New(filepath.Join(dir, "milterscan.toml"), "test", &errs)
	if d == nil {
		t.Fatal(errs.String())
	}
	defer d.close()
	for text, want := range map[string]string{plain: "", plain + "[limits]\nparts = 77\n": "is not in force", plain + "[limits]\nparts = 0\n": "will be refused"} {
		r.configure(text)
		if got := d.drift(); (len(got) == 0) != (want == "") || want != "" && !strings.Contains(got[0].What, want) {
			t.Errorf("%q: %+v", want, got)
		}
	}
}
