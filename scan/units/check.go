package units

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Check collects the faults of a section.
type Check struct {
	errs  []error
	names map[string]bool // of the entries of lists, after the kind of entry
}

// Err returns all faults, nil if there are none.
func (c *Check) Err() error { return errors.Join(c.errs...) }

// Add takes over faults that were found elsewhere; nil is none.
func (c *Check) Add(errs ...error) { c.errs = append(c.errs, errs...) }

// Wrong adds a fault.
func (c *Check) Wrong(key, format string, args ...any) { c.Add(Wrong(key, format, args...)) }

// If adds a fault if something is wrong.
func (c *Check) If(wrong bool, key, format string, args ...any) {
	if wrong {
		c.Wrong(key, format, args...)
	}
}

// AtLeast wants a number that is large enough.
func (c *Check) AtLeast(key string, n, least int) {
	c.If(n < least, key, "%d is too few; write at least %d", n, least)
}

// Absolute wants an absolute path, such as the example.
func (c *Check) Absolute(key, path, example string) {
	c.If(!filepath.IsAbs(path), key, "%q is no absolute path; write one such as %q", path, example)
}

// Word wants one of some words.
func (c *Check) Word(key, word string, words ...string) {
	c.If(!slices.Contains(words, word), key, "%q is not known; it can be %s", word, Words(words))
}

// Entry takes over the faults of the entry of a list, by kind and index, and wants it to
// have its own name.
func (c *Check) Entry(kind string, i int, name string, faults error) {
	part := fmt.Sprintf("%s[%d]", kind, i)
	c.Add(Within(part, faults))
	named := kind + "\x00" + name
	c.If(c.names[named], part+".name", "two %ss are called %q; give each its own name", kind, name)
	if c.names == nil {
		c.names = map[string]bool{}
	}
	c.names[named] = true
}

// ReadWord reads text, which must be one of some words.
func ReadWord[W ~string](to *W, text []byte, words ...W) error {
	if !slices.Contains(words, W(text)) {
		return fmt.Errorf("%q is not known; it can be %s", text, Words(words))
	}
	*to = W(text)
	return nil
}

// Words lists words: "a", "b" or "c", with the quotes.
func Words[W ~string](words []W) string {
	var b strings.Builder
	for i, w := range words {
		switch {
		case i > 0 && i == len(words)-1:
			b.WriteString(" or ")
		case i > 0:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", w)
	}
	return b.String()
}
