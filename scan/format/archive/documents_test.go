package archive

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"testing"
)

// oneNote is a section with the names in properties and the files behind them.
func oneNote(names []string, files ...string) []byte {
	b := oneNoteSection + strings.Repeat("\x00", 1008)
	for _, n := range names {
		b += "\x01" + le32s(2*len(n)+2) + utf16le(n+"\x00")
	}
	for _, f := range files {
		b += oneNoteFile + string(binary.LittleEndian.AppendUint64(nil, uint64(len(f)))) + strings.Repeat("\x00", 12) + f + "\x22\xa7\xfb\x71"
	}
	return []byte(b)
}

func TestOneNote(t *testing.T) {
	for name, c := range map[string]struct {
		file  []byte
		names string
		codes string
	}{
		"one":           {oneNote([]string{"eicar.com"}, eicar), "eicar.com", ""},
		"two":           {oneNote([]string{"eicar.com", "a picture.png"}, eicar, "png"), "eicar.com a picture.png", ""},
		"more names":    {oneNote([]string{"eicar.com", "x.one"}, eicar), "eicar.com|x.one", ""},
		"no name":       {oneNote([]string{"some text", "a/b.c", "1.2.", "a. b"}, eicar), "", ""},
		"no file":       {oneNote([]string{"eicar.com"}), "", ""},
		"cut off":       {oneNote([]string{"eicar.com"}, eicar)[:1024+28+36+40], "eicar.com", damagedMember},
		"absurd length": {bytes.Replace(oneNote(nil, eicar), []byte("\x44\x00\x00\x00\x00\x00\x00\x00"), []byte("\xff\xff\xff\xff\xff\xff\xff\xff"), 1), "", damagedMember},
	} {
		got := open(t, name, c.file)
		if got.err != nil || got.names() != c.names || got.codes() != c.codes || len(got.members) > 0 && name != "cut off" && !strings.HasPrefix(got.members[0].body, eicar) {
			t.Errorf("%s: %q, notes %v, %v", name, got.names(), got.notes, got.err)
		}
	}
}

func TestRPM(t *testing.T) {
	header := func(entries, size int) string {
		return rpmMark + "\x01\x00\x00\x00\x00" + string(binary.BigEndian.AppendUint32(nil, uint32(entries))) + string(binary.BigEndian.AppendUint32(nil, uint32(size))) +
			strings.Repeat("e", 16*entries) + strings.Repeat("s", size)
	}
	lead := rpmMagic + strings.Repeat("\x00", 92)
	signature := header(1, 5)
	start := lead + signature + strings.Repeat("\x00", -len(lead+signature)&7)
	payload := string(makeGzip(t, "", strings.NewReader(eicar)))
	file := start + header(2, 7) + payload
	if got := open(t, "x.rpm", []byte(file)); !got.has("payload.cpio", payload) || got.codes() != "" {
		t.Errorf("%v", got)
	}
	for what, bad := range map[string]string{
		"no payload": start + header(2, 7), "an unknown one": start + header(2, 7) + eicar, "a header that is too long": start + rpmMark + strings.Repeat("\xff", 13) + payload,
	} {
		if got := open(t, "x.rpm", []byte(bad)); got.codes() != damagedContainer {
			t.Errorf("%s: %v", what, got.notes)
		}
	}
	for _, bad := range []string{lead, lead + "nothing here that is a header", file[:120]} {
		if got := open(t, "x.rpm", []byte(bad)); got.codes() != damagedContainer {
			t.Errorf("%d bytes: %v", len(bad), got.notes)
		}
	}
}

func TestSZDD(t *testing.T) {
	// Eight literals a group, then a match of the ten bytes at the beginning.
	packed := "\xffX5O!P%@A\x03P[\xf0\xf5"
	head := szddMagic + "A\x00" + le32s(18)
	for name, c := range map[string]struct{ file, want, code string }{
		"literals and match": {head + packed, "X5O!P%@AP[X5O!P%@A", ""},
		"cut off":            {head + packed[:6], "X5O!P", damagedMember},
		"no size":            {szddMagic + "A", "", damagedContainer},
	} {
		got := open(t, name, []byte(c.file))
		body := ""
		if len(got.members) > 0 {
			body = got.members[0].body
		}
		if body != c.want || got.codes() != c.code {
			t.Errorf("%s: %q, notes %v", name, body, got.notes)
		}
	}
}

// unzipped is a sample that is kept packed for its size.
func unzipped(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	got := open(t, file, data)
	if len(got.members) != 1 {
		t.Fatal(got)
	}
	return []byte(got.members[0].body)
}

func TestISO(t *testing.T) {
	const long = "a directory/a name that is too long for ISO 9660.txt"
	for _, c := range []struct{ file, names, codes string }{
		{"plain.iso.gz", "EICAR.COM A_DIRECT/A_NAME_T.TXT", ""},
		{"joliet.iso.gz", "eicar.com|EICAR.COM " + long + "|A_DIRECT/A_NAME_T.TXT", ""},
		{"rock.iso.gz", "eicar.com|EICAR.COM " + long + "|a directory/A_NAME_T.TXT", ""},
		{"both.iso.gz", "eicar.com|EICAR.COM " + long + "|a directory/A_NAME_T.TXT", ""},
		{"level4.iso.gz", "eicar.com " + long, ""},
		{"udf.iso.gz", "eicar.com|EICAR.COM " + long + "|A_DIRECT/A_NAME_T.TXT", secondFileSystem},
		{"hfs.iso.gz", "eicar.com|EICAR.COM " + long + "|A_DIRECT/A_NAME_T.TXT", secondFileSystem},
		{"hidden.iso.gz", long + "|A_DIRECT/A_NAME_T.TXT EICAR.COM", hiddenMember},
		{"bsd.iso.gz", "eicar.com|EICAR.COM " + long + "|a directory/A_NAME_T.TXT", ""},
	} {
		got := open(t, c.file, unzipped(t, c.file))
		if got.err != nil || got.names() != c.names || got.codes() != c.codes || !got.has("EICAR.COM", eicar) && !got.has("eicar.com", eicar) {
			t.Errorf("%s: %q, notes %v, %v", c.file, got.names(), got.notes, got.err)
		}
	}
}

// Raw images have the same in sectors with headers of several sizes.
func TestRawISO(t *testing.T) {
	plain := unzipped(t, "joliet.iso.gz")
	for _, l := range isoLayouts {
		var raw []byte
		for at := 0; at < len(plain); at += isoSector {
			sector := make([]byte, l.sector)
			copy(sector[l.header:], plain[at:min(len(plain), at+isoSector)])
			raw = append(raw, sector...)
		}
		if got := open(t, "image", raw); !got.has("eicar.com", eicar) || got.codes() != "" {
			t.Errorf("sectors of %d bytes: %q, notes %v", l.sector, got.names(), got.notes)
		}
	}
}

func TestDamagedISO(t *testing.T) {
	plain := unzipped(t, "plain.iso.gz")
	pvd := plain[isoFirst*isoSector:]
	root := int(le32(pvd[158:])) * isoSector
	entry := root + int(plain[root]) + int(plain[root+int(plain[root])])
	for name, c := range map[string]struct {
		change func([]byte) []byte
		codes  string
	}{
		"cut in the descriptor": {func(b []byte) []byte { return b[:isoFirst*isoSector+100] }, ""},
		"cut in the root":       {func(b []byte) []byte { return b[:root+50] }, damagedContainer},
		"cut in a file":         {func(b []byte) []byte { return b[:bytes.Index(b, []byte(eicar))+20] }, damagedMember},
		"bad record":            {func(b []byte) []byte { b[entry+32] = 200; return b }, damagedContainer},
		"directory in itself": {func(b []byte) []byte {
			b[entry+25] |= isoDirectoryFlag
			copy(b[entry+2:], b[root+2:root+18])
			return b
		}, ""},
	} {
		got := open(t, name, c.change(bytes.Clone(plain)))
		if got.err != nil || got.codes() != c.codes {
			t.Errorf("%s: %q, notes %v, %v", name, got.names(), got.notes, got.err)
		}
	}
}

// Directories that overlap are read as often as they could be if they did not.
func TestISOBomb(t *testing.T) {
	b := make([]byte, 400*isoSector)
	pvd := b[isoFirst*isoSector:]
	copy(pvd, "\x01"+isoMagic)
	record := func(b []byte, sector, sectors int, name string) {
		b[0], b[25], b[32] = byte(34+len(name)&^1), isoDirectoryFlag, byte(len(name))
		put32(b[2:], uint32(sector))
		put32(b[10:], uint32(sectors*isoSector))
		copy(b[33:], name)
	}
	record(pvd[156:], 20, 1, "\x00")
	for i := range 50 {
		record(b[20*isoSector+36*i:], 30+i, 370-i, fmt.Sprintf("D%02d", i))
	}
	if got := open(t, "bomb.iso", b); got.codes() != tooComplex {
		t.Errorf("notes %v, %v", got.notes, got.err)
	}
}

func TestUnopened(t *testing.T) {
	disk := make([]byte, 512)
	copy(disk, "\xeb\x3c\x90MSDOS5.0")
	copy(disk[54:], "FAT12   ")
	copy(disk[510:], "\x55\xaa")
	udf := make([]byte, 20*isoSector)
	copy(udf[isoFirst*isoSector:], "\x00BEA01")
	for name, data := range map[string]string{
		"disk": string(disk),
		"udf":  string(udf),
		"arc":  "\x1a\x08EICAR.COM\x00\x00\x00\x00" + le32s(3) + "\x00\x00\x00\x00\x00\x00" + le32s(3) + "abc\x1a\x00",
		"chm":  "ITSF\x03\x00\x00\x00x",
		"sis":  "12345678\x19\x04\x00\x10x",
		"pst":  "!BDNx",
	} {
		f := NewDetector(Formats()).Detect(strings.NewReader(data), nil)
		if f == nil || f.Name() != name {
			t.Errorf("%s: %v", name, f)
			continue
		}
		if got := open(t, name, []byte(data)); len(got.members) > 0 || got.codes() != NoReader {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// openAll walks data and what is in it, and returns the paths of all members that
// are EICAR.
func openAll(t *testing.T, path string, data []byte, depth int) []string {
	var found []string
	for _, m := range readings(t, path, data).members {
		name := path + "/" + m.name()
		if m.body == eicar {
			found = append(found, name)
		} else if depth > 0 {
			found = append(found, openAll(t, name, []byte(m.body), depth-1)...)
		}
	}
	return found
}

// readings walks data in every format it can be read in.
func readings(t *testing.T, name string, data []byte) walked {
	var all walked
	var taken Places
	read := func(formats []Format) {
		for _, f := range formats {
			got := walkBytes(t, f, data, NewBudget(testLimits))
			all.members, all.notes = append(all.members, got.members...), append(all.notes, got.notes...)
			for _, m := range got.members {
				taken = append(taken, m.Places...)
			}
		}
	}
	d := NewDetector(Formats())
	begun := d.Beginning(bytes.NewReader(data))
	read(begun)
	read(d.Further(begun, bytes.NewReader(data), []string{name}, taken))
	return all
}

// Later Office documents are zips, and what is embedded in them is opened in turn.
func TestOfficeDocuments(t *testing.T) {
	object := string(makeCFB(node{name: "\x01Ole10Native", data: native(packaged("eicar.com", "x", "y", eicar))}))
	macros := string(makeCFB(node{name: "VBA", in: []node{{name: "Module1", data: eicar}}}))
	document := makeZip(t, file{name: "[Content_Types].xml", text: "<x/>"}, file{name: "word/embeddings/oleObject1.bin", text: object, deflate: true},
		file{name: "word/vbaProject.bin", text: macros, deflate: true}, file{name: "word/embeddings/book.xlsx", text: string(makeZip(t, file{name: "xl/vbaProject.bin", text: macros}))})
	want := []string{
		"a.docx/word/embeddings/oleObject1.bin/eicar.com", "a.docx/word/vbaProject.bin/VBA/Module1", "a.docx/word/embeddings/book.xlsx/xl/vbaProject.bin/VBA/Module1",
	}
	if got := openAll(t, "a.docx", document, 4); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%q", got)
	}
	text := makeZip(t, file{name: "mimetype", text: "application/vnd.oasis.opendocument.text"}, file{name: "Object 1", text: object})
	if got := openAll(t, "a.odt", text, 4); strings.Join(got, " ") != "a.odt/Object 1/eicar.com" {
		t.Errorf("%q", got)
	}
}

func TestEncryptedOpenDocument(t *testing.T) {
	for text, want := range map[string]string{
		`<manifest:file-entry><manifest:encryption-data manifest:checksum-type="SHA1/1K"/></manifest:file-entry>`: encryptedDocument,
		`<manifest:file-entry manifest:full-path="content.xml"/>`:                                                 "",
	} {
		got := open(t, "a.odt", makeZip(t, file{name: manifestName, text: text, deflate: true}, file{name: "content.xml", text: "x"}))
		if got.codes() != want || len(got.members) != 2 || got.members[0].body != text {
			t.Errorf("%s: notes %v", text, got.notes)
		}
	}
}
