package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/tests/sample"
)

// lists are files that a configuration names, as they are when all is well.
var lists = map[string]string{
	"words.txt":    "# a list\nconfidential\n/[A-Z]{3}-[0-9]+/\n",
	"names.txt":    "ledger\n",
	"hashes.hdb":   "44d88612fea8a8f36de82e1278abb02f:68:Listed\n",
	"partners.txt": "friend@example.net\n",
}

// broken is what may become of each; missing ones are broken, too.
var broken = map[string]string{
	"words.txt":    "confidential\n/(/\n",
	"names.txt":    "ledger\n/(/\n",
	"hashes.hdb":   "no hash\n",
	"partners.txt": "friend@example.net\nno address @ all\n",
}

// newListedDaemon is a daemon whose configuration has those lists, in a directory.
func newListedDaemon(t *testing.T) (*Daemon, string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range lists {
		writeList(t, dir, name, text)
	}
	file := filepath.Join(dir, "milterscan.toml")
	text := fmt.Sprintf("[milter]\nlisten = [%q]\n[history]\nfile = \"\"\n[attachment]\ndeny_files = [%q]\n[[virus]]\nname = \"local\"\ntype = \"hashes\"\nlists = [%q]\n"+
		"[[content.list]]\nname = \"secret\"\nfiles = [%q]\n[[rule]]\nname = \"secret\"\nfrom = [\"file:partners.txt\"]\nwhen = [\"content/list-secret\"]\naction = \"reject\"\n",
		"unix:"+filepath.Join(dir, "m"), filepath.Join(dir, "names.txt"), filepath.Join(dir, "hashes.hdb"), filepath.Join(dir, "words.txt"))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d, status := New(file, "test", t.Output())
	if d == nil || !d.listen() {
		t.Fatalf("status %d", status)
	}
	t.Cleanup(d.close)
	return d, dir
}

func writeList(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// found are the rules of what the current generation finds in a mail that has
// something for each list.
func (d *Daemon) found(t *testing.T) map[string]bool {
	t.Helper()
	p := &pipeline.Pipeline{Shared: d.Shared, Judge: d.current.Load(), MaxMessage: 1 << 20}
	mail := sample.Attached("confidential", sample.File{Name: "a.ledger", Type: "application/octet-stream", Content: []byte(sample.EICAR)})
	file := filepath.Join(t.TempDir(), "mail.eml")
	if err := os.WriteFile(file, mail, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := p.ScanFile(t.Context(), file, nil, scan.Envelope{Sender: "alice@example.org", Recipients: []string{"bob@example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	rules := map[string]bool{}
	for _, f := range r.Found {
		if f.Kind >= scan.Suspicious {
			rules[f.Rule] = true
		}
	}
	return rules
}

// A list that is broken or gone at a reload leaves the generation in place, with
// all its lists; once it is mended, the next one is used.
func TestReloadOfBrokenLists(t *testing.T) {
	d, dir := newListedDaemon(t)
	before := d.current.Load()
	check := func(what string) {
		t.Helper()
		d.reload(t.Context())
		if d.current.Load() != before {
			t.Fatalf("%s: generation %d is used", what, d.current.Load().Generation())
		}
		if rules := d.found(t); !rules["content/list-secret"] || !rules["attachment/name"] {
			t.Errorf("%s: found %v", what, rules)
		}
	}
	for name, text := range broken {
		writeList(t, dir, name, text)
		check("broken " + name)
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		check("missing " + name)
		writeList(t, dir, name, lists[name])
	}
	writeList(t, dir, "words.txt", "unrelated\n")
	d.reload(t.Context())
	if rules := d.found(t); d.current.Load() == before || rules["content/list-secret"] || !rules["attachment/name"] {
		t.Errorf("after mending generation %d found %v", d.current.Load().Generation(), rules)
	}
}
