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
	hashed := sha256.New()
	err = disk.Write(dir, file, func(w io.Writer) error {
		z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.MultiWriter(z, hashed), scratch.Until(ctx.Err, scan.Reader(raw)))
		return errors.Join(err, z.Close())
	})
	if err != nil {
		return "", 0, err
	}
	info, err := dir.Stat(file)
	if err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(hashed.Sum(nil)), info.Size(), nil
}

// unpacked is a kept message being read.
type unpacked struct {
	file *os.File
	z    *gzip.Reader
	sum  hash.Hash
	want string
}

// unpack opens a compressed message in a directory.
func unpack(dir *os.Root, file, sum string) (io.ReadCloser, error) {
	f, err := dir.Open(file)
	if err != nil {
		return nil, unknown(err)
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return &unpacked{f, z, sha256.New(), sum}, nil
}

// Read fails at the end if the message is not what was kept.
func (u *unpacked) Read(b []byte) (int, error) {
	n, err := u.z.Read(b)
	u.sum.Write(b[:n])
	switch {
	case errors.Is(err, io.EOF) && hex.EncodeToString(u.sum.Sum(nil)) != u.want:
		return n, fmt.Errorf("%s is not what was kept: its checksum is another", u.file.Name())
	case err != nil && !errors.Is(err, io.EOF):
		return n, fmt.Errorf("%s: %w", u.file.Name(), err)
	}
	return n, err
}

// Close closes the file.
func (u *unpacked) Close() error { return u.file.Close() }
