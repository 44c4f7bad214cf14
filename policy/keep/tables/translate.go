package tables

import (
	"strconv"
	"strings"
)

// functions are those that PostgreSQL has by another name. max is always that of two values here: "greatest" is not the
// greatest of a column.
var functions = strings.NewReplacer("max(", "greatest(", "instr(", "strpos(")

// translate returns a statement of SQLite as PostgreSQL has it: "?" and "?2" are "$1" and "$2". Text within quotation
// marks stays.
func translate(query string) string {
	var out strings.Builder
	last := 0 // the highest number of an argument
	for n, part := range strings.Split(query, "'") {
		if n > 0 {
			out.WriteByte('\'')
		}
		if n%2 == 1 {
			out.WriteString(part)
			continue
		}
		last = number(&out, functions.Replace(part), last)
	}
	return out.String()
}

// number writes a part of a statement with the numbers of its arguments, and returns the highest.
func number(out *strings.Builder, part string, last int) int {
	for {
		before, after, found := strings.Cut(part, "?")
		out.WriteString(before)
		if !found {
			return last
		}
		digits := len(after) - len(strings.TrimLeft(after, "0123456789"))
		n := last + 1
		if digits > 0 {
			n, _ = strconv.Atoi(after[:digits]) // as the program has it
		}
		last = max(last, n)
		out.WriteString("$" + strconv.Itoa(n))
		part = after[digits:]
	}
}
