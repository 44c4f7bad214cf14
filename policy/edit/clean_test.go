package edit

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

// zipOf is a zip of files: names and contents by turns.
func zipOf(t testing.TB, files ...string) string {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, files[i+1])
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func tarOf(t testing.TB, files ...string) string {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for i := 0; i < len(files); i += 2 {
		if err := w.WriteHeader(&tar.Header{Name: files[i], Mode: 0o600, Size: int64(len(files[i+1]))}); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, files[i+1])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func gzipOf(content string) string {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	io.WriteString(w, content)
	w.Close()
	return out.String()
}

// file is a part with an attachment.
func file(name, content string) string {
	text := base64.StdEncoding.EncodeToString([]byte(content))
	var lines strings.Builder
	for len(text) > 76 {
		lines.WriteString(text[:76] + "\n")
		text = text[76:]
	}
	return "Content-Type: application/octet-stream; name=\"" + name + "\"\nContent-Disposition: attachment; filename=\"" + name +
		"\"\nContent-Transfer-Encoding: base64\n\n" + lines.String() + text + "\n"
}

var cleanRows = []struct {
	name   string
	file   func(testing.TB) (name, content string)
	gone   string // path inside the attachment
	left   string // paths of what is left
	notice bool   // nothing is left but a notice
}{
	{"zip", func(t testing.TB) (string, string) {
		return "a.zip", zipOf(t, "x.txt", "hello", "y.exe", "MZ", "z.txt", "more")
	}, "/y.exe", "x.txt z.txt removed.txt", false},
	{"zip in zip", func(t testing.TB) (string, string) {
		return "a.zip", zipOf(t, "x.txt", "hello", "in.zip", zipOf(t, "y.exe", "MZ", "z.txt", "more"))
	}, "/in.zip/y.exe", "x.txt in.zip in.zip/z.txt in.zip/removed.txt", false},
	{"last in inner zip", func(t testing.TB) (string, string) {
		return "a.zip", zipOf(t, "x.txt", "hello", "in.zip", zipOf(t, "y.exe", "MZ"))
	}, "/in.zip/y.exe", "x.txt removed.txt", false},
	{"last in zip", func(t testing.TB) (string, string) { return "a.zip", zipOf(t, "y.exe", "MZ") }, "/y.exe", "", true},
	{"tar", func(t testing.TB) (string, string) {
		return "a.tar", tarOf(t, "x.txt", strings.Repeat("hello", 200), "y.exe", "MZ", strings.Repeat("long/", 40)+"z.txt", "more")
	}, "/y.exe", "x.txt " + strings.Repeat("long%2F", 40) + "z.txt removed.txt", false},
	{"tar.gz", func(t testing.TB) (string, string) {
		return "a.tar.gz", gzipOf(tarOf(t, "x.txt", "hello", "y.exe", "MZ"))
	}, "/a.tar/y.exe", "a.tar a.tar/x.txt a.tar/removed.txt", false},
	{"gzip", func(t testing.TB) (string, string) { return "y.exe.gz", gzipOf("MZ") }, "/y.exe", "", true},
	{"zip in tar", func(t testing.TB) (string, string) {
		return "a.tar", tarOf(t, "x.txt", "hello", "in.zip", zipOf(t, "y.exe", "MZ", "z.txt", "more"))
	}, "/in.zip/y.exe", "x.txt in.zip in.zip/z.txt in.zip/removed.txt", false},
	{"a file that is no archive", func(t testing.TB) (string, string) { return "y.exe", "MZ" }, "", "", true},
	{"a zip behind junk", func(t testing.TB) (string, string) {
		return "a.zip", "junk" + zipOf(t, "y.exe", "MZ", "x.txt", "hello")
	}, "/y.exe", "", true},
	{"two names for one", func(t testing.TB) (string, string) {
		return "a.zip", zipOf(t, "y.exe", "MZ", "y.exe", "MZ2", "x.txt", "hello")
	}, "/y.exe", "x.txt removed.txt", false},
}

func TestClean(t *testing.T) {
	b := newBench(t)
	for _, row := range cleanRows {
		name, content := row.file(t)
		m := b.open(mail(plainPart, file(name, content), plainPart))
		out := b.must(b.job(m, policy.Clean, infected(b.part(m, "2"+row.gone))))
		after := b.open(out)
		var left []string
		for _, p := range after.Parts {
			if rest, ok := strings.CutPrefix(p.Path, "2/"); ok {
				left = append(left, rest)
			}
		}
		if got := strings.Join(left, " "); got != row.left {
			t.Errorf("%s: left are %q, want %q", row.name, got, row.left)
		}
		if isNotice := after.Parts[b.part(after, "2")].Name() == "removed.txt"; isNotice != row.notice {
			t.Errorf("%s: a notice: %t, want %t", row.name, isNotice, row.notice)
		}
		for i, p := range m.Parts { // what is left is what was there
			if slices.Contains(left, strings.TrimPrefix(p.Path, "2/")) && !strings.HasSuffix(p.Path, ".zip") && !strings.HasSuffix(p.Path, ".tar") {
				if b.body(after, p.Path) != b.read(m.Parts[i].Content) {
					t.Errorf("%s: %s has changed", row.name, p.Path)
				}
			}
		}
	}
}

// macroDocument is a letter with a project of macros.
func macroDocument(t testing.TB) string {
	t.Helper()
	project, err := os.ReadFile("../../scan/contents/document/testdata/macro.xls")
	if err != nil {
		t.Fatal(err)
	}
	const relations = "http://schemas.openxmlformats.org/package/2006/relationships"
	return zipOf(t,
		contentTypes, `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/>`+
			`<Override PartName="/word/document.xml" ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"/><Override PartName="/word/vbaData.xml" ContentType="application/vnd.ms-word.vbaData+xml"/></Types>`,
		"_rels/.rels", `<Relationships xmlns="`+relations+`"><Relationship Id="r1" Type="x/officeDocument" Target="word/document.xml"/></Relationships>`,
		"word/_rels/document.xml.rels", `<Relationships xmlns="`+relations+`"><Relationship Id="r1" Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject" Target="hidden.bin"/><Relationship Id="r2" Type="x/styles" Target="styles.xml"></Relationship></Relationships>`,
		"word/_rels/vbaProject.bin.rels", `<Relationships/>`,
		"word/document.xml", "<document/>", "word/styles.xml", "<styles/>", "word/vbaData.xml", "<x/>", "word/hidden.bin", string(project))
}

func TestMacros(t *testing.T) {
	b := newBench(t)
	m := b.open(mail(plainPart, file("letter.docm", macroDocument(t))))
	found := scan.Finding{Kind: scan.Suspicious, Rule: "attachment/macro-autorun", Part: b.part(m, "2")}
	after := b.open(b.must(b.job(m, policy.Clean, found)))
	names := paths(after)
	want := "1 2 2/[Content_Types].xml 2/_rels%2F.rels 2/word%2F_rels%2Fdocument.xml.rels 2/word%2Fdocument.xml 2/word%2Fstyles.xml"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("the parts are\n%s, want\n%s", got, want)
	}
	types, relations := b.body(after, "2/[Content_Types].xml"), b.body(after, "2/word%2F_rels%2Fdocument.xml.rels")
	if strings.Contains(types, "vba") || !strings.Contains(types, "wordprocessingml.document.main+xml") || strings.Contains(relations, "vba") || !strings.Contains(relations, "styles.xml") {
		t.Errorf("types %s\nrelations %s", types, relations)
	}
	if p := after.Parts[b.part(after, "2")]; p.Name() != "letter.docx" {
		t.Errorf("the document is called %q", p.Names)
	}
}

func TestMacrosInAnArchive(t *testing.T) {
	b := newBench(t)
	m := b.open(mail(plainPart, file("a.zip", zipOf(t, "letter.docm", macroDocument(t), "x.txt", "hello"))))
	found := scan.Finding{Kind: scan.Suspicious, Rule: "attachment/macro-autorun", Part: b.part(m, "2/letter.docm/word%2Fhidden.bin")}
	after := b.open(b.must(b.job(m, policy.Clean, found)))
	if b.body(after, "2/x.txt") != "hello" || slices.Contains(paths(after), "2/letter.docm") {
		t.Errorf("the parts are %q", paths(after))
	}
}

// TestThousandsOfMembers takes half of them out.
func TestThousandsOfMembers(t *testing.T) {
	var files []string
	for i := range 3000 {
		files = append(files, fmt.Sprintf("%d.txt", i), "hello")
	}
	b := newBench(t)
	m := b.open(mail(plainPart, file("a.zip", zipOf(t, files...))))
	var found []scan.Finding
	for i, p := range m.Parts {
		if p.Archived && i%2 == 0 {
			found = append(found, infected(i))
		}
	}
	after := b.open(b.must(b.job(m, policy.Clean, found...)))
	if got, want := len(after.Parts), len(m.Parts)-len(found)+1; got != want {
		t.Errorf("%d parts are left, want %d", got, want)
	}
}
