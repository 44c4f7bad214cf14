package unpack

import (
	"fmt"
	"hash/fnv"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// paths makes part paths unique within a message.
type paths map[string]int

// unique returns path, followed by "#2", "#3" … when it was given out before.
func (p paths) unique(path string) string {
	p[path]++
	if n := p[path]; n > 1 {
		return p.unique(path + "#" + strconv.Itoa(n))
	}
	return path
}

// entityPath returns the path of the entity with the given part number and reading
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

// memberPath returns the path of a member of the container at path.
func memberPath(container, name string) string {
	return container + "/" + escape(shortened(name, longestName))
}

const (
	longestName = 255 // bytes of a name in a path: what file systems allow
	longestPath = 1000
)

// shortPath returns a path of which containers far inside others do not stay: some
// of the outermost and of the innermost, and a hash of those between. A part in a
// hundred containers with long names costs no more than any other.
func shortPath(path string) string {
	if len(path) <= longestPath {
		return path
	}
	const most = 256
	begin, end := strings.LastIndexByte(path[:most], '/'), strings.LastIndexByte(path, '/')
	if further := strings.IndexByte(path[len(path)-most:], '/'); further >= 0 {
		end = len(path) - most + further
	}
	if begin < 0 || end <= begin {
		return shortened(path, longestPath)
	}
	return path[:begin] + "/…" + hash(path[begin:end]) + path[end:]
}

// shortened returns a text of most bytes, or little more: if it is longer, its
// beginning and its end, by which programs go, and a hash of the rest.
func shortened(s string, most int) string {
	if len(s) <= most {
		return s
	}
	begin, end := most*2/5, len(s)-most*2/5
	for begin > 0 && !utf8.RuneStart(s[begin]) {
		begin--
	}
	for end < len(s) && !utf8.RuneStart(s[end]) {
		end++
	}
	return s[:begin] + "…" + hash(s[begin:end]) + s[end:]
}

// hash returns the same for the same text everywhere and always: paths are compared.
func hash(s string) string {
	h := fnv.New64a()
	io.WriteString(h, s)
	return strconv.FormatUint(h.Sum64(), 16)
}

// escape writes a member name so that a path can be split at its slashes again
// and is valid UTF-8: slash and percent as %XX, bytes that are not UTF-8 as \xNN.
// Control characters stay; who prints a path for people makes them visible.
func escape(name string) string {
	if name == "" {
		return "unnamed"
	}
	if utf8.ValidString(name) && !strings.ContainsAny(name, "/%") {
		return name
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
