package config

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"strings"
	"unicode"

	"github.com/BurntSushi/toml"
)

// binder fills a struct with the values of one file and notes all that does not
// fit.
type binder struct {
	file     string
	lines    map[string]int
	origins  origins
	problems Problems
	files    []string // that were read, or will be

	renamings []renaming
}

// Origin is where a value comes from. The zero Origin is the shipped default.
type Origin struct {
	File string
	Line int
}

// String returns "file:line", or "default".
func (o Origin) String() string {
	if o.File == "" {
		return "default"
	}
	return fmt.Sprintf("%s:%d", o.File, o.Line)
}

// origins says where each value that was set comes from, by path.
type origins map[string]Origin

// defaulter is implemented by sections that may appear several times and have
// defaults: each begins with them.
type defaulter interface{ SetDefaults() }

// wrong notes a problem with the value at path.
func (b *binder) wrong(path, format string, args ...any) {
	b.problems = append(b.problems, Problem{b.file, b.line(path), path, fmt.Sprintf(format, args...)})
}

// line returns the line of path, or of the nearest table or list around it.
func (b *binder) line(path string) int {
	for path != "" {
		if n, ok := b.lines[path]; ok {
			return n
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return 0
}

// bind puts value, as the TOML library delivers it, into dst.
func (b *binder) bind(path string, value any, dst reflect.Value) {
	if dst.Kind() == reflect.Pointer {
		dst.Set(reflect.New(dst.Type().Elem()))
		dst = dst.Elem()
	}
	if t, ok := dst.Addr().Interface().(encoding.TextUnmarshaler); ok {
		b.bindText(path, value, t)
		return
	}
	if t, ok := dst.Addr().Interface().(toml.Unmarshaler); ok {
		if err := t.UnmarshalTOML(value); err != nil {
			b.wrong(path, "%v", err)
			return
		}
		b.set(path)
		return
	}
	switch dst.Kind() {
	case reflect.Struct:
		b.bindTable(path, value, dst)
	case reflect.Slice:
		b.bindList(path, value, dst)
	case reflect.Map:
		b.bindMap(path, value, dst)
	default:
		b.bindScalar(path, value, dst)
	}
}

func (b *binder) bindText(path string, value any, dst encoding.TextUnmarshaler) {
	s, ok := value.(string)
	if !ok {
		b.wrong(path, "%s where text is needed; put it in quotes%s", nameOf(value), suchAs(dst))
		return
	}
	if err := dst.UnmarshalText([]byte(s)); err != nil {
		b.wrong(path, "%v", err)
		return
	}
	b.set(path)
}

// suchAs returns the present value as text, to show how such a value is written.
func suchAs(dst encoding.TextUnmarshaler) string {
	if text := literal(reflect.ValueOf(dst).Elem()); text != `""` {
		return ", such as " + text
	}
	return ""
}

func (b *binder) set(path string) { b.origins[path] = Origin{b.file, b.line(path)} }

func (b *binder) bindTable(path string, value any, dst reflect.Value) {
	table, ok := value.(map[string]any)
	if !ok {
		b.wrong(path, "%s where a section is needed; write [%s]", nameOf(value), path)
		return
	}
	fields := fieldsOf(dst)
	for key, v := range table {
		field, ok := fields[key]
		if r := renamed(b.renamings, join(path, key)); !ok && r != nil {
			b.wrong(join(path, key), "there is no such key any more: %s", r.advice())
			continue
		}
		if !ok {
			b.wrong(join(path, key), "there is no such key; %s", suggest(key, fields))
			continue
		}
		b.bind(join(path, key), v, field)
	}
}

func (b *binder) bindList(path string, value any, dst reflect.Value) {
	items, ok := elements(value)
	if !ok {
		b.wrong(path, "%s where a list is needed; put it in brackets: [ ]", nameOf(value))
		return
	}
	list := reflect.MakeSlice(dst.Type(), len(items), len(items))
	for i, item := range items {
		if d, ok := list.Index(i).Addr().Interface().(defaulter); ok {
			d.SetDefaults()
		}
		b.bind(fmt.Sprintf("%s[%d]", path, i), item, list.Index(i))
	}
	dst.Set(list)
	b.set(path)
}

// elements returns the values of a list, for which the library has another type
// where they are tables.
func elements(value any) ([]any, bool) {
	switch v := value.(type) {
	case []any:
		return v, true
	case []map[string]any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = v[i]
		}
		return list, true
	}
	return nil, false
}

// bindMap fills a map from text to text.
func (b *binder) bindMap(path string, value any, dst reflect.Value) {
	table, ok := value.(map[string]any)
	if !ok {
		b.wrong(path, "%s where a table is needed; write { name = \"value\" }", nameOf(value))
		return
	}
	m := reflect.MakeMap(dst.Type())
	for key, v := range table {
		element := reflect.New(dst.Type().Elem()).Elem()
		b.bind(join(path, key), v, element)
		m.SetMapIndex(reflect.ValueOf(key), element)
	}
	dst.Set(m)
	b.set(path)
}

func (b *binder) bindScalar(path string, value any, dst reflect.Value) {
	switch v := value.(type) {
	case string:
		if dst.Kind() == reflect.String {
			dst.SetString(v)
			b.set(path)
			return
		}
	case bool:
		if dst.Kind() == reflect.Bool {
			dst.SetBool(v)
			b.set(path)
			return
		}
	case int64:
		if b.bindNumber(path, v, dst) {
			return
		}
	case float64:
		if dst.Kind() == reflect.Float64 && !math.IsNaN(v) && !math.IsInf(v, 0) {
			dst.SetFloat(v)
			b.set(path)
			return
		}
	}
	b.wrong(path, "%s where %s is needed", nameOf(value), wanted(dst))
}

func (b *binder) bindNumber(path string, v int64, dst reflect.Value) bool {
	switch {
	case dst.Kind() == reflect.Float64:
		dst.SetFloat(float64(v))
	case dst.CanInt() && v < 0:
		b.wrong(path, "%d is negative; write a number from 0 up", v)
		return true
	case dst.CanInt() && !dst.OverflowInt(v):
		dst.SetInt(v)
	default:
		return false
	}
	b.set(path)
	return true
}

// nameOf returns the name of a TOML value's type for an error.
func nameOf(value any) string {
	switch v := value.(type) {
	case string:
		return fmt.Sprintf("the text %q", v)
	case bool:
		return fmt.Sprint(v)
	case int64, float64:
		return fmt.Sprintf("the number %v", v)
	case map[string]any:
		return "a section"
	case []any, []map[string]any:
		return "a list"
	}
	return fmt.Sprintf("the date or time %v", value)
}

func wanted(dst reflect.Value) string {
	switch {
	case dst.Kind() == reflect.Bool:
		return "true or false"
	case dst.CanInt():
		return "a whole number"
	case dst.Kind() == reflect.Float64:
		return "a number"
	}
	return "text in quotes"
}

// fieldsOf returns the fields of a section by their keys, those of embedded
// structs among them.
func fieldsOf(section reflect.Value) map[string]reflect.Value {
	fields := map[string]reflect.Value{}
	for _, f := range reflect.VisibleFields(section.Type()) {
		if key := keyOf(f); key != "" {
			fields[key] = section.FieldByIndex(f.Index)
		}
	}
	return fields
}

// keyOf returns the key of a field: its toml tag, or its name in small letters with
// "_" between words. A field that is no setting has none.
func keyOf(f reflect.StructField) string {
	if tag, ok := f.Tag.Lookup("toml"); ok || !f.IsExported() || f.Anonymous {
		key, _, _ := strings.Cut(tag, ",")
		return strings.TrimPrefix(key, "-")
	}
	var key strings.Builder
	for i, r := range f.Name {
		if unicode.IsUpper(r) && i > 0 && unicode.IsLower(rune(f.Name[i-1])) {
			key.WriteByte('_')
		}
		key.WriteRune(unicode.ToLower(r))
	}
	return key.String()
}
