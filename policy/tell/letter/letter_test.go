package letter

import (
	"strings"
	"testing"
	"time"
)

// What a letter says cannot get into its header, and its lines are short.
func TestWrite(t *testing.T) {
	l := Letter{From: "postmaster@example.com", To: "b@example.com>\r\nBcc: c@example.net", Host: "mx.example.com", Kind: "digest", ID: "n1", Date: time.Unix(0, 0).UTC()}
	b, err := l.Write(Filled{Subject: "Grüße", Text: "one\ntwo " + strings.Repeat("ü", 200) + "\n", HTML: "<p>\n"})
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(string(b), "\r\n\r\n")
	for _, field := range []string{"From: postmaster@example.com", "Message-ID: <n1@mx.example.com>", "Auto-Submitted: auto-generated", "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?="} {
		if !strings.Contains("\r\n"+head+"\r\n", "\r\n"+field+"\r\n") {
			t.Errorf("no %q in\n%s", field, head)
		}
	}
	if strings.Contains(head, "\nBcc") {
		t.Errorf("another field:\n%s", head)
	}
	for line := range strings.SplitSeq(body, "\r\n") {
		if len(line) > 76 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("line %q", line)
		}
	}
}
