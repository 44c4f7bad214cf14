package pipeline

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/awaited"
	"github.com/milterscan/milterscan/tests/sample"
)

// box is a sandbox that has forgotten every job, and notes what it is sent.
type box struct {
	mu   sync.Mutex
	sent [][]byte
}

// ServeHTTP gives each content a job.
func (b *box) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.NotFound(w, r)
		return
	}
	content, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent = append(b.sent, content)
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprintf(w, `{"id": "job%d"}`, len(b.sent))
}

// has reports whether a content was sent that contains some bytes.
func (b *box) has(part []byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, content := range b.sent {
		if bytes.Contains(content, part) {
			return true
		}
	}
	return false
}

// count returns how many contents were sent.
func (b *box) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.sent)
}

// asking returns what asks the box again, by a configuration with some more keys.
func (b *box) asking(t *testing.T, more string) awaited.Engine {
	t.Helper()
	server := httptest.NewTLSServer(b)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	ca, file := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "milterscan.toml")
	text := fmt.Sprintf("[[virus]]\nname = \"box\"\ntype = \"http\"\naddress = \"%[1]s/submit\"\npoll = \"%[1]s/jobs/{id}\"\nca_file = %[2]q\n"+
		"id_at = \"id\"\nverdict_at = \"state\"\ninfected_words = [\"bad\"]\npending_words = [\"running\"]\n\n%[3]s", server.URL, ca, more)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := errors.Join(os.WriteFile(ca, certificate, 0o600), os.WriteFile(file, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	terms, err := AwaitTerms(c, p)
	if err != nil {
		t.Fatal(err)
	}
	engine := terms("virus/box").Engine
	if engine == nil {
		t.Fatal("the engine gives no verdicts later")
	}
	return engine
}

// locked returns an archive that is opened by a password which the mail does not tell.
func locked(f sample.File) sample.File {
	return sample.File{Name: "a.rar", Type: "application/vnd.rar", Content: sample.Rar5Locked("Wolkenkuckucksheim", false, f)}
}

// cut returns a file without its end.
func cut(f sample.File) sample.File {
	f.Content = f.Content[:len(f.Content)*2/3]
	return f
}

// nested returns an archive in so many others.
func nested(f sample.File, times int) sample.File {
	for i := range times {
		f = sample.Zip(fmt.Sprintf("%d.zip", i), f)
	}
	return f
}

// TestSubmittedAsAWhole: what comes apart as a whole is submitted again, to the last file in it. Of all else the
// engine would see a part, and its verdict would be taken for one on the message: none of it is submitted.
func TestSubmittedAsAWhole(t *testing.T) {
	secret := sample.Noise("secret.bin", 3000, 1)
	for _, test := range []struct {
		what    string
		message []byte
		more    string // in the configuration
		closed  bool
	}{
		{"a file", sample.Attached("x", secret), "", false},
		{"an archive", sample.Attached("x", sample.Zip("a.zip", secret)), "", false},
		{"an archive in another", sample.Attached("x", nested(secret, 2)), "", false},
		{"an encrypted archive", sample.Attached("x", secret, locked(secret)), "", true},
		{"an archive that ends too early", sample.Attached("x", secret, cut(sample.Zip("a.zip", secret))), "", true},
		{"archives too deep in each other", sample.Attached("x", secret, nested(secret, 3)), "[limits.archive]\ndepth = 2\n", true},
		{"more parts than are opened", sample.Attached("x", secret, secret, secret, secret, secret), "[limits]\nparts = 4\n", true},
		{"a message too large", sample.Attached("x", secret), "[limits]\nmessage = \"1KB\"\n", true},
	} {
		t.Run(test.what, func(t *testing.T) {
			b := new(box)
			p, err := b.asking(t, test.more).Submit(t.Context(), bytes.NewReader(test.message))
			if errors.Is(err, awaited.ErrClosed) != test.closed || !test.closed && err != nil {
				t.Fatalf("error %v", err)
			}
			switch {
			case test.closed && (b.count() > 0 || len(p.Jobs) > 0 || p.Found != nil):
				t.Errorf("%d contents were sent: %+v", b.count(), p)
			case !test.closed && (len(p.Jobs) != b.count() || !b.has(secret.Content)):
				t.Errorf("of %d contents, none of which may be the file, there are jobs %v", b.count(), p.Jobs)
			}
		})
	}
}

// TestNotSubmitted: a message that cannot be read is not submitted, and a job that is lost is said to be.
func TestNotSubmitted(t *testing.T) {
	b := new(box)
	engine := b.asking(t, "")
	broken := io.MultiReader(strings.NewReader("Subject: x\r\n\r\nbody\r\n"), failing{})
	if _, err := engine.Submit(t.Context(), broken); !errors.Is(err, errUnread) || b.count() > 0 {
		t.Errorf("%v; %d contents were sent", err, b.count())
	}
	if _, err := engine.Ask(t.Context(), []string{"job9"}); !errors.Is(err, awaited.ErrLost) {
		t.Errorf("a job that nobody knows: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := engine.Ask(ended, []string{"job9"}); err == nil || errors.Is(err, awaited.ErrLost) {
		t.Errorf("a question that was not put: %v", err)
	}
}

// failing is the rest of a message that cannot be read.
type failing struct{}

var errUnread = errors.New("the disk does not answer")

// Read fails.
func (failing) Read([]byte) (int, error) { return 0, errUnread }
