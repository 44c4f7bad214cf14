package archive

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha1"
	"encoding/binary"
	"hash/crc32"
	"io"
)

// passwordTries bounds how many passwords are tried on one member; each costs a
// key derivation.
const passwordTries = 32

// locked hands over a member whose headers say that it is encrypted. They may
// lie: data that read well as they are were never encrypted.
func (r *zipReader) locked(e *zipEntry, m Member) error {
	clear := r.clear(e)
	if ok, err := r.fits(e, m, clear, r.stated(e)); err != nil {
		return err
	} else if ok {
		r.noteNext(encryptionLie, "%s is not encrypted", m.name())
		return r.all(e, m, clear)
	}
	why := ""
	for _, s := range r.secrets() {
		if !r.budget.tries(s, 1, e.priceOfTry()) {
			why = untried
			break
		}
		open := r.decrypted(e, s.text)
		if open == nil {
			continue
		}
		length := r.stated(e) - e.overhead()
		ok, err := r.fits(e, m, open, length)
		if err != nil {
			return err
		} else if ok {
			r.right = &s
			r.noteNext(s.code(), "%s", m.name())
			return r.read(zipReading{e, m, e.method(), open, length})
		}
	}
	r.vain++
	m.Encrypted = true
	r.noteNext(encryptedMember, "%s%s", m.name(), why)
	return r.member(m, nil)
}

// secrets returns the passwords to try: the one that was right before comes first, and
// where no word was, no more are tried after a few members.
func (r *zipReader) secrets() (list []secret) {
	if r.right != nil {
		list = append(list, *r.right)
	}
	for _, s := range r.budget.secrets() {
		if !s.word || r.right == nil && r.vain < strayWords {
			list = append(list, s)
		}
	}
	return list
}

// priceOfTry returns what it takes to try a password.
func (e *zipEntry) priceOfTry() Price {
	if e.headers()[0].method == 99 {
		return priceWinZip
	}
	return pricePKZip
}

// method returns the compression method, also where AES is in its place.
func (e *zipEntry) method() uint16 {
	for _, h := range e.headers() {
		if h.aes != nil && h.method == 99 {
			return h.aes.method
		}
	}
	return e.methods()[0]
}

// overhead returns how many bytes encryption adds to the data.
func (e *zipEntry) overhead() int64 {
	if h := e.headers()[0]; h.method == 99 && h.aes != nil {
		return 4*(int64(h.aes.strength)+1) + 2 + winZipAuth
	}
	return zipCryptoHeader
}

// fits tries a reading: whether it ends without an error and with the stated
// checksum and size. Length is that of the packed data. What it unpacks is
// charged.
func (r *zipReader) fits(e *zipEntry, m Member, open packedData, length int64) (bool, error) {
	src, _, err := r.decoder(zipReading{e, m, e.method(), open, length})
	if err != nil {
		return false, nil
	}
	sum := &summed{r: src}
	b, err := r.discard(sum)
	if b.limited() || r.ctx.Err() != nil {
		return false, err
	}
	size := m.Size < 0 || b.n == m.Size
	if e.crc() == 0 { // AE-2 has none, and a descriptor may hold it
		return err == nil && b.n > 0 && size, nil
	}
	return err == nil && size && sum.sum == e.crc(), nil
}

// decrypted opens the data with a password, nil if that is plainly wrong.
func (r *zipReader) decrypted(e *zipEntry, password string) packedData {
	h := e.headers()[0]
	if h.flags&(zipStrong|zipMasked) != 0 {
		return nil
	}
	section := func() io.Reader { return io.NewSectionReader(r.zip.c, e.local.data, r.stated(e)) }
	if h.method == 99 {
		if h.aes == nil {
			return nil
		}
		return openWinZip(section, r.stated(e), *h.aes, password)
	}
	return openZipCrypto(section, *h, password)
}

// zipCrypto is the traditional PKWARE encryption, APPNOTE section 6.1.
type zipCrypto struct {
	r    io.Reader
	keys [3]uint32
}

const zipCryptoHeader = 12

func openZipCrypto(open packedData, h zipHeader, password string) packedData {
	start := func() (*zipCrypto, byte) {
		z := &zipCrypto{r: open(), keys: [3]uint32{0x12345678, 0x23456789, 0x34567890}}
		for i := range len(password) {
			z.update(password[i])
		}
		var header [zipCryptoHeader]byte
		io.ReadFull(z, header[:])
		return z, header[zipCryptoHeader-1]
	}
	_, check := start()
	if check != byte(h.crc>>24) && check != byte(h.modified>>8) {
		return nil
	}
	return func() io.Reader { z, _ := start(); return z }
}

func (z *zipCrypto) update(b byte) {
	z.keys[0] = crc32.IEEETable[byte(z.keys[0])^b] ^ z.keys[0]>>8
	z.keys[1] = (z.keys[1]+z.keys[0]&0xff)*134775813 + 1
	z.keys[2] = crc32.IEEETable[byte(z.keys[2])^byte(z.keys[1]>>24)] ^ z.keys[2]>>8
}

func (z *zipCrypto) Read(p []byte) (int, error) {
	n, err := z.r.Read(p)
	for i, c := range p[:n] {
		t := z.keys[2] | 2
		p[i] = c ^ byte(t*(t^1)>>8)
		z.update(p[i])
	}
	return n, err
}

// winZipAuth is the length of the authentication code after AES data. It is not
// checked: wrong data are worth a look, too.
const winZipAuth = 10

// openWinZip opens data encrypted with AES as WinZip does it (AE-1 and AE-2): salt,
// two bytes to check the password by, data in counter mode, authentication code.
func openWinZip(open packedData, length int64, a zipAES, password string) packedData {
	if a.strength < 1 || a.strength > 3 {
		return nil
	}
	keySize := 8 * (int(a.strength) + 1)
	saltSize := keySize / 2
	head := make([]byte, saltSize+2)
	if _, err := io.ReadFull(open(), head); err != nil {
		return nil
	}
	key, err := pbkdf2.Key(sha1.New, password, head[:saltSize], 1000, 2*keySize+2)
	if err != nil || string(key[2*keySize:]) != string(head[saltSize:]) {
		return nil
	}
	block, err := aes.NewCipher(key[:keySize])
	if err != nil {
		return nil
	}
	return func() io.Reader {
		r := open()
		io.CopyN(io.Discard, r, int64(len(head)))
		return &winZipCTR{block: block, r: io.LimitReader(r, max(0, length-int64(len(head))-winZipAuth))}
	}
}

// winZipCTR is counter mode with a counter that begins at 1 and has its lowest
// byte first; crypto/cipher counts the other way.
type winZipCTR struct {
	block   cipher.Block
	r       io.Reader
	counter uint64
	stream  [aes.BlockSize]byte
	used    int // bytes of stream used up; 0 asks for the next block
}

func (c *winZipCTR) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	for i := range p[:n] {
		if c.used == 0 {
			c.counter++
			var count [aes.BlockSize]byte
			binary.LittleEndian.PutUint64(count[:], c.counter)
			c.block.Encrypt(c.stream[:], count[:])
		}
		p[i] ^= c.stream[c.used]
		c.used = (c.used + 1) % aes.BlockSize
	}
	return n, err
}
