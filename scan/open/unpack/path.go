package unpack

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// paths makes part paths unique within a message.
type paths map[string]int

// unique returns path, with "#2", "#3" … behind it when it was given out before.
func (p paths) unique(path string) string {
	p[path]++
	if n := p[path]; n > 1 {
		return p.unique(path + "#" + strconv.Itoa(n))
	}
	return path
}

// entityPath is the path of the entity with the given part number and reading
// inside a container: "2" and "1" make "2.1", a member "a.eml" and "1" make
// "a.eml/1".
func entityPath(container, separator, number, reading string) string {
	path := container
	if number != "" && container != "" {
		path += separator
	}
	path += number
	if reading != "" {
		path += "~" + reading
	}
	return path
}

// memberPath is the path of a member of the container at path.
func memberPath(container, name string) string { return container + "/" + escape(name) }

// escape writes a member name so that a path can be split at its slashes again
// and is valid UTF-8: slash and percent as %XX, bytes that are not UTF-8 as \xNN.
// Control characters stay; who prints a path for people makes them visible.
func escape(name string) string {
	if name == "" {
		return "unnamed"
	}
	var b strings.Builder
	for i := 0; i < len(name); {
		r, n := utf8.DecodeRuneInString(name[i:])
		switch {
		case r == '/':
			b.WriteString("%2F")
		case r == '%':
			b.WriteString("%25")
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, name[i])
		default:
			b.WriteRune(r)
		}
		i += n
	}
	return b.String()
}
