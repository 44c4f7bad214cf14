package quarantine

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"github.com/milterscan/milterscan/policy/disk"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scratch"
)

// pack compresses a message into a file of a directory, and returns its SHA-256 in hexadecimal
// and the size of the file.
func pack(ctx context.Context, dir *os.Root, file string, raw scan.Content) (sum string, size int64, err error) {
	err = disk.Write(dir, file, func(w io.Writer) (err error) {
		sum, err = Pack(ctx, w, raw)
		return err
	})
	if err != nil {
		return "", 0, err
	}
	info, err := dir.Stat(file)
	if err != nil {
		return "", 0, err
	}
	return sum, info.Size(), nil
}

// Pack compresses a message, until ctx is done, and returns its SHA-256 in hexadecimal.
func Pack(ctx context.Context, w io.Writer, raw scan.Content) (sum string, err error) {
	p := Packing(ctx, raw)
	_, err = io.Copy(w, p)
	return p.Sum(), err
}

// Packer is a message as Pack compresses it, to be read once. However often a message is packed, it comes to the same.
type Packer struct {
	raw    io.Reader
	z      *gzip.Writer
	hashed hash.Hash
	held   bytes.Buffer // what is compressed and has not been read
	ended  bool
	step   [packStep]byte
}

// packStep is how much of a message is compressed at once.
const packStep = 32 << 10

// Packing returns a message, compressed, until ctx is done.
func Packing(ctx context.Context, raw scan.Content) *Packer {
	p := &Packer{raw: scratch.Until(ctx.Err, scan.Reader(raw)), hashed: sha256.New()}
	p.z, _ = gzip.NewWriterLevel(&p.held, gzip.BestSpeed) // which fails for levels that there are not
	return p
}

// Read compresses as much of the message as it takes to give something.
func (p *Packer) Read(b []byte) (int, error) {
	for p.held.Len() == 0 && !p.ended {
		n, err := p.raw.Read(p.step[:])
		p.hashed.Write(p.step[:n])
		if _, failed := p.z.Write(p.step[:n]); failed != nil {
			return 0, failed
		}
		if errors.Is(err, io.EOF) {
			err, p.ended = p.z.Close(), true
		}
		if err != nil {
			return 0, err
		}
	}
	return p.held.Read(b)
}

// Sum returns the SHA-256 of the message in hexadecimal, when it has been read to its end.
func (p *Packer) Sum() string { return hex.EncodeToString(p.hashed.Sum(nil)) }

// unpacked is a kept message being read.
type unpacked struct {
	packed io.Closer
	name   string
	z      *gzip.Reader
	sum    hash.Hash
	want   string
}

// unpack opens a compressed message in a directory.
func unpack(dir *os.Root, file, sum string) (io.ReadCloser, error) {
	f, err := dir.Open(file)
	if err != nil {
		return nil, unknown(err)
	}
	return Unpack(f, f.Name(), sum)
}

// Unpack returns the message that Pack has compressed. Reading it to the end fails if its SHA-256 is another. It
// closes packed with the message; errors call it by a name.
func Unpack(packed io.ReadCloser, name, sum string) (io.ReadCloser, error) {
	z, err := gzip.NewReader(packed)
	if err != nil {
		packed.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &unpacked{packed, name, z, sha256.New(), sum}, nil
}

// Read fails at the end if the message is not what was kept.
func (u *unpacked) Read(b []byte) (int, error) {
	n, err := u.z.Read(b)
	u.sum.Write(b[:n])
	switch {
	case errors.Is(err, io.EOF) && hex.EncodeToString(u.sum.Sum(nil)) != u.want:
		return n, fmt.Errorf("%s is not what was kept: its checksum is another", u.name)
	case err != nil && !errors.Is(err, io.EOF):
		return n, fmt.Errorf("%s: %w", u.name, err)
	}
	return n, err
}

// Close closes what the message is read from.
func (u *unpacked) Close() error { return u.packed.Close() }
