package cli

import (
	"errors"
	"slices"
	"strings"
)

// choice is a flag that takes one of some words.
type choice[T ~string] struct {
	to    *T
	words []T
}

// Choice returns a flag.Value that sets to, and refuses a value that is none of the words.
func Choice[T ~string](to *T, words ...T) interface {
	String() string
	Set(string) error
} {
	return &choice[T]{to, words}
}

// Words returns what the flag may be.
func (c *choice[T]) Words() []string {
	list := make([]string, len(c.words))
	for i, w := range c.words {
		list[i] = string(w)
	}
	return list
}

// String returns the word.
func (c *choice[T]) String() string {
	if c.to == nil {
		return ""
	}
	return string(*c.to)
}

// Set takes a word.
func (c *choice[T]) Set(s string) error {
	if !slices.Contains(c.words, T(s)) {
		return errors.New("there is no such value; write one of " + strings.Join(c.Words(), ", "))
	}
	*c.to = T(s)
	return nil
}
