package config

import (
	"regexp"
	"strings"
	"sync"
)

// Key is a key or a section of the file, as the example explains it.
type Key struct {
	Name    string // with its sections before it: "limits.archive.depth"
	About   string // what it is for, on one line
	Line    string // as it is written in its section, with its default or an example; "" for a section
	Section string // that it is in, with its brackets: "[limits.archive]"; its own for a section
}

// Keys returns all keys and sections, in the order of the example.
func Keys() []Key { return readKeys() }

var readKeys = sync.OnceValue(func() []Key {
	r := keyReader{known: map[string]bool{}}
	for line := range strings.Lines(example) {
		r.read(strings.TrimRight(line, "\n"))
	}
	return r.keys
})

var (
	sectionLine = regexp.MustCompile(`^#?(\[+([a-z_.0-9]+)\]+)$`)
	keyLine     = regexp.MustCompile(`^#([a-z_0-9]+) = `)
)

// keyReader goes through the example, which a test makes of the structs: a paragraph of comment
// precedes each key and each section.
type keyReader struct {
	keys    []Key
	known   map[string]bool
	about   []string
	bracket string // the section's line
	section string
	open    bool // the value of the last key goes on on further lines
}

func (r *keyReader) read(line string) {
	if r.open {
		last := &r.keys[len(r.keys)-1]
		last.Line += "\n" + strings.TrimPrefix(line, "#")
		r.open = line != "#]"
		return
	}
	if m := sectionLine.FindStringSubmatch(line); m != nil {
		r.bracket, r.section = m[1], m[2]
		r.add(Key{Name: r.section})
		return
	}
	if m := keyLine.FindStringSubmatch(line); m != nil {
		name := m[1]
		if r.section != "" {
			name = r.section + "." + name
		}
		r.open = r.add(Key{Name: name, Line: line[1:]}) && strings.HasSuffix(line, "[")
		return
	}
	if text, ok := strings.CutPrefix(line, "# "); ok {
		r.about = append(r.about, text)
		return
	}
	r.about = nil
}

// add adds a key, unless it is a further example of one.
func (r *keyReader) add(k Key) bool {
	k.About, k.Section = strings.Join(r.about, " "), r.bracket
	r.about = nil
	if r.known[k.Name] {
		return false
	}
	r.known[k.Name] = true
	r.keys = append(r.keys, k)
	return true
}
