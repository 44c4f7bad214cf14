package integration

import (
	"fmt"
	"path/filepath"
	"testing"
)

// doubtful are the mails of shippedMails that are no ordinary ones: what becomes
// of each, the findings graver than malformed, and why they are right.
var doubtful = map[string]struct{ action, rules, why string }{
	"msg_15.txt": {"deliver", "mime/base64-not-encoded", "a part says base64 and holds an English sentence: some clients show it as it stands, others decode its letters"},
	"msg_22.txt": {"deliver", "content/qr-unread", "two photographs are cut off after their first lines: what a program shows of them, if anything, is not known"},
	"msg_25.txt": {"deliver", "mime/boundary-missing", "the parameter boundary was cut off on the way (\"bo\"); clients that guess it from the body see three parts, others one text"},
	"msg_31.txt": {"deliver", "mime/header-outside mime/boundary-unused", "the boundary that is declared has a letter more than the one that is used: strict clients see no part at all"},
	"msg_33.txt": {"deliver", "mime/boundary-damaged mime/header-outside mime/boundary-unused", "the boundary is written as RFC 2231 says, which RFC 2046 does not have; clients that read it literally find no part"},
	"msg_36.txt": {"reject", "mime/external-body", "message/external-body, which every profile that looks for it refuses: the content is not in the mail"},
	"msg_38.txt": {"deliver", "mime/boundary-stray", "a text holds the delimiters of the multiparts around it at the start of lines: made to mislead parsers, as it says"},
	"msg_40.txt": {"deliver", "mime/boundary-on-leaf mime/header-in-body", "a text/html with a boundary and parts in it: some clients show a page, some take it for a multipart"},
}

// shippedMails are the mails that Debian's packages bring: those the tests of
// Python's email package are made of, which were collected from the wild, and the
// samples of SpamAssassin.
func shippedMails(t *testing.T) []string {
	t.Helper()
	python, err := filepath.Glob("/usr/lib/python3*/test/test_email/data/msg_*.txt")
	if err != nil || len(python) < 40 {
		t.Fatalf("%d mails of libpython3-testsuite (.ci/packages installs it), %v", len(python), err)
	}
	samples, err := filepath.Glob("/usr/share/doc/spamassassin/examples/sample-*.txt")
	if err != nil || len(samples) == 0 {
		t.Logf("no samples of spamassassin: documentation is not installed here, %v", err)
	}
	return append(python, samples...)
}

// TestShippedMails judges mails that nobody made for us: all are delivered with no
// more than a header, but those that are listed with the reason.
func TestShippedMails(t *testing.T) {
	needServers(t)
	table := "mail        answer   found, and why\n"
	files := shippedMails(t)
	seen := map[string]bool{}
	for i, v := range judged(t, files...) {
		name := filepath.Base(files[i])
		want, listed := doubtful[name]
		if !listed {
			want.action = "deliver"
		}
		seen[name] = true
		if v.Error != "" || v.Action != want.action || v.rules() != want.rules {
			t.Errorf("%s: %s, %s; want %s, %s %s", name, v.Action, v.rules(), want.action, want.rules, v.Error)
		}
		for _, e := range v.Edits {
			if e.Kind != "header" {
				t.Errorf("%s: %v is changed", name, e)
			}
		}
		if listed {
			table += fmt.Sprintf("%-11s %-8s %s: %s\n", name, v.Action, v.rules(), want.why)
		}
	}
	for name := range doubtful {
		if !seen[name] {
			t.Errorf("%s is listed and not there", name)
		}
	}
	t.Logf("%d mails; in the others nothing graver than malformed\n%s", len(files), table)
}
