package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// suggest says which key may have been meant, or which there are.
func suggest[T any](key string, known map[string]T) string {
	keys := slices.Sorted(maps.Keys(known))
	if best := Nearest(key, keys); best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return "here may stand " + strings.Join(keys, ", ")
}

// Nearest returns the word closest to s, "" if none is close enough to be meant.
func Nearest(s string, words []string) string {
	best, least := "", 1+max(2, len(s)/3)
	for _, w := range words {
		if d := distance(strings.ToLower(s), w); d < least {
			best, least = w, d
		}
	}
	return best
}

// distance counts the letters to put in, take out, replace or swap with their
// neighbour to make b of a (Damerau and Levenshtein, restricted).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
