package archive

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"crypto/rc4"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

var (
	testSalt     = []byte("0123456789abcdef")
	testVerifier = []byte("verifier, 16 byt")
)

// sealCBC encrypts b, filled up to whole blocks.
func sealCBC(key, iv, b []byte) []byte {
	b = append(bytes.Clone(b), make([]byte, (aes.BlockSize-len(b)%aes.BlockSize)%aes.BlockSize)...)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(b, b)
	return b
}

func sealECB(key, b []byte) []byte {
	b = append(bytes.Clone(b), make([]byte, (aes.BlockSize-len(b)%aes.BlockSize)%aes.BlockSize)...)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	for at := 0; at < len(b); at += aes.BlockSize {
		block.Encrypt(b[at:], b[at:])
	}
	return b
}

// agile is a document in the agile encryption.
func agile(password, hash string, bits, spin int, body string) []byte {
	k := agileKind{Block: 16, Bits: bits, Hash: hash, Salt: testSalt}
	sum := spun(context.Background(), k.hash(), testSalt, wideBytes(password), spin)
	seal := func(what string, b []byte) string {
		return base64.StdEncoding.EncodeToString(sealCBC(fitted(hashed(k.hash(), sum, []byte(what)), bits/8), testSalt, b))
	}
	key := bytes.Repeat([]byte{7}, bits/8)
	salt := base64.StdEncoding.EncodeToString(testSalt)
	kind := fmt.Sprintf(`saltSize="16" blockSize="16" keyBits="%d" hashSize="64" cipherAlgorithm="AES" cipherChaining="ChainingModeCBC" hashAlgorithm="%s" saltValue="%s"`, bits, hash, salt)
	info := "\x04\x00\x04\x00\x40\x00\x00\x00" + `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><encryption xmlns="http://schemas.microsoft.com/office/2006/encryption" xmlns:p="http://schemas.microsoft.com/office/2006/keyEncryptor/password"><keyData ` + kind + `/><dataIntegrity encryptedHmacKey="" encryptedHmacValue=""/><keyEncryptors><keyEncryptor uri="http://schemas.microsoft.com/office/2006/keyEncryptor/password"><p:encryptedKey spinCount="` + fmt.Sprint(spin) + `" ` + kind +
		` encryptedVerifierHashInput="` + seal(agileVerifier, testVerifier) + `" encryptedVerifierHashValue="` + seal(agileHash, hashed(k.hash(), testVerifier)) + `" encryptedKeyValue="` + seal(agileKey, key) + `"/></keyEncryptor></keyEncryptors></encryption>`
	data := binary.LittleEndian.AppendUint64(nil, uint64(len(body)))
	for i, rest := uint32(0), body; rest != ""; i++ {
		n := min(len(rest), packageSegment)
		iv := hashed(k.hash(), testSalt, binary.LittleEndian.AppendUint32(nil, i))
		data = append(data, sealCBC(key, fitted(iv, 16), []byte(rest[:n]))...)
		rest = rest[n:]
	}
	return makeCFB(node{name: "EncryptionInfo", data: info}, node{name: packageStream, data: string(data)})
}

// standardInfo describes the standard encryption.
func standardInfo(algorithm uint32, size int, verifier, hash []byte) string {
	head := words([]uint32{0x24, 0, algorithm, 0x8004, uint32(8 * size), 0x18, 0, 0})
	head = append(head, "M\x00\x00\x00"...)
	return string(words([]uint32{0x24, uint32(len(head))})) + string(head) + string(words([]uint32{16})) + string(testSalt) + string(verifier) + string(words([]uint32{sha1.Size})) + string(hash)
}

// standard is a document in the standard encryption.
func standard(password string, algorithm uint32, size int, body string) []byte {
	sum := spun(context.Background(), sha1.New(), testSalt, wideBytes(password), standardRounds)
	sum = hashed(sha1.New(), sum, []byte{0, 0, 0, 0})
	key := append(padded(sum, 0x36), padded(sum, 0x5c)...)[:size]
	info := "\x04\x00\x02\x00" + standardInfo(algorithm, size, sealECB(key, testVerifier), sealECB(key, hashed(sha1.New(), testVerifier)))
	data := append(binary.LittleEndian.AppendUint64(nil, uint64(len(body))), sealECB(key, []byte(body))...)
	return makeCFB(node{name: "EncryptionInfo", data: info}, node{name: packageStream, data: string(data)})
}

func TestEncryptedPackages(t *testing.T) {
	body := string(makeZip(t, file{name: "xl/vbaProject.bin", text: strings.Repeat("macro ", 2000)}))
	for name, c := range map[string]struct {
		data      []byte
		passwords []string
		open      bool
	}{
		"agile, Excel's":      {agile(builtIn[0], "SHA512", 256, 1000, body), nil, true},
		"agile, PowerPoint's": {agile(builtIn[1], "SHA1", 128, 1000, body), nil, true},
		"agile, SHA-384":      {agile(builtIn[0], "SHA384", 192, 10, body), nil, true},
		"agile, known":        {agile("infected", "SHA256", 256, 1000, body), []string{"x", "infected"}, true},
		"agile, other":        {agile("secret", "SHA512", 256, 1000, body), []string{"infected"}, false},
		"agile, other hash":   {bytes.ReplaceAll(agile(builtIn[0], "SHA512", 256, 10, body), []byte("SHA512"), []byte("WHIRL2")), nil, false},
		"standard":            {standard(builtIn[0], algAES128, 16, body), nil, true},
		"standard, 256 bits":  {standard(builtIn[0], algAES256, 32, body), nil, true},
		"standard, known":     {standard("infected", algAES192, 24, body), []string{"infected"}, true},
		"standard, other":     {standard("secret", algAES128, 16, body), nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, "a.xlsx", c.data, c.passwords...)
			opened := w.has(packageStream, body)
			if opened != c.open || opened == strings.Contains(w.codes(), encryptedDocument) || opened != strings.Contains(w.codes(), openedByPassword) {
				t.Errorf("opened: %v; %s; %s", opened, w.names(), w.codes())
			}
		})
	}
}

// biffRecord is a record of a workbook.
func biffRecord(kind uint16, body string) string {
	return string(binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(nil, kind), uint16(len(body)))) + body
}

// sealBIFF encrypts what must be in a workbook: decrypting with RC4 is encrypting.
func sealBIFF(l biffLock, pass string, records ...string) []byte {
	clear := biffRecord(0x809, "\x00\x06\x05\x00") + biffRecord(biffFilePass, pass) + strings.Join(records, "")
	out := make([]byte, 0, len(clear))
	for r := clear; r != ""; {
		n := 4 + int(le16([]byte(r[2:])))
		b := []byte(r[:n])
		if kind := le16(b); !biffClear[kind] {
			skip := 4
			if kind == biffSheet {
				skip = 8
			}
			at := int64(len(out))
			if x, ok := l.(*xorLock); ok {
				for i := skip; i < n; i++ {
					c := b[i]<<5 | b[i]>>3
					b[i] = c ^ x.with[(at+int64(i)+int64(n-4))%16]
				}
			} else {
				l.clear(b[skip:], at+int64(skip), at+4, n-4)
			}
		}
		out, r = append(out, b...), r[n:]
	}
	return out
}

// locked40 describes RC4 with 40 bits.
func locked40(password string) (biffLock, string) {
	l := &rc4Lock{salt: testSalt, verifier: make([]byte, 16), hash: make([]byte, 16)}
	l.opens(context.Background(), wideBytes(password))
	both := append(bytes.Clone(testVerifier), hashed(md5.New(), testVerifier)...)
	s := rc4Stream{key: l.stream.key}
	s.clear(both, 0)
	return l, "\x01\x00\x01\x00\x01\x00" + string(testSalt) + string(both)
}

// lockedAPI describes RC4 through the interface of Windows.
func lockedAPI(password string, size int) (*standardLock, string) {
	l := &standardLock{algorithm: algRC4, size: size, salt: testSalt}
	l.base = hashed(sha1.New(), testSalt, wideBytes(password))
	l.stream = rc4Stream{key: l.blockKey}
	both := append(bytes.Clone(testVerifier), hashed(sha1.New(), testVerifier)...)
	s := rc4Stream{key: l.blockKey}
	s.clear(both, 0)
	return l, standardInfo(algRC4, size, both[:16], both[16:])
}

func lockedXOR(password string) (biffLock, string) {
	l := &xorLock{key: xorKey([]byte(password)), verifier: xorVerifier([]byte(password))}
	l.opens(context.Background(), wideBytes(password))
	return l, "\x00\x00" + string(binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(nil, l.key), l.verifier))
}

func TestEncryptedWorkbooks(t *testing.T) {
	marker := strings.Repeat("=EXEC(\"cmd.exe\") ", 300)
	sheet, cell := biffRecord(biffSheet, "\x01\x02\x03\x04\x00\x01\x06\x00Macro1"), biffRecord(0x06, marker)
	for _, password := range []string{builtIn[0], "infected", "secret"} {
		api := func(size int) (biffLock, string) {
			l, info := lockedAPI(password, size)
			return biffStandard{l}, "\x01\x00\x04\x00\x02\x00" + info
		}
		for name, lock := range map[string]func() (biffLock, string){
			"XOR":                 func() (biffLock, string) { return lockedXOR(password) },
			"RC4":                 func() (biffLock, string) { return locked40(password) },
			"RC4 of Windows":      func() (biffLock, string) { return api(16) },
			"RC4 of Windows, old": func() (biffLock, string) { return api(5) },
		} {
			l, pass := lock()
			w := open(t, "a.xls", makeCFB(node{name: "Workbook", data: string(sealBIFF(l, pass, sheet, cell))}), "infected")
			opened := len(w.members) == 1 && strings.Contains(w.members[0].body, sheet+cell)
			want := password != "secret"
			if opened != want || want == strings.Contains(w.codes(), encryptedDocument) || want != strings.Contains(w.codes(), openedByPassword) {
				t.Errorf("%s, %s: opened: %v; %s", name, password, opened, w.codes())
			}
		}
	}
}

// What Excel writes for its own password is known.
func TestObfuscationIsExcels(t *testing.T) {
	if key, verifier := xorKey([]byte(builtIn[0])), xorVerifier([]byte(builtIn[0])); key != 0xb359 || verifier != 0x9a0a {
		t.Errorf("%04x, %04x", key, verifier)
	}
}

func TestEncryptedSlides(t *testing.T) {
	record := func(kind uint16, version byte, body string) string {
		return string([]byte{version, 0}) + string(binary.LittleEndian.AppendUint16(nil, kind)) + string(words([]uint32{uint32(len(body))})) + body
	}
	l, info := lockedAPI(builtIn[1], 16)
	object := makeCFB(node{name: "VBA/dir", data: "macros"})
	first := record(0x1011, 0, string(object))
	second := record(0x0fa0, 0, "text")
	session := record(cryptSession, 0x0f, "\x02\x00\x02\x00"+info)
	seal := func(number uint32, s string) string {
		b := []byte(s)
		c, _ := rc4.NewCipher(l.blockKey(number))
		c.XORKeyStream(b, b)
		return string(b)
	}
	stream := seal(1, first) + seal(2, second) + session
	directoryAt := len(stream)
	stream += record(persistDirectory, 0, string(words([]uint32{1 | 3<<20, 0, uint32(len(first)), uint32(len(first) + len(second))})))
	editAt := len(stream)
	stream += record(userEdit, 0, string(words([]uint32{0, 0, 0, uint32(directoryAt), 1, 3, 0, 3})))
	user := record(0x0ff6, 0, string(words([]uint32{20, 0xf3d1c4df, uint32(editAt)})))
	w := open(t, "a.ppt", makeCFB(node{name: "Current User", data: user}, node{name: slideStream, data: stream}))
	if !w.has("ExOleObjStg", string(object)) || strings.Contains(w.codes(), encryptedDocument) {
		t.Errorf("%s; %s", w.names(), w.codes())
	}
}

// turns is a lock that any password opens.
type turns int

func (n turns) rounds() int                        { return int(n) }
func (n turns) opens(context.Context, []byte) bool { return true }

// What takes longer than a limit is not tried.
func TestTurnsAreLimited(t *testing.T) {
	w := begin(context.Background(), bytes.NewReader(nil), NewBudget(testLimits), nil)
	for n, want := range map[turns]bool{officeRounds: true, officeRounds + 1: false} {
		if ok, err := w.unlock(n); (ok != "") != want || err != nil {
			t.Errorf("%d: %v, %v", n, ok, err)
		}
	}
}
