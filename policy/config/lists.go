package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/milterscan/milterscan/policy"
)

// maxList is the largest list of addresses that is read, in bytes.
const maxList = 64 << 20

// addresses reads the patterns of a condition, and those in the files it names.
func (b *binder) addresses(path string, list []string) []policy.AddressPattern {
	var patterns []policy.AddressPattern
	for i, s := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		if file, ok := strings.CutPrefix(s, "file:"); ok {
			patterns = append(patterns, b.addressFile(at, file)...)
			continue
		}
		p, err := policy.ParseAddressPattern(s)
		if err != nil {
			b.wrong(at, "%v", err)
			continue
		}
		patterns = append(patterns, p)
	}
	return patterns
}

// addressFile reads a file with one pattern on each line; "#" begins a comment.
// A relative path counts from the directory of the configuration. A file that
// holds no pattern is refused: an empty condition would mean any address.
func (b *binder) addressFile(path, file string) []policy.AddressPattern {
	if !filepath.IsAbs(file) {
		file = filepath.Join(filepath.Dir(b.file), file)
	}
	text, err := readFile(file, maxList)
	if err != nil {
		b.wrong(path, "the list cannot be read: %v; create it, or leave it out", err)
		return nil
	}
	var patterns []policy.AddressPattern
	for n, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		p, err := policy.ParseAddressPattern(line)
		if err != nil {
			b.problems = append(b.problems, Problem{file, n + 1, path, err.Error()})
			continue
		}
		patterns = append(patterns, p)
	}
	if len(patterns) == 0 {
		b.wrong(path, "the list %s is empty; put an address into it, or leave it out", file)
	}
	return patterns
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
	text, err := os.ReadFile(name)
	return string(text), err
}
