package worker

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/units"
)

// FindPDFToText returns the path of pdftotext, of Poppler, "" if it is not
// installed.
func FindPDFToText() string {
	for _, path := range []string{"/usr/bin/pdftotext", "/usr/local/bin/pdftotext"} {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
	}
	return ""
}

// What pdftotext may use for one file.
const (
	pdfMemory = 256 * units.MB
	pdfCPU    = 5 * time.Second
)

// PDFText returns the text of a PDF in UTF-8, its first bytes up to most; whole says
// that there is no more. An error means that pdftotext, at the given path, could not
// read it: damaged, encrypted, or too much work.
func (c Config) PDFText(ctx context.Context, path string, pdf archive.Content, most int) (text string, whole bool, err error) {
	o, err := c.Run(ctx, Program{
		Path: path, Args: []string{"-q", "-enc", "UTF-8", "-nopgbrk", "-eol", "unix", "/dev/stdin", "-"},
		Memory: pdfMemory, CPU: pdfCPU, Wall: c.Wall, Output: most, Alone: true,
	}, pdf)
	if err == nil && o.Status != 0 {
		err = fmt.Errorf("%w: status %d", errProgram, o.Status)
	}
	return o.Output, !o.Cut, err
}
