package main

import (
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/policy/config"
)

// TestHelpExplains asks about keys, sections and findings, and about what is misspelt.
func TestHelpExplains(t *testing.T) {
	for words, want := range map[string]string{
		"help limits.archive.depth":   "limits.archive.depth, [limits.archive]\n  Containers inside containers.\n\n  depth = 8\n",
		"help [[virus]]":              "[[virus]]\n  The virus engines;",
		"help rate":                   "  limit.recipients\n      Recipients that each of them may send to",
		"help profile":                "profile, before all sections\n",
		"help archive/depth":          "archive/depth (unscannable)\n",
		"help archive/dep*":           "archive/depth (",
		"help archive/decoder-failed": "  Such as: a 7z built to crash its reader\n",
		"help lmits.archive.depth":    `did you mean "limits.archive.depth"?`,
		"help archive/dept":           `did you mean "archive/depth"?`,
		"help quarantin":              `did you mean "quarantine"?`,
		"help encrypted-document":     `did you mean "archive/encrypted-document"?`,
		"help qqqqqqqqqqqqqqqqqqqqqq": "no finding\n",
		"quarantin":                   `"quarantin" is not a command; did you mean "quarantine"?`,
		"quarantine lst":              `"lst" is not a command; did you mean "list"?`,
		"list ad":                     `"ad" is not a command; did you mean "add"?`,
	} {
		status, out, errs := call(t, strings.Fields(words)...)
		explained := !strings.Contains(want, "did you mean") && !strings.HasPrefix(want, "no finding")
		if !strings.Contains(out+errs, want) || explained != (status == cli.ExitOK) || explained != (errs == "") {
			t.Errorf("%s: %d\n%s\n%s", words, status, out, errs)
		}
	}
}

// TestHelpKnowsEverything asks about every key and every finding.
func TestHelpKnowsEverything(t *testing.T) {
	for _, k := range config.Keys() {
		name := k.Name
		if k.Line == "" {
			name = k.Section // as commands have the names of some
		}
		if status, out, _ := call(t, "help", name); status != cli.ExitOK || !strings.Contains(out, k.Section) {
			t.Errorf("%s: %s", k.Name, out)
		}
	}
	for _, r := range pipeline.Catalogue() {
		if status, out, _ := call(t, "help", r.Name); status != cli.ExitOK || !strings.HasPrefix(out, r.Name+" (") {
			t.Errorf("%s: %s", r.Name, out)
		}
	}
}
