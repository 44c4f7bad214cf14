package archive

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan/units"
)

// fuzzLimits are small, so that reaching them is ordinary.
var fuzzLimits = Limits{Expanded: 4 * units.MB, Member: 2 * units.MB, Ratio: 100, Entries: 200, Depth: 3}

// largestRead is the buffer a body is read with: what a limit may be passed by.
const largestRead = 32 << 10

// fuzzFormat feeds a format with samples that look like its own, and checks what
// every walk must keep: no panic, no error of its own, no limit passed by more
// than one buffer, and nothing unread without a note.
func fuzzFormat(f *testing.F, format Format, extra ...[]byte) {
	files, _ := filepath.Glob("testdata/*.*")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		if got := NewDetector(Formats()).Detect(bytes.NewReader(data), nil); got == format {
			f.Add(data)
		}
	}
	for _, data := range extra {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, passwords := range [][]string{nil, {"wrong", "secret"}} {
			checkWalk(t, format, data, passwords)
		}
	})
}

func checkWalk(t *testing.T, format Format, data []byte, passwords []string) {
	b := NewBudget(fuzzLimits)
	b.Passwords = passwords
	var total, members int64
	buffer := make([]byte, largestRead)
	notes, err := format.Walk(context.Background(), bytes.NewReader(data), b, func(m Member, body io.Reader) error {
		members++
		if body == nil {
			return nil
		}
		n, err := io.CopyBuffer(onlyWriter{io.Discard}, body, buffer)
		if total += n; n > int64(fuzzLimits.Member)+largestRead {
			t.Errorf("a member of %d bytes", n)
		}
		return err
	})
	if err != nil && err != ErrLimit {
		t.Errorf("error %v", err)
	}
	if total > int64(fuzzLimits.Expanded)+largestRead || members > fuzzLimits.Entries {
		t.Errorf("%d bytes in %d members", total, members)
	}
	checkNotes(t, notes, err, members)
}

func checkNotes(t *testing.T, notes []Note, err error, members int64) {
	worst := Informative
	for _, n := range notes {
		worst = max(worst, n.Class)
		if n.Code == "" || n.Member < Container || int64(n.Member) >= members+1 || len(n.Detail) > 600 {
			t.Errorf("note %+v of %d members", n, members)
		}
	}
	if err == ErrLimit && worst != Exceeded {
		t.Errorf("a limit without a note: %v", notes)
	}
}

// onlyWriter keeps io.CopyBuffer from reading in larger pieces.
type onlyWriter struct{ io.Writer }

func FuzzZip(f *testing.F) {
	zip := makeZip(f, file{name: "eicar.com", text: eicar}, file{name: "a.txt", text: strings.Repeat("text ", 50), deflate: true})
	fuzzFormat(f, zipFormat{}, zip, append(bytes.Clone(zip), zip...), zip[:100], append([]byte("MZ"), zip...),
		quotedOverlap(deflated(f, strings.Repeat("\x00", 1<<20)), 20))
}

func FuzzGzip(f *testing.F) {
	fuzzFormat(f, gzipFormat{}, allFields(makeGzip(f, "eicar.com", strings.NewReader(eicar))))
}

func FuzzTar(f *testing.F) { fuzzFormat(f, tarFormat{}, makeTarOfAll(f)) }
func FuzzRar(f *testing.F) {
	fuzzFormat(f, rarFormat{}, rar4(0, rar4File(0, "a", eicar), rar4File(4, "b", eicar)), rar5(rar5File(0, "a", eicar)), rar5Locked(), rar4(0x80))
}
func FuzzXZ(f *testing.F)       { fuzzFormat(f, xzFormat{}) }
func FuzzLZMA(f *testing.F)     { fuzzFormat(f, lzmaFormat{}) }
func FuzzLzip(f *testing.F)     { fuzzFormat(f, lzipFormat{}) }
func FuzzZstd(f *testing.F)     { fuzzFormat(f, zstdFormat{}) }
func FuzzLZ4(f *testing.F)      { fuzzFormat(f, lz4Format{}) }
func FuzzCompress(f *testing.F) { fuzzFormat(f, compressFormat{}) }
func FuzzCpio(f *testing.F)     { fuzzFormat(f, cpioFormat{}) }
func FuzzAr(f *testing.F)       { fuzzFormat(f, arFormat{}) }
func FuzzBzip2(f *testing.F)    { fuzzFormat(f, bzip2Format{}) }
func FuzzCab(f *testing.F)      { fuzzFormat(f, cabFormat{}) }
func FuzzARJ(f *testing.F)      { fuzzFormat(f, arjFormat{}) }
func FuzzLHA(f *testing.F)      { fuzzFormat(f, lhaFormat{}) }
func FuzzSZDD(f *testing.F) {
	fuzzFormat(f, szddFormat{}, []byte(szddMagic+"A_\x0a\x00\x00\x00\x01x\xf0\xf6"))
}
func FuzzOLE(f *testing.F) {
	fuzzFormat(f, oleFormat{}, makeCFB(node{name: "a", in: []node{{name: "\x01Ole10Native", data: native(packaged("a", "b", "c", eicar))}}}, node{name: "large", data: sampleText(200)}),
		makeMSG(attachment("00000000", property("37010102", eicar), property("3707001F", "eicar.com"), property("10090102", compressed("{\\rtf1}", "LZFu")))),
		makeCFB(node{name: "PowerPoint Document", data: "\x10\x00\x11\x10" + le32s(80) + le32s(68) + "\x78\x9c" + string(deflated(f, eicar))}))
}
func FuzzTNEF(f *testing.F) {
	fuzzFormat(f, tnefFormat{}, makeTNEF(rendering, attr(2, tnefTitle, 1, "eicar.com\x00"), attr(2, tnefData, 6, eicar),
		attr(2, tnefAttachment, 6, props(prop(mapiLongName, mapiUnicode, utf16le("a.com")), prop(mapiData, mapiObject, eicar))),
		attr(1, tnefMessage, 6, props(prop(mapiRTF, mapiBinary, compressed("{\\rtf1}", "LZFu"))))))
}
func FuzzPDF(f *testing.F) {
	fuzzFormat(f, pdfFormat{}, makePDF(spec, pdfStreamOf("/Filter /FlateDecode", zlibbed(f, eicar)),
		pdfStreamOf("/Type /ObjStm /N 2 /First 8 /Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 4 >>", zlibbed(f, pngUp("3 0 7 2 "+spec)))),
		makePDF(spec, pdfStreamOf("/Filter [/A85 /AHx]", base85(hexes(eicar, 1)))), makePDF(spec, pdfStreamOf("/Filter /LZWDecode", "\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01")),
		makePDF(spec, pdfStreamOf("/Filter /RL", "\x43"+eicar+"\xfe \x80")))
}
func FuzzRTF(f *testing.F) {
	fuzzFormat(f, rtfFormat{}, []byte(`{\rtf1{\object{\objdata `+hexes(oleObject("Package", packaged("a", "b", "c", eicar)), 1)+`\par{\*\x 12}\'12\bin3 abc}}}`))
}
func FuzzOneNote(f *testing.F) {
	fuzzFormat(f, oneNoteFormat{}, oneNote([]string{"eicar.com"}, eicar, "x"))
}
func FuzzISO(f *testing.F) {
	fuzzFormat(f, isoFormat{}, unzipped(f, "both.iso.gz")[:180*isoSector], unzipped(f, "plain.iso.gz")[:180*isoSector])
}
func FuzzRPM(f *testing.F) {
	fuzzFormat(f, rpmFormat{}, []byte(rpmMagic+strings.Repeat("\x00", 92)+rpmMark))
}
func FuzzInflate64(f *testing.F) { fuzzFormat(f, inflate64Only{}, deflated(f, sampleText(20))) }

// inflate64Only is a container of deflate64 data without more.
type inflate64Only struct{}

func (inflate64Only) Name() string               { return "deflate64" }
func (inflate64Only) Match([]byte, Content) bool { return false }

func (inflate64Only) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := begin(ctx, c, b, visit)
	return w.end(w.member(Member{}, newInflate64(bufio.NewReader(io.NewSectionReader(c, 0, c.Size())))))
}

// Deflate64 reads Deflate wherever there is no longest match in it.
func TestInflate64ReadsDeflate(t *testing.T) {
	for _, text := range []string{"", "a", eicar, sampleText(2000)} {
		for level := range 3 {
			got := walkBytes(t, inflate64Only{}, deflatedAt(t, text, level*4), NewBudget(Limits{Expanded: 1 << 30, Member: 1 << 30, Ratio: 1 << 30, Entries: 1}))
			if got.members[0].body != text || got.err != nil {
				t.Errorf("level %d: %d bytes of %d, %v", level*4, len(got.members[0].body), len(text), got.notes)
			}
		}
	}
}
