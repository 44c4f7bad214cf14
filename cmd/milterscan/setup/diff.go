package setup

import (
	"fmt"
	"strings"
)

// around is the number of unchanged lines around a change.
const around = 3

// edit is one line of a difference: ' ' kept, '-' gone, '+' new.
type edit struct {
	kind byte
	text string
}

// diff returns the difference of two texts in hunks of the unified form.
func diff(a, b []string) string {
	edits := compare(a, b)
	var out strings.Builder
	for start := 0; ; {
		from, to, ok := hunk(edits, start)
		if !ok {
			return out.String()
		}
		writeHunk(&out, edits, from, to)
		start = to
	}
}

// hunk returns the next run of changes at or after start, with the lines around it.
func hunk(edits []edit, start int) (from, to int, ok bool) {
	first := start
	for first < len(edits) && edits[first].kind == ' ' {
		first++
	}
	if first == len(edits) {
		return 0, 0, false
	}
	last := first
	for i := first; i < len(edits) && i-last <= 2*around; i++ {
		if edits[i].kind != ' ' {
			last = i
		}
	}
	return max(start, first-around), min(len(edits), last+1+around), true
}

func writeHunk(out *strings.Builder, edits []edit, from, to int) {
	oldAt, newAt := place(edits[:from])
	oldLen, newLen := place(edits[from:to])
	fmt.Fprintf(out, "@@ -%d,%d +%d,%d @@\n", oldAt+min(1, oldLen), oldLen, newAt+min(1, newLen), newLen)
	for _, e := range edits[from:to] {
		out.WriteByte(e.kind)
		out.WriteString(e.text + "\n")
	}
}

// place counts the lines of both texts in a difference.
func place(edits []edit) (before, after int) {
	for _, e := range edits {
		if e.kind != '+' {
			before++
		}
		if e.kind != '-' {
			after++
		}
	}
	return before, after
}

// compare finds a shortest difference. It takes len(a)*len(b) steps between the
// first and the last line that differ, which is little for configurations.
func compare(a, b []string) []edit {
	var head, tail []edit
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		head = append(head, edit{' ', a[0]})
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		tail = append([]edit{{' ', a[len(a)-1]}}, tail...)
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return append(append(head, middle(a, b, common(a, b))...), tail...)
}

// common has, for each pair of ends of a and b, the length of their longest
// common subsequence.
func common(a, b []string) [][]int32 {
	table := make([][]int32, len(a)+1)
	for i := range table {
		table[i] = make([]int32, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				table[i][j] = table[i+1][j+1] + 1
			} else {
				table[i][j] = max(table[i+1][j], table[i][j+1])
			}
		}
	}
	return table
}

// middle walks the table of common.
func middle(a, b []string, table [][]int32) []edit {
	var edits []edit
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			edits = append(edits, edit{' ', a[i]})
			i++
			j++
		case j == len(b) || i < len(a) && table[i+1][j] >= table[i][j+1]:
			edits = append(edits, edit{'-', a[i]})
			i++
		default:
			edits = append(edits, edit{'+', b[j]})
			j++
		}
	}
	return edits
}
