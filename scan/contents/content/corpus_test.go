package content_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/contents/content"
	"github.com/milterscan/milterscan/scan/open/texts"
	"github.com/milterscan/milterscan/scan/scantest"
	"github.com/milterscan/milterscan/tests/corpus"
)

// judged is what is found in a mail that is opened as the daemon opens it.
func judged(t *testing.T, mail []byte) []scan.Finding {
	t.Helper()
	m := scantest.Open(t, mail)
	defer m.Close()
	c := content.DefaultConfig()
	s, err := content.New(c, content.With{Texts: texts.New(c.Limits, texts.Everything)})
	if err != nil {
		t.Fatal(err)
	}
	found, err := s.Scan(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// ordinary are the findings that honest mail earns.
var ordinary = []string{"content/form", "content/web-bug", "content/hidden-text"}

// TestOrdinaryMail checks that the corpus of ordinary mail holds no fraud, and
// nothing at all but where newsletters do what newsletters do.
func TestOrdinaryMail(t *testing.T) {
	mails, err := corpus.All()
	if err != nil || len(mails) == 0 {
		t.Fatal("no corpus", err)
	}
	for _, mail := range mails {
		for _, f := range judged(t, mail.Message) {
			allowed := f.Kind == scan.Note || slices.Contains(mail.Want.Allow, f.Kind.String())
			if !allowed || !slices.Contains(ordinary, f.Rule) || strings.HasPrefix(f.Rule, "content/link-") {
				t.Errorf("%s: %s %s", mail.Name, f.Rule, f.Detail)
			}
		}
	}
}
