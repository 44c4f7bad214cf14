package history

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

func aReport() Report {
	var counts []Count
	for _, r := range []policy.Record{
		{Action: "reject", Sender: "a@<script>.example", Recipients: to("reject", "b@example.com", "c@example.com", "d@example.org"), Size: 10,
			Verdicts: []policy.RecordVerdict{{Recipients: []string{"b", "c"}, Action: "reject", Applied: []string{"viruses", "marks"}, Watched: []string{"tries"}}},
			Findings: []policy.RecordFinding{{Kind: scan.Infected, Rule: "virus/x"}},
			Scanners: []policy.ScannerTime{{Scanner: "virus/clamd", Found: 1}, {Scanner: "spam", Error: "timeout"}}},
		{Action: "deliver", Size: 5},
	} {
		counts = append(counts, CountsOf(r)...)
	}
	return NewReport(counts, time.Unix(0, 0).UTC(), time.Unix(3600, 0).UTC(), 1)
}

func TestReport(t *testing.T) {
	r := aReport()
	if r.Messages != 2 || r.Bytes != 15 || len(r.Engines) != 2 || r.Engines[1] != (Engine{"spam", 1, 0, 1}) {
		t.Errorf("%+v", r)
	}
	var text, html strings.Builder
	if err := r.Text(&text); err != nil {
		t.Fatal(err)
	}
	if err := r.HTML(&html); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2 messages, 15 bytes", "viruses", "virus/x", "2         in 1 others", "tries", "Rules that only watch", "<script>.example", "in 1 others", "example.com", "virus/clamd"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, &text)
		}
	}
	if strings.Contains(html.String(), "<script>") || !strings.Contains(html.String(), "&lt;script&gt;") {
		t.Errorf("not escaped:\n%s", &html)
	}
}

func TestOwnTemplates(t *testing.T) {
	dir := t.TempDir()
	for name, want := range map[string]string{"own.txt": "2: a@<script>.example", "own.html": "2: a@&lt;script&gt;.example"} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(`{{.Messages}}: a@{{(index (index .Sections 3).Rows 0).Value}}`), 0o600); err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		if err := aReport().Template(&out, file); err != nil || out.String() != want {
			t.Errorf("%s: %q, %v", name, out.String(), err)
		}
	}
	if err := aReport().Template(&strings.Builder{}, filepath.Join(dir, "missing.txt")); err == nil {
		t.Error("a template that is not there")
	}
}
