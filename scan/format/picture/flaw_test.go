package picture

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"slices"
	"testing"
)

// TestFlaw: what the beginning of a picture tells is what the search for codes says of it, in the same words.
func TestFlaw(t *testing.T) {
	whole := asPNG(t, photograph(100, 80, 3))
	changed := func(at int, to byte, sealed bool) []byte {
		b := bytes.Clone(whole)
		b[at] = to
		if sealed {
			binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
		}
		return b
	}
	for _, v := range []struct {
		name string
		file []byte
		flaw bool
	}{
		{"whole", whole, false},
		{"palette", asPNG(t, image.NewPaletted(image.Rect(0, 0, 90, 90), color.Palette{color.Black, color.White})), false},
		{"another size than its checksum says", changed(19, 99, false), true},
		{"wrong checksum", changed(29, whole[29]^1, false), true},
		{"no width", changed(19, 0, true), true},
		{"far too wide", changed(16, 0xff, true), true},
		{"a depth that there is not", changed(24, 3, true), true},
		{"interlaced oddly", changed(28, 7, true), true},
		{"a header of another length", changed(11, 14, true), true},
		{"another chunk first", changed(12, 'x', true), false},
		{"cut in its header", whole[:32], false},
		{"cut after its header", whole[:33], false},
		{"JPEG", asJPEG(t, photograph(100, 80, 3), 80), false},
		{"nothing", nil, false},
	} {
		why := Flaw(v.file[:min(len(v.file), Glance)])
		if why == "" {
			if v.flaw {
				t.Errorf("%s: no flaw", v.name)
			}
			continue
		}
		found, _ := lookedAtFile(t, v.file)
		if want := []Found{{0, Broken, why}}; !slices.Equal(found, want) {
			t.Errorf("%s: %v, the search %v", v.name, want, found)
		}
	}
}
