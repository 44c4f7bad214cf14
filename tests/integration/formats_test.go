package integration

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/contents/virus"
	"github.com/milterscan/milterscan/scan/hostile"
	"github.com/milterscan/milterscan/tests/bombs"
	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

// shut are the samples of scan/format/archive in which EICAR cannot be found, with the
// rules that say why. In all others it must be.
var shut = map[string]string{
	"7z-ppmd.zip":        "archive/unsupported-method attachment/member-name",
	"x86.xz":             "archive/unsupported-method",
	"lh2.lzh":            "archive/unsupported-method attachment/member-name",
	"zipcrypto.zip":      "archive/encrypted-member attachment/member-name",
	"aes128.zip":         "archive/encrypted-member attachment/member-name",
	"aes192.zip":         "archive/encrypted-member attachment/member-name",
	"aes256.zip":         "archive/encrypted-member attachment/member-name",
	"encrypted.7z":       "archive/encrypted-member attachment/member-name",
	"encrypted-copy.7z":  "archive/encrypted-member attachment/member-name",
	"encrypted-names.7z": "archive/encrypted-names",
	"garbled.arj":        "archive/encrypted-member attachment/member-name",
	"locked128.pdf":      "archive/encrypted-document",
	"locked256.pdf":      "archive/encrypted-document",
}

// rival judges mails by clamd alone, by us alone, and by both.
type rival struct {
	t      *testing.T
	clamd  *servers.Clamd
	engine *virus.Engine
}

func newRival(t *testing.T) rival {
	t.Helper()
	needServers(t)
	// As an administrator who wants to know would set it: what is encrypted or too
	// large to be looked at is not reported as a virus.
	clamd := servers.StartClamd(t, "AlertExceedsMax no")
	return rival{t, clamd, askClamd(t, virus.FeedRaw, addressesOf(clamd)[0])}
}

// alone reports whether clamd finds something in the mail as it is.
func (r rival) alone(mail []byte) bool {
	found, err := r.engine.Scan(context.Background(), &scan.Message{Raw: bytes.NewReader(mail)})
	if err != nil {
		r.t.Error(err)
	}
	return slices.ContainsFunc(found, func(f scan.Finding) bool { return f.Kind == scan.Infected })
}

// config is ours, with clamd beside it.
func (r rival) config() string { return asking("unix:"+r.clamd.Socket, "") }

// TestFormats prints, under -v, what is seen in each format: by us without clamd,
// by clamd alone, and by both.
func TestFormats(t *testing.T) {
	r := newRival(t)
	table := fmt.Sprintf("%-21s %-6s %-5s %-5s %-5s %-6s %-9s %6s %6s  %s\n", "sample", "opened", "virus", "clamd", "both", "denied", "encrypted", "CPU s", "MB", "else")
	for _, file := range archiveSamples(t) {
		mail := sample.Attached("papers", file)
		v, cost := measured(t, "", mail)
		both, _ := measured(t, r.config(), mail)
		table += v.row(file.Name, r.alone(mail), both, cost)
		for want := range strings.FieldsSeq(orVirus(shut[file.Name])) {
			if !v.says(want) {
				t.Errorf("%s: %s, want %s", file.Name, v.rules(), want)
			}
		}
		if v.infected() && !both.infected() {
			t.Errorf("%s: with clamd less is found: %s", file.Name, both.rules())
		}
	}
	t.Logf("\n%s", table)
}

func orVirus(rules string) string {
	if rules == "" {
		return "virus/"
	}
	return rules
}

// row is a line of the table.
func (v opinion) row(name string, clamd bool, both opinion, c cost) string {
	opened := slices.ContainsFunc(v.Findings, func(f finding) bool { return strings.Contains(f.Part, "/") })
	var others []string
	for rule := range strings.FieldsSeq(v.rules()) {
		if !strings.HasPrefix(rule, "virus/") && !strings.HasPrefix(rule, "archive/encrypted") && rule != "attachment/member-name" {
			others = append(others, rule)
		}
	}
	return fmt.Sprintf("%-21s %-6s %-5s %-5s %-5s %-6s %-9s %6.2f %6d  %s\n", name, yes(opened), yes(v.infected()), yes(clamd), yes(both.infected()),
		yes(v.says("attachment/member-name")), yes(v.says("archive/encrypted")), c.cpu.Seconds(), c.peak>>20, strings.Join(others, " "))
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "-"
}

// archiveSamples are the samples of scan/format/archive that hold EICAR.
func archiveSamples(t *testing.T) []sample.File {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(servers.Root(t), "scan/format/archive/testdata/*.*"))
	if err != nil || len(paths) < 60 {
		t.Fatal(len(paths), err)
	}
	var files []sample.File
	for _, path := range paths {
		name, content := filepath.Base(path), contentOf(t, path)
		if short, packed := strings.CutSuffix(name, ".iso.gz"); packed {
			name, content = short+".iso", gunzipped(t, content)
		}
		if strings.Contains(name, "-text") || strings.HasSuffix(name, ".sh") {
			continue
		}
		files = append(files, sample.File{Name: name, Type: "application/octet-stream", Content: content})
	}
	return files
}

func gunzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestFormatsOfBombs sends files that unpack to what no machine holds.
func TestFormatsOfBombs(t *testing.T) {
	needServers(t)
	table := fmt.Sprintf("%-16s %9s  %-8s %6s %6s  %s\n", "bomb", "bytes", "answer", "CPU s", "MB", "found")
	for _, b := range bombs.All() {
		v, c := measured(t, "", sample.Attached("papers", sample.File{Name: b.Name, Type: "application/octet-stream", Content: b.Content}))
		if harmless := b.Name == "filters.pdf" || b.Name == "entities.docx"; v.Action != "reject" && !harmless || v.rules() == "" && b.Name != "entities.docx" {
			t.Errorf("%s: %s for %s", b.Name, v.Action, v.rules())
		}
		table += fmt.Sprintf("%-16s %9d  %-8s %6.2f %6d  %s\n", b.Name, len(b.Content), v.Action, c.cpu.Seconds(), c.peak>>20, v.rules())
	}
	t.Logf("\n%s", table)
}

// TestFormatsOfEvasions counts in how many mails of each family the virus is found
// by clamd alone, by us without clamd, and by both. Unless MILTERSCAN_SOAK is set
// only those of containers are sent.
func TestFormatsOfEvasions(t *testing.T) {
	r := newRival(t)
	table := "family  mails  clamd   ours   both\n"
	for _, f := range hostile.Families() {
		var mails [][]byte
		for c := range f.Cases() {
			if !c.Huge && bytes.Equal(c.Payload.Content, hostile.EICAR()) {
				mails = append(mails, c.Message)
			}
		}
		if len(mails) == 0 || !long() && !strings.HasPrefix(f.ID, "A") {
			continue
		}
		clamd := 0
		for _, mail := range mails {
			if r.alone(mail) {
				clamd++
			}
		}
		ours, both := infectedOf(t, "", mails), infectedOf(t, r.config(), mails)
		if both < max(ours, clamd) {
			t.Errorf("%s: both find %d, one finds %d", f.ID, both, max(ours, clamd))
		}
		table += fmt.Sprintf("%-6s %6d %6d %6d %6d\n", f.ID, len(mails), clamd, ours, both)
	}
	t.Logf("\n%s", table)
}

// infectedOf counts the mails in which a virus is found.
func infectedOf(t *testing.T, config string, mails [][]byte) int {
	t.Helper()
	n := 0
	for _, v := range judgedMails(t, config, mails) {
		if v.infected() {
			n++
		}
	}
	return n
}
