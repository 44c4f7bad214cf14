package feed

import (
	"bytes"
	"compress/gzip"
)

// zeros is gzip of ten megabytes.
var zeros = func() []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(make([]byte, 10<<20)) // into memory: cannot fail
	w.Close()
	return b.Bytes()
}()
