package pipeline

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	settings "github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/hostile"
	"github.com/milterscan/milterscan/tests/sample"
)

// attachmentRow is a mail with an attachment, and what must become of it.
type attachmentRow struct {
	family string // of the cases the project must get right
	what   string
	mail   []byte
	config string // of the site; none is what is shipped
	action string
	rules  string // that must be among the findings
}

const (
	// password lets encrypted archives pass, and knows a password of theirs.
	password = "[limits.archive]\npasswords = [\"secret\"]\n[[rule]]\nname = \"agreed\"\nfrom = [\"alice@example.org\"]\nwhen = [\"archive/encrypted*\"]\naction = \"deliver\"\n"
	// agreed lets encrypted archives pass unread.
	agreed = "[[rule]]\nname = \"agreed\"\nfrom = [\"alice@example.org\"]\nwhen = [\"archive/encrypted*\"]\naction = \"deliver\"\n"
	// friend lets a sender's mail pass.
	friend = "[[rule]]\nname = \"friend\"\nfrom = [\"alice@example.org\"]\naction = \"deliver\"\n"
)

// TestAttachments prints, under -v, a table of what becomes of attachments.
func TestAttachments(t *testing.T) {
	table := "family  answer   attachment                                found\n"
	names, pipelines := 0, map[string]*Pipeline{}
	for _, row := range attachmentRows(t) {
		p := pipelines[row.config]
		if p == nil {
			p = pipelineOf(t, row.config)
			pipelines[row.config] = p
		}
		if line := row.check(t, p); row.family == "D H15" {
			names++
		} else {
			table += line
		}
	}
	t.Logf("\n%sD H15   reject   %d ways to write a name", table, names)
}

// loaded reads a configuration from its text.
func loaded(t *testing.T, text string) *settings.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "milterscan.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := settings.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// pipelineOf is the pipeline of a configuration.
func pipelineOf(t *testing.T, config string) *Pipeline {
	t.Helper()
	c := loaded(t, config)
	p, err := New(c)
	if err != nil {
		t.Fatalf("%v for %q", err, config)
	}
	t.Cleanup(p.Close)
	return p
}

// check judges the mail and returns its line of the table.
func (row attachmentRow) check(t *testing.T, p *Pipeline) string {
	action, found := p.verdict(t, row.mail)
	var rules []string
	for _, f := range found {
		if f.Kind > scan.Malformed && !slices.Contains(rules, f.Rule) {
			rules = append(rules, f.Rule)
		}
	}
	for want := range strings.FieldsSeq(row.rules) {
		if !slices.Contains(rules, want) {
			t.Errorf("%s, %s: found %v, want %s", row.family, row.what, found, want)
		}
	}
	if action != row.action || row.action == "deliver" && row.rules == "" && len(rules) > 0 {
		t.Errorf("%s, %s: %s for %v, want %s", row.family, row.what, action, found, row.action)
	}
	return fmt.Sprintf("%-7s %-8s %-41s %s\n", row.family, action, row.what, strings.Join(rules, " "))
}

// verdict is what becomes of a mail, and why.
func (p *Pipeline) verdict(t *testing.T, mail []byte) (string, []scan.Finding) {
	t.Helper()
	raw, err := p.keep(bytes.NewReader(mail))
	if err != nil {
		t.Fatal(err)
	}
	in, err := p.receive(scan.Envelope{Sender: "alice@example.org", Recipients: []string{"bob@example.com"}, Received: time.Now()}, raw)
	if err != nil {
		t.Fatal(err)
	}
	r := p.Judge.Examine(t.Context(), in)
	defer r.Close()
	return r.Decision.Action(), r.Found
}

func attachmentRows(t *testing.T) []attachmentRow {
	rows := slices.Concat(namedRows(), headedRows(), documentRows(t), polyglotRows(t), virusRows())
	locked := testFile(t, "scan/format/archive/testdata/aes256.zip")
	rows = append(rows,
		attachmentRow{family: "A 5", what: "encrypted zip, harmless.pdf", mail: attached("papers.zip", lockedZip("harmless.pdf")), action: "reject", rules: "archive/encrypted-member"},
		attachmentRow{family: "A 5", what: "encrypted zip, harmless.pdf, agreed", mail: attached("papers.zip", lockedZip("harmless.pdf")), config: agreed, action: "deliver", rules: "archive/encrypted-member"},
		attachmentRow{family: "A 7", what: "encrypted zip, eicar.com, agreed", mail: attached("papers.zip", locked), config: agreed, action: "reject", rules: "archive/encrypted-member attachment/member-name"},
		attachmentRow{family: "A 7", what: "encrypted zip, eicar.com, password known", mail: attached("papers.zip", locked), config: password, action: "reject", rules: "attachment/member-name virus/Eicar-Test-Signature"})
	return append(rows, hostileRows("H15")...)
}

// attached is a mail with one file.
func attached(name string, content []byte) []byte {
	return sample.Attached("a file", sample.File{Name: name, Type: "application/octet-stream", Content: content})
}

// headed is a mail with a part that has these fields, and a harmless content.
func headed(fields string) []byte {
	mail := string(attached("NAME", []byte("Nothing to see here.\n")))
	at, end := strings.LastIndex(mail, "Content-Type:"), strings.Index(mail, "Content-Transfer-Encoding:")
	return []byte(mail[:at] + fields + "\r\n" + mail[end:])
}

func testFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// lockedZip is a zip whose one member is marked as encrypted and is noise.
func lockedZip(name string) []byte {
	zip := sample.Zip("a.zip", sample.Noise(name, 200, 1)).Content
	for mark, at := range map[string]int{"PK\x03\x04": 6, "PK\x01\x02": 8} {
		zip[bytes.Index(zip, []byte(mark))+at] |= 1
	}
	body := bytes.Index(zip, []byte(name)) + len(name)
	copy(zip[body:], bytes.Repeat([]byte("\xff\x13\x77\xe2"), 20))
	return zip
}

// namedRows are files known by their names.
func namedRows() []attachmentRow {
	program, text := sample.Program("").Content, []byte("Nothing to see here.\n")
	page := []byte("<html><body>hello</body></html>")
	zip := sample.Zip("", sample.File{Name: "notes.txt", Content: text}).Content
	letter := []byte(`{\rtf1\ansi Dear Ms Example}`)
	pdf := []byte("%PDF-1.4\n1 0 obj << /Type /Catalog >> endobj\ntrailer << /Root 1 0 R >>\n%%EOF\n")
	var rows []attachmentRow
	for _, f := range []struct {
		family, name  string
		content       []byte
		action, rules string
	}{
		{"A 12", "pic.jpg", program, "reject", "attachment/program"},
		{"A 13", "invoice.pdf.exe", text, "reject", "attachment/double-extension"},
		{"A 13", "photo.jpg.html", page, "reject", "attachment/double-extension"},
		{"A 13", "doc.zip.zip", zip, "deliver", ""},
		{"A 13", "a.wed.doc", letter, "deliver", ""},
		{"A 13", "John.Doe.pdf", pdf, "deliver", ""},
		{"A 13", "report.final.docx", sample.Zip("", sample.File{Name: "[Content_Types].xml", Content: []byte("<Types/>")}, sample.File{Name: "word/document.xml", Content: []byte("<w:document/>")}).Content, "deliver", ""},
		{"A 14", "x.exe.", text, "reject", "attachment/disguised-name"},
		{"A 14", "x.exe ", text, "reject", "attachment/disguised-name"},
		{"A 14", "x.exe::$DATA", text, "reject", "attachment/disguised-name"},
		{"A 14", "x.exe%00.txt", text, "reject", "attachment/disguised-name"},
		{"A 14", "x.exe;.txt", text, "reject", "attachment/disguised-name"},
		{"A 15", "ann\u202efdp.exe", text, "reject", "attachment/bidi-name"},
		{"A 15", "x\u202egpj.docx", text, "reject", "attachment/bidi-name"},
		{"A 16", "{3050F4D8-98B5-11CF-BB82-00AA00BDCE0B}.txt", text, "reject", "attachment/clsid-name"},
		{"A 17", "invoice" + strings.Repeat(" ", 12) + ".exe", text, "reject", "attachment/blank-name"},
		{"A 17", "invoice" + strings.Repeat("\u00a0", 12) + ".exe", text, "reject", "attachment/blank-name"},
		{"A 17", "invoice" + strings.Repeat("\u3000", 12) + ".html", text, "reject", "attachment/blank-name"},
		{"A 17", "invoice.pdf" + strings.Repeat("\u3000", 12) + ".txt", text, "reject", "attachment/blank-name"},
		{"A 17", "invoice" + strings.Repeat("\u3000", 12) + ".txt", text, "deliver", ""},
	} {
		rows = append(rows, attachmentRow{family: f.family, what: strings.Trim(fmt.Sprintf("%+q", f.name), `"`), mail: attached(f.name, f.content), action: f.action, rules: f.rules})
	}
	return rows
}

// headedRows are names that are given in other ways than one.
func headedRows() []attachmentRow {
	var rows []attachmentRow
	const plain, file = "Content-Type: text/plain", "Content-Disposition: attachment"
	for _, f := range []struct{ family, what, fields string }{
		{"A 19", "filename*0*, filename*1*", plain + "\r\n" + file + "; filename*0*=UTF-8''inv;\r\n filename*1*=oice.exe"},
		{"A 20", "encoded word in filename", plain + "\r\n" + file + `; filename="=?UTF-8?B?aW52b2ljZS5leGU=?="`},
		{"A 20", "encoded word in name", plain + `; name="=?UTF-8?B?aW52b2ljZS5leGU=?="` + "\r\n" + file},
		{"A 21", "name is .txt, filename .exe", plain + "; name=a.txt\r\n" + file + "; filename=a.exe"},
		{"A 21", "name is .exe, filename .txt", plain + "; name=a.exe\r\n" + file + "; filename=a.txt"},
		{"A 21", "two file names, the first .exe", plain + "\r\n" + file + "; filename=a.exe; filename=a.txt"},
		{"A 21", "two file names, the last .exe", plain + "\r\n" + file + "; filename=a.txt; filename=a.exe"},
	} {
		rows = append(rows, attachmentRow{family: f.family, what: f.what, mail: headed(f.fields), action: "reject", rules: "attachment/name"})
	}
	return rows
}

// documentRows are the documents of tests/files and of scan/contents/document/testdata.
func documentRows(t *testing.T) []attachmentRow {
	var rows []attachmentRow
	for _, f := range []struct{ family, file, action, rule string }{
		{"A 31", "tests/files/sealed.xlsx", "deliver", "archive/encrypted-document"},
		{"A 31", "tests/files/autorun.doc", "reject", "attachment/macro-autorun"},
		{"A 31", "tests/files/autorun.docm", "reject", "attachment/macro-autorun"},
		{"A 31", "tests/files/harmless.xlsm", "deliver", "attachment/macro-autostart"},
		{"A 31", "tests/files/template.docx", "reject", "attachment/remote-template"},
		{"A 31", "tests/files/package.docx", "reject", "attachment/ole-package"},
		{"A 31", "tests/files/package.xls", "reject", "attachment/ole-package"},
		{"A 31", "tests/files/field.docx", "reject", "attachment/dde"},
		{"A 31", "scan/contents/document/testdata/macro.xls", "reject", "attachment/macro-autorun"},
		{"A 31", "scan/contents/document/testdata/macro.odt", "reject", "attachment/macro-autorun"},
		{"A 31", "scan/contents/document/testdata/plain.doc", "deliver", ""},
		{"A 31", "scan/contents/document/testdata/plain.xlsx", "deliver", ""},
		{"A 31", "scan/format/archive/testdata/locked256.pdf", "deliver", "attachment/pdf-encrypted"},
		{"A29", "tests/files/update.rtf", "deliver", "attachment/rtf-object"},
		{"A29", "tests/files/program.one", "reject", "attachment/onenote-embedded"},
		{"A29", "tests/files/icon.lnk", "reject", "attachment/remote-shortcut"},
		{"A29", "tests/files/powershell.lnk", "reject", "attachment/shortcut-command"},
		{"A29", "tests/files/share.url", "reject", "attachment/remote-shortcut"},
		{"A29", "tests/files/site.library-ms", "reject", "attachment/remote-shortcut"},
		{"A29", "tests/files/site.searchConnector-ms", "reject", "attachment/remote-shortcut"},
		{"A29", "tests/files/xlm.xls", "reject", "attachment/macro-xlm"},
		{"A29", "tests/files/xlm.xlsm", "reject", "attachment/macro-xlm"},
		{"A29", "tests/files/stomped.doc", "reject", "attachment/macro-stomped"},
		{"A29", "tests/files/tail.docm", "reject", "attachment/macro-autorun"},
		{"A29", "tests/files/script.svg", "deliver", "attachment/svg-script"},
		{"A29", "tests/files/launch.pdf", "reject", "attachment/pdf-launch"},
		{"A29", "tests/files/script.pdf", "deliver", "attachment/pdf-javascript"},
	} {
		rows = append(rows, attachmentRow{family: f.family, what: filepath.Base(f.file), mail: attached(filepath.Base(f.file), testFile(t, f.file)), action: f.action, rules: f.rule})
	}
	return rows
}

// polyglotRows are files that are one thing to one program and another to the
// next, and containers that Windows opens.
func polyglotRows(t *testing.T) []attachmentRow {
	programs := sample.Zip("", sample.Program("setup.exe")).Content
	saved := "From: a@example.org\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=x\r\n\r\n--x\r\nContent-Type: text/html\r\n\r\n<html><script>go()</script></html>\r\n--x\r\nContent-Type: application/octet-stream; name=setup.exe\r\n\r\nMZ\r\n--x--\r\n"
	smuggler := "<html><script>var b=new Blob([atob(d)]);a.href=URL.createObjectURL(b);a.download='x.iso';a.click()</script></html>"
	split := "<html><head><base href=\"https://evil.test/\"></head><body><a href=\"login.html\">www.bank.com</a></body></html>"
	disk := func(mark string, at int) []byte {
		return append(append(make([]byte, at), mark...), make([]byte, 4096)...)
	}
	var rows []attachmentRow
	for _, f := range []struct{ what, name, content, action, rules string }{
		{"PDF with a zip behind it", "a.pdf", "%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n" + string(programs), "reject", "attachment/member-name"},
		{"GIF with a jar behind it", "a.gif", "GIF89a\x01\x00\x01\x00\x00\x00\x00;" + string(programs), "reject", "attachment/member-name"},
		{"HTA in a file named doc", "a.doc", "<html><head><hta:application id=x></head><script language=vbscript>go</script></html>", "reject", "attachment/script"},
		{"saved web page named doc", "a.doc", saved, "reject", "attachment/name"},
		{"ISO image named jpg", "a.jpg", string(discImage(t)), "reject", "attachment/disk-image"},
		{"virtual disk with a shortcut", "a.vhd", string(disk("conectix", 0)), "reject", "attachment/name attachment/disk-image"},
		{"compiled help named txt", "a.txt", "ITSF\x03\x00\x00\x00" + strings.Repeat("\x00", 200), "reject", "attachment/denied-type"},
		{"add-in of Excel", "a.xll", string(sample.Program("").Content), "reject", "attachment/name attachment/program"},
		{"page that makes a file", "a.html", smuggler, "deliver", "content/smuggling"},
		{"page with a false base", "a.html", split, "deliver", "content/link-mismatch"},
	} {
		rows = append(rows, attachmentRow{family: "A29", what: f.what, mail: attached(f.name, []byte(f.content)), action: f.action, rules: f.rules})
	}
	return rows
}

func discImage(t *testing.T) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(testFile(t, "scan/format/archive/testdata/joliet.iso.gz")))
	if err != nil {
		t.Fatal(err)
	}
	image, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// virusRows are viruses with other grounds beside them, for and against.
func virusRows() []attachmentRow {
	eicar := sample.EicarFile()
	banned := eicar
	banned.Name = "invoice.pdf.exe"
	const found = "virus/Eicar-Test-Signature"
	return []attachmentRow{
		{family: "A 33", what: "virus of a sender whose mail may pass", mail: sample.Attached("a file", eicar), config: friend, action: "reject", rules: found},
		{family: "A 33", what: "program of a sender whose mail may pass", mail: sample.Attached("a file", sample.Program("setup.exe")), config: friend, action: "deliver", rules: "attachment/name"},
		{family: "A 33", what: "virus, denied name, a false page", mail: sample.Attached("a file", banned, sample.File{Name: "a.html", Type: "text/html", Content: []byte("<html><script>go()</script></html>")}), action: "reject",
			rules: found + " attachment/double-extension content/html-attachment"},
	}
}

// hostileRows are the cases of a family of evasions, all of which must be refused.
func hostileRows(family string) []attachmentRow {
	var rows []attachmentRow
	for c := range hostile.Cases() {
		if c.Family == family && !c.Huge {
			rows = append(rows, attachmentRow{family: "D " + family, what: strings.TrimPrefix(c.Name, family+"/"), mail: c.Message, action: "reject"})
		}
	}
	return rows
}
