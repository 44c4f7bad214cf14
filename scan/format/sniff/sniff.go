// Package sniff tells the media type of bytes by looking at them.
package sniff

import (
	"io"

	"github.com/gabriel-vasile/mimetype"

	"github.com/milterscan/milterscan/scan/scratch"
)

// head is how much of the content is looked at.
const head = 3072

// Type returns the media type by content, without parameters, or
// "application/octet-stream" where nothing fits.
func Type(r io.ReaderAt, size int64) string {
	buf := scratch.Lend()
	defer buf.Return()
	return mediaType(mimetype.Detect(buf.Head(r, min(size, head))).String())
}

// mediaType cuts the parameters off.
func mediaType(s string) string {
	for i := range len(s) {
		if s[i] == ';' {
			return s[:i]
		}
	}
	return s
}
