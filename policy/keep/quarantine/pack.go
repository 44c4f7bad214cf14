package quarantine

import (
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
	hashed := sha256.New()
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(io.MultiWriter(z, hashed), scratch.Until(ctx.Err, scan.Reader(raw)))
	return hex.EncodeToString(hashed.Sum(nil)), errors.Join(err, z.Close())
}

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
