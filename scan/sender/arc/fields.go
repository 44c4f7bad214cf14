package arc

import (
	"errors"
	"fmt"
	"strings"
)

// rawField is a header field as it is hashed.
type rawField struct {
	name string // in lower case
	raw  string // with its name, and with CRLF after each line
}

// value returns the text after the name, folded as it is.
func (f rawField) value() string {
	_, value, _ := strings.Cut(f.raw, ":")
	return value
}

// split takes a header apart. Line ends become CRLF, which the sender signed
// (RFC 6376, section 5.3).
func split(head string) []rawField {
	var fields []rawField
	var text strings.Builder
	end := func() {
		if raw := text.String(); raw != "" {
			name, _, _ := strings.Cut(raw, ":")
			fields = append(fields, rawField{name: strings.ToLower(strings.TrimSpace(name)), raw: raw})
		}
		text.Reset()
	}
	for line := range strings.SplitSeq(head, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			break
		}
		if line[0] != ' ' && line[0] != '\t' {
			end()
		}
		text.WriteString(line + "\r\n")
	}
	end()
	return fields
}

// relaxed returns a field in the form in which it is hashed (RFC 6376, section
// 3.4.2).
func relaxed(raw string) string {
	name, value, _ := strings.Cut(raw, ":")
	return strings.ToLower(strings.TrimSpace(name)) + ":" + strings.Join(strings.FieldsFunc(value, isBlank), " ") + "\r\n"
}

func isBlank(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '\n' }

// unsigned returns a field of a signature without the value of its tag b, without
// which it was signed (RFC 6376, section 3.7).
func unsigned(raw string) string {
	name, value, _ := strings.Cut(raw, ":")
	parts := strings.Split(value, ";")
	for i, p := range parts {
		if tag, _, ok := strings.Cut(p, "="); ok && strings.TrimFunc(tag, isBlank) == "b" {
			parts[i] = tag + "="
		}
	}
	return name + ":" + strings.Join(parts, ";")
}

// tags are those of a signature or a key, without blanks in their values.
type tags map[string]string

var errTwice = errors.New("a tag is there twice")

// parseTags reads a list of tags (RFC 6376, section 3.2).
func parseTags(text string) (tags, error) {
	list := tags{}
	for part := range strings.SplitSeq(text, ";") {
		name, value, ok := strings.Cut(part, "=")
		name = strings.TrimFunc(name, isBlank)
		if !ok {
			if name == "" {
				continue
			}
			return nil, fmt.Errorf("%q is no tag", cut(name))
		}
		if _, twice := list[name]; twice {
			return nil, errTwice
		}
		list[name] = strings.Join(strings.FieldsFunc(value, isBlank), "")
	}
	return list, nil
}

// domain returns the tag d as DNS has it.
func (t tags) domain() string { return cut(strings.ToLower(strings.TrimSuffix(t["d"], "."))) }

// needs returns an error if one of the tags is not there.
func (t tags) needs(names ...string) error {
	for _, name := range names {
		if t[name] == "" {
			return fmt.Errorf("there is no %s=", name)
		}
	}
	return nil
}

// list returns the values of a tag that has many.
func (t tags) list(name string) []string { return strings.Split(t[name], ":") }
