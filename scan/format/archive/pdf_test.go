package archive

import (
	"bytes"
	"compress/zlib"
	"encoding/ascii85"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan/scratch"
)

func zlibbed(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	fmt.Fprint(w, text)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// makePDF makes a document of objects, numbered from 1.
func makePDF(objects ...string) []byte {
	var b strings.Builder
	b.WriteString("%PDF-1.7\n")
	for i, o := range objects {
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	b.WriteString("trailer\n<< /Root 1 0 R >>\n%%EOF\n")
	return []byte(b.String())
}

func pdfStreamOf(dict, data string) string {
	return fmt.Sprintf("<< /Length %d %s >>\nstream\n%s\nendstream", len(data), dict, data)
}

// spec is a file specification for the file in object 2.
const spec = "<< /Type /Filespec /F (eicar.com) /EF << /F 2 0 R >> >>"

func TestPDF(t *testing.T) {
	flate := pdfStreamOf("/Filter /FlateDecode", zlibbed(t, eicar))
	plain := pdfStreamOf("", eicar)
	packed := "3 0 7 2 " + spec
	for name, c := range map[string]struct {
		file  []byte
		names string
		codes string
	}{
		"flate":               {makePDF(spec, flate), "eicar.com", ""},
		"plain":               {makePDF(spec, plain), "eicar.com", ""},
		"both names":          {makePDF("<< /F (eicar.com) /UF <FEFF00FC> /EF << /F 2 0 R >> >>", plain), "ü|eicar.com", ""},
		"escaped":             {makePDF(`<< /#46 (e\151car\.c\`+"\n"+`om) /EF<</UF 2 0 R>>>>`, plain), "eicar.com", ""},
		"no specification":    {makePDF("<< >>", pdfStreamOf("/Type /EmbeddedFile", eicar)), "", ""},
		"type in hex":         {makePDF("<< >>", pdfStreamOf("/Type /Embedded#46ile", eicar)), "", ""},
		"inside an array":     {makePDF("<< /Names [ (a) [ "+spec+" ] ] >>", plain), "eicar.com", ""},
		"indirect files":      {makePDF("<< /F 4 0 R /EF 3 0 R >>", plain, "<< /F 2 0 R >>", "(eicar.com)"), "eicar.com", ""},
		"indirect filter":     {makePDF(spec, pdfStreamOf("/Filter 3 0 R", zlibbed(t, eicar)), "[ /FlateDecode ]"), "eicar.com", ""},
		"indirect length":     {makePDF(spec, strings.Replace(plain, "/Length 68", "/Length 3 0 R", 1), "68"), "eicar.com", ""},
		"wrong length":        {makePDF(spec, strings.Replace(plain, "68", "7", 1)), "eicar.com", ""},
		"long length":         {makePDF(spec, strings.Replace(plain, "68", "99999", 1)), "eicar.com", ""},
		"no length":           {makePDF(spec, strings.Replace(plain, "/Length 68", "", 1)), "eicar.com", ""},
		"comment":             {makePDF(spec, "% a comment (with ) brackets\n"+plain), "eicar.com", ""},
		"long comment":        {makePDF(spec, "%"+strings.Repeat("x", 300<<10)+"\n"+plain), "eicar.com", ""},
		"across windows":      {makePDF("("+strings.Repeat("x", scratch.Size-len("%PDF-1.7\n1 0 obj\n()\nendobj\n2 0 obj")-6)+")", plain, spec), "eicar.com", ""},
		"object stream":       {makePDF("null", flate, pdfStreamOf("/Type /ObjStm /N 2 /First 8 /Filter /FlateDecode", zlibbed(t, packed))), "eicar.com", ""},
		"predicted":           {makePDF("null", flate, pdfStreamOf("/Type /ObjStm /N 2 /First 8 /Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 4 >>", zlibbed(t, pngUp(packed)))), "eicar.com", ""},
		"hexadecimal":         {makePDF(spec, pdfStreamOf("/Filter [/ASCIIHexDecode /Fl]", hex.EncodeToString([]byte(zlibbed(t, eicar)))+" >")), "eicar.com", ""},
		"base 85":             {makePDF(spec, pdfStreamOf("/Filter [/A85 /FlateDecode]", base85(zlibbed(t, eicar)))), "eicar.com", ""},
		"run length":          {makePDF(spec, pdfStreamOf("/Filter /RunLengthDecode", "\x43"+eicar+"\xfe \x80")), "eicar.com", ""},
		"identity":            {makePDF(spec, pdfStreamOf("/Filter /Crypt", eicar)), "eicar.com", ""},
		"filter for short":    {makePDF(spec, pdfStreamOf("/F /FlateDecode", zlibbed(t, eicar))), "eicar.com", ""},
		"vertical tabs":       {makePDF("<< /F\v(eicar.com)\v/EF << /F 2 0\vR >> >>", plain), "eicar.com", ""},
		"lonely end":          {makePDF("<< /F (eicar.com) /EF << /F 2 0 R > /X >> >>", plain), "eicar.com", ""},
		"objects in order":    {makePDF("null", plain, pdfStreamOf("/Type /ObjStm /N 1 /First 0", spec)), "eicar.com", ""},
		"eight filters":       {makePDF(spec, pdfStreamOf("/Filter ["+strings.Repeat("/AHx", 4)+strings.Repeat("/A85", 4)+"]", hexes(base85s(eicar, 4), 4))), "eicar.com", ""},
		"nine filters":        {makePDF(spec, pdfStreamOf("/Filter ["+strings.Repeat("/AHx", 9)+"]", hexes(eicar, 9))), "eicar.com", tooComplex},
		"unknown filter":      {makePDF(spec, pdfStreamOf("/Filter [/AHx /JBIG2Decode]", hexes(eicar, 1))), "eicar.com", unsupportedMethod},
		"damaged":             {makePDF(spec, pdfStreamOf("/Filter /FlateDecode", zlibbed(t, eicar)[:20])), "eicar.com", damagedMember},
		"cut off":             {makePDF(spec, plain)[:150], "eicar.com", damagedMember},
		"two definitions":     {makePDF(spec, plain, "<<>>\nendobj\n2 0 obj\n"+pdfStreamOf("", "other")), "eicar.com eicar.com", ""},
		"encrypted":           {bytes.Replace(makePDF(spec, flate), []byte("/Root"), []byte("/Encrypt 9 0 R /Root"), 1), "", encryptedDocument},
		"damaged object pack": {makePDF(spec, plain, pdfStreamOf("/Type /ObjStm /First 8 /Filter /FlateDecode", "rubbish")), "eicar.com", damagedMember},
		"no objects":          {[]byte("%PDF-1.7\nnothing"), "", damagedContainer},
		"empty objects":       {makePDF("<<", "[", "(", "<", "<<>>", "]]>>"), "", ""},
	} {
		got := open(t, name, c.file)
		if got.err != nil || got.names() != c.names || got.codes() != c.codes {
			t.Errorf("%s: %q, notes %v, %v", name, got.names(), got.notes, got.err)
		}
		if c.codes == "" && c.names != "" && !strings.Contains(got.members[0].body, eicar[:40]) {
			t.Errorf("%s: %q", name, got.members[0].body)
		}
	}
}

// pngUp writes text in lines of four bytes, each as the difference to the one
// above.
func pngUp(text string) string {
	text += strings.Repeat(" ", -len(text)&3)
	line := make([]byte, 4)
	var b []byte
	for i := 0; i < len(text); i += 4 {
		b = append(b, 2)
		for j := range line {
			b = append(b, text[i+j]-line[j])
			line[j] = text[i+j]
		}
	}
	return string(b)
}

func hexes(text string, n int) string {
	for range n {
		text = hex.EncodeToString([]byte(text)) + ">"
	}
	return text
}

func base85(text string) string {
	var b bytes.Buffer
	w := ascii85.NewEncoder(&b)
	w.Write([]byte(text))
	w.Close()
	return b.String() + "~>"
}

func base85s(text string, n int) string {
	for range n {
		text = base85(text)
	}
	return text
}

// The example of ISO 32000-1, section 7.4.4.2.
func TestPDFLZW(t *testing.T) {
	file := makePDF(spec, pdfStreamOf("/Filter /LZWDecode", "\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01"))
	if got := open(t, "lzw", file); len(got.members) != 1 || got.members[0].body != "\x2d\x2d\x2d\x2d\x2d\x41\x2d\x2d\x2d\x42" || got.codes() != "" {
		t.Errorf("%v", got)
	}
}

// Filters that swallow what others blow up are charged for it.
func TestPDFBombs(t *testing.T) {
	blanks := zlibbed(t, strings.Repeat(" ", 8<<20))
	for name, c := range map[string]struct {
		file []byte
		code string
	}{
		"zeros":    {makePDF(spec, pdfStreamOf("/Filter /FlateDecode", zlibbed(t, strings.Repeat("\x00", 8<<20)))), memberTooLarge},
		"swallow":  {makePDF(spec, pdfStreamOf("/Filter [/FlateDecode /ASCIIHexDecode]", blanks)), tooMuchData},
		"object":   {makePDF(spec, pdfStreamOf("", "x"), pdfStreamOf("/Type /ObjStm /Filter /FlateDecode", zlibbed(t, strings.Repeat("1 ", 4<<20)))), memberTooLarge},
		"strings":  {[]byte("%PDF-1.7\n" + strings.Repeat("1 0 obj (", 1<<18)), tooComplex},
		"nesting":  {makePDF(strings.Repeat("[", 1000)), tooComplex},
		"pairs":    {makePDF(pdfStreamOf("/Type /ObjStm /First 400000", strings.Repeat("1 0 ", 100000)+"["+strings.Repeat("1 ", 100000))), tooComplex},
		"comments": {[]byte("%PDF-1.7\n" + strings.Repeat("1 0 obj %", 1<<18)), tooComplex},
	} {
		got := walkBytes(t, pdfFormat{}, c.file, NewBudget(fuzzLimits))
		if !strings.Contains(got.codes(), c.code) {
			t.Errorf("%s: notes %v, %v", name, got.notes, got.err)
		}
	}
}
