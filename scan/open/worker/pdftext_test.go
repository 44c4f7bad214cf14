//go:build linux

package worker

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/tests/sample"
)

func TestPDFText(t *testing.T) {
	path := FindPDFToText()
	if path == "" {
		t.Skip("pdftotext is not installed")
	}
	cfg := testConfig(t, "proper")
	cfg.Wall = 20 * time.Second
	text, whole, err := cfg.PDFText(t.Context(), path, bytes.NewReader(sample.PDF("a.pdf", "strictly confidential").Content), 1000)
	if err != nil || !whole || strings.TrimSpace(text) != "strictly confidential" {
		t.Errorf("%q, whole %t, error %v", text, whole, err)
	}
	if text, whole, err := cfg.PDFText(t.Context(), path, bytes.NewReader(sample.PDF("a.pdf", "strictly confidential").Content), 8); err != nil || whole || text != "strictly" {
		t.Errorf("cut: %q, whole %t, error %v", text, whole, err)
	}
	for name, bad := range map[string]string{"nonsense": "%PDF-1.4 and nonsense", "empty": "", "truncated": string(sample.PDF("a.pdf", "x").Content[:100])} {
		if text, _, err := cfg.PDFText(t.Context(), path, strings.NewReader(bad), 1000); err == nil {
			t.Errorf("%s: %q, no error", name, text)
		}
	}
}

// TestPDFTextMisbehaves: a program that hangs or dies has read nothing.
func TestPDFTextMisbehaves(t *testing.T) {
	for text, want := range map[string]error{"echo text; exit 1": errProgram, "exec sleep 100": scan.ErrHost, "kill -9 $$": errProgram} {
		cfg := testConfig(t, "proper")
		if cfg.Wall = time.Minute; want == scan.ErrHost { // what hangs ends by the clock alone
			cfg.Wall = 300 * time.Millisecond
		}
		if got, _, err := cfg.PDFText(t.Context(), script(t, text).Path, bytes.NewReader(nil), 100); !errors.Is(err, want) {
			t.Errorf("%s: %q, error %v; want %v", text, got, err, want)
		}
	}
}
