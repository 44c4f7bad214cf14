package pdf

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

// The objects of PDF (ISO 32000-1, section 7.3) are Name, String, Ref, Array, Dict,
// int64 for numbers, whose fractions are dropped, and bool; nil is null, or a value
// that makes no sense.
type (
	Name   string // without its slash, escapes undone
	String string // its bytes, escapes undone
	Ref    int64  // the number of the object referred to

	// Array is a list. Numbers are left out of it: long lists are of them, and
	// no caller asks for any. Of its first values all others are there, of the rest
	// those that may hold dictionaries.
	Array []any

	// Dict is a dictionary in the order of its file, in which a key may come
	// several times.
	Dict []Entry
)

// Entry is a key of a dictionary and its value.
type Entry struct {
	Key   Name
	Value any
}

// Get returns the value of a key, the last one if there are several, nil if there is
// none.
func (d Dict) Get(key Name) any {
	for i := len(d) - 1; i >= 0; i-- {
		if d[i].Key == key {
			return d[i].Value
		}
	}
	return nil
}

// All returns the values of a key: of one that is several times, readers differ in
// which they take.
func (d Dict) All(key Name) []any {
	var values []any
	for _, e := range d {
		if e.Key == key {
			values = append(values, e.Value)
		}
	}
	return values
}

// Has reports whether the dictionary has a key.
func (d Dict) Has(key Name) bool {
	for i := range d {
		if d[i].Key == key {
			return true
		}
	}
	return false
}

// IsPacked reports whether a stream with this dictionary holds further objects
// (section 7.5.7), as Reader.Packed reads them.
func (d Dict) IsPacked() bool {
	return d.Get("Type") == Name("ObjStm") || d.Has("N") && d.Has("First")
}

// Dicts calls look with every dictionary in a value, the outer ones first.
func Dicts(value any, look func(Dict)) {
	switch v := value.(type) {
	case Dict:
		look(v)
		for _, e := range v {
			Dicts(e.Value, look)
		}
	case Array:
		for _, e := range v {
			Dicts(e, look)
		}
	}
}

// Text returns a string as people see it: in UTF-16 or UTF-8 if its byte order mark says
// so (section 7.9.2.2), otherwise its bytes.
func (s String) Text() string {
	switch {
	case strings.HasPrefix(string(s), "\xfe\xff"):
		return wide(s[2:], binary.BigEndian)
	case strings.HasPrefix(string(s), "\xff\xfe"): // QUIRK: no standard has it, some writers do
		return wide(s[2:], binary.LittleEndian)
	}
	return strings.TrimPrefix(string(s), "\xef\xbb\xbf")
}

func wide(s String, order binary.ByteOrder) string {
	units := make([]uint16, len(s)/2)
	for i := range units {
		units[i] = order.Uint16([]byte(s[2*i : 2*i+2]))
	}
	return string(utf16.Decode(units))
}
