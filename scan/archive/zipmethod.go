package archive

import (
	"bufio"
	"compress/bzip2"
	"io"

	"github.com/klauspost/compress/flate"
)

// decoder unpacks the data of a reading. Used says how many packed bytes were
// consumed; it is nil where the method cannot tell.
func (r *zipReader) decoder(z zipReading) (src io.Reader, used func() int64, err error) {
	if z.method == 0 {
		return &exactly{z.open(), z.length}, nil, nil
	}
	raw := &counted{r: z.open()}
	in := r.buffer(raw)
	used = func() int64 { return raw.n - int64(in.Buffered()) }
	switch z.method {
	case 8:
		return r.flate(in), used, nil
	case 12:
		return bzip2.NewReader(in), nil, nil
	}
	return nil, nil, errMethod(z.method)
}

// buffer returns a reader that hands out single bytes, which lets decoders stop
// exactly at their end.
func (r *zipReader) buffer(src io.Reader) *bufio.Reader {
	if r.in == nil {
		r.in = bufio.NewReaderSize(src, 1<<15)
	}
	r.in.Reset(src)
	return r.in
}

func (r *zipReader) flate(in *bufio.Reader) io.Reader {
	if r.inflate == nil {
		r.inflate = flate.NewReader(in)
	} else {
		r.inflate.(flate.Resetter).Reset(in, nil)
	}
	return r.inflate
}

// exactly reads n bytes of r; fewer are an error.
type exactly struct {
	r io.Reader
	n int64
}

func (e *exactly) Read(p []byte) (int, error) {
	if e.n <= 0 {
		return 0, io.EOF
	}
	n, err := e.r.Read(p[:min(int64(len(p)), e.n)])
	e.n -= int64(n)
	if e.n > 0 {
		err = unexpected(err)
	}
	return n, err
}
