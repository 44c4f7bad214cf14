package archive

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/rc4"
	"crypto/sha1"
	"encoding/binary"
	"io"
)

// biffLock is an officeLock of a workbook up to 2003 (MS-XLS, section 2.2.10).
type biffLock interface {
	officeLock
	// clear decrypts the bytes of a record that are at an offset of the stream;
	// size is that of the whole record, which begins at start.
	clear(b []byte, at, start int64, size int)
}

// newBIFFLock reads the record FilePass (section 2.4.117). It returns nil for an
// unknown kind of encryption.
func newBIFFLock(b []byte) biffLock {
	switch {
	case len(b) >= 6 && le16(b) == 0:
		return &xorLock{key: le16(b[2:]), verifier: le16(b[4:])}
	case len(b) == 4: // without the kind, as before 1997
		return &xorLock{key: le16(b), verifier: le16(b[2:])}
	case len(b) >= 54 && le16(b) == 1 && le16(b[2:]) == 1:
		return &rc4Lock{salt: b[6:22], verifier: b[22:38], hash: b[38:54]}
	case len(b) >= 6 && le16(b) == 1 && le16(b[4:]) == 2:
		if l := newStandardLock(b[6:]); l != nil && !l.isAES() {
			return biffStandard{l}
		}
	}
	return nil
}

// rc4Block is after how many bytes of a workbook the key changes.
const rc4Block = 1024

// rc4Lock is the encryption with RC4 and 40 bits (MS-OFFCRYPTO, section 2.3.6).
type rc4Lock struct {
	salt, verifier, hash []byte
	base                 []byte
	stream               rc4Stream
}

func (l *rc4Lock) rounds() int { return 1 }

func (l *rc4Lock) opens(_ context.Context, password []byte) bool {
	first := md5.Sum(password)
	sum := md5.Sum(bytes.Repeat(append(bytes.Clone(first[:5]), l.salt...), 16))
	l.base = bytes.Clone(sum[:5])
	l.stream = rc4Stream{key: func(block uint32) []byte {
		sum := md5.Sum(binary.LittleEndian.AppendUint32(bytes.Clone(l.base), block))
		return sum[:]
	}}
	both := append(bytes.Clone(l.verifier), l.hash...)
	l.stream.clear(both, 0)
	sum = md5.Sum(both[:16])
	return bytes.Equal(sum[:], both[16:])
}

func (l *rc4Lock) clear(b []byte, at, _ int64, _ int) { l.stream.clear(b, at) }

// opensRC4 does what opens does, for RC4 through the interface of Windows (section 2.3.5).
func (l *standardLock) opensRC4(password []byte) bool {
	l.base = hashed(sha1.New(), l.salt, password)
	both := append(bytes.Clone(l.verifier), l.hash...)
	s := rc4Stream{key: l.blockKey}
	s.clear(both, 0)
	l.stream = rc4Stream{key: l.blockKey}
	return bytes.Equal(hashed(sha1.New(), both[:16]), both[16:])
}

// blockKey returns the key of a block; one of 40 bits is filled up with zeros.
func (l *standardLock) blockKey(block uint32) []byte {
	key := hashed(sha1.New(), l.base, binary.LittleEndian.AppendUint32(nil, block))[:l.size]
	if l.size == 5 {
		key = append(key, make([]byte, 11)...)
	}
	return key
}

// biffStandard is a standardLock of a workbook.
type biffStandard struct{ *standardLock }

func (l biffStandard) clear(b []byte, at, _ int64, _ int) { l.stream.clear(b, at) }

// rc4Stream decrypts a stream whose key changes with every block.
type rc4Stream struct {
	key    func(block uint32) []byte
	cipher *rc4.Cipher
	at     int64 // of the stream
}

// clear decrypts b, which is at an offset of the stream, in its place. It is
// cheap only where offsets grow.
func (s *rc4Stream) clear(b []byte, at int64) {
	for len(b) > 0 {
		end := (at/rc4Block + 1) * rc4Block
		if s.cipher == nil || s.at > at || s.at/rc4Block != at/rc4Block {
			c, err := rc4.NewCipher(s.key(uint32(at / rc4Block)))
			if err != nil {
				return
			}
			s.cipher, s.at = c, at/rc4Block*rc4Block
		}
		var skip [rc4Block]byte
		s.cipher.XORKeyStream(skip[:at-s.at], skip[:at-s.at])
		n := min(int64(len(b)), end-at)
		s.cipher.XORKeyStream(b[:n], b[:n])
		b, at = b[n:], at+n
		s.at = at
	}
}

// xorLock is the obfuscation of the oldest workbooks (MS-OFFCRYPTO, section 2.3.7).
type xorLock struct {
	key, verifier uint16
	with          [16]byte
}

func (l *xorLock) rounds() int { return 1 }

// longestXOR is the longest password, in bytes.
const longestXOR = 15

func (l *xorLock) opens(_ context.Context, wide []byte) bool {
	var password []byte
	for i := 0; i+1 < len(wide); i += 2 {
		password = append(password, wide[i])
	}
	password = password[:min(len(password), longestXOR)]
	if len(password) == 0 || xorKey(password) != l.key || xorVerifier(password) != l.verifier {
		return false
	}
	l.with = xorArray(password, l.key)
	return true
}

func (l *xorLock) clear(b []byte, at, start int64, size int) {
	for i := range b {
		c := b[i] ^ l.with[(at+int64(i)+int64(size))%16]
		b[i] = c>>5 | c<<3
	}
}

var xorInitial = [longestXOR]uint16{0xe1f0, 0x1d0f, 0xcc9c, 0x84c0, 0x110c, 0x0e10, 0xf1ce, 0x313e, 0x1872, 0xe139, 0xd40f, 0x84f9,
	0x280c, 0xa96a, 0x4ec3}

var xorMatrix = [7 * longestXOR]uint16{
	0xaefc, 0x4dd9, 0x9bb2, 0x2745, 0x4e8a, 0x9d14, 0x2a09,
	0x7b61, 0xf6c2, 0xfda5, 0xeb6b, 0xc6f7, 0x9dcf, 0x2bbf,
	0x4563, 0x8ac6, 0x05ad, 0x0b5a, 0x16b4, 0x2d68, 0x5ad0,
	0x0375, 0x06ea, 0x0dd4, 0x1ba8, 0x3750, 0x6ea0, 0xdd40,
	0xd849, 0xa0b3, 0x5147, 0xa28e, 0x553d, 0xaa7a, 0x44d5,
	0x6f45, 0xde8a, 0xad35, 0x4a4b, 0x9496, 0x390d, 0x721a,
	0xeb23, 0xc667, 0x9cef, 0x29ff, 0x53fe, 0xa7fc, 0x5fd9,
	0x47d3, 0x8fa6, 0x0f6d, 0x1eda, 0x3db4, 0x7b68, 0xf6d0,
	0xb861, 0x60e3, 0xc1c6, 0x93ad, 0x377b, 0x6ef6, 0xddec,
	0x45a0, 0x8b40, 0x06a1, 0x0d42, 0x1a84, 0x3508, 0x6a10,
	0xaa51, 0x4483, 0x8906, 0x022d, 0x045a, 0x08b4, 0x1168,
	0x76b4, 0xed68, 0xcaf1, 0x85c3, 0x1ba7, 0x374e, 0x6e9c,
	0x3730, 0x6e60, 0xdcc0, 0xa9a1, 0x4363, 0x86c6, 0x1dad,
	0x3331, 0x6662, 0xccc4, 0x89a9, 0x0373, 0x06e6, 0x0dcc,
	0x1021, 0x2042, 0x4084, 0x8108, 0x1231, 0x2462, 0x48c4,
}

// xorKey returns the key of a password.
func xorKey(password []byte) uint16 {
	key, at := xorInitial[len(password)-1], len(xorMatrix)-1
	for i := len(password) - 1; i >= 0; i-- {
		for bit := range 7 {
			if password[i]<<bit&0x40 != 0 {
				key ^= xorMatrix[at]
			}
			at--
		}
	}
	return key
}

// xorVerifier returns the number that tells a wrong password.
func xorVerifier(password []byte) uint16 {
	v := uint16(0)
	for i := len(password); i >= 0; i-- {
		c := byte(len(password))
		if i > 0 {
			c = password[i-1]
		}
		v = (v>>14&1 | v<<1&0x7fff) ^ uint16(c)
	}
	return v ^ 0xce4b
}

// xorArray returns the bytes to combine the data with: the password and what fills it up,
// each with the half of the key that its place asks for.
func xorArray(password []byte, key uint16) (with [16]byte) {
	const fill = "\xbb\xff\xff\xba\xff\xff\xb9\x80\x00\xbe\x0f\x00\xbf\x0f\x00"
	text := append(bytes.Clone(password), fill...)
	for i := range with {
		half := byte(key)
		if i%2 == 1 {
			half = byte(key >> 8)
		}
		c := text[i] ^ half
		with[i] = c>>1 | c<<7
	}
	return with
}

// Records of a workbook that are not encrypted (MS-XLS, section 2.2.10), and the one
// that begins with the place of a sheet, which is not either.
const (
	biffFilePass = 0x2f
	biffSheet    = 0x85
)

var biffClear = map[uint16]bool{0x809: true, 0x009: true, 0x209: true, 0x409: true, biffFilePass: true, 0x194: true, 0x195: true,
	0xe1: true, 0x196: true, 0x138: true}

// clearBIFF reads a workbook with its records decrypted.
func clearBIFF(l biffLock, src io.Reader) io.Reader {
	at := int64(0)
	return &stepped{step: func(dst []byte) ([]byte, error) {
		dst = append(dst, 0, 0, 0, 0)
		n, err := io.ReadFull(src, dst)
		if err != nil {
			return dst[:n], io.EOF
		}
		kind, size := le16(dst), int(le16(dst[2:]))
		at += 4
		dst = append(dst, make([]byte, size)...)
		n, err = io.ReadFull(src, dst[4:])
		dst = dst[:4+n]
		if !biffClear[kind] {
			skip := 0
			if kind == biffSheet {
				skip = min(4, n)
			}
			l.clear(dst[4+skip:], at+int64(skip), at, size)
		}
		at += int64(n)
		if err != nil {
			err = io.EOF
		}
		return dst, err
	}}
}

// filePass returns the body of the record FilePass at the beginning of a workbook, nil if
// it has none.
func filePass(b []byte) []byte {
	for len(b) >= 4 {
		size := int(le16(b[2:]))
		body := b[4:]
		if le16(b) == biffFilePass {
			return body[:min(len(body), size)]
		}
		b = body[min(len(body), size):]
	}
	return nil
}
