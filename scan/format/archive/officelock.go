package archive

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"hash"
	"io"
	"strings"
	"unicode/utf16"
)

// builtIn are the passwords that programs of Office try by themselves before they
// ask for one: Excel's and PowerPoint's.
var builtIn = [...]string{"VelvetSweatshop", "/01Hannes Ruescher/01"}

// officeRounds bounds the hashing that finding the password of one document may
// take, in rounds: each password takes 50,000 to 100,000 with what programs write.
const officeRounds = 2_000_000

// officeLock is one way in which a document is encrypted.
type officeLock interface {
	// rounds is how much hashing one password takes.
	rounds() int
	// opens reports whether the password is right, and remembers its key.
	opens(ctx context.Context, password []byte) bool
}

// unlock finds the password of a document among those that programs try by
// themselves and those that are known. It returns the code of its kind, "" if none is
// right.
func (w *walk) unlock(l officeLock) (code string, err error) {
	left := officeRounds
	secrets := []secret{{text: builtIn[0]}, {text: builtIn[1]}}
	for _, s := range append(secrets, w.budget.secrets()...) {
		if left -= l.rounds(); left < 0 || w.ctx.Err() != nil || !w.budget.tries(s, int64(l.rounds()), priceSpin) {
			return "", w.ctx.Err()
		}
		if l.opens(w.ctx, wideBytes(s.text)) {
			return s.code(), nil
		}
	}
	return "", w.ctx.Err()
}

// wideBytes returns a text in UTF-16, the lower byte first.
func wideBytes(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// packageLock is an officeLock of the stream "EncryptedPackage" (MS-OFFCRYPTO,
// section 2.3.4).
type packageLock interface {
	officeLock
	// clear decrypts a segment of the package in its place.
	clear(segment uint32, b []byte)
}

// packageSegment is how much of a package is encrypted at once, in bytes.
const packageSegment = 4096

// longestInfo bounds what describes an encryption, in bytes.
const longestInfo = 64 << 10

// newPackageLock reads the stream "EncryptionInfo". It returns nil for an unknown
// kind of encryption.
func newPackageLock(info []byte) packageLock {
	if len(info) < 8 {
		return nil
	}
	switch major, minor := le16(info), le16(info[2:]); {
	case major == 4 && minor == 4:
		if l := newAgileLock(info[8:]); l != nil {
			return l
		}
	case minor == 2:
		if l := newStandardLock(info[4:]); l != nil && l.isAES() {
			return l
		}
	}
	return nil
}

// clearPackage reads the package in the stream that src reads.
func clearPackage(l packageLock, src io.Reader) io.Reader {
	var head [8]byte
	if _, err := io.ReadFull(src, head[:]); err != nil {
		return eof{}
	}
	segment := uint32(0)
	clear := &stepped{step: func(dst []byte) ([]byte, error) {
		dst = append(dst, make([]byte, packageSegment)...)
		n, err := io.ReadFull(src, dst)
		n -= n % aes.BlockSize
		l.clear(segment, dst[:n])
		segment++
		if err == io.ErrUnexpectedEOF {
			err = io.EOF
		}
		return dst[:n], err
	}}
	return io.LimitReader(clear, int64(min(le64(head[:]), largest)))
}

// standardLock is the standard encryption of ECMA-376 documents and, with RC4, that
// of older ones through the same interface of Windows (MS-OFFCRYPTO, sections
// 2.3.4.5 and 2.3.5).
type standardLock struct {
	algorithm      uint32
	size           int // of the key, in bytes
	salt, verifier []byte
	hash           []byte // of the verifier; encrypted like that
	key            []byte // once opens has found it
	base           []byte // what keys of blocks are made of, for RC4
	stream         rc4Stream
}

// Algorithms of Windows.
const (
	algRC4    = 0x6801
	algAES128 = 0x660e
	algAES192 = 0x660f
	algAES256 = 0x6610
)

// newStandardLock reads flags, header and verifier.
func newStandardLock(b []byte) *standardLock {
	if len(b) < 8 || int64(le32(b[4:])) > int64(len(b)-8) {
		return nil
	}
	head, rest := b[8:8+le32(b[4:])], b[8+le32(b[4:]):]
	if len(head) < 20 || len(rest) < 60 || le32(rest) != 16 {
		return nil
	}
	l := &standardLock{algorithm: le32(head[8:]), size: int(min(le32(head[16:]), 1<<10) / 8), salt: rest[4:20], verifier: rest[20:36],
		hash: rest[40:]}
	if l.algorithm == 0 { // what the flags say
		l.algorithm = algRC4
		if flags := le32(b); flags&0x20 != 0 {
			l.algorithm = algAES128
		}
	}
	switch l.algorithm {
	case algRC4:
		if l.size == 0 {
			l.size = 5
		}
		l.hash = l.hash[:20]
	case algAES128, algAES192, algAES256:
		if len(l.hash) < 32 {
			return nil
		}
		l.hash = l.hash[:32]
	default:
		return nil
	}
	if l.isAES() && l.size != 16 && l.size != 24 && l.size != 32 || !l.isAES() && (l.size < 5 || l.size > 16) {
		return nil
	}
	return l
}

func (l *standardLock) isAES() bool { return l.algorithm != algRC4 }

const standardRounds = 50_000

func (l *standardLock) rounds() int {
	if l.isAES() {
		return standardRounds
	}
	return 1
}

func (l *standardLock) opens(ctx context.Context, password []byte) bool {
	if !l.isAES() {
		return l.opensRC4(password)
	}
	sum := spun(ctx, sha1.New(), l.salt, password, standardRounds)
	sum = hashed(sha1.New(), sum, []byte{0, 0, 0, 0})
	key := append(padded(sum, 0x36), padded(sum, 0x5c)...)[:l.size]
	verifier, hash := bytes.Clone(l.verifier), bytes.Clone(l.hash)
	eachBlock(key, verifier)
	eachBlock(key, hash)
	l.key = key
	return bytes.Equal(hashed(sha1.New(), verifier), hash[:sha1.Size])
}

// padded derives one half of a key for AES as Windows does.
func padded(sum []byte, with byte) []byte {
	b := bytes.Repeat([]byte{with}, 64)
	for i, c := range sum {
		b[i] ^= c
	}
	return hashed(sha1.New(), b)
}

// eachBlock decrypts b, block by block, in its place.
func eachBlock(key, b []byte) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return
	}
	for ; len(b) >= aes.BlockSize; b = b[aes.BlockSize:] {
		block.Decrypt(b, b)
	}
}

func (l *standardLock) clear(_ uint32, b []byte) { eachBlock(l.key, b) }

// agileLock is the agile encryption, which says in XML what it is made of (section
// 2.3.4.10).
type agileLock struct {
	Data struct {
		agileKind
	} `xml:"keyData"`
	Keys []struct {
		agileKind
		Spin     int    `xml:"spinCount,attr"`
		Verifier agileB `xml:"encryptedVerifierHashInput,attr"`
		Hash     agileB `xml:"encryptedVerifierHashValue,attr"`
		Key      agileB `xml:"encryptedKeyValue,attr"`
	} `xml:"keyEncryptors>keyEncryptor>encryptedKey"`
	key []byte
}

// agileKind is what a key is used with.
type agileKind struct {
	Block    int    `xml:"blockSize,attr"`
	Bits     int    `xml:"keyBits,attr"`
	Cipher   string `xml:"cipherAlgorithm,attr"`
	Chaining string `xml:"cipherChaining,attr"`
	Hash     string `xml:"hashAlgorithm,attr"`
	Salt     agileB `xml:"saltValue,attr"`
}

// agileB are bytes in base64.
type agileB []byte

// UnmarshalText reads them.
func (b *agileB) UnmarshalText(text []byte) (err error) {
	*b, err = base64.StdEncoding.DecodeString(string(text))
	return err
}

// newAgileLock reads the description. It returns nil for an unknown algorithm.
func newAgileLock(description []byte) *agileLock {
	var l agileLock
	if xml.Unmarshal(description, &l) != nil || len(l.Keys) == 0 || !l.Data.known() || !l.Keys[0].known() {
		return nil
	}
	if k := l.Keys[0]; k.Spin < 0 || len(k.Verifier)%aes.BlockSize+len(k.Hash)%aes.BlockSize+len(k.Key)%aes.BlockSize != 0 {
		return nil
	}
	return &l
}

func (k agileKind) known() bool {
	return k.Cipher == "AES" && k.Chaining == "ChainingModeCBC" && k.hash() != nil && k.Block == aes.BlockSize &&
		(k.Bits == 128 || k.Bits == 192 || k.Bits == 256)
}

func (k agileKind) hash() hash.Hash {
	switch strings.ReplaceAll(strings.ToUpper(k.Hash), "-", "") {
	case "MD5":
		return md5.New()
	case "SHA1":
		return sha1.New()
	case "SHA256":
		return sha256.New()
	case "SHA384":
		return sha512.New384()
	case "SHA512":
		return sha512.New()
	}
	return nil
}

func (l *agileLock) rounds() int { return l.Keys[0].Spin }

// What keys are made for (section 2.3.4.13).
const (
	agileVerifier = "\xfe\xa7\xd2\x76\x3b\x4b\x9e\x79"
	agileHash     = "\xd7\xaa\x0f\x6d\x30\x61\x34\x4e"
	agileKey      = "\x14\x6e\x0b\xe7\xab\xac\xd0\xd6"
)

func (l *agileLock) opens(ctx context.Context, password []byte) bool {
	k := l.Keys[0]
	sum := spun(ctx, k.hash(), k.Salt, password, k.Spin)
	open := func(what string, b []byte) []byte {
		out := bytes.Clone(b)
		chained(fitted(hashed(k.hash(), sum, []byte(what)), k.Bits/8), fitted(k.Salt, k.Block), out)
		return out
	}
	want := open(agileHash, k.Hash)
	verifier := open(agileVerifier, k.Verifier)
	have := hashed(k.hash(), verifier[:min(len(verifier), max(len(k.Salt), 1))])
	l.key = fitted(open(agileKey, k.Key), l.Data.Bits/8)
	return len(want) >= len(have) && bytes.Equal(have, want[:len(have)])
}

func (l *agileLock) clear(segment uint32, b []byte) {
	iv := hashed(l.Data.hash(), l.Data.Salt, binary.LittleEndian.AppendUint32(nil, segment))
	chained(l.key, fitted(iv, l.Data.Block), b)
}

// chained decrypts b, whole blocks, in its place.
func chained(key, iv, b []byte) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return
	}
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(b, b)
}

// fitted returns b cut or filled to n bytes.
func fitted(b []byte, n int) []byte {
	return append(bytes.Clone(b), bytes.Repeat([]byte{0x36}, max(0, n-len(b)))...)[:n]
}

func hashed(h hash.Hash, pieces ...[]byte) []byte {
	for _, p := range pieces {
		h.Write(p)
	}
	return h.Sum(nil)
}

// spun hashes a password again and again, which takes its time.
func spun(ctx context.Context, h hash.Hash, salt, password []byte, rounds int) []byte {
	sum := hashed(h, salt, password)
	in := make([]byte, 4, 4+len(sum))
	for i := range rounds {
		if i%4096 == 0 && ctx.Err() != nil {
			return sum
		}
		binary.LittleEndian.PutUint32(in, uint32(i))
		h.Reset()
		h.Write(in[:4])
		h.Write(sum)
		sum = h.Sum(sum[:0])
	}
	return sum
}
