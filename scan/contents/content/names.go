package content

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/format/skeleton"
)

// Called returns how a person of ours is found in the source, whose name has one of some forms,
// as skeleton.Names makes them; ok only if there is such a person, own only if the address is
// such a person's. The error says why more is not known.
type Called func(forms []string, address string) (person string, ok, own bool, err error)

// names are those of our people out of files, by their forms.
type names map[string]*bearer

// bearer is a name with those who have it.
type bearer struct {
	name      string
	addresses []string // of any of them, in lower case
}

// mostMistakes bounds the lines of a file that an error names.
const mostMistakes = 10

// readNames reads files with a name on each line, and after it the addresses in angle
// brackets that are the person's as well. An error names file and line.
func readNames(files []string) (names, error) {
	all := names{}
	var errs []error
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			errs = append(errs, fmt.Errorf("name_files: %w", err))
			continue
		}
		n, wrong := 0, 0
		for line := range strings.Lines(string(text)) {
			n++
			err := all.read(line)
			if err == nil {
				continue
			}
			if wrong++; wrong <= mostMistakes {
				errs = append(errs, fmt.Errorf("name_files: %s:%d: %w", file, n, err))
			}
		}
		if more := wrong - mostMistakes; more > 0 {
			errs = append(errs, fmt.Errorf("name_files: %s: %d more lines are wrong", file, more))
		}
	}
	return all, errors.Join(errs...)
}

// read takes in a line.
func (n names) read(line string) error {
	line, _, _ = strings.Cut(strings.TrimPrefix(line, "\ufeff"), "#")
	if line = strings.TrimSpace(line); line == "" {
		return nil
	}
	name, rest, _ := strings.Cut(line, "<")
	name = strings.Trim(name, " \t\"")
	forms := skeleton.Names(name)
	if len(forms) == 0 {
		return fmt.Errorf("%s says too little to be somebody's name; write first name and last name", printable(name))
	}
	addresses, err := bracketed(rest)
	if err != nil {
		return err
	}
	for _, form := range forms {
		if n[form] == nil {
			n[form] = &bearer{name: name}
		}
		n[form].addresses = append(n[form].addresses, addresses...)
	}
	return nil
}

// bracketed returns the addresses of "a@example.com> <b@example.net>".
func bracketed(rest string) (list []string, err error) {
	for _, piece := range strings.Split(rest, "<") {
		piece = strings.TrimSuffix(strings.TrimSpace(piece), ">")
		switch local, domain, ok := strings.Cut(piece, "@"); {
		case piece == "":
		case !ok || local == "" || !isDomain(domain):
			return nil, fmt.Errorf("%s is no address; write one such as <jane@example.com>", printable(piece))
		default:
			list = append(list, foldAddress(piece))
		}
	}
	return list, nil
}

// foldAddress returns an address as addresses are compared here.
func foldAddress(a string) string {
	local, domain, _ := strings.Cut(strings.ToLower(strings.TrimSpace(a)), "@")
	return local + "@" + markup.ASCII(domain)
}

// called looks a name up in the list, as a Called.
func (n names) called(forms []string, address string) (person string, ok, own bool, err error) {
	folded := foldAddress(address)
	for _, form := range forms {
		if b := n[form]; b != nil {
			person, ok = b.name, true
			own = own || slices.Contains(b.addresses, folded)
		}
	}
	return person, ok, own, nil
}
