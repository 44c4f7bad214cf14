package pdf

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan/scratch"
)

// shows reports whether the objects of a document hold the name, as far as they can be read.
func shows(t testing.TB, text, name string) (found bool) {
	objects, _ := objectsOf(t, text)
	for _, o := range objects {
		Dicts(o.Value, func(d Dict) {
			for _, e := range d {
				found = found || e.Key == Name(name) || e.Value == Name(name)
			}
		})
	}
	return found
}

func TestMayName(t *testing.T) {
	for text, want := range map[string]bool{
		"/Subtype/Image/Width 1":            true,
		"/Subtype /Image /Width 1":          true,
		"/Subtype/#49mage/Width 1":          true,
		"/Subtype/#49#6d#61#67#65>>":        true,
		"/Subtype/#49#6D#61#67#65>>":        true,
		"/Subtype/Imag#65(x)":               true,
		"/Subtype/Image":                    true,
		"/Subtype/Image%":                   true,
		"/Subtype/Image\x00":                true,
		"/Subtype/Image\v/Width 1":          true, // a blank to some readers
		"/ImageB /Image/ImageC":             true,
		"/ProcSet[/PDF/Text/ImageB/ImageC]": false,
		"/ImageMask true":                   false,
		"/Image#42":                         false,
		"/#49mageMask true":                 false,
		"/AnImage 1":                        false,
		"(Image)":                           false,
		"/#4aimage/#49mag/#49magf/x":        false,
		"/Imag#6 /Image#":                   false,
		"/Imag#6":                           false,
		"# #4 #49 #49mage":                  false,
		"":                                  false,
	} {
		for _, before := range []int{0, 1, scratch.Size - len(text), scratch.Size - len(text)/2, scratch.Size - 1, 2*scratch.Size - 30} {
			for _, after := range []string{"", " ", strings.Repeat(" ", 100), strings.Repeat(" ", scratch.Size)} {
				file := strings.Repeat(".", max(0, before)) + text + after
				if got := MayName(bytes.NewReader([]byte(file)), "Image"); got != want {
					t.Errorf("%q after %d bytes and before %d: %v", text, before, len(after), got)
				}
			}
		}
	}
	if !MayName(cutOff{}, "Image") {
		t.Error("what cannot be read is taken for one without the name")
	}
}

// cutOff is a content that ends before its size.
type cutOff struct{ bytes.Reader }

func (cutOff) Size() int64                           { return 100 }
func (cutOff) ReadAt(p []byte, _ int64) (int, error) { return 0, nil }

// FuzzMayName looks for a document in which a reader of objects meets a name that MayName does not see.
func FuzzMayName(f *testing.F) {
	for _, text := range []string{"/Subtype/Image", "/Subtype /#49mage", "/#53ubtype/Imag#65\v", "/Subtype[/Image/x]", "/Subtype%x\n/Image", "(/Image)"} {
		f.Add("1 0 obj<<" + text + ">>stream\nx\nendstream\nendobj\n")
	}
	f.Fuzz(func(t *testing.T, text string) {
		if shows(t, text, "Image") && !MayName(strings.NewReader(text), "Image") {
			t.Errorf("not seen in %q", text)
		}
	})
}

func BenchmarkMayName(b *testing.B) {
	random := rand.NewChaCha8([32]byte{1})
	packed := make([]byte, 4<<20)
	random.Read(packed)
	b.SetBytes(int64(len(packed)))
	for b.Loop() {
		if MayName(bytes.NewReader(packed), "Image") {
			b.Fatal("found in packed data")
		}
	}
}
