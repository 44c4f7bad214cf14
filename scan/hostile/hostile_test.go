package hostile_test

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"io"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan/hostile"
)

// TestClientShowsPayload applies each case's reading by hand: a case whose
// payload nobody could see would prove nothing.
func TestClientShowsPayload(t *testing.T) {
	for c := range hostile.Cases() {
		if c.Huge || c.Client == nil {
			continue
		}
		if !bytes.Contains(c.Client(bytes.Clone(c.Message)), c.Payload.Bytes()) {
			t.Errorf("%s: %s, would not see the payload in\n%.1500q", c.Name, c.Why, c.Message)
		}
	}
}

// TestPayloadIsHidden makes sure that finding the payload takes reading the
// mail: it does not stand there in clear.
func TestPayloadIsHidden(t *testing.T) {
	clear := map[string]bool{"D23/top/plain-in-base64": true, "D23/part/plain-in-base64": true, "D23/forwarded/plain-in-base64": true}
	for c := range hostile.Cases() {
		if !c.Huge && !clear[c.Name] && bytes.Contains(c.Message, hostile.EICAR()) {
			t.Errorf("%s: the payload stands in clear", c.Name)
		}
	}
}

// TestCasesAreWellFormed checks what users of the package rely on.
func TestCasesAreWellFormed(t *testing.T) {
	seen := map[string]bool{}
	mails := map[[32]byte]string{}
	for c := range hostile.Cases() {
		if seen[c.Name] {
			t.Errorf("%s: the name is not unique", c.Name)
		}
		seen[c.Name] = true
		if !strings.HasPrefix(c.Name, c.Family+"/") || c.Why == "" {
			t.Errorf("%s: family %q, why %q", c.Name, c.Family, c.Why)
		}
		if len(c.Payload.Bytes()) == 0 || c.Huge == (c.Message != nil) {
			t.Errorf("%s: payload %q, huge %v, %d bytes", c.Name, c.Payload.Bytes(), c.Huge, len(c.Message))
		}
		if c.Client == nil && !c.MayBeUnscannable {
			t.Errorf("%s: no client shows the payload, so it need not be found", c.Name)
		}
		if c.Huge {
			continue
		}
		sum := sha256.Sum256(c.Message)
		if other, ok := mails[sum]; ok && !strings.HasPrefix(c.Name, "A") {
			t.Logf("%s: same mail as %s", c.Name, other)
		}
		mails[sum] = c.Name
	}
	t.Logf("%d cases, %d different mails", len(seen), len(mails))
}

// TestCasesAreDeterministic makes all cases twice.
func TestCasesAreDeterministic(t *testing.T) {
	digest := func() []byte {
		h := sha256.New()
		for c := range hostile.Cases() {
			io.WriteString(h, c.Name)
			writeCase(t, c, h)
		}
		return h.Sum(nil)
	}
	if !bytes.Equal(digest(), digest()) {
		t.Error("two runs made different mails")
	}
}

func writeCase(t *testing.T, c hostile.Case, h hash.Hash) {
	t.Helper()
	if c.Huge {
		return
	}
	if err := c.Write(h); err != nil {
		t.Fatal(err)
	}
}

// TestHugeCasesStream writes the huge ones and counts their bytes; the largest
// has a gigabyte, of which the first megabytes will do.
func TestHugeCasesStream(t *testing.T) {
	for c := range hostile.Cases() {
		if !c.Huge {
			continue
		}
		n := countTo(c, 60<<20)
		if n < 5000 {
			t.Errorf("%s: only %d bytes", c.Name, n)
		}
	}
}

// limited counts bytes and fails when there are too many.
type limited struct{ n, limit int64 }

func (l *limited) Write(b []byte) (int, error) {
	l.n += int64(len(b))
	if l.n > l.limit {
		return 0, io.ErrShortWrite
	}
	return len(b), nil
}

func countTo(c hostile.Case, limit int64) int64 {
	l := &limited{limit: limit}
	c.Write(l)
	return l.n
}
