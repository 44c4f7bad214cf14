package entity

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"
)

var uuTests = []decodeCase{
	{"clean", UUEncode, "begin 644 a.txt\r\n$6#5/(0``\r\n`\r\nend\r\n", "X5O!", ""},
	{"blank as zero", UUEncode, "begin 644 a.txt\n$6#5/(0  \n \nend\n", "X5O!", ""},
	{"blanks lost", UUEncode, "begin 644 a.txt\n$6#5/(0\n\nend\n", "X5O!", ""},
	{"text around", UUEncode, "Hello,\nbegin 644 a.txt\n$6#5/(0``\n`\nend\nBye\n", "X5O!", ""},
	{"checksum character", UUEncode, "begin 644 a.txt\n$6#5/(0``!\n`\nend\n", "X5O!", ""},
	{"too long", UUEncode, "begin 644 a.txt\n$6#5/(0``ABCDEF\n`\nend\n", "X5O!", "uu-line-length"},
	{"no end", UUEncode, "begin 644 a.txt\n$6#5/(0``\n", "X5O!", "uu-no-end"},
	{"no begin", UUEncode, "$6#5/(0``\n`\nend\n", "", "uu-no-begin"},
	{"bare", UUBare, "$6#5/(0``\n`\nend\n", "X5O!", ""},
	{"no name", UUEncode, "begin 644\n$6#5/(0``\n`\nend\n", "X5O!", ""},
	{"two files", UUEncode, "begin 644 a\n#6#5/\n`\nend\nbegin 644 b\n#(5`E\n`\nend\n", "X5O!P%", "uu-several-files"},
	{"base64", UUEncode, "begin-base64 644 a b.txt\nWDVPIQ==\n====\n", "X5O!", ""},
	{"base64 without end", UUEncode, "begin-base64 644 a.txt\nWDVPIQ==\n", "X5O!", "uu-no-end"},
	{"quoted", UUEncode, "a wrote:\n> begin 644 a\n> $6#5/(0``\n> `\n> end\n> Bye\n", "X5O!", ""},
	{"quoted twice, CRLF", UUEncode, ">> begin 644 a\r\n>> $6#5/(0``\r\n>> `\r\n>> end\r\n", "X5O!", ""},
	{"quoted, a line as long as the mark says", UUEncode, ">begin 644 a\n>$6#5/(0``\n>`\n>end\n", "X5O!", ""},
	{"indented, blanks lost", UUEncode, "\t begin 644 a\n\t $6#5/(0``\n\n\t `\n\t end\n", "X5O!", ""},
	{"quoted base64", UUEncode, "| begin-base64 644 a\n| WDVPIQ==\n| ====\n", "X5O!", ""},
	{"one quoted, one not", UUEncode, "> begin 644 a\n> #6#5/\n> `\n> end\nbegin 644 b\n#(5`E\n`\nend\n", "X5O!P%", "uu-several-files"},
	{"junk", UUEncode, "begin 644 a\n$6#5/(0\xff`\n`\nend\n", "X5O!", "uu-junk"},
	{"overlong line", UUEncode, "begin 644 a\n#6#5/" + strings.Repeat("x", 3*lineBuffer) + "\n#(5`E\n`\nend\n", "X5O!P%", "uu-junk uu-line-length"},
}

func TestUUEncode(t *testing.T) { testDecode(t, uuTests) }

var yencTests = []decodeCase{
	{"clean", YEnc, "=ybegin line=128 size=4 name=a.txt\r\n\x82_yK\r\n=yend size=4 crc32=" + fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte("X5O!"))) + "\r\n", "X5O!", ""},
	{"escape", YEnc, "=ybegin line=128 size=1 name=a\n=n\n=yend size=1\n", "\x04", ""},
	{"parts", YEnc, "=ybegin part=1 total=2 line=128 size=4 name=a\n=ypart begin=1 end=2\n\x82_\n=yend size=2 part=1\nwords\n=ybegin part=2 total=2 line=128 size=4 name=a\n=ypart begin=3 end=4\nyK\n=yend size=2 part=2\n", "X5O!", "yenc-several-parts"},
	{"wrong sum", YEnc, "=ybegin line=128 size=2 name=a\n\x82_\n=yend size=2 crc32=00000000\n", "X5", "yenc-checksum"},
	{"wrong size", YEnc, "=ybegin line=128 size=2 name=a\n\x82_\n=yend size=9\n", "X5", "yenc-size"},
	{"no end", YEnc, "=ybegin line=128 size=2 name=a\n\x82_\n", "X5", "yenc-no-end"},
	{"no begin", YEnc, "\x82_\n", "", "yenc-no-begin"},
}

func TestYEnc(t *testing.T) { testDecode(t, yencTests) }

func binhexTests() []decodeCase {
	return []decodeCase{
		{"clean", BinHex, binhexed("a.txt", []byte("X5O!"), nil), "X5O!", ""},
		{"run and mark", BinHex, binhexed("a", []byte("aaaaaaaaaa\x90\x90\x90b"), nil), "aaaaaaaaaa\x90\x90\x90b", ""},
		{"resource fork", BinHex, binhexed("a", []byte("data"), []byte("res")), "data", "binhex-resource-fork"},
		{"resource fork as asked", BinHexResource, binhexed("a", []byte("data"), []byte("res")), "res", ""},
		{"no marker", BinHex, strings.SplitAfterN(binhexed("a", []byte("X5O!"), nil), "\n\n", 2)[1], "X5O!", ""},
		{"no begin", BinHex, "Hello\n", "", "binhex-no-begin"},
		{"no end", BinHex, strings.TrimRight(binhexed("a", []byte("X5O!"), nil), ":\n"), "X5O!", "binhex-no-end"},
	}
}

func TestBinHex(t *testing.T) { testDecode(t, binhexTests()) }

func TestBinHexDamage(t *testing.T) {
	text := binhexed("a", bytes.Repeat([]byte("0123456789"), 20), nil)
	damaged := strings.Replace(text, "\n", "\n ~\n", 4)
	if _, codes := decoded(t, BinHex, damaged); !slices.Contains(codes, "binhex-junk") {
		t.Errorf("junk gave %q", codes)
	}
	letters := []byte(text)
	at := len(letters) - 60
	letters[at] = binhexLetters[(int(binhexValues[letters[at]])+1)%64]
	if _, codes := decoded(t, BinHex, string(letters)); !slices.Contains(codes, "binhex-checksum") {
		t.Errorf("a changed letter gave %q", codes)
	}
}

// TestBinHexDamagedName checks that a damaged header gives no name that is none.
func TestBinHexDamagedName(t *testing.T) {
	const lines = "(This file must be converted with BinHex 4.0)\n\n:$'4KFR%!,R4KFR%!!\"`\"R`!!!!!\"!!!!!`!!!!!:\n"
	if name := WrappedName(BinHex, strings.NewReader(lines)); strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		t.Errorf("the name is %q", name)
	}
}

func TestWrappings(t *testing.T) {
	uu := uuencoded("invoice 1.exe", []byte("MZ payload"))
	yenc := yencoded("song name.mp3", []byte("data"))
	hqx := binhexed("Mac File", []byte("data"), []byte("res"))
	b64 := "begin-base64 644 b.bin\nWDVPIQ==\n====\n"
	text := "begin 100 days before the start\nand end it.\n" + uu + "words\n" + b64 + yenc + "\n" + yenc + hqx + "bye\nbegin 644 last.txt\n#6#5/\n"
	found, err := Wrappings(strings.NewReader(text), 100)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		enc        Encoding
		name, data string
	}{
		{UUEncode, "invoice 1.exe", "MZ payload"},
		{UUEncode, "b.bin", "X5O!"},
		{YEnc, "song name.mp3", "datadata"},
		{BinHex, "Mac File", "data"},
		{UUEncode, "last.txt", "X5O"},
	}
	if len(found) != len(want) {
		t.Fatalf("found %v, want %d", found, len(want))
	}
	for i, w := range found {
		got, _ := decoded(t, w.Encoding, text[w.Span.Start:w.Span.End])
		if w.Encoding != want[i].enc || w.Name != want[i].name || got != want[i].data {
			t.Errorf("%d: %s %q holds %q, want %v", i, w.Encoding, w.Name, got, want[i])
		}
	}
	if few, _ := Wrappings(strings.NewReader(text), 2); len(few) != 2 {
		t.Errorf("found %d, asked for 2", len(few))
	}
	if name := WrappedName(BinHex, strings.NewReader(text)); name != "Mac File" {
		t.Errorf("the name is %q", name)
	}
}

func TestOrdinaryTextWrapsNothing(t *testing.T) {
	for _, text := range []string{
		"begin 644 things before lunch\nand end them after it\n",
		"begin\nend\n",
		"=ybegin is a keyword of yEnc\n",
		"(This file must be converted with BinHex 4.0)\nHello\n",
		"begin 755 x\n",
		"begin 2024\nwith good resolutions\n",
		"-----BEGIN PGP MESSAGE-----\n\nWDVPIQ==\n-----END PGP MESSAGE-----\n",
	} {
		if found, err := Wrappings(strings.NewReader(text), 10); len(found) > 0 || err != nil {
			t.Errorf("%q wraps %v, %v", text, found, err)
		}
	}
}

// uuencoded writes what uuencode(1) writes.
func uuencoded(name string, data []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "begin 644 %s\n", name)
	for line := range slices.Chunk(data, 45) {
		fmt.Fprintf(&b, "%c", ' '+len(line))
		line = append(bytes.Clone(line), make([]byte, (3-len(line)%3)%3)...)
		for _, c := range base64.StdEncoding.EncodeToString(line) {
			v := standardDigits[3][byte(c)]
			b.WriteByte(uuLetter(byte(v)))
		}
		b.WriteByte('\n')
	}
	b.WriteString("`\nend\n")
	return b.String()
}

func uuLetter(v byte) byte {
	if v == 0 {
		return '`'
	}
	return ' ' + v
}

func yencoded(name string, data []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "=ybegin line=128 size=%d name=%s\r\n", len(data), name)
	for line := range slices.Chunk(data, 128) {
		for _, c := range line {
			c += 42
			if c == 0 || c == '\n' || c == '\r' || c == '=' {
				b.WriteByte('=')
				c += 64
			}
			b.WriteByte(c)
		}
		b.WriteString("\r\n")
	}
	fmt.Fprintf(&b, "=yend size=%d crc32=%08x\r\n", len(data), crc32.ChecksumIEEE(data))
	return b.String()
}

// binhexed writes a BinHex file with both forks, runs packed.
func binhexed(name string, data, resource []byte) string {
	file := append([]byte{byte(len(name))}, name...)
	file = append(file, "\x00TEXTttxt\x00\x00"...)
	file = binary.BigEndian.AppendUint32(file, uint32(len(data)))
	file = binary.BigEndian.AppendUint32(file, uint32(len(resource)))
	file = binary.BigEndian.AppendUint16(file, crc16Of(file))
	for _, fork := range [][]byte{data, resource} {
		file = append(file, fork...)
		file = binary.BigEndian.AppendUint16(file, crc16Of(fork))
	}
	digits := base64.NewEncoding(binhexLetters).WithPadding(base64.NoPadding)
	text := ":" + digits.EncodeToString(binhexPacked(file)) + ":"
	var b strings.Builder
	b.WriteString("(This file must be converted with BinHex 4.0)\n\n")
	for line := range slices.Chunk([]byte(text), 64) {
		b.Write(line)
		b.WriteByte('\n')
	}
	return b.String()
}

func binhexPacked(file []byte) (out []byte) {
	for i := 0; i < len(file); {
		n := 1
		for i+n < len(file) && file[i+n] == file[i] && n < 255 {
			n++
		}
		out = append(out, file[i])
		if file[i] == binhexRepeat {
			out = append(out, 0)
		}
		if n > 1 {
			out = append(out, binhexRepeat, byte(n))
		}
		i += n
	}
	return out
}
