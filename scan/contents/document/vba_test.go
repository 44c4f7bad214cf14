package document

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// compress writes a compressed container of plain tokens, in chunks as full as
// the format lets them be.
func compress(text string) []byte {
	out := []byte{containerMark}
	for part := range slices.Chunk([]byte(text), chunkSize) {
		var tokens []byte
		for group := range slices.Chunk(part, 8) {
			tokens = append(append(tokens, 0), group...)
		}
		header := 0xb000 | len(tokens) - 1
		if len(tokens) > chunkSize { // kept as it is
			tokens, header = append(part, make([]byte, chunkSize-len(part))...), 0x3fff
		}
		out = binary.LittleEndian.AppendUint16(out, uint16(header))
		out = append(out, tokens...)
	}
	return out
}

// vbaModule is a module to be written.
type vbaModule struct {
	name, source string
	lines        int // of compiled code that do something
}

// vbaProject writes the streams of a project below a storage.
func vbaProject(storage string, modules ...vbaModule) []streamData {
	var dir bytes.Buffer
	record := func(id uint16, data []byte) {
		binary.Write(&dir, binary.LittleEndian, id)
		binary.Write(&dir, binary.LittleEndian, uint32(len(data)))
		dir.Write(data)
	}
	record(0x0001, make([]byte, 4))
	dir.Write([]byte("\x09\x00\x04\x00\x00\x00\x01\x00\x00\x00\x01\x00"))
	streams := []streamData{{storage + "/_VBA_PROJECT", []byte("\xcc\x61\xff\xff\x00\x00\x00")}}
	for _, m := range modules {
		cache := compiled(m.lines)
		record(recModule, []byte(m.name))
		record(recStreamName, []byte(m.name))
		record(recOffset, binary.LittleEndian.AppendUint32(nil, uint32(len(cache))))
		record(recModuleEnd, nil)
		source := "Attribute VB_Name = \"" + m.name + "\"\r\n" + m.source
		streams = append(streams, streamData{storage + "/" + m.name, append(cache, compress(source)...)})
	}
	return append(streams, streamData{storage + "/dir", compress(dir.String())})
}

// compiled is a cache with a table of so many lines of compiled code.
func compiled(lines int) []byte {
	b := append(make([]byte, 50), "\xfe\xca\x01\x00"...)
	b = binary.LittleEndian.AppendUint16(b, uint16(lines))
	for i := range lines {
		b = append(b, 0, 0, 0, 0, 4, 0, 0, 0)
		b = binary.LittleEndian.AppendUint32(b, uint32(4*i))
	}
	return append(b, make([]byte, 10+4*lines)...)
}

func TestContainersAreUnpacked(t *testing.T) {
	for name, text := range map[string]string{
		"short": "Attribute VB_Name = \"A\"\r\n", "empty line": "\r\n", "one chunk": strings.Repeat("x", 4000),
		"many": strings.Repeat("Sub x()\r\nEnd Sub\r\n", 1000),
	} {
		got, err := decompress(compress(text), 1<<20)
		if err != nil || strings.TrimRight(string(got), "\x00") != text {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

// TestContainerOfTheSpecification unpacks the examples of MS-OVBA, sections 3.2.2
// and 3.2.3.
func TestContainerOfTheSpecification(t *testing.T) {
	for packed, want := range map[string]string{
		"\x01\x2f\xb0\x00\x23\x61\x61\x61\x62\x63\x64\x65\x82\x66\x00\x70\x61\x67\x68\x69\x6a\x01\x38\x08\x61\x6b\x6c\x00\x30\x6d\x6e\x6f\x70\x06\x71\x02\x70\x04\x10\x72\x73\x74\x75\x76\x10\x77\x78\x79\x7a\x00\x3c": "#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa",
		"\x01\x03\xb0\x02\x61\x45\x00": strings.Repeat("a", 73),
	} {
		if got, err := decompress([]byte(packed), 1<<20); err != nil || string(got) != want {
			t.Errorf("got %q, %v", got, err)
		}
	}
}

func TestContainersAreBounded(t *testing.T) {
	chunk := "\x03\xb0\x02a\xff\x0f"
	bomb := []byte("\x01" + strings.Repeat(chunk, 10_000))
	if got, err := decompress(bomb, 1<<20); len(got) != 1<<20 || err == nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestBasicIsTakenApart(t *testing.T) {
	g, err := newGrammar(DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		source          string
		starts, certain int
		hints           int
	}{
		"plain":              {"Sub Total()\nRange(\"A1\") = 1\nEnd Sub", 0, 0, 0},
		"comment":            {"Sub AutoOpen() ' Shell powershell\nRem Shell\nEnd Sub", 1, 0, 0},
		"commented out":      {"'Sub AutoOpen()\n", 0, 0, 0},
		"continued":          {"Private _\n Sub _\n Document_Open()\nShell _\n x\nEnd Sub", 1, 1, 0},
		"in pieces":          {"Sub Auto_Open()\nx = \"pow\" & \"ersh\" + \"ell\"\nEnd Sub", 1, 1, 0},
		"by codes":           {"Sub A()\nx = Chr(112) & ChrW$(&H6F) & Chr( 119 ) & \"ershell\"\nEnd Sub", 0, 1, 0},
		"backwards":          {"Sub A()\nx = StrReverse(\"llehsrewop\")\nEnd Sub", 0, 1, 0},
		"company":            {"Sub A()\nMsgBox \"Shell plc\"\nEnd Sub", 0, 0, 0},
		"dictionary":         {"Sub A()\nSet d = CreateObject(\"Scripting.Dictionary\")\nEnd Sub", 0, 0, 0},
		"unknown class":      {"Sub A()\nSet d = CreateObject(n)\nEnd Sub", 0, 0, 1},
		"event of a control": {"Sub InkEdit1_GotFocus()\nEnd Sub", 1, 0, 0},
		"library":            {"Private Declare PtrSafe Function URLDownloadToFileA Lib \"urlmon\" ()", 0, 2, 1},
		"function":           {"Public Function autoexec()\nEnd Function", 1, 0, 0},
	} {
		var ev evidence
		ev.gather(g, "Module1", readBasic(c.source))
		if len(ev.starts) != c.starts || len(ev.certain) != c.certain || len(ev.hints) != c.hints {
			t.Errorf("%s: starts %q, uses %q, hints %q", name, ev.starts, ev.certain, ev.hints)
		}
	}
}

func TestMainOfAModuleThatRuns(t *testing.T) {
	g, err := newGrammar(DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	var ev evidence
	ev.gather(g, "Stream1", readBasic("Attribute VB_Name = \"AutoExec\"\nSub Main()\nEnd Sub"))
	if len(ev.starts) != 1 {
		t.Errorf("starts %q", ev.starts)
	}
}

func FuzzContainer(f *testing.F) {
	f.Add(compress("Attribute VB_Name = \"A\"\r\nSub AutoOpen()\r\nEnd Sub\r\n"))
	f.Add([]byte("\x01\x03\xb0\x02\x61\x45\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		const limit = 1 << 16
		out, _ := decompress(b, limit)
		if len(out) > limit {
			t.Fatalf("%d bytes", len(out))
		}
		parseDir(out)
		compiledLines(b)
		readBasic(string(out))
	})
}
