package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

// TestRarWithPassword writes RAR with a password, which no free program does: other programs open it with the password, and
// with no other, and milterscan with a word of the message.
func TestRarWithPassword(t *testing.T) {
	needServers(t)
	for name, hidden := range map[string]bool{"data.rar": false, "names.rar": true} {
		dir := t.TempDir()
		data := sample.Rar5Locked("Winter-2026", hidden, sample.EicarFile())
		file := func(name string, content []byte) string {
			t.Helper()
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
		archive := file(name, data)
		opens := func(program string, args ...string) bool {
			out := filepath.Join(dir, "out")
			defer os.RemoveAll(out)
			text, _ := exec.Command(program, args...).CombinedOutput()
			found, _ := filepath.Glob(filepath.Join(out, "*"))
			for _, one := range append(found, filepath.Join(out, "data", "notes.txt")) {
				if content, err := os.ReadFile(one); err == nil && string(content) == sample.EICAR {
					return true
				}
			}
			t.Logf("%s: %s", program, text)
			return false
		}
		for password, want := range map[string]bool{"Winter-2026": true, "Summer-2026": false} {
			if opens("unar", "-q", "-f", "-D", "-p", password, "-o", filepath.Join(dir, "out"), archive) != want {
				t.Errorf("unar, %s, %s: want %v", name, password, want)
			}
			if opens("7z", "x", "-y", "-p"+password, "-o"+filepath.Join(dir, "out"), archive) != want {
				t.Errorf("7z, %s, %s: want %v", name, password, want)
			}
		}
		mail := sample.Attached("as agreed, password: Winter-2026", sample.File{Name: name, Content: data})
		text, _ := exec.Command(servers.Binary(t), "scan", "--json", file("mail.eml", mail)).CombinedOutput()
		if out := string(text); !strings.Contains(out, `"rule":"archive/opened-by-word"`) || !strings.Contains(out, `"kind":"infected"`) || strings.Contains(out, "archive/encrypted") {
			t.Errorf("%s: milterscan says\n%.3000s", name, out)
		}
	}
}
