// Package corpus holds legitimate mail with the oddities that real mailers give
// it: none of it may be refused or changed. The mails are made by ./gen and belong to
// no real person: all names and domains are reserved ones.
//
// A mail has three files: NAME.eml, NAME.want with what must become of it, and
// NAME.found with every finding that is made, one a line. The last one is written by
// "go test ./cmd/milterscan/pipeline -run TestOrdinary -update", and there is none
// where nothing is found. Mails in the folder private, which is not in the
// repository, are compared with their two files as well, whatever these say.
package corpus

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

//go:generate go run ./gen -dir .

//go:embed *.eml *.want *.found
var stored embed.FS

// Mail is a mail and what must become of it.
type Mail struct {
	Name    string // "017-outlook"
	Message []byte
	Want    Want
	Found   []string // every finding: kind, rule, and the path of its part
}

// Want is what must become of a mail with the shipped defaults.
type Want struct {
	Action string   // "deliver"
	Allow  []string // kinds of finding, other than "note", that may be made
	Why    string   // why the mail is in order
}

// All returns the corpus in the order of its names.
func All() ([]Mail, error) { return in(stored) }

// Private returns the mails of a folder outside the repository, none if it is not
// there. One that was not judged before has no Want.
func Private(dir string) ([]Mail, error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return in(os.DirFS(dir))
}

func in(folder fs.FS) ([]Mail, error) {
	names, err := fs.Glob(folder, "*.eml")
	if err != nil {
		return nil, err
	}
	var mails []Mail
	for _, file := range names {
		m, err := load(folder, strings.TrimSuffix(file, ".eml"))
		if err != nil {
			return nil, err
		}
		mails = append(mails, m)
	}
	return mails, nil
}

func load(folder fs.FS, name string) (Mail, error) {
	m := Mail{Name: name}
	var err error
	if m.Message, err = fs.ReadFile(folder, name+".eml"); err != nil {
		return m, err
	}
	text, err := fs.ReadFile(folder, name+".want")
	if err == nil {
		m.Want, err = parseWant(string(text))
	}
	if err != nil && (folder == stored || !errors.Is(err, fs.ErrNotExist)) {
		return m, fmt.Errorf("%s.want: %w", name, err)
	}
	text, err = fs.ReadFile(folder, name+".found")
	for line := range strings.Lines(string(text)) {
		m.Found = append(m.Found, strings.TrimRight(line, "\r\n"))
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return m, err
}

// Update writes the findings of a mail, and for a private mail the decision, into the
// files in a folder.
func (m Mail) Update(dir, action string, found []string) error {
	stem := filepath.Join(dir, m.Name)
	if m.Want.Action == "" {
		if err := os.WriteFile(stem+".want", []byte("action "+action+"\nwhy as it was when it was judged first\n"), 0o644); err != nil {
			return err
		}
	}
	if slices.Equal(found, m.Found) {
		return nil
	}
	if len(found) == 0 {
		return os.Remove(stem + ".found")
	}
	return os.WriteFile(stem+".found", []byte(strings.Join(found, "\n")+"\n"), 0o644)
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
