package archive

import (
	"bufio"
	"encoding/binary"
	"io"
	"sync"

	"github.com/bodgit/sevenzip"

	"github.com/milterscan/milterscan/scan/format/inflate"
	"github.com/milterscan/milterscan/scan/format/lzma"
)

// lending is whose windows the decoders of LZMA get that the library makes just now. It
// makes them while it opens an archive or a member, from the properties alone, and has no
// way to hand on anything else: so one is opened after the other.
var lending struct {
	sync.Mutex
	windows *windows
}

// lend calls f, in which the library may make decoders of LZMA: they take windows of w
// and charge its budget for as long as they live.
func (w *windows) lend(f func() error) error {
	decodeLZMA()
	lending.Lock()
	defer lending.Unlock()
	lending.windows = w
	return safely(f)
}

// decodeLZMA has the library decode LZMA and LZMA2 with package lzma.
var decodeLZMA = sync.OnceFunc(func() {
	sevenzip.RegisterDecompressor([]byte("\x03\x01\x01"), sevenZipLZMA)
	sevenzip.RegisterDecompressor([]byte("\x21"), sevenZipLZMA2)
	sevenzip.RegisterDecompressor([]byte("\x04\x01\x08"), sevenZipDeflate)
})

// sevenZipLZMA opens a coder of LZMA.
func sevenZipLZMA(properties []byte, size uint64, in []io.ReadCloser) (io.ReadCloser, error) {
	if len(properties) != 5 || len(in) != 1 {
		return nil, lzma.ErrProperties
	}
	head := binary.LittleEndian.AppendUint64(properties[:5:5], size)
	r, err := openLZMA(head, bufio.NewReader(in[0]), lending.windows)
	return closing{r, in[0]}, err
}

// sevenZipLZMA2 opens a coder of LZMA2.
func sevenZipLZMA2(properties []byte, size uint64, in []io.ReadCloser) (io.ReadCloser, error) {
	if len(properties) != 1 || len(in) != 1 {
		return nil, lzma.ErrProperties
	}
	dict, err := lzma.Dictionary(properties[0])
	if err == nil {
		dict = int64(min(uint64(dict), size))
		err = lending.windows.take(dict)
	}
	if err != nil {
		return nil, err
	}
	return closing{lzma.NewReader2(bufio.NewReader(in[0]), dict, lending.windows.steps), in[0]}, nil
}

// sevenZipDeflate opens a coder of Deflate.
func sevenZipDeflate(_ []byte, _ uint64, in []io.ReadCloser) (io.ReadCloser, error) {
	if len(in) != 1 {
		return nil, inflate.ErrDamaged
	}
	r := new(inflate.Reader)
	r.Reset(bufio.NewReader(in[0]), nil, lending.windows.budget.Inflated)
	return closing{r, in[0]}, nil
}

// closing is a reader with the source that is closed with it.
type closing struct {
	io.Reader
	io.Closer
}
