package pipeline

import (
	"context"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/open/texts"
	"github.com/milterscan/milterscan/scan/open/worker"
)

// readPDFs has the text of PDFs read where a list looks for words in files, if
// there is a program that can.
func readPDFs(c *config.Config, texts *texts.Inventory) {
	path := worker.FindPDFToText()
	if path == "" || !c.Content.WantsFiles() {
		return
	}
	run := worker.Defaults()
	texts.ReadPDF(func(ctx context.Context, pdf scan.Content, most int) (string, bool, error) {
		return run.PDFText(ctx, path, pdf, most)
	})
}

// readCodes has codes in pictures read by the children that read archives.
func readCodes(c *config.Config, workers *worker.Pool, texts *texts.Inventory) {
	if c.Content.Limits.Pictures > 0 {
		texts.ReadCodes(workers.Codes)
	}
}

// Absent lists the formats that are not read because a program is not installed.
func Absent(c *config.Config) (list []string) {
	if worker.FindHelper() == "" {
		list = append(list, "unar is not installed: StuffIt and other rare archives count as unscannable")
	}
	if worker.FindPDFToText() == "" && c.Content.WantsFiles() {
		list = append(list, "pdftotext (poppler-utils) is not installed: lists do not look for words in PDF files")
	}
	return list
}
