package picture

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"image"
	"slices"
	"testing"

	"github.com/makiuchi-d/gozxing/qrcode/decoder"
)

// document returns a PDF with objects, each a dictionary and what its stream holds.
func document(objects ...[2]string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.5\n")
	for i, o := range objects {
		fmt.Fprintf(&b, "%d 0 obj\n<<%s/Length %d>>\nstream\n%s\nendstream\nendobj\n", i+1, o[0], len(o[1]), o[1])
	}
	b.WriteString("trailer<</Root 1 0 R>>\n%%EOF\n")
	return b.Bytes()
}

func deflated(data []byte) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.String()
}

// values returns the pixels of a picture with so many bits and colours each.
func values(m image.Image, bits, colours int, dark, light byte) []byte {
	var out []byte
	for y := range m.Bounds().Dy() {
		var line []byte
		n := 0
		for x := range m.Bounds().Dx() {
			v := light
			if r, _, _, _ := m.At(x, y).RGBA(); r < 0x8000 {
				v = dark
			}
			for range colours {
				if n%8 == 0 {
					line = append(line, 0)
				}
				line[len(line)-1] |= v << (8 - bits - n%8)
				n += bits
			}
		}
		out = append(out, line...)
	}
	return out
}

// TestDocuments reads codes in the pictures of PDF, as programs write them.
func TestDocuments(t *testing.T) {
	m := plain.drawn(modules(t, link, decoder.ErrorCorrectionLevel_M))
	n := m.Rect.Dx()
	size := fmt.Sprintf("/Type/XObject/Subtype/Image/Width %d/Height %d", n, n)
	for _, v := range []struct {
		name    string
		objects [][2]string
	}{
		{"grey", [][2]string{{size + "/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/FlateDecode", deflated(values(m, 8, 1, 0, 255))}}},
		{"colours", [][2]string{{size + "/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/FlateDecode", deflated(values(m, 8, 3, 0, 255))}}},
		{"ink", [][2]string{{size + "/ColorSpace/DeviceCMYK/BitsPerComponent 8/Filter/FlateDecode", deflated(values(m, 8, 4, 255, 0))}}},
		{"a bit each", [][2]string{{size + "/ColorSpace/DeviceGray/BitsPerComponent 1/Filter[/FlateDecode]", deflated(values(m, 1, 1, 0, 1))}}},
		{"a mask", [][2]string{{size + "/ImageMask true/Filter/FlateDecode", deflated(values(m, 1, 1, 0, 1))}}},
		{"a palette", [][2]string{{size + "/ColorSpace[/Indexed/DeviceRGB 1<ffffff000000>]/BitsPerComponent 8/Filter/FlateDecode",
			deflated(values(m, 8, 1, 1, 0))}}},
		{"a palette elsewhere", [][2]string{{size + "/ColorSpace[/Indexed/DeviceRGB 1 2 0 R]/BitsPerComponent 4/Filter/FlateDecode",
			deflated(values(m, 4, 1, 1, 0))}, {"", "\xff\xff\xff\x00\x00\x00"}}},
		{"JPEG", [][2]string{{size + "/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/DCTDecode", string(asJPEG(t, m, 60))}}},
		{"JPEG that is packed again", [][2]string{{size + "/Filter[/FlateDecode/DCTDecode]", deflated(asJPEG(t, m, 60))}}},
		{"a name with escapes", [][2]string{{"/Subtype/#49mage/Width 246/Height 246/BitsPerComponent 8/Filter/FlateDecode", deflated(values(m, 8, 1, 0, 255))}}},
		{"a width elsewhere", [][2]string{{fmt.Sprintf("/Subtype/Image/Width %d/Height 2 0 R/BitsPerComponent 8/Filter/FlateDecode", n),
			deflated(values(m, 8, 1, 0, 255))}}},
	} {
		t.Run(v.name, func(t *testing.T) {
			file := document(v.objects...)
			file = bytes.Replace(file, []byte("246"), fmt.Append(nil, n), -1)
			if v.name == "a width elsewhere" {
				file = append(file, fmt.Sprintf("2 0 obj\n%d\nendobj\n", n)...)
			}
			s := new(Set)
			s.Add(PDF, bytes.NewReader(file))
			found, _ := lookedAt(t, s)
			if got := texts(found); !slices.Equal(got, []string{link}) || len(found) != 1 {
				t.Errorf("found %v", found)
			}
			if !MayShow(bytes.NewReader(file)) {
				t.Error("it is taken for one without pictures")
			}
		})
	}
}

// TestDocumentsUnread: what is not read in a document is said.
func TestDocumentsUnread(t *testing.T) {
	for _, v := range []struct {
		name, dict, data string
		want             What
	}{
		{"JPEG 2000", "/Subtype/Image/Width 300/Height 300/Filter/JPXDecode", "x", Unsupported},
		{"JBIG2", "/Subtype/Image/Width 300/Height 300/Filter/JBIG2Decode", "x", Unsupported},
		{"a filter of no kind", "/Subtype/Image/Width 300/Height 300/Filter/Odd", "x", Damaged},
		{"no pixels", "/Subtype/Image/Width 300/Height 300/BitsPerComponent 8/Filter/FlateDecode", "", Damaged},
		{"no size", "/Subtype/Image/BitsPerComponent 8", "x", Damaged},
		{"far too large", "/Subtype/Image/Width 100000/Height 100000/BitsPerComponent 8/Filter/FlateDecode", deflated(make([]byte, 1000)), Over},
		{"JPEG larger than it says", "/Subtype/Image/Width 30/Height 30/Filter/DCTDecode", string(asJPEG(t, image.NewGray(image.Rect(0, 0, 400, 400)), 50)), Damaged},
	} {
		t.Run(v.name, func(t *testing.T) {
			s := new(Set)
			s.Add(PDF, bytes.NewReader(document([2]string{v.dict, v.data})))
			if found, _ := lookedAt(t, s); len(found) != 1 || found[0].What != v.want {
				t.Errorf("found %v, want %s", found, v.want)
			}
		})
	}
	if MayShow(bytes.NewReader(document([2]string{"/Type/Page", "text"}))) {
		t.Error("a document without pictures is looked at")
	}
}

// TestSets: what is read of a set is what was put into it; a lying one is refused.
func TestSets(t *testing.T) {
	s := new(Set)
	want := []string{"first", "", "third"}
	for _, text := range want {
		s.Add(Image, bytes.NewReader([]byte(text)))
	}
	items, err := parseSet(s.Seal())
	if err != nil || len(items) != len(want) {
		t.Fatalf("%d items, error %v", len(items), err)
	}
	for i, e := range items {
		b := make([]byte, e.content.Size())
		e.content.ReadAt(b, 0)
		if string(b) != want[i] || e.sort != Image {
			t.Errorf("item %d: %q", i, b)
		}
	}
	for _, lie := range []string{"", "pictures", "pictures\xff\xff\xff\xff", "pictures\x01\x00\x00\x00i\xff\x00\x00\x00\x00\x00\x00\x00", "else"} {
		if _, err := parseSet(bytes.NewReader([]byte(lie))); err == nil {
			t.Errorf("%q is a set", lie)
		}
	}
}

func FuzzPictures(f *testing.F) {
	m := plain.drawn(modules(f, link, decoder.ErrorCorrectionLevel_L))
	f.Add(asPNG(f, m), byte(Image))
	f.Add(asGIF(f, 50, m, m), byte(Image))
	f.Add(asTIFF(f, m), byte(Image))
	f.Add(document([2]string{"/Subtype/Image/Width 9/Height 9/Filter/FlateDecode", deflated(make([]byte, 99))}), byte(PDF))
	f.Add([]byte("\x19\x00\x00\x00\x19\x00\x00\x00"), byte(Raster))
	f.Fuzz(func(t *testing.T, file []byte, sort byte) {
		s := new(Set)
		s.Add(Sort(sort), bytes.NewReader(file))
		lookedAt(t, s)
	})
}
