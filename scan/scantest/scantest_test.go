package scantest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/milterscan/milterscan/scan"
)

// counter is a well-behaved scanner: it reports each part that holds a z.
type counter struct{}

func (counter) Name() string { return "content" }

func (counter) Scan(ctx context.Context, m *scan.Message) (found []scan.Finding, err error) {
	for i, p := range m.Parts {
		if p.Content == nil || p.Content.Size() > 1000 {
			continue
		}
		b, err := io.ReadAll(scan.Reader(p.Content))
		if err != nil {
			return found, err
		}
		for _, c := range b {
			if c == 'z' {
				found = append(found, scan.Finding{Kind: scan.Note, Scanner: "content", Rule: "content/z", Part: i})
			}
		}
	}
	return found, ctx.Err()
}

func TestGoodScannerPasses(t *testing.T) {
	Run(t, counter{}, scan.Rule{Name: "content/z", Kind: scan.Note, About: "a z"})
}

// recorder is a test that only counts its errors.
type recorder struct {
	testing.TB
	errors []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func TestCheckSeesBadFindings(t *testing.T) {
	good := scan.Finding{Kind: scan.Note, Scanner: "content", Rule: "content/z", Part: 0}
	rules := []scan.Rule{{Name: "content/z", Kind: scan.Note}, {Name: "content/any/*", Kind: scan.Suspicious}}
	m := Message("", scan.Part{Parent: -1, Path: "1"})
	for name, c := range map[string]struct {
		change func(*scan.Finding)
		want   int
	}{
		"none":       {func(f *scan.Finding) {}, 0},
		"wildcard":   {func(f *scan.Finding) { f.Rule, f.Kind = "content/any/thing", scan.Suspicious }, 0},
		"scanner":    {func(f *scan.Finding) { f.Scanner = "virus" }, 2},
		"rule":       {func(f *scan.Finding) { f.Rule = "content/other" }, 1},
		"rule blank": {func(f *scan.Finding) { f.Rule = "content/any/a b"; f.Kind = scan.Suspicious }, 1},
		"kind":       {func(f *scan.Finding) { f.Kind = scan.Infected }, 1},
		"part":       {func(f *scan.Finding) { f.Part = 1 }, 1},
		"part below": {func(f *scan.Finding) { f.Part = -2 }, 1},
	} {
		f, r := good, &recorder{TB: t}
		c.change(&f)
		Check(r, counter{}, m, []scan.Finding{f}, rules...)
		if len(r.errors) != c.want {
			t.Errorf("%s: %d errors, want %d: %q", name, len(r.errors), c.want, r.errors)
		}
	}
}

func TestFingerprintSeesChanges(t *testing.T) {
	m := Message("Subject: x\r\n\r\nbody", scan.Part{Parent: -1, Path: "1", Names: []string{"a"}, Content: Bytes([]byte("body"))})
	before := fingerprint(m)
	m.Parts[0].Names[0] = "b"
	if fingerprint(m) == before {
		t.Error("a changed name goes unseen")
	}
}

func TestBrokenContentIsAnError(t *testing.T) {
	c := &broken{}
	_, err := scan.Reader(c).Read(make([]byte, 1))
	if !errors.Is(err, errBroken) || !c.tried.Load() {
		t.Errorf("Read: %v, tried %v", err, c.tried.Load())
	}
}
