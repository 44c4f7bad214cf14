package archive

import (
	"archive/tar"
	"bytes"
	"slices"
	"strings"
	"testing"
)

// theme is a zip as programs put it into documents: of a few members that can be
// found by their local headers, too.
func theme(t *testing.T, name string) string {
	return string(makeZip(t, file{name: "[Content_Types].xml", text: "<Types/>", deflate: true}, file{name: name, text: strings.Repeat("<a:clrScheme/>", 60)}))
}

// roundTrip is the record in which PowerPoint keeps a theme, MS-PPT section
// 2.11.22.
func roundTrip(theme string) string { return "\x00\x00\x0e\x04" + le32s(len(theme)) + theme }

// scattered is a compound file of makeCFB with its sectors in reverse order, those
// of the table excepted: the directory is the last thing before it.
func scattered(b []byte) []byte {
	fat := int(le32(b[76:]))
	to := func(s uint32) uint32 {
		if int64(s) >= int64(fat) {
			return s
		}
		return uint32(fat-1) - s
	}
	b = bytes.Clone(b)
	for at, ends := 512*(1+int(le32(b[48:]))), 512*(1+fat); at < ends; at += cfbRecord {
		if le32(b[at+120:]) >= 4096 || b[at+66] == cfbRoot {
			put32(b[at+116:], to(le32(b[at+116:])))
		}
	}
	for _, at := range []int{48, 60} { // the directory and the table of small sectors
		put32(b[at:], to(le32(b[at:])))
	}
	out := bytes.Clone(b)
	for s := range fat {
		copy(out[512*(1+int(to(uint32(s)))):], b[512*(1+s):512*(2+s)])
		put32(out[512*(1+fat)+4*int(to(uint32(s))):], to(le32(b[512*(1+fat)+4*s:])))
	}
	return out
}

// slides is the stream of a presentation with two themes at its end.
func slides(t *testing.T) string {
	return "\x00\x00\xe8\x03" + le32s(6000) + strings.Repeat("x", 6000) + roundTrip(theme(t, "one.xml")) + roundTrip(theme(t, "two.xml"))
}

// A zip inside a member of another container is that member's business: it makes
// no second reading of the whole file, with members that are hidden or missing.
func TestZipsInsideMembers(t *testing.T) {
	zip := makeZip(t, file{name: "eicar.com", text: eicar, deflate: true}, file{name: "long.txt", text: strings.Repeat("long ", 1500)})
	ppt := makeCFB(node{name: slideStream, data: slides(t)})
	xls := makeCFB(node{name: "Workbook", data: strings.Repeat("\x00", 5000) + "\x96\x08\x00\x10" + theme(t, "theme1.xml")})
	mail := makeMSG(attachment("00000000", property("37010102", string(zip)), property("3707001F", "a.zip")), attachment("00000001", property("37010102", string(zip)), property("3707001F", "b.zip")))
	var disc bytes.Buffer
	for w, names := tar.NewWriter(&disc), []string{"a.docx", "b.docx"}; len(names) > 0; names = names[1:] {
		w.WriteHeader(&tar.Header{Name: names[0], Size: int64(len(zip)), Mode: 0o644})
		w.Write(zip)
		w.Flush()
	}
	winmail := makeTNEF(rendering, attr(2, tnefTitle, 1, "a.zip\x00"), attr(2, tnefData, 6, string(zip)), rendering, attr(2, tnefTitle, 1, "b.zip\x00"), attr(2, tnefData, 6, string(zip)))
	for name, c := range map[string]struct {
		file  []byte
		names string
	}{
		"slides.ppt":           {ppt, slideStream + " " + slideStream + " " + slideStream},
		"slides-scattered.ppt": {scattered(ppt), slideStream + " " + slideStream + " " + slideStream},
		"book.xls":             {xls, "Workbook Workbook"},
		"mail.msg":             {mail, "  a.zip b.zip"},
		"mail-scattered.msg":   {scattered(mail), "  a.zip b.zip"},
		"a.tar":                {disc.Bytes(), "a.docx b.docx"},
		"winmail.dat":          {winmail, "a.zip b.zip"},
	} {
		if got := readings(t, name, c.file); got.names() != c.names || got.codes() != "" {
			t.Errorf("%s: %q, notes %+v", name, got.names(), got.notes)
		}
	}
}

// What no member explains is a reading of its own.
func TestZipsBesideMembers(t *testing.T) {
	zip := makeZip(t, file{name: "eicar.com", text: eicar})
	ppt := makeCFB(node{name: slideStream, data: slides(t)})
	for name, file := range map[string][]byte{
		"appended.ppt":   append(bytes.Clone(ppt), zip...),
		"straddling.doc": straddling(t),
		"lead.tar":       append(makeTar(t, tar.Header{Name: "a", Size: 3, Mode: 0o644}), zip...),
	} {
		if got := readings(t, name, file); !got.has("eicar.com", eicar) || !strings.Contains(got.codes(), prefixed) {
			t.Errorf("%s: %q, notes %+v", name, got.names(), got.notes)
		}
	}
	named := readings(t, "slides.zip", makeCFB(node{name: "Contents", data: strings.Repeat("x", 5000) + string(zip)}))
	if !slices.ContainsFunc(named.notes, func(n Note) bool { return n.Code == prefixed }) || !named.has("eicar.com", eicar) {
		t.Errorf("a compound file named zip: %q, notes %+v", named.names(), named.notes)
	}
}

// straddling is a compound file whose last stream shows a zip without its members,
// and which read as a zip has one, in a stream before.
func straddling(t *testing.T) []byte {
	zip := makeZip(t, file{name: "eicar.com", text: eicar})
	at := bytes.Index(zip, []byte(centralMark))
	before := strings.Repeat("x", 5120-at) + string(zip[:at])
	behind := string(zip[at:]) + strings.Repeat(" ", 5000)
	out := makeCFB(node{name: "before", data: before}, node{name: "behind", data: behind})
	return patch(t, out, edit{endMark, 20, u16(len(out) - bytes.Index(out, []byte(endMark)) - zipEndSize)})
}

// Streams that share their sectors do not make their places cost more than the
// file is worth.
func TestPlacesAreBounded(t *testing.T) {
	f := &compound{shift: 9, fat: make([]uint32, 1000)}
	for i := range f.fat {
		f.fat[i] = uint32(i + 1)
	}
	for range 1 << 17 {
		f.stream(cfbEntry{size: 512 * 1000, next: 0}).places(0, 512*1000)
	}
	if f.followed > 4*len(f.fat) {
		t.Errorf("%d sectors looked up", f.followed)
	}
}
