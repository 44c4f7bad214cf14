package quarantine

import (
	"bytes"
	"strings"
)

// Hint returns a function that looks at a row as JSON, and reports whether the filter may let it through: it says no
// to most rows that Matches says no to, in a fraction of the time that it takes to read one.
func (f Filter) Hint() func(row []byte) bool {
	var all [][]byte
	for _, piece := range f.Pieces() {
		all = append(all, []byte(piece))
	}
	return func(row []byte) bool {
		if len(all) == 0 {
			return true
		}
		row = bytes.ToLower(row)
		for _, piece := range all {
			if !bytes.Contains(row, piece) {
				return false
			}
		}
		return true
	}
}

// Pieces returns texts that every row has which the filter lets through, where it is written as JSON in lower case. They are
// of printable ASCII.
func (f Filter) Pieces() []string {
	var all []string
	for _, pattern := range []string{f.Sender, f.Recipient, f.Subject, f.Reason, f.QueueID, f.Class, string(f.State)} {
		if piece := plainest(pattern); piece != "" {
			all = append(all, piece)
		}
	}
	if f.Awaited {
		all = append(all, `"awaits":[`)
	}
	return all
}

// plainest returns the longest piece of a pattern that all it matches have as it is, in lower case, and that JSON
// writes as it is.
func plainest(pattern string) string {
	longest := ""
	for piece := range strings.FieldsFuncSeq(strings.ToLower(strings.TrimSpace(pattern)), otherInJSON) {
		if len(piece) > len(longest) {
			longest = piece
		}
	}
	return longest
}

// otherInJSON reports whether a letter is a wildcard of patterns, or may be written otherwise in JSON.
func otherInJSON(r rune) bool { return r < ' ' || r > '~' || strings.ContainsRune(`*?"\<>&`, r) }
