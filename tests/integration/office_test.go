package integration

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

// office converts documents by LibreOffice.
type office struct {
	t   *testing.T
	dir string
}

// newOffice skips the test unless MILTERSCAN_OFFICE is set: LibreOffice is large.
func newOffice(t *testing.T) office {
	t.Helper()
	if os.Getenv("MILTERSCAN_OFFICE") == "" {
		t.Skip("set MILTERSCAN_OFFICE=1 to let LibreOffice write documents")
	}
	return office{t, t.TempDir()}
}

// convert is a file in another format: an extension, or one with the name of an
// export filter behind a colon.
func (o office) convert(file, format string) string {
	o.t.Helper()
	extension, _, _ := strings.Cut(format, ":")
	out := filepath.Join(o.dir, "to-"+extension)
	cmd := exec.Command("soffice", "-env:UserInstallation=file://"+filepath.Join(o.dir, "profile"), "--headless", "--convert-to", format, "--outdir", out)
	if filepath.Ext(file) == ".html" {
		cmd.Args = append(cmd.Args, "--infilter=HTML (StarWriter)")
	}
	cmd.Args = append(cmd.Args, file)
	output, err := cmd.CombinedOutput()
	written := filepath.Join(out, strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))+"."+extension)
	if err == nil {
		_, err = os.Stat(written)
	}
	if err != nil {
		o.t.Fatalf("converting %s to %s: %v\n%s", file, format, err, output)
	}
	return written
}

// TestOfficeDocuments lets LibreOffice write ordinary documents in every format
// it has: nothing may be found in them.
func TestOfficeDocuments(t *testing.T) {
	o := newOffice(t)
	table := "document        answer   found\n"
	for _, source := range []struct{ file, formats string }{
		{"letter.html", "odt doc docx rtf pdf fodt ott dot"},
		{"prices.csv", "ods xls xlsx pdf fods"},
		{"slides.fodp", "odp ppt pptx pdf"},
	} {
		for format := range strings.FieldsSeq(source.formats) {
			written := o.convert(filepath.Join(servers.Root(t), "tests/integration/testdata/office", source.file), format)
			v := judgedFile(t, filepath.Base(written), contentOf(t, written))
			if v.Action != "deliver" || v.rules() != "" {
				t.Errorf("%s: %s for %v", filepath.Base(written), v.Action, v.Findings)
			}
			table += fmt.Sprintf("%-15s %-8s %s\n", filepath.Base(written), v.Action, v.rules())
		}
	}
	t.Logf("\n%s", table)
}

// TestOfficeMacros lets LibreOffice write documents with macros that run by
// themselves: the words that speak against them must be named.
func TestOfficeMacros(t *testing.T) {
	o := newOffice(t)
	samples := filepath.Join(servers.Root(t), "scan/contents/document/testdata")
	book := o.convert(filepath.Join(samples, "macro.xls"), "xlsm:Calc MS Excel 2007 VBA XML")
	project := memberOf(t, book, "xl/vbaProject.bin")
	letter := filepath.Join(t.TempDir(), "letter.docm")
	if err := os.WriteFile(letter, docmWith(t, project), 0o600); err != nil {
		t.Fatal(err)
	}
	written := []string{
		book,
		o.convert(filepath.Join(samples, "macro.xls"), "xls"),
		o.convert(filepath.Join(samples, "macro.xls"), "ods"),
		o.convert(filepath.Join(samples, "macro.odt"), "odt"),
		o.convert(filepath.Join(samples, "macro.odt"), "fodt"),
		o.convert(letter, "docm:MS Word 2007 XML VBA"),
	}
	table := "document        answer   words\n"
	for _, file := range written {
		v := judgedFile(t, filepath.Base(file), contentOf(t, file))
		words := v.detail("attachment/macro-autorun")
		if v.Action != "reject" || words == "" {
			t.Errorf("%s: %s for %v", filepath.Base(file), v.Action, v.Findings)
		}
		table += fmt.Sprintf("%-15s %-8s %s\n", filepath.Base(file), v.Action, words)
	}
	t.Logf("\n%s", table)
}

func contentOf(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func memberOf(t *testing.T, file, name string) []byte {
	t.Helper()
	r, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	m, err := r.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(m)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// docmWith is a letter with a macro project.
func docmWith(t *testing.T, project []byte) []byte {
	t.Helper()
	const types, relations = "http://schemas.openxmlformats.org/package/2006/content-types", "http://schemas.openxmlformats.org/package/2006/relationships"
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, m := range [][2]string{
		{"[Content_Types].xml", `<Types xmlns="` + types + `"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/>` +
			`<Override PartName="/word/document.xml" ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"/></Types>`},
		{"_rels/.rels", `<Relationships xmlns="` + relations + `"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>`},
		{"word/_rels/document.xml.rels", `<Relationships xmlns="` + relations + `"><Relationship Id="r1" Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject" Target="vbaProject.bin"/></Relationships>`},
		{"word/document.xml", `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>Dear Ms Example</w:t></w:r></w:p></w:body></w:document>`},
		{"word/vbaProject.bin", string(project)},
	} {
		f, err := w.Create(m[0])
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, m[1])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
