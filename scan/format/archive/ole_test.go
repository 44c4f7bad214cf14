package archive

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"
	"unicode/utf16"
)

// node is a stream, or a storage if it has others in it.
type node struct {
	name string
	data string
	in   []node
}

// cfbWriter makes compound files of version 3.
type cfbWriter struct {
	entries       [][]byte
	mini, sectors []byte // contents
	miniFAT, fat  []uint32
}

const endOfChain = 0xfffffffe

// makeCFB makes a compound file of what is in its root.
func makeCFB(in ...node) []byte {
	w := &cfbWriter{}
	w.add(node{"Root Entry", "", in}, cfbRoot)
	root := w.entries[0]
	put32(root[116:], w.chain(string(w.mini)))
	put32(root[120:], uint32(len(w.mini)))
	miniFAT := w.chain(string(words(w.miniFAT)))
	directory := w.chain(string(bytes.Join(w.entries, nil)))
	n := (len(w.fat)+127)/127 + 1
	fatAt := uint32(len(w.fat))
	for range n {
		w.fat = append(w.fat, 0xfffffffd)
	}
	for len(w.fat) < 128*n {
		w.fat = append(w.fat, math.MaxUint32)
	}
	h := make([]byte, 512)
	copy(h, cfbMagic)
	copy(h[24:], "\x3e\x00\x03\x00\xfe\xff\x09\x00\x06\x00")
	put32(h[44:], uint32(n))
	put32(h[48:], directory)
	put32(h[56:], 4096)
	put32(h[60:], miniFAT)
	put32(h[64:], uint32(len(w.miniFAT)+127)/128)
	put32(h[68:], endOfChain)
	for i := range cfbListed {
		put32(h[76+4*i:], math.MaxUint32)
		if i < n {
			put32(h[76+4*i:], fatAt+uint32(i))
		}
	}
	return append(append(h, w.sectors...), words(w.fat)...)
}

func put32(b []byte, v uint32) { binary.LittleEndian.PutUint32(b, v) }

func words(all []uint32) []byte {
	var b []byte
	for _, v := range all {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

// add appends the entry of a node and of all in it, and returns its number.
func (w *cfbWriter) add(n node, kind byte) uint32 {
	b := make([]byte, cfbRecord)
	name := utf16le(n.name)
	copy(b, name)
	binary.LittleEndian.PutUint16(b[64:], uint16(len(name)+2))
	b[66], b[67] = kind, 1
	for _, at := range []int{68, 72, 76} {
		put32(b[at:], math.MaxUint32)
	}
	number := uint32(len(w.entries))
	w.entries = append(w.entries, b)
	if kind == cfbStream {
		put32(b[116:], w.store(n.data))
		put32(b[120:], uint32(len(n.data)))
	}
	link := b[76:]
	for _, c := range n.in {
		kind := byte(cfbStream)
		if c.in != nil {
			kind = cfbStorage
		}
		at := w.add(c, kind)
		put32(link, at)
		link = w.entries[at][72:]
	}
	return number
}

func (w *cfbWriter) store(data string) uint32 {
	if len(data) >= 4096 {
		return w.chain(data)
	}
	return chainOf(&w.mini, &w.miniFAT, data, 64)
}

func (w *cfbWriter) chain(data string) uint32 { return chainOf(&w.sectors, &w.fat, data, 512) }

func chainOf(to *[]byte, table *[]uint32, data string, size int) uint32 {
	if data == "" {
		return endOfChain
	}
	first := uint32(len(*table))
	n := (len(data) + size - 1) / size
	for i := range n {
		next := first + uint32(i) + 1
		if i == n-1 {
			next = endOfChain
		}
		*table = append(*table, next)
	}
	*to = append(*to, data...)
	*to = append(*to, make([]byte, n*size-len(data))...)
	return first
}

func utf16le(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

// le32s is a number as 4 bytes.
func le32s(n int) string { return string(binary.LittleEndian.AppendUint32(nil, uint32(n))) }

// packaged is what the packager of OLE writes, without the size before it.
func packaged(label, source, temporary, data string) string {
	return "\x02\x00" + label + "\x00" + source + "\x00" + "\x00\x00\x03\x00" + le32s(len(temporary)+1) + temporary + "\x00" + le32s(len(data)) + data
}

func native(object string) string { return le32s(len(object)) + object }

func TestOLE(t *testing.T) {
	for name, c := range map[string]struct {
		file  []byte
		names string
		holds string // the name of the member that is EICAR
		codes string
	}{
		"small stream":  {makeCFB(node{name: "eicar.com", data: eicar}), "eicar.com", "eicar.com", ""},
		"large stream":  {makeCFB(node{name: "eicar.com", data: eicar + strings.Repeat(" ", 5000)}), "eicar.com", "eicar.com", ""},
		"in a storage":  {makeCFB(node{name: "a", in: []node{{name: "b", in: []node{{name: "eicar.com", data: eicar}}}}}, node{name: "c", data: "x"}), "a/b/eicar.com c", "a/b/eicar.com", ""},
		"package":       {makeCFB(node{name: "ObjectPool", in: []node{{name: "_1", in: []node{{name: "\x01Ole10Native", data: native(packaged("eicar.com", `C:\x\eicar.com`, `C:\t\EICAR~1.COM`, eicar))}}}}}), "eicar.com|EICAR~1.COM", "eicar.com", ""},
		"no package":    {makeCFB(node{name: "\x01Ole10Native", data: native(eicar)}), "\x01Ole10Native", "\x01Ole10Native", ""},
		"cut package":   {makeCFB(node{name: "\x01Ole10Native", data: native(packaged("eicar.com", "x", "y", eicar))[:90]}), "eicar.com|x|y", "", damagedMember},
		"installer":     {makeCFB(node{name: "\u4840\u3f3f\u4577\u446c\u3e6a\u44b2\u482f", data: eicar}), "!_StringPool", "!_StringPool", ""},
		"encrypted new": {makeCFB(node{name: "EncryptionInfo", data: "x"}, node{name: "EncryptedPackage", data: "secret"}), "EncryptionInfo EncryptedPackage", "", encryptedDocument},
		"encrypted doc": {makeCFB(node{name: "WordDocument", data: "\xec\xa5\xc1\x00\x00\x00\x00\x00\x00\x00\x00\x01"}), "WordDocument", "", encryptedDocument},
		"encrypted xls": {makeCFB(node{name: "Workbook", data: "\x09\x08\x04\x00\x00\x06\x05\x00\x2f\x00\x02\x00\x01\x00"}), "Workbook", "", encryptedDocument},
		"clear xls":     {makeCFB(node{name: "Workbook", data: "\x09\x08\x04\x00\x00\x06\x05\x00\xe1\x00\x02\x00\x01\x00"}), "Workbook", "", ""},
		"encrypted ppt": {makeCFB(node{name: "Current User", data: "\x00\x00\xf6\x0f\x1c\x00\x00\x00\x14\x00\x00\x00\xdf\xc4\xd1\xf3"}), "Current User", "", encryptedDocument},
		"slides":        {makeCFB(node{name: "PowerPoint Document", data: "\x00\x00\xe8\x03\x01\x00\x00\x00x" + "\x00\x00\x11\x10" + le32s(len(eicar)) + eicar}), "ExOleObjStg PowerPoint Document", "ExOleObjStg", ""},
		"rights":        {makeCFB(node{name: "\tDRMContent", data: "x"}), "\tDRMContent", "", encryptedDocument},
	} {
		got := open(t, name, c.file)
		if got.err != nil || got.names() != c.names || got.codes() != c.codes || c.holds != "" && !got.has(c.holds, eicar) {
			t.Errorf("%s: %q, notes %v, %v", name, got.names(), got.notes, got.err)
		}
	}
}

// property is a stream of a mail that was saved.
func property(id, value string) node {
	if strings.HasSuffix(id, "001F") {
		value = utf16le(value)
	}
	return node{name: msgStream + id, data: value}
}

func makeMSG(attachments ...node) []byte {
	in := []node{
		{name: msgProperties, data: strings.Repeat("\x00", 32)}, property("0037001F", "subject"), property("1000001F", "body"), property("10130102", "<p>body</p>"),
		{name: msgNames, in: []node{{name: "__substg1.0_00020102", data: "x"}}},
	}
	return makeCFB(append(in, attachments...)...)
}

func attachment(n string, in ...node) node {
	return node{name: "__attach_version1.0_#" + n, in: append([]node{{name: msgProperties, data: "x"}}, in...)}
}

func TestMSG(t *testing.T) {
	embedded := attachment("00000001", node{name: msgStream + "3701000D", in: []node{
		{name: msgProperties, data: "x"}, property("1000001F", "inner body"), attachment("00000000", property("37010102", eicar), property("3704001E", "inner.com")),
	}})
	got := open(t, "mail.msg", makeMSG(
		attachment("00000000", property("37010102", eicar), property("3707001F", "eicar long ü.com"), property("3704001F", "EICAR~1.COM"), property("3001001F", "eicar.com")),
		embedded,
		attachment("00000002", property("37010102", "x"), property("3707001F", "eicar long ü.com")),
	))
	if want := "  eicar long ü.com|EICAR~1.COM|eicar.com  inner.com eicar long ü.com"; got.names() != want || got.codes() != "" {
		t.Errorf("%q, notes %v", got.names(), got.notes)
	}
	if !got.has("eicar.com", eicar) || !got.has("inner.com", eicar) || got.members[1].body != "<p>body</p>" {
		t.Errorf("%v", got.members)
	}
}

func TestDamagedOLE(t *testing.T) {
	file := makeCFB(node{name: "a", in: []node{{name: "eicar.com", data: eicar}}}, node{name: "large", data: strings.Repeat("x", 9000)})
	directory := int(le32(file[48:]))*512 + 512
	for name, c := range map[string]struct {
		change func([]byte) []byte
		code   string
		finds  bool
	}{
		"cut in the header":    {func(b []byte) []byte { return b[:100] }, damagedContainer, false},
		"cut in the directory": {func(b []byte) []byte { return b[:directory+100] }, damagedContainer, false},
		"cut before the table": {func(b []byte) []byte { return b[:directory+512] }, "", false},
		"sector size":          {func(b []byte) []byte { b[30] = 60; return b }, damagedContainer, false},
		"no directory":         {func(b []byte) []byte { put32(b[48:], 1<<30); return b }, damagedContainer, false},
		"lost entry":           {func(b []byte) []byte { put32(b[directory+76:], 3); return b }, hiddenMember, true},
		"tree in circles":      {func(b []byte) []byte { put32(b[directory+128+72:], 1); return b }, hiddenMember, true},
		"stream in a circle": {func(b []byte) []byte {
			fat := int(le32(b[76:]))*512 + 512
			put32(b[fat:], 0)
			return b
		}, "", false},
	} {
		got := open(t, name, c.change(bytes.Clone(file)))
		if got.err != nil || !strings.Contains(got.codes(), c.code) || c.finds && !got.has("a/eicar.com", eicar) && !got.has("eicar.com", eicar) {
			t.Errorf("%s: %q, notes %v, %v", name, got.names(), got.notes, got.err)
		}
	}
}

// Entries that share the same long stream cost no more than the budget allows.
func TestOLEBomb(t *testing.T) {
	var in []node
	for range 200 {
		in = append(in, node{name: "x", data: strings.Repeat("x", 5000)})
	}
	file := makeCFB(append(in, node{name: "long", data: strings.Repeat("y", 1<<20)})...)
	directory := int(le32(file[48:]))*512 + 512
	long := file[directory+201*cfbRecord:]
	for i := range 200 {
		copy(file[directory+(i+1)*cfbRecord+116:], long[116:124])
	}
	got := open(t, "bomb", file)
	if got.err != ErrLimit || got.codes() != tooMuchData {
		t.Errorf("%d members, notes %v, %v", len(got.members), got.notes, got.err)
	}
}
