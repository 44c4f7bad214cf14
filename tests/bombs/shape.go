package bombs

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"cmp"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
)

// Shape is a bomb by the numbers that it is made of.
type Shape struct {
	Container string // one of Containers
	Members   int    // of the innermost container, or what it repeats
	Depth     int    // zips around it
	Name      int    // bytes of each name
	Letter    string // that names are made of
	Size      int    // bytes of each member, or of what it repeats
	Content   string // that members are made of
	Copies    int    // attachments
	Suffix    string // of the members
	Beside    string // another container, of which there are as many attachments; "" for none
}

// The choices that shapes are made of.
var (
	letters  = []string{"a", "%", "\xff", "../", "日", " ", "a.", "/"}
	contents = []string{
		"", "MZ\x90\x00", "hello world\n", "\x00", "<</A[1 2 3(x)<41>/B]>>", "<p><a href=http://e.example/>x</a>", "<w:p><w:t>x</w:t></w:p>",
		"begin 644 a\n#0V%T\n`\nend\n", "From: a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n",
		`{\object{\*\objdata 0105000002000000}}`, "PK\x03\x04", "obj<<", "\x04\x01", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=\n",
	}
	suffixes = []string{".txt", ".exe", ".js", ".eml", ".html", ".pdf", ".zip", ".lnk", ".xml.rels", ".rtf", ".docm", ""}
	sizes    = []int{0, 1, 10, 100, 1000, 5000, 100_000, 1 << 20, 8 << 20, 32 << 20}
	counts   = []int{1, 2, 10, 100, 500, 2000, 5000, 9990, 20_000, 100_000}
	lengths  = []int{1, 10, 100, 255, 1000, 4090}
)

// makers make the innermost container of a shape.
var makers = map[string]func(Shape) []byte{
	"file":  func(s Shape) []byte { return s.content(s.Members * max(1, s.Size)) },
	"zip":   Shape.zip,
	"tgz":   Shape.tgz,
	"gzips": func(s Shape) []byte { return bytes.Repeat(gzipped(s.content(s.Size)), s.fitting(200+s.Size/100)) },
	"pdf":   func(s Shape) []byte { return s.pdf("/Type/ObjStm/N 1/First 4/Filter/FlateDecode", "endstream endobj") },
	"noend": func(s Shape) []byte { return s.pdf("/Type/ObjStm/N 1/First 4/Filter/FlateDecode", "") },
	"lines": func(s Shape) []byte {
		return s.pdf("/Type/ObjStm/N 1/First 4/Filter/FlateDecode/DecodeParms<</Predictor 15/Columns 1>>", "endstream endobj")
	},
	"chain": func(s Shape) []byte {
		return s.pdf("/Type/EmbeddedFile/Filter[/FlateDecode/AHx/A85/LZW]", "endstream endobj")
	},
	"rtf": func(s Shape) []byte {
		return append([]byte(`{\rtf1{\object{\*\objdata `), s.content(s.Members*max(1, s.Size))...)
	},
	"office":    func(s Shape) []byte { s.Suffix = ".xml.rels"; return s.zip() },
	"blocks":    func(s Shape) []byte { return s.blocksZip(false) },
	"blocksPDF": func(s Shape) []byte { return s.blocksPDF(false) },
	"short":     func(s Shape) []byte { return s.blocksZip(true) },
	"shortPDF":  func(s Shape) []byte { return s.blocksPDF(true) },
	"literals":  Shape.literals,
	"literalXZ": Shape.literalChunks,
	"tags":      Shape.tags,
	"attrs":     Shape.attributes,
	"links":     Shape.links,
	"lateSheet": Shape.lateSheet,
	"picture":   Shape.picture,
	"lz4s":      func(s Shape) []byte { return s.streams(lz4Stream) },
	"lz4olds":   func(s Shape) []byte { return s.streams(lz4Old) },
	"zstds":     func(s Shape) []byte { return s.streams(zstdStream) },
	"xzs":       func(s Shape) []byte { return s.streams(xzStream) },
	"bzip2s":    func(s Shape) []byte { return s.streams(bzip2Stream) },
}

// Containers returns the kinds of shapes.
func Containers() []string {
	var names []string
	for name := range makers {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// mostMail is how large the attachments of one mail are, in bytes.
const mostMail = 18 << 20

// RandomShape returns any shape.
func RandomShape(r *rand.Rand) Shape {
	s := Shape{Container: pick(r, Containers()), Depth: r.IntN(3), Copies: 1}
	for range 10 {
		s = s.Mutated(r)
	}
	return s
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// Mutated returns a shape that differs in one number.
func (s Shape) Mutated(r *rand.Rand) Shape {
	switch r.IntN(10) {
	case 0:
		s.Members = pick(r, counts)
	case 1:
		s.Depth = r.IntN(9)
	case 2:
		s.Name = pick(r, lengths)
	case 3:
		s.Letter = pick(r, letters)
	case 4:
		s.Size = pick(r, sizes)
	case 5:
		s.Content = pick(r, contents)
	case 6:
		s.Suffix = pick(r, suffixes)
	case 7:
		s.Copies = pick(r, []int{1, 1, 2, 10, 100})
	case 8:
		s.Beside = pick(r, append(Containers(), "", "", ""))
	default:
		s.Members = max(1, s.Members*(50+r.IntN(150))/100)
	}
	return s
}

// Mail returns a message with such attachments, as many as fit into one of 25 MB.
func (s Shape) Mail() []byte {
	files := [][]byte{s.file(s.Container)}
	if s.Beside != "" {
		files = append(files, s.file(s.Beside))
	}
	var out bytes.Buffer
	out.WriteString("From: a@example.net\r\nTo: b@example.com\r\nSubject: x\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n")
	room := mostMail
	for i := range s.Copies * len(files) {
		file := files[i%len(files)]
		if room -= len(file); room < 0 && i > 0 {
			break
		}
		fmt.Fprintf(&out, "--b\r\nContent-Type: application/octet-stream; name=\"a%d%s\"\r\nContent-Transfer-Encoding: base64\r\n\r\n",
			i, s.Suffix)
		for text := base64.StdEncoding.EncodeToString(file); len(text) > 0; {
			n := min(76, len(text))
			out.WriteString(text[:n] + "\r\n")
			text = text[n:]
		}
	}
	out.WriteString("--b--\r\n")
	return out.Bytes()
}

// file makes a container, with as many zips around it as there are to be.
func (s Shape) file(container string) []byte {
	file := makers[container](s)
	for i := range s.Depth {
		file = s.zipped(1, func(w *zip.Writer, _ int) { s.add(w, s.name(i)+".zip", file) })
	}
	return file[:min(len(file), mostMail)]
}

// content returns a text of n bytes, at most 64 MB.
func (s Shape) content(n int) []byte {
	n = min(n, 64<<20)
	unit := cmp.Or(s.Content, "x")
	return bytes.Repeat([]byte(unit), n/len(unit)+1)[:n]
}

// fitting returns how many members of some size fit into the mail.
func (s Shape) fitting(each int) int { return max(1, min(s.Members, 4*mostMail/max(1, each))) }

func (s Shape) name(i int) string {
	letter := cmp.Or(s.Letter, "a")
	return strings.Repeat(letter, s.Name/len(letter)) + fmt.Sprint(i)
}

// add adds a member to a zip.
func (s Shape) add(w *zip.Writer, name string, content []byte) {
	f, _ := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
	f.Write(content) // memory takes everything
}

func (s Shape) zipped(n int, add func(*zip.Writer, int)) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := range n {
		add(w, i)
	}
	w.Close()
	return out.Bytes()
}

func (s Shape) zip() []byte {
	content := s.content(s.Size)
	return s.zipped(s.fitting(s.Name+s.Size/20+100), func(w *zip.Writer, i int) { s.add(w, s.name(i)+s.Suffix, content) })
}

func (s Shape) tgz() []byte {
	var out bytes.Buffer
	packed := gzip.NewWriter(&out)
	w := tar.NewWriter(packed)
	content := s.content(s.Size)
	for i := range s.fitting(s.Name/20 + s.Size/20 + 100) {
		w.WriteHeader(&tar.Header{Name: s.name(i) + s.Suffix, Mode: 0o644, Size: int64(len(content)), Format: tar.FormatGNU})
		w.Write(content)
	}
	w.Close()
	packed.Close()
	return out.Bytes()
}

func gzipped(content []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(content)
	w.Close()
	return out.Bytes()
}

// pdf returns a document of streams with a dictionary and an end.
func (s Shape) pdf(dictionary, end string) []byte {
	var packed, out bytes.Buffer
	w := zlib.NewWriter(&packed)
	io.WriteString(w, "1 0 ")
	w.Write(s.content(s.Size))
	w.Close()
	out.WriteString("%PDF-1.7\n")
	for i := range s.fitting(packed.Len() + 100) {
		if out.Len() > mostMail {
			break
		}
		fmt.Fprintf(&out, "%d 0 obj<<%s>>stream\n%s\n%s\n", i+1, dictionary, packed.Bytes(), end)
	}
	return out.Bytes()
}
