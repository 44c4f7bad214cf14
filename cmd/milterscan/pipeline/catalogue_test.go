package pipeline

import (
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write docs/findings.md and the found files of the corpus anew")

func TestFindingsAreDocumented(t *testing.T) {
	const page = "../../../docs/findings.md"
	if *update {
		if err := os.WriteFile(page, []byte(CatalogueText()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(page)
	if err != nil || string(have) != CatalogueText() {
		t.Errorf("%s is not what the code says (%v); run go test ./cmd/milterscan -update", page, err)
	}
}

func TestEveryFindingIsExplained(t *testing.T) {
	for _, r := range Catalogue() {
		if r.About == "" {
			t.Errorf("%s is not explained", r.Name)
		}
	}
}
