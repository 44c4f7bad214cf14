package archive

import (
	"encoding/binary"
	"strings"
	"testing"
)

// attr is an attribute of TNEF with its checksum.
func attr(level byte, id uint16, kind uint16, data string) string {
	var sum uint16
	for i := range len(data) {
		sum += uint16(data[i])
	}
	b := []byte{level}
	b = binary.LittleEndian.AppendUint16(b, id)
	b = binary.LittleEndian.AppendUint16(b, kind)
	b = append(b, le32s(len(data))+data...)
	return string(binary.LittleEndian.AppendUint16(b, sum))
}

// prop is a property of MAPI with one value of variable length.
func prop(id, kind uint16, value string) string {
	return le32s(int(id)<<16|int(kind)) + le32s(1) + le32s(len(value)) + value + strings.Repeat("\x00", -len(value)&3)
}

func props(all ...string) string { return le32s(len(all)) + strings.Join(all, "") }

func makeTNEF(attributes ...string) []byte {
	return []byte(tnefMagic + "\x01\x00" + attr(1, 0x9006, 8, "\x00\x00\x01\x00") + strings.Join(attributes, ""))
}

var rendering = attr(2, tnefRendering, 6, strings.Repeat("\x00", 14))

func TestTNEF(t *testing.T) {
	long := utf16le("eicar long ü.com\x00")
	other := props(
		le32s(0x0e080003)+le32s(5), le32s(0x00040102|0x8000<<16)+strings.Repeat("g", 16)+le32s(1)+le32s(6)+utf16le("abc")+"\x00\x00"+le32s(1)+le32s(3)+"xyz\x00",
		le32s(0x3007<<16|0x40)+strings.Repeat("t", 8), le32s(0x10030003|0x1000)+le32s(2)+le32s(1)+le32s(2), prop(mapiLongName, mapiUnicode, long), prop(mapiShortName, mapiString8, "EICAR~1.COM\x00"))
	for name, c := range map[string]struct {
		attributes []string
		names      string
		holds      string
		codes      string
	}{
		"short name":     {[]string{rendering, attr(2, tnefTitle, 1, "eicar.com\x00"), attr(2, tnefData, 6, eicar)}, "eicar.com", "eicar.com", ""},
		"all names":      {[]string{rendering, attr(2, tnefTitle, 1, "eicar.com\x00"), attr(2, tnefData, 6, eicar), attr(2, tnefAttachment, 6, other)}, "eicar long ü.com|EICAR~1.COM|eicar.com", "EICAR~1.COM", ""},
		"data in MAPI":   {[]string{rendering, attr(2, tnefAttachment, 6, props(prop(mapiLongName, mapiUnicode, long), prop(mapiData, mapiBinary, eicar)))}, "eicar long ü.com", "eicar long ü.com", ""},
		"object":         {[]string{rendering, attr(2, tnefAttachment, 6, props(prop(mapiData, mapiObject, "0123456789abcdef"+eicar)))}, "", "", ""},
		"no rendering":   {[]string{attr(2, tnefTitle, 1, "eicar.com\x00"), attr(2, tnefData, 6, eicar)}, "eicar.com", "eicar.com", ""},
		"two of them":    {[]string{rendering, attr(2, tnefTitle, 1, "a.txt\x00"), attr(2, tnefData, 6, "x"), rendering, attr(2, tnefData, 6, eicar), attr(2, tnefTitle, 1, "eicar.com\x00")}, "a.txt eicar.com", "eicar.com", ""},
		"no data":        {[]string{rendering, attr(2, tnefTitle, 1, "eicar.com\x00")}, "eicar.com", "", ""},
		"data twice":     {[]string{attr(2, tnefTitle, 1, "a\x00"), attr(2, tnefData, 6, "x"), attr(2, tnefData, 6, eicar), attr(2, tnefTitle, 1, "eicar.com\x00")}, "a eicar.com", "eicar.com", ""},
		"texts":          {[]string{attr(1, tnefBody, 1, "text"), attr(1, tnefMessage, 6, props(prop(mapiHTML, mapiBinary, "<p>"), prop(mapiBody, mapiUnicode, utf16le("x"))))}, "  ", "", ""},
		"bad properties": {[]string{attr(2, tnefData, 6, eicar), attr(2, tnefAttachment, 6, "\xff\xff\xff\xff\x34\x12")}, "", "", damagedContainer},
		"trailing":       {[]string{attr(2, tnefTitle, 1, "eicar.com\x00"), attr(2, tnefData, 6, eicar), "\n"}, "eicar.com", "eicar.com", trailingData},
		"no attribute":   {[]string{attr(2, tnefTitle, 1, "eicar.com\x00"), attr(2, tnefData, 6, eicar), "what is this?"}, "eicar.com", "eicar.com", damagedContainer},
		"cut in data":    {[]string{attr(2, tnefTitle, 1, "eicar.com\x00"), attr(2, tnefData, 6, eicar+"more")[:9+len(eicar)]}, "eicar.com", "eicar.com", damagedContainer},
	} {
		got := open(t, "winmail.dat", makeTNEF(c.attributes...))
		if got.err != nil || got.names() != c.names || got.codes() != c.codes || c.holds != "" && !got.has(c.holds, eicar) {
			t.Errorf("%s: %q, notes %v, %v", name, got.names(), got.notes, got.err)
		}
	}
}

func TestTNEFObjectIsRead(t *testing.T) {
	got := open(t, "x", makeTNEF(rendering, attr(2, tnefAttachment, 6, props(prop(mapiData, mapiObject, "0123456789abcdef"+eicar)))))
	if len(got.members) != 1 || got.members[0].body != eicar {
		t.Errorf("%v", got)
	}
}

// compressed is RTF as MS-OXRTFCP stores it: a header, and literals in groups of
// eight.
func compressed(text, mark string) string {
	var b strings.Builder
	for i := 0; i < len(text); i += 8 {
		b.WriteString("\x00" + text[i:min(len(text), i+8)])
	}
	return le32s(b.Len()+12) + le32s(len(text)) + mark + "\x00\x00\x00\x00" + b.String()
}

func TestCompressedRTF(t *testing.T) {
	// The example of MS-OXRTFCP, section 4.1.
	example := "\x2d\x00\x00\x00\x2b\x00\x00\x00LZFu\xf1\xc5\xc7\xa7\x03\x00\x0a\x00rcpg125\x42\x32\x0a\xf3\x20hel\x09\x00\x20bw\x05\xb0ld\x7d\x0a\x80\x0f\xa0"
	for name, c := range map[string]struct{ packed, want, code string }{
		"example":      {example, "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n", ""},
		"literals":     {compressed(eicar, "LZFu"), eicar, ""},
		"not packed":   {le32s(80) + le32s(len(eicar)) + "MELA\x00\x00\x00\x00" + eicar, eicar, ""},
		"another kind": {"{\\rtf1 what is that}", "{\\rtf1 what is that}", ""},
		"short":        {"{\\rtf", "{\\rtf", ""},
		"cut off":      {compressed(eicar, "LZFu")[:50], eicar[:30], damagedMember},
	} {
		got := open(t, "x", makeTNEF(attr(1, tnefMessage, 6, props(prop(mapiRTF, mapiBinary, c.packed)))))
		if len(got.members) != 1 || !strings.HasPrefix(got.members[0].body, c.want) || len(got.members[0].body) > len(c.want)+1 || got.codes() != c.code {
			t.Errorf("%s: %v, notes %v", name, got.members, got.notes)
		}
	}
	if len(lzfuText) != 207 {
		t.Errorf("the text that the window begins with has %d bytes", len(lzfuText))
	}
}
