package archive

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash"
	"hash/crc32"
	"io"

	"github.com/milterscan/milterscan/scan/format/inflate"
)

// gzipFormat reads gzip (RFC 1952) from its own header on, so that a wrong
// checksum or reserved flag costs nothing but a note. Several gzip files one
// after the other are one member, as gzip(1) has it.
type gzipFormat struct{}

func (gzipFormat) Name() string { return "gzip" }

func (gzipFormat) Match(head []byte, _ Content) bool { return hasAny(head, gzipMagic) }

func (gzipFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := begin(ctx, c, b, visit)
	w.cost = codecDeflate
	g := &gunzip{in: bufio.NewReader(w.feed(w.skip(c, gzipBegin(c, nil)))), budget: b, inflate: inflate.Borrow()}
	defer g.inflate.GiveBack()
	m := Member{Size: -1}
	name, err := g.header()
	if err != nil {
		w.note(damagedContainer, "header: %v", err)
		return w.end(nil)
	}
	m.Names = distinct(name)
	err = w.member(m, g)
	if g.wrong > 0 {
		w.noteLast(checksumMismatch, "in %d of %d streams", g.wrong, g.streams)
	}
	if g.trailing {
		w.note(trailingData, "after %d streams", g.streams)
	}
	return w.end(err)
}

// The flags of a gzip header, RFC 1952 section 2.3.1.
const (
	gzipCRC     = 1 << 1
	gzipExtra   = 1 << 2
	gzipName    = 1 << 3
	gzipComment = 1 << 4
)

var errGzip = errors.New("not a gzip stream")

// gunzip reads the streams of a gzip file as one.
type gunzip struct {
	in       *bufio.Reader
	budget   *Budget
	inflate  *inflate.Reader
	sum      hash.Hash32
	size     uint32
	streams  int
	wrong    int // streams whose checksum or length is not what they say
	trailing bool
}

// header reads the header of the next stream and returns the name in it.
func (g *gunzip) header() (string, error) {
	var fixed [10]byte
	if _, err := io.ReadFull(g.in, fixed[:]); err != nil {
		return "", unexpected(err)
	}
	if !hasAny(fixed[:], gzipMagic) {
		return "", errGzip
	}
	name, err := g.optional(fixed[3])
	if err != nil {
		return "", unexpected(err)
	}
	if g.streams == maxStreams {
		return "", errStreams
	}
	g.start()
	return name, nil
}

// maxStreams bounds the streams of a file; parallel programs begin one for each
// 64 KB at most.
const maxStreams = 1 << 16

var errStreams = errors.New("too many streams")

// optional reads the fields of the header that flags announce.
func (g *gunzip) optional(flags byte) (name string, err error) {
	if flags&gzipExtra != 0 {
		var n [2]byte
		if _, err = io.ReadFull(g.in, n[:]); err == nil {
			_, err = g.in.Discard(int(binary.LittleEndian.Uint16(n[:])))
		}
	}
	if err == nil && flags&gzipName != 0 {
		name, err = g.text()
	}
	if err == nil && flags&gzipComment != 0 {
		_, err = g.text()
	}
	if err == nil && flags&gzipCRC != 0 {
		_, err = g.in.Discard(2)
	}
	return name, err
}

// text reads up to a NUL and keeps no more than a name may have.
func (g *gunzip) text() (string, error) {
	var kept []byte
	for {
		piece, err := g.in.ReadSlice(0)
		kept = append(kept, piece[:min(len(piece), maxName+1-len(kept))]...)
		if err == nil {
			return string(bytes.TrimSuffix(kept, []byte{0})), nil
		}
		if err != bufio.ErrBufferFull {
			return "", err
		}
	}
}

func (g *gunzip) start() {
	g.streams++
	g.budget.Work(1, priceStream)
	g.sum, g.size = crc32.NewIEEE(), 0
	g.inflate.Reset(g.in, nil, g.budget.Inflated)
}

// Read returns the bytes of all streams.
func (g *gunzip) Read(p []byte) (int, error) {
	for {
		n, err := g.inflate.Read(p)
		g.sum.Write(p[:n])
		g.size += uint32(n)
		if err == io.EOF {
			err = g.next()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// next checks the end of one stream and begins the next.
func (g *gunzip) next() error {
	var trailer [8]byte
	if _, err := io.ReadFull(g.in, trailer[:]); err != nil {
		return unexpected(err)
	}
	if binary.LittleEndian.Uint32(trailer[:]) != g.sum.Sum32() || binary.LittleEndian.Uint32(trailer[4:]) != g.size {
		g.wrong++
	}
	more, err := g.skipPadding()
	if err != nil || !more {
		g.trailing = err == nil
		return io.EOF
	}
	_, err = g.header()
	return err
}

// skipPadding skips zeros, with which tapes fill up a block, and reports
// whether another stream follows. Its error says that nothing follows.
func (g *gunzip) skipPadding() (more bool, err error) {
	for {
		next, err := g.in.Peek(1)
		if err != nil {
			return false, err
		}
		if next[0] != 0 {
			mark, _ := g.in.Peek(3)
			return hasAny(mark, gzipMagic), nil
		}
		g.in.Discard(1)
	}
}

// unexpected turns the end of the container into a different error, so that
// the caller does not take it for the end of a member.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
