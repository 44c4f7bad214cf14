package config

import (
	"encoding"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/milterscan/milterscan/policy"
)

// maxList is the largest list that is read, in bytes.
const maxList = 64 << 20

// pattern is something that is read from text.
type pattern[T any] interface {
	*T
	encoding.TextUnmarshaler
}

// addresses reads the patterns of a condition, and those in the files it names.
func (b *binder) addresses(path string, list []string) []policy.AddressPattern {
	return patterns[policy.AddressPattern](b, path, list)
}

// listed reads the patterns of a condition on senders, and the names of lists that people
// keep.
func listed[T any, P pattern[T]](b *binder, path string, list []string) (all []T, names []policy.ListName) {
	all = read[T, P](b, path, list, func(at, name string) {
		var n policy.ListName
		if err := n.UnmarshalText([]byte(name)); err != nil {
			b.wrong(at, "%v", err)
		}
		names = append(names, n)
	})
	return all, names
}

func patterns[T any, P pattern[T]](b *binder, path string, list []string) []T {
	return read[T, P](b, path, list, func(at, name string) {
		b.wrong(at, "\"list:%s\" is a list of senders; write it into from, header_from or client", name)
	})
}

// read reads patterns. The names of lists go to named.
func read[T any, P pattern[T]](b *binder, path string, list []string, named func(at, name string)) []T {
	var all []T
	for i, s := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		if name, ok := strings.CutPrefix(s, "list:"); ok {
			named(at, name)
			continue
		}
		if file, ok := strings.CutPrefix(s, "file:"); ok {
			all = append(all, patternFile[T, P](b, at, file)...)
			continue
		}
		var one T
		if err := P(&one).UnmarshalText([]byte(s)); err != nil {
			b.wrong(at, "%v", err)
			continue
		}
		all = append(all, one)
	}
	return all
}

// patternFile reads a file with one pattern on each line; "#" begins a comment.
// A relative path counts from the directory of the configuration. A file that
// holds no pattern is refused: an empty condition would mean any mail.
func patternFile[T any, P pattern[T]](b *binder, path, file string) []T {
	if !filepath.IsAbs(file) {
		file = filepath.Join(filepath.Dir(b.file), file)
	}
	b.files = append(b.files, file)
	b.directory(path, filepath.Dir(file))
	text, err := readFile(file, maxList)
	if err != nil {
		b.wrong(path, "the list cannot be read: %v%s", err, remedy(err))
		return nil
	}
	var all []T
	for n, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		var one T
		if err := P(&one).UnmarshalText([]byte(line)); err != nil {
			b.problems = append(b.problems, Problem{file, n + 1, path, err.Error()})
			continue
		}
		all = append(all, one)
	}
	if len(all) == 0 {
		b.wrong(path, "the list %s is empty; put a line into it, or leave it out", file)
	}
	return all
}

// remedy says what to do about a list that is not there.
func remedy(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "; create it, or leave it out"
	}
	return ""
}

// readFile reads a file of at most limit bytes.
func readFile(name string, limit int64) (string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return "", fmt.Errorf("%s is no file of at most %d bytes", name, limit)
	}
	if err := exposed(name, info); err != nil {
		return "", err
	}
	text, err := os.ReadFile(name)
	return string(text), err
}

// listedDomains reads the files that local.domains names, each of which leaves its first domain
// in its place, so that all others keep theirs. It returns the rest.
func (b *binder) listedDomains(table map[string]any) (more []policy.Domain) {
	const key = "domains"
	section, _ := table["local"].(map[string]any)
	list, _ := section[key].([]any)
	for i, item := range list {
		text, _ := item.(string)
		file, named := strings.CutPrefix(text, "file:")
		if !named {
			continue
		}
		found := patternFile[policy.Domain](b, fmt.Sprintf("local.%s[%d]", key, i), file)
		if len(found) == 0 { // which is a problem by now
			found = []policy.Domain{"invalid"}
		}
		list[i] = string(found[0])
		more = append(more, found[1:]...)
	}
	return more
}
