package setup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSendmailReads tells a configuration that Sendmail does not understand from a host without a postmaster, which
// Debian's Sendmail is as it is installed.
func TestSendmailReads(t *testing.T) {
	for script, want := range map[string]string{
		"echo 'postmaster... deliverable: mailer local'":                 "",
		"echo 'postmaster... User unknown'; exit 67":                     "echo 'postmaster: root' >>/etc/mail/aliases && newaliases",
		"echo 'sendmail.cf: line 3: unknown configuration' >&2; exit 78": "line 3: unknown configuration",
	} {
		program := filepath.Join(t.TempDir(), "sendmail")
		if err := os.WriteFile(program, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		err := sendmailReads(t.Context(), MTA{Name: "sendmail", Dir: "/etc/mail", program: program}, "sendmail.cf")
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", script, err)
		}
	}
}
