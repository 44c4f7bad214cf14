package config

import (
	"encoding"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/milterscan/milterscan/policy"
)

// Setting is one value in force, and where it comes from.
type Setting struct {
	Key, Value string // as in the file
	Origin     Origin
}

// Effective is everything in force: what "check --effective" prints.
type Effective struct {
	Settings []Setting
	Rules    []policy.Rule // in the order in which they are tried
}

// Effective lists every value and every rule. The configuration must be valid.
func (c *Config) Effective() Effective {
	var e Effective
	c.collect(&e, "", reflect.ValueOf(c).Elem())
	e.Rules, _ = c.AllRules() // which fails for unknown profiles only
	return e
}

// collect goes down to the single values. Rules are shown by themselves, and tests
// set nothing.
func (c *Config) collect(e *Effective, path string, v reflect.Value) {
	switch {
	case path == "rule", path == "test":
		return
	case v.Kind() == reflect.Struct && !isText(v):
		for _, f := range reflect.VisibleFields(v.Type()) {
			if key := keyOf(f); key != "" {
				c.collect(e, join(path, key), v.FieldByIndex(f.Index))
			}
		}
		return
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct && !isText(reflect.New(v.Type().Elem()).Elem()):
		for i := range v.Len() {
			c.collect(e, fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
		return
	}
	e.Settings = append(e.Settings, Setting{path, literal(v), c.origin(path)})
}

// origin returns where the value at path was set, or the nearest list or table
// around it that was.
func (c *Config) origin(path string) Origin {
	if o, ok := c.origins[path]; ok {
		return o
	}
	return Origin{}
}

// String returns one line for each value and each rule.
func (e Effective) String() string { return e.Pick(true, false) }

// Pick returns one line for each rule, and for each value if these are wanted; of both, only
// what files set if changed is. Rules have the numbers by which they are tried.
func (e Effective) Pick(values, changed bool) string {
	var b strings.Builder
	for _, s := range e.Settings {
		if values && (!changed || s.Origin != Origin{}) {
			fmt.Fprintf(&b, "%-60s # %s\n", s.Key+" = "+s.Value, s.Origin)
		}
	}
	if values {
		fmt.Fprintln(&b)
	}
	fmt.Fprintf(&b, "# rules, in the order in which they are tried\n")
	for i, r := range e.Rules {
		if !changed || r.Ref.File != "" {
			fmt.Fprintf(&b, "%3d. %s: %s\n", i+1, where(r.Ref), r)
		}
	}
	return b.String()
}

// where returns a rule's name and file; a shipped rule has its profile in its name.
func where(r policy.RuleRef) string {
	if r.File == "" {
		return "profile " + r.Name
	}
	return fmt.Sprintf("%q (%s:%d)", r.Name, r.File, r.Line)
}

// isText reports whether a value is written as text.
func isText(v reflect.Value) bool {
	_, ok := v.Interface().(encoding.TextMarshaler)
	return ok
}

// literal writes a value as TOML.
func literal(v reflect.Value) string {
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		text, err := m.MarshalText()
		if err != nil {
			return strconv.Quote(err.Error())
		}
		return strconv.Quote(string(text))
	}
	switch v.Kind() {
	case reflect.Slice:
		items := make([]string, v.Len())
		for i := range items {
			items[i] = literal(v.Index(i))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case reflect.Map:
		return literalMap(v)
	case reflect.String:
		return strconv.Quote(v.String())
	}
	return fmt.Sprint(v.Interface())
}

// literalMap writes an inline table, sorted by key.
func literalMap(v reflect.Value) string {
	byKey := map[string]string{}
	for it := v.MapRange(); it.Next(); {
		byKey[it.Key().String()] = literal(it.Value())
	}
	var items []string
	for _, k := range slices.Sorted(maps.Keys(byKey)) {
		items = append(items, strconv.Quote(k)+" = "+byKey[k])
	}
	return "{ " + strings.Join(items, ", ") + " }"
}
