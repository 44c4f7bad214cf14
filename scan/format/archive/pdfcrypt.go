package archive

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"crypto/rc4"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"

	"github.com/milterscan/milterscan/scan/format/pdf"
)

// pdfLock is the dictionary of the standard security handler, ISO 32000-2 section
// 7.6.4. Most documents that are encrypted open without a password, and only ask
// viewers to forbid something.
type pdfLock struct {
	version, revision int64
	length            int // bytes of the key
	permissions       int64
	owner, user       []byte
	userKey           []byte // the file's key, encrypted; from revision 5 on
	allMetadata       bool
	streams, strings  pdfMethod
	files             pdfMethod // of embedded files
}

// pdfMethod says how something is encrypted.
type pdfMethod int

const (
	pdfUnknown pdfMethod = iota
	pdfClear
	pdfRC4
	pdfAES    // with a key for each object
	pdfAES256 // with the file's key
)

// pdfKey opens a document.
type pdfKey struct {
	*pdfLock
	key []byte
}

// lock reads what the trailer says of encryption; nil if it is of a kind that is
// not known here.
func (w *pdfWalk) lock() *pdfLock {
	dict, _ := w.resolve(w.encrypt).(pdf.Dict)
	if name, _ := dict.Get("Filter").(pdf.Name); name != "Standard" {
		return nil
	}
	number := func(key pdf.Name, otherwise int64) int64 {
		if n, ok := w.resolve(dict.Get(key)).(int64); ok {
			return n
		}
		return otherwise
	}
	text := func(key pdf.Name) []byte {
		s, _ := w.resolve(dict.Get(key)).(pdf.String)
		return []byte(s)
	}
	l := &pdfLock{
		version: number("V", 0), revision: number("R", 0), length: int(number("Length", 40) / 8), permissions: number("P", 0),
		owner: text("O"), user: text("U"), userKey: text("UE"), allMetadata: w.resolve(dict.Get("EncryptMetadata")) != false,
	}
	l.streams, l.strings = pdfRC4, pdfRC4
	switch l.version {
	case 1:
		l.length = 5
	case 2, 3:
	case 4, 5:
		l.streams, l.strings = w.method(dict, "StmF"), w.method(dict, "StrF")
		l.length = 16
	default:
		return nil
	}
	if l.files = l.streams; dict.Get("EFF") != nil {
		l.files = w.method(dict, "EFF")
	}
	if l.length < 5 || l.length > 16 || len(l.owner) < 32 || len(l.user) < 32 || l.revision > 4 && (len(l.user) < 48 || len(l.userKey) < 32) {
		return nil
	}
	return l
}

// method returns what a crypt filter does, section 7.6.6.
func (w *pdfWalk) method(dict pdf.Dict, key pdf.Name) pdfMethod {
	name, ok := w.resolve(dict.Get(key)).(pdf.Name)
	if !ok || name == "Identity" {
		return pdfClear
	}
	filters, _ := w.resolve(dict.Get("CF")).(pdf.Dict)
	filter, _ := w.resolve(filters.Get(name)).(pdf.Dict)
	kind, _ := w.resolve(filter.Get("CFM")).(pdf.Name)
	return map[pdf.Name]pdfMethod{"V2": pdfRC4, "AESV2": pdfAES, "AESV3": pdfAES256, "None": pdfClear}[kind]
}

// unlock finds the key, with no password or with one of those that are known.
func (w *pdfWalk) unlock() (key *pdfKey, by secret) {
	l := w.lock()
	if l == nil {
		return nil, secret{}
	}
	ids := append([]string{""}, w.ids...)
	if l.revision >= 5 { // which has no part for it
		ids = ids[:1]
	}
	price := pricePDF
	if l.revision >= 5 {
		price = pricePDFHard
	}
	if k := l.openAny("", ids); k != nil { // as most open
		return &pdfKey{l, k}, secret{}
	}
	for _, s := range w.budget.secrets() {
		if !w.budget.tries(s, int64(len(ids)), price) {
			break
		}
		if k := l.openAny(s.text, ids); k != nil {
			return &pdfKey{l, k}, s
		}
	}
	return nil, secret{}
}

// openAny returns the file's key for a password, whichever of the names the document has.
func (l *pdfLock) openAny(password string, ids []string) []byte {
	for _, id := range ids {
		if k := l.open([]byte(password), []byte(id)); k != nil {
			return k
		}
	}
	return nil
}

// open returns the file's key, if the password is the user's.
func (l *pdfLock) open(password, id []byte) []byte {
	if l.revision >= 5 {
		return l.openAES(password)
	}
	key := l.derive(password, id)
	check := bytes.Clone([]byte(pdfPadding))
	if l.revision >= 3 {
		sum := md5.Sum(append(check, id...))
		check = sum[:]
	}
	rounds := 1
	if l.revision >= 3 {
		rounds = 20
	}
	for i := range rounds {
		crypt(xored(key, byte(i)), check)
	}
	if !bytes.Equal(check, l.user[:len(check)]) {
		return nil
	}
	return key
}

const pdfPadding = "\x28\xbf\x4e\x5e\x4e\x75\x8a\x41\x64\x00\x4e\x56\xff\xfa\x01\x08" +
	"\x2e\x2e\x00\xb6\xd0\x68\x3e\x80\x2f\x0c\xa9\xfe\x64\x53\x69\x7a"

// derive makes the key up to revision 4, section 7.6.4.3.2.
func (l *pdfLock) derive(password, id []byte) []byte {
	in := append(bytes.Clone(password), pdfPadding...)[:32]
	in = append(in, l.owner[:32]...)
	in = binary.LittleEndian.AppendUint32(in, uint32(l.permissions))
	in = append(in, id...)
	if l.revision >= 4 && !l.allMetadata {
		in = append(in, "\xff\xff\xff\xff"...)
	}
	sum := md5.Sum(in)
	if l.revision >= 3 {
		for range 50 {
			sum = md5.Sum(sum[:l.length])
		}
	}
	return bytes.Clone(sum[:l.length])
}

func xored(key []byte, with byte) []byte {
	out := bytes.Clone(key)
	for i := range out {
		out[i] ^= with
	}
	return out
}

// crypt encrypts or decrypts b in its place. Keys have 5 bytes or more here.
func crypt(key, b []byte) {
	if c, err := rc4.NewCipher(key); err == nil {
		c.XORKeyStream(b, b)
	}
}

// openAES does what open does, from revision 5 on, section 7.6.4.3.3.
func (l *pdfLock) openAES(password []byte) []byte {
	password = password[:min(len(password), 127)]
	hash := func(salt []byte) []byte {
		sum := sha256.Sum256(append(bytes.Clone(password), salt...))
		if l.revision == 5 {
			return sum[:]
		}
		return hardened(password, sum[:])
	}
	if !bytes.Equal(hash(l.user[32:40]), l.user[:32]) {
		return nil
	}
	block, err := aes.NewCipher(hash(l.user[40:48]))
	if err != nil {
		return nil
	}
	key := make([]byte, 32)
	cipher.NewCBCDecrypter(block, make([]byte, aes.BlockSize)).CryptBlocks(key, l.userKey[:32])
	return key
}

// hardened returns the hash by algorithm 2.B of section 7.6.4.3.4, which is slow on
// purpose.
func hardened(password, k []byte) []byte {
	const least, most = 64, 1 << 10
	for i := 0; i < most; i++ {
		e := bytes.Repeat(append(bytes.Clone(password), k...), 64)
		block, err := aes.NewCipher(k[:16])
		if err != nil {
			return nil
		}
		cipher.NewCBCEncrypter(block, k[16:32]).CryptBlocks(e, e)
		var sum int
		for _, c := range e[:16] {
			sum += int(c)
		}
		k = digest(sum%3, e)
		if i >= least-1 && int(e[len(e)-1]) <= i-31 {
			break
		}
	}
	return k[:32]
}

func digest(kind int, b []byte) []byte {
	switch kind {
	case 0:
		sum := sha256.Sum256(b)
		return sum[:]
	case 1:
		sum := sha512.Sum384(b)
		return sum[:]
	}
	sum := sha512.Sum512(b)
	return sum[:]
}
