package policy

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"sync"
	"time"
)

// keptText is how long a text may be, in bytes, whose room is kept for the next. Few records are longer.
const keptText = 16 << 10

// textRooms holds room for texts that is not in use.
var textRooms = sync.Pool{New: func() any { return new(object) }}

// written returns the text of an object whose fields a function writes.
func written(fields func(*object)) []byte {
	o := textRooms.Get().(*object)
	o.b = append(o.b[:0], '{')
	fields(o)
	o.b = append(o.b, '}')
	text := slices.Clone(o.b)
	if cap(o.b) <= keptText {
		textRooms.Put(o)
	}
	return text
}

// object is the beginning of an object in JSON, on one line and with nothing invisible in it.
type object struct{ b []byte }

// key begins the next field. Its name needs no escapes.
func (o *object) key(name string) {
	if o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}
	o.b = append(append(append(o.b, '"'), name...), '"', ':')
}

func (o *object) text(name, s string) {
	o.key(name)
	o.b = appendText(o.b, s)
}

func (o *object) number(name string, n int64) {
	o.key(name)
	o.b = strconv.AppendInt(o.b, n, 10)
}

func (o *object) fraction(name string, f float64) {
	o.key(name)
	o.b = appendFraction(o.b, f)
}

func (o *object) flag(name string, is bool) {
	o.key(name)
	o.b = strconv.AppendBool(o.b, is)
}

func (o *object) took(name string, m Millis) {
	o.key(name)
	o.b = m.append(o.b)
}

func (o *object) time(name string, at time.Time) {
	o.key(name)
	o.b = append(at.AppendFormat(append(o.b, '"'), time.RFC3339Nano), '"')
}

// textIf, numberIf, flagIf and timeIf leave out what has no value.
func (o *object) textIf(name, s string) {
	if s != "" {
		o.text(name, s)
	}
}

func (o *object) numberIf(name string, n int) {
	if n != 0 {
		o.number(name, int64(n))
	}
}

func (o *object) flagIf(name string, is bool) {
	if is {
		o.flag(name, is)
	}
}

func (o *object) timeIf(name string, at time.Time) {
	if !at.IsZero() {
		o.time(name, at)
	}
}

// within writes an object into a field.
func within[T any](o *object, name string, v *T, write func(*object, *T)) {
	o.key(name)
	if v == nil {
		o.b = append(o.b, "null"...)
		return
	}
	o.nested(func() { write(o, v) })
}

func withinIf[T any](o *object, name string, v *T, write func(*object, *T)) {
	if v != nil {
		within(o, name, v, write)
	}
}

// objects writes a list of objects into a field.
func objects[T any](o *object, name string, list []T, write func(*object, *T)) {
	inTurn(o, name, list, func(v *T) { o.nested(func() { write(o, v) }) })
}

func objectsIf[T any](o *object, name string, list []T, write func(*object, *T)) {
	if len(list) > 0 {
		objects(o, name, list, write)
	}
}

// nested writes an object where a value is to be.
func (o *object) nested(fields func()) {
	o.b = append(o.b, '{')
	fields()
	o.b = append(o.b, '}')
}

func (o *object) texts(name string, list []string) {
	inTurn(o, name, list, func(s *string) { o.b = appendText(o.b, *s) })
}

func (o *object) textsIf(name string, list []string) {
	if len(list) > 0 {
		o.texts(name, list)
	}
}

func (o *object) numbersIf(name string, list []int) {
	if len(list) > 0 {
		inTurn(o, name, list, func(n *int) { o.b = strconv.AppendInt(o.b, int64(*n), 10) })
	}
}

// inTurn writes a list into a field, each value by one.
func inTurn[T any](o *object, name string, list []T, one func(*T)) {
	o.key(name)
	if list == nil {
		o.b = append(o.b, "null"...)
		return
	}
	o.b = append(o.b, '[')
	for i := range list {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		one(&list[i])
	}
	o.b = append(o.b, ']')
}

// appendText appends a string, as it is if nothing in it is to be escaped.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return append(b, JSON(s)...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// appendFraction appends a number. JSON has no word for what is none.
func appendFraction(b []byte, f float64) []byte {
	switch size := math.Abs(f); {
	case f-f != 0:
		return append(b, '0')
	case size != 0 && (size < 1e-6 || size >= 1e21): // written with an exponent
		text, _ := json.Marshal(f) // cannot fail: it is a number
		return append(b, text...)
	}
	return strconv.AppendFloat(b, f, 'f', -1, 64)
}
