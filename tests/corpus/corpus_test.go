package corpus

import (
	"bytes"
	"strings"
	"testing"
)

// TestAll loads everything and checks what the users of the corpus rely on.
func TestAll(t *testing.T) {
	mails, err := All()
	if err != nil {
		t.Fatal(err)
	}
	if len(mails) < 150 {
		t.Errorf("only %d mails", len(mails))
	}
	for _, m := range mails {
		if len(m.Message) == 0 || m.Want.Action != "deliver" {
			t.Errorf("%s: %d bytes, action %q", m.Name, len(m.Message), m.Want.Action)
		}
		if !strings.Contains(m.Name, "lf-only") && !bytes.Contains(m.Message, []byte("\r\n")) {
			t.Errorf("%s: no CRLF in it: were line ends changed on the way?", m.Name)
		}
	}
}

func TestParseWant(t *testing.T) {
	for _, bad := range []string{"", "action deliver\n", "why x\n", "action deliver\nwhy x\nwant y\n"} {
		if _, err := parseWant(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
