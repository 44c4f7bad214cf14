// Package sniff tells the media type of bytes by looking at them.
package sniff

import (
	"io"

	"github.com/gabriel-vasile/mimetype"
)

// head is how much of the content is looked at.
const head = 3072

// Type is the media type by content, without parameters, or
// "application/octet-stream" where nothing fits.
func Type(r io.ReaderAt, size int64) string {
	buf := make([]byte, min(size, head))
	n, _ := r.ReadAt(buf, 0)
	return mediaType(mimetype.Detect(buf[:n]).String())
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
