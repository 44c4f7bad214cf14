package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
)

// zipped is a mail with a link, and with a file in an archive.
func zipped(t *testing.T, subject, member string) string {
	t.Helper()
	var z bytes.Buffer
	w := zip.NewWriter(&z)
	f, err := w.Create("notes.txt")
	if err != nil {
		t.Fatal(err)
	}
	f.Write([]byte(member))
	w.Close()
	return "From: Alice <alice@elsewhere.example>\r\nTo: bob@example.com\r\nSubject: " + subject + "\r\nMessage-ID: <" + subject + "@elsewhere.example>\r\n" +
		"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<a href=\"https://www." + subject + ".example.com/x\">see</a>\r\n" +
		"--b\r\nContent-Type: application/zip; name=\"notes.zip\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString(z.Bytes()) + "\r\n--b--\r\n"
}

// TestRetro has mail delivered, and learns later what was in it.
func TestRetro(t *testing.T) {
	dir := t.TempDir()
	history := fmt.Sprintf("[history]\nfile = %q\n", filepath.Join(dir, "history.db"))
	config := mustWrite(t, filepath.Join(dir, "milterscan.toml"), history+fmt.Sprintf("[quarantine]\ndir = %q\n", filepath.Join(dir, "q")))
	for _, subject := range []string{"good", "evil", "other"} {
		var out, errs bytes.Buffer
		if status := run(t.Context(), []string{"filter", "-c", config, "--from", "alice@elsewhere.example", "--to", "bob@example.com", "--client", "192.0.2.7"},
			strings.NewReader(zipped(t, subject, "the content of "+subject)), &out, &errs); status != cli.ExitOK {
			t.Fatal(status, errs.String())
		}
	}
	file := func(name, text string) string { return mustWrite(t, filepath.Join(dir, name), text) }
	sum := func(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }
	evil, size := sum("the content of evil"), len("the content of evil")
	hashes := file("hashes.txt", "# sums\n"+strings.ToUpper(evil)+"  evil.exe\n"+strings.Repeat("00", 32)+"\n")
	try := func(want int, texts string, args ...string) string {
		t.Helper()
		status, out, errs := call(t, append([]string{"retro", "-c", config}, args...)...)
		for text := range strings.SplitSeq(texts, "|") {
			if status != want || !strings.Contains(out+errs, text) {
				t.Errorf("%q: status %d, no %q\n%s%s", args, status, text, out, errs)
			}
		}
		return out
	}
	try(cli.ExitFound, "File "+evil+" (notes.txt, 19 B)|<alice@elsewhere.example> to <bob@example.com>|1 messages had something on them, 1 of them went on|"+
		"Of 3 messages hashes of files were looked at.", hashes)
	try(cli.ExitFound, "on "+dir+"/a.hsb as Trojan.X|1 entries are MD5", file("a.hsb", fmt.Sprintf("%s:%d:Trojan.X:73\n%s:*:Old\n", evil, size, strings.Repeat("ab", 16))))
	try(cli.ExitOK, "0 messages had", file("size.hsb", fmt.Sprintf("%s:%d:Trojan.X\n", evil, size+1)))
	try(cli.ExitOK, "0 messages had", file("none.txt", sum("nothing")+"\n"))
	try(cli.ExitFound, "Link to www.evil.example.com, on "+dir+"/hosts.txt as evil.example.com", file("hosts.txt", "evil.example.com\nworse.example.com\n"))
	try(cli.ExitFound, "Client 192.0.2.7|3 messages", "--kind", "networks", file("drop.txt", "192.0.2.0/24\n"))
	try(cli.ExitFound, "the oldest 2 are not named", "--limit", "1", "--kind", "networks", file("drop.txt", "192.0.2.0/24\n"))
	try(cli.ExitOK, "Of 0 messages", "--before", "1d", hashes)
	try(cli.ExitError, "has MD5 and SHA-1 only", file("md5.txt", strings.Repeat("ab", 16)+"\n"))
	try(cli.ExitError, "empty.txt: it holds no entry", file("empty.txt", "# none\n"))
	try(cli.ExitError, "as a list of hashes|as a list of hosts|page.html", file("page.html", "<html>\n<body>\n"))
	try(cli.ExitError, "bad.hsb:1: hash", file("bad.hsb", "xyz:1:Name\n"))
	try(cli.ExitError, "no such file", filepath.Join(dir, "gone.txt"))
	try(cli.ExitError, "there is no [[feed]] with the name \"x\"", "--feed", "x")
	try(cli.ExitError, "there is no list")
	var m struct {
		ID, Sender, Action string
		Recipients         []struct{ Recipient, Action string }
		On                 []struct{ What, Value, Name string }
	}
	first, rest, _ := strings.Cut(try(cli.ExitFound, "", "--json", hashes), "\n")
	if err := json.Unmarshal([]byte(first), &m); err != nil || m.Action != "deliver" || m.Recipients[0].Recipient != "bob@example.com" || m.On[0].Value != evil || m.On[0].Name != "notes.txt" {
		t.Errorf("%v: %s", err, first)
	}
	if want := `{"lists":1,"entries":2,"found":1,"passed":1,"more":0,"coverage":{"parts":{"messages":3,"not_recorded":0,"partly":0}}}` + "\n"; rest != want {
		t.Errorf("%s; want %s", rest, want)
	}
	if _, out, _ := call(t, "history", "-c", config, "--json", "--subject", "evil"); !strings.Contains(out, `"hosts":["www.evil.example.com"]`) || strings.Count(out, `"sha256"`) != 3 {
		t.Errorf("%s", out)
	}
}

// TestRetroOfNothing: what was not recorded is not known, and no list says that mail had nothing.
func TestRetroOfNothing(t *testing.T) {
	dir := t.TempDir()
	config := mustWrite(t, filepath.Join(dir, "milterscan.toml"), fmt.Sprintf("[history]\nfile = %q\nparts = false\nlinks = false\n[quarantine]\ndir = %q\n",
		filepath.Join(dir, "history.db"), filepath.Join(dir, "q")))
	var out, errs bytes.Buffer
	if status := run(t.Context(), []string{"filter", "-c", config, "--to", "bob@example.com"}, strings.NewReader(zipped(t, "evil", "x")), &out, &errs); status != cli.ExitOK {
		t.Fatal(status, errs.String())
	}
	list := mustWrite(t, filepath.Join(dir, "list.txt"), fmt.Sprintf("%x\n", sha256.Sum256([]byte("x"))))
	if status, out, errs := call(t, "retro", "-c", config, list); status != cli.ExitError || !strings.Contains(out, "of 1 none are recorded") ||
		!strings.Contains(errs, "whether mail had any of this is not known") {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	if _, out, _ := call(t, "history", "-c", config, "--json"); strings.Contains(out, `"contents"`) {
		t.Errorf("%s", out)
	}
}
