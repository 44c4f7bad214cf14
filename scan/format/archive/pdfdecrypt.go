package archive

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"crypto/rc4"
	"io"

	"github.com/milterscan/milterscan/scan/format/pdf"
)

// decrypted returns the reader of something in an object that is encrypted by method.
func (k *pdfKey) decrypted(src io.Reader, method pdfMethod, number, generation int64) (io.Reader, error) {
	switch method {
	case pdfClear:
		return src, nil
	case pdfRC4:
		c, err := rc4.NewCipher(k.objectKey(number, generation, ""))
		return cipher.StreamReader{S: c, R: src}, err
	case pdfAES:
		return &aesReader{in: bufio.NewReader(src), key: k.objectKey(number, generation, "sAlT")}, nil
	case pdfAES256:
		return &aesReader{in: bufio.NewReader(src), key: k.key}, nil
	}
	return nil, errUnsupported
}

// objectKey returns the key of an object, section 7.6.3.2.
func (k *pdfKey) objectKey(number, generation int64, salt string) []byte {
	in := append(bytes.Clone(k.key), byte(number), byte(number>>8), byte(number>>16), byte(generation), byte(generation>>8))
	sum := md5.Sum(append(in, salt...))
	return sum[:min(len(k.key)+5, 16)]
}

// clear decrypts all strings in an object.
func (k *pdfKey) clear(value any, number, generation int64) any {
	switch v := value.(type) {
	case pdf.String:
		r, err := k.decrypted(bytes.NewReader([]byte(v)), k.strings, number, generation)
		if err != nil {
			return v
		}
		text, _ := io.ReadAll(r)
		return pdf.String(text)
	case pdf.Array:
		for i := range v {
			v[i] = k.clear(v[i], number, generation)
		}
	case pdf.Dict:
		for i := range v {
			v[i].Value = k.clear(v[i].Value, number, generation)
		}
	}
	return value
}

// aesReader decrypts AES in CBC mode: the first block is the vector, the last one
// says how much of it is padding.
type aesReader struct {
	in   *bufio.Reader
	key  []byte
	mode cipher.BlockMode
	buf  [aes.BlockSize]byte
	rest []byte
}

func (a *aesReader) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		if err := a.block(); err != nil {
			return 0, err
		}
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

func (a *aesReader) block() error {
	if _, err := io.ReadFull(a.in, a.buf[:]); err != nil {
		return err
	}
	if a.mode == nil {
		c, err := aes.NewCipher(a.key)
		if err != nil {
			return err
		}
		a.mode = cipher.NewCBCDecrypter(c, a.buf[:])
		return nil
	}
	a.mode.CryptBlocks(a.buf[:], a.buf[:])
	a.rest = a.buf[:]
	if _, err := a.in.Peek(1); err == io.EOF {
		if pad := int(a.buf[aes.BlockSize-1]); pad >= 1 && pad <= aes.BlockSize {
			a.rest = a.buf[:aes.BlockSize-pad]
		}
	}
	return nil
}
