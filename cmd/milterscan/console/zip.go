package console

import (
	"archive/zip"
	"context"
	"crypto/rand"
	"hash/crc32"
	"io"
	"net/http"

	"github.com/milterscan/milterscan/scan"
)

// sendEncrypted writes an archive of one file, stored, in the encryption that every program
// can undo (APPNOTE.TXT 6.3.10, section 6.1). It is weak, and need not be strong: see
// zipPassword.
func sendEncrypted(ctx context.Context, w io.Writer, name string, content scan.Content) error {
	sum := crc32.NewIEEE()
	if _, err := io.Copy(sum, &until{ctx, scan.Reader(content)}); err != nil {
		return err
	}
	z := zip.NewWriter(w)
	const encrypted, utf8Name = 1, 1 << 11
	size := uint64(content.Size())
	out, err := z.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Store, Flags: encrypted | utf8Name, CRC32: sum.Sum32(),
		CompressedSize64: size + headerSize, UncompressedSize64: size})
	if err == nil {
		err = encrypt(&until{ctx, scan.Reader(content)}, out, sum.Sum32())
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		panic(http.ErrAbortHandler) // the answer has begun, and must not look whole
	}
	return nil
}

// headerSize is the length of the random bytes before encrypted data.
const headerSize = 12

// encrypt writes random bytes that end with the highest byte of the checksum, by which
// programs know a wrong password, and then the data.
func encrypt(r io.Reader, w io.Writer, sum uint32) error {
	var header [headerSize]byte
	rand.Read(header[:])
	header[headerSize-1] = byte(sum >> 24)
	k := newZipKeys(zipPassword)
	buf := make([]byte, 32<<10)
	copy(buf, header[:])
	n := headerSize
	for {
		k.encrypt(buf[:n])
		if _, err := w.Write(buf[:n]); err != nil {
			return err
		}
		var err error
		if n, err = r.Read(buf); n == 0 && err == io.EOF {
			return nil
		} else if err != nil && err != io.EOF {
			return err
		}
	}
}

// zipKeys is the state of the cipher.
type zipKeys [3]uint32

func newZipKeys(password string) *zipKeys {
	k := &zipKeys{0x12345678, 0x23456789, 0x34567890}
	for i := range len(password) {
		k.update(password[i])
	}
	return k
}

func (k *zipKeys) update(b byte) {
	k[0] = crcStep(k[0], b)
	k[1] = (k[1]+k[0]&0xff)*134775813 + 1
	k[2] = crcStep(k[2], byte(k[1]>>24))
}

func crcStep(crc uint32, b byte) uint32 { return crc32.IEEETable[byte(crc)^b] ^ crc>>8 }

func (k *zipKeys) encrypt(p []byte) {
	for i, b := range p {
		t := uint16(k[2] | 2)
		p[i] = b ^ byte(t*(t^1)>>8)
		k.update(b)
	}
}
