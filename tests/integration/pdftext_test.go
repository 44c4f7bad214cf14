package integration

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/milterscan/milterscan/tests/sample"
)

// A list finds its words in a PDF, also in an archive, and says so when one cannot
// be read.
func TestWordsInPDF(t *testing.T) {
	needServers(t)
	const config = "[[content.list]]\nname = \"secret\"\nwords = [\"strictly confidential\"]\n"
	secret := sample.PDF("plan.pdf", "This is Strictly Confidential.")
	broken := secret
	broken.Content = append([]byte("%PDF-1.4 broken\n"), secret.Content[200:600]...)
	for name, c := range map[string]struct {
		file sample.File
		want string
	}{
		"attached":   {secret, "content/list-secret"},
		"in a zip":   {sample.Zip("plans.zip", secret), "content/list-secret"},
		"other text": {sample.PDF("plan.pdf", "Nothing to see here."), ""},
		"broken":     {broken, "content/limit"},
	} {
		mail := filepath.Join(t.TempDir(), "mail.eml")
		if err := os.WriteFile(mail, sample.Attached("plan", c.file), 0o600); err != nil {
			t.Fatal(err)
		}
		v := judgedBy(t, config, mail)[0]
		if c.want != "" && !v.says(c.want) || c.want == "" && v.says("content/") {
			t.Errorf("%s: %+v", name, v.Findings)
		}
	}
}
