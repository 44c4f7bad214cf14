package attachment_test

import (
	"context"
	"slices"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/contents/attachment"
	"github.com/milterscan/milterscan/scan/hostile"
	"github.com/milterscan/milterscan/scan/scantest"
	"github.com/milterscan/milterscan/tests/corpus"
)

// judged is what is found in a mail that is opened as the daemon opens it.
func judged(t *testing.T, mail []byte) []scan.Finding {
	t.Helper()
	m := scantest.Open(t, mail)
	defer m.Close()
	s, err := attachment.New(attachment.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	found, err := s.Scan(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestOrdinaryMail checks that nothing is found in the corpus of ordinary mail.
func TestOrdinaryMail(t *testing.T) {
	mails, err := corpus.All()
	if err != nil || len(mails) == 0 {
		t.Fatal("no corpus", err)
	}
	for _, mail := range mails {
		for _, f := range judged(t, mail.Message) {
			t.Errorf("%s: %s %s", mail.Name, f.Rule, f.Detail)
		}
	}
}

// TestHostileNames checks that every denied name is found that any client could
// show, wherever and however it is written.
func TestHostileNames(t *testing.T) {
	forbidden := func(f scan.Finding) bool { return f.Kind == scan.Forbidden }
	names := 0
	for c := range hostile.Cases() {
		if c.Family != "H15" || c.Huge {
			continue
		}
		names++
		if found := judged(t, c.Message); !slices.ContainsFunc(found, forbidden) {
			t.Errorf("%s: %s: found %v", c.Name, c.Why, found)
		}
	}
	if names < 100 {
		t.Errorf("%d cases", names)
	}
}
