// Package corpus holds legitimate mail with the oddities that real mailers give
// it: none of it may be refused or changed. The mails are made by ./gen, and are
// nobody's: all names and domains are reserved ones.
package corpus

import (
	"embed"
	"fmt"
	"strings"
)

//go:generate go run ./gen -dir .

//go:embed *.eml *.want
var stored embed.FS

// Mail is a mail and what must become of it.
type Mail struct {
	Name    string // "017-outlook"
	Message []byte
	Want    Want
}

// Want is what must become of a mail with the shipped defaults.
type Want struct {
	Action string   // "deliver"
	Allow  []string // kinds of finding, beside "note", that may be made
	Why    string   // why the mail is in order
}

// All is the corpus in the order of its names.
func All() ([]Mail, error) {
	entries, err := stored.ReadDir(".")
	if err != nil {
		return nil, err
	}
	var mails []Mail
	for _, e := range entries {
		name, isMail := strings.CutSuffix(e.Name(), ".eml")
		if !isMail {
			continue
		}
		m, err := load(name)
		if err != nil {
			return nil, err
		}
		mails = append(mails, m)
	}
	return mails, nil
}

func load(name string) (Mail, error) {
	message, err := stored.ReadFile(name + ".eml")
	if err != nil {
		return Mail{}, err
	}
	text, err := stored.ReadFile(name + ".want")
	if err != nil {
		return Mail{}, err
	}
	want, err := parseWant(string(text))
	if err != nil {
		return Mail{}, fmt.Errorf("%s.want: %w", name, err)
	}
	return Mail{Name: name, Message: message, Want: want}, nil
}

// parseWant reads lines of a word and what belongs to it.
func parseWant(text string) (Want, error) {
	var w Want
	for line := range strings.Lines(text) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "action":
			w.Action = rest
		case "allow":
			w.Allow = strings.Fields(rest)
		case "why":
			w.Why = rest
		default:
			return w, fmt.Errorf("unknown word %q", word)
		}
	}
	if w.Action == "" || w.Why == "" {
		return w, fmt.Errorf("action and why must be there")
	}
	return w, nil
}
