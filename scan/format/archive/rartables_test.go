package archive

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"testing"
	"time"
)

// rar5Codes256 returns codes as a block of packed data begins with: one of 8 bits for each byte, and none for
// anything else (RAR 5.0, as decoders of it read them): 20 lengths of 4 bits, of which those of 8 and 19 are 1; then
// 8 for 256 symbols, and twice many zeros.
func rar5Codes256() []byte {
	b := make([]byte, 44)
	b[4], b[9] = 0x10, 0x01
	tail := uint16(0x80)<<8 | uint16(0x80) // two bits of 1, each with a count of 7 bits
	tail |= (138-11)<<8 | (36 - 11)
	binary.BigEndian.PutUint16(b[42:], tail)
	return b
}

// rar5Chunk returns a block of packed data with its codes.
func rar5Chunk(data []byte, last byte) []byte {
	data = append(rar5Codes256(), data...)
	flags, n := 7|2<<3|rar5Codes|last, len(data)
	head := []byte{flags, 0, byte(n), byte(n >> 8), byte(n >> 16)}
	head[1] = rar5BlockSum ^ flags ^ head[2] ^ head[3] ^ head[4]
	return append(head, data...)
}

// rar5Packed returns a RAR 5 of one file in such blocks, after so many that hold nothing.
func rar5Packed(text []byte, each, empties int) []byte {
	data := bytes.Repeat(rar5Chunk(nil, 0), empties)
	for at := 0; at < len(text); at += each {
		last := byte(0)
		if at+each >= len(text) {
			last = rar5LastOne
		}
		data = append(data, rar5Chunk(text[at:min(at+each, len(text))], last)...)
	}
	file := binary.AppendUvarint([]byte{rar5FileKind, rar5Data}, uint64(len(data)))
	file = append(binary.AppendUvarint(append(file, rar5Sum), uint64(len(text))), 0x20)
	file = binary.LittleEndian.AppendUint32(file, crc32.ChecksumIEEE(text))
	file = binary.AppendUvarint(file, 3<<7|5<<10) // packed as usual, 4 MB of dictionary
	file = append(file, 1, 1, 'a')
	return []byte(rar5Magic + rar5Block("\x01\x00\x00") + rar5Block(string(file)) + string(data) + rar5Block("\x05\x00\x00"))
}

// TestCodesOfRARAreCharged has archives of the same text in few and in many blocks, and with many before it that hold
// nothing: each is read, and each block with codes is paid.
func TestCodesOfRARAreCharged(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789abcdef"), 4096)
	for name, c := range map[string]struct{ each, empties, blocks int }{
		"one block":          {len(text), 0, 1},
		"blocks of 64 bytes": {64, 0, 1024},
		"blocks of nothing":  {len(text), 5000, 5001},
	} {
		b := NewBudget(Limits{Expanded: 1 << 30, Member: 1 << 30, Ratio: 1 << 30, Entries: 100})
		var got []byte
		notes, err := rarFormat{}.Walk(t.Context(), bytes.NewReader(rar5Packed(text, c.each, c.empties)), b, func(_ Member, r io.Reader) error {
			got, _ = io.ReadAll(r)
			return nil
		})
		if err != nil || len(notes) > 0 || !bytes.Equal(got, text) {
			t.Fatalf("%s: %d bytes of %d, notes %v, %v", name, len(got), len(text), notes, err)
		}
		codes := time.Duration(int64(c.blocks) * int64(priceRARCodes) / 1000)
		if rest := b.Worked() - codes; rest <= 0 || rest > 30*time.Millisecond {
			t.Errorf("%s: %v of work, of which %v for codes", name, b.Worked(), codes)
		}
	}
}

// TestCodesOfRAREnd has more blocks than is done for one message, and blocks that are none.
func TestCodesOfRAREnd(t *testing.T) {
	many := rar5Packed([]byte("x"), 1, 50_000)
	b := NewBudget(Limits{Expanded: 1 << 30, Member: 1 << 30, Ratio: 1 << 30, Entries: 100})
	ctx, done := b.Within(t.Context(), 50*time.Millisecond)
	defer done()
	rarFormat{}.Walk(ctx, bytes.NewReader(many), b, func(_ Member, r io.Reader) error { io.Copy(io.Discard, r); return nil })
	if !b.Overworked() || b.Worked() > 60*time.Millisecond {
		t.Errorf("%v of 50 ms were done", b.Worked())
	}
	broken := rar5Packed([]byte("x"), 1, 1000)
	broken[bytes.Index(broken, rar5Chunk(nil, 0))+1] ^= 1
	b = NewBudget(b.Limits)
	notes, err := rarFormat{}.Walk(t.Context(), bytes.NewReader(broken), b, func(_ Member, r io.Reader) error { io.Copy(io.Discard, r); return nil })
	if err != nil || len(notes) == 0 || b.Worked() > 2*time.Millisecond {
		t.Errorf("a block that is none: %v, %v, %v of work", notes, err, b.Worked())
	}
}
