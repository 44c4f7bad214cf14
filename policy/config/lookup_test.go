package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestKeysOfExample: every key that a file may have is explained, as the example does it.
func TestKeysOfExample(t *testing.T) {
	keys := Keys()
	find := func(name string) Key {
		i := slices.IndexFunc(keys, func(k Key) bool { return k.Name == name })
		if i < 0 {
			t.Errorf("there is no %q", name)
			return Key{}
		}
		return keys[i]
	}
	if k := find("limits.archive.depth"); k.Section != "[limits.archive]" || !strings.HasPrefix(k.Line, "depth = ") || k.About == "" {
		t.Errorf("%+v", k)
	}
	if k := find("virus.address"); k.Section != "[[virus]]" || !strings.Contains(k.About, "unix:/path") {
		t.Errorf("%+v", k)
	}
	if k := find("attachment.deny"); !strings.HasPrefix(k.Line, "deny = [\n") || !strings.HasSuffix(k.Line, "\n]") {
		t.Errorf("%+v", k)
	}
	if k := find("profile"); k.Section != "" || !strings.HasPrefix(k.Line, `profile = "default"`) {
		t.Errorf("%+v", k)
	}
	if k := find("spam"); k.Line != "" || k.About == "" {
		t.Errorf("%+v", k)
	}
	for _, name := range namesOf(reflect.TypeFor[Config](), "") {
		if k := find(name); k.Line != "" && k.About == "" {
			t.Errorf("%s is not explained", name)
		}
	}
}

// namesOf returns the keys and sections of a struct.
func namesOf(of reflect.Type, path string) (names []string) {
	for _, f := range reflect.VisibleFields(of) {
		key := keyOf(f)
		if key == "" {
			continue
		}
		name, inner := join(path, key), f.Type
		if inner.Kind() == reflect.Slice && !isText(reflect.New(inner.Elem()).Elem()) {
			inner = inner.Elem()
		}
		names = append(names, name)
		if inner.Kind() == reflect.Struct && !isText(reflect.New(inner).Elem()) {
			names = append(names, namesOf(inner, name)...)
		}
	}
	return names
}
