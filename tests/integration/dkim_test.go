package integration

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

// Programs for dkimpy, which knows nothing of milterscan: a mail comes in, and the
// field with its signature or a word goes out.
const (
	signs    = `import dkim, sys; sys.stdout.buffer.write(dkim.sign(sys.stdin.buffer.read(), b"test", b"example.org", open(sys.argv[1], "rb").read()))`
	verifies = `import dkim, sys; print(dkim.verify(sys.stdin.buffer.read(), dnsfunc=lambda name, timeout=5: sys.argv[1].encode()))`
)

// A signed mail that nobody objects to verifies behind milterscan, marked or not.
// One of which a byte was changed does not.
func TestForeignVerifier(t *testing.T) {
	onEachMTA(t, "profile = \"hosting\"\n\n[[rule]]\nname = \"count\"\nfrom = [\"marked@example.org\"]\nheaders = { X-Seen = \"yes\" }\n", func(t *testing.T, h *house) {
		key, record := dkimKey(t)
		mail := withSignature(t, sample.Newsletter(), key)
		for _, from := range []string{"plain", "marked"} {
			got := asReceived(h.deliver(t, letterFrom(from, mail), 1)[0])
			if bytes.Contains(got, []byte("X-Seen")) != (from == "marked") {
				t.Errorf("%s arrived as\n%s", from, got)
			}
			if answer := python(t, got, verifies, record); answer != "True" {
				t.Errorf("%s: the verifier says %q of\n%s", from, answer, got)
			}
			if answer := python(t, bytes.Replace(got, []byte("Spring"), []byte("spring"), 2), verifies, record); answer != "False" {
				t.Errorf("%s: the verifier says %q of another mail", from, answer)
			}
		}
	})
}

// asReceived is a delivered mail with the line ends it was signed with.
func asReceived(d servers.Delivered) []byte {
	return bytes.ReplaceAll(d.Mail, []byte("\n"), []byte("\r\n"))
}

// dkimKey makes a key, and the record of RFC 6376, section 3.6.1, that tells of
// it.
func dkimKey(t *testing.T) (file, record string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "key.pem")
	private := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	if err := os.WriteFile(file, private, 0o600); err != nil {
		t.Fatal(err)
	}
	return file, "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(public)
}

func withSignature(t *testing.T, mail []byte, key string) []byte {
	t.Helper()
	field := python(t, mail, signs, key)
	if !strings.HasPrefix(field, "DKIM-Signature:") {
		t.Fatalf("the signer says %q", field)
	}
	return append([]byte(field+"\r\n"), mail...)
}

// python runs a program of one line with Debian's Python, for which dkimpy is
// installed.
func python(t *testing.T, stdin []byte, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command("/usr/bin/python3", append([]string{"-c", program}, args...)...)
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("python3: %v", err)
	}
	return strings.TrimSpace(string(out))
}
