package sample

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"
	"slices"
)

// rarRounds is the logarithm of the rounds that a password goes through, as WinRAR has it.
const rarRounds = 15

// Rar5Locked returns an archive as WinRAR 5 to 7 write it with a password, of files that are stored
// as they are and encrypted; with names, the headers are encrypted as well (rarlab.com/technote.htm).
// Salts and vectors are the same each time, so that the archive is.
func Rar5Locked(password string, names bool, files ...File) []byte {
	out := []byte("Rar!\x1a\x07\x01\x00")
	salt := bytes.Repeat([]byte("salt"), 4)
	key, check := rarKey(password, salt)
	write := func(block []byte) { out = append(out, block...) }
	if names {
		// version, flags: there is a check value
		out = append(out, block5(4, 0, slices.Concat([]byte{0, 1, rarRounds}, salt, check))...)
		write = func(block []byte) {
			vector := sha256.Sum256(out)
			out = append(append(out, vector[:16]...), sealed(key, vector[:16], block)...)
		}
	}
	write(block5(1, 0, []byte{0}))
	for i, f := range files {
		vector := bytes.Repeat([]byte{byte(i + 1)}, 16)
		content := sealed(key, vector, f.Content)
		// its length, type, version, flags as above
		record := slices.Concat([]byte{1, 0, 1, rarRounds}, salt, vector, check)
		record = append(binary.AppendUvarint(nil, uint64(len(record))), record...)
		b := binary.AppendUvarint(nil, uint64(len(record)))
		b = binary.AppendUvarint(b, uint64(len(content)))   // packed
		b = append(b, 4)                                    // there is a checksum
		b = binary.AppendUvarint(b, uint64(len(f.Content))) // unpacked
		b = binary.AppendUvarint(b, 0o100644)
		b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(f.Content))
		b = append(b, 0, 1) // stored, made under Unix
		b = append(binary.AppendUvarint(b, uint64(len(f.Name))), f.Name...)
		write(block5(2, 3, append(b, record...)))
		out = append(out, content...)
	}
	write(block5(5, 0, []byte{0}))
	return out
}

// rarKey returns the key of a password, and the value by which it is told that the password is right: the key
// after 32 rounds more, folded, with the beginning of its hash.
func rarKey(password string, salt []byte) (key, check []byte) {
	derive := func(rounds int) []byte {
		k, err := pbkdf2.Key(sha256.New, password, salt, rounds, 32)
		if err != nil {
			panic(err) // of a length that is none
		}
		return k
	}
	folded := make([]byte, 8)
	for i, c := range derive(1<<rarRounds + 32) {
		folded[i%8] ^= c
	}
	sum := sha256.Sum256(folded)
	return derive(1 << rarRounds), append(folded, sum[:4]...)
}

// sealed encrypts a text, filled up with zeros to whole blocks.
func sealed(key, vector, text []byte) []byte {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // likewise
	}
	out := slices.Concat(text, make([]byte, (16-len(text)%16)%16))
	cipher.NewCBCEncrypter(block, vector).CryptBlocks(out, out)
	return out
}
