package entity

import "iter"

// All yields every entity of every reading with the one it is in, nil for
// the root: an entity, its children, its other readings, what was carved out of
// it. Other readings are in what the first reading is in.
func (t *Tree) All() iter.Seq2[*Entity, *Entity] {
	return func(yield func(e, parent *Entity) bool) {
		if t.Root != nil {
			t.Root.walk(nil, yield)
		}
	}
}

func (e *Entity) walk(parent *Entity, yield func(e, parent *Entity) bool) bool {
	if !yield(e, parent) {
		return false
	}
	for _, child := range e.Children {
		if !child.walk(e, yield) {
			return false
		}
	}
	for _, other := range e.Also {
		if !other.walk(parent, yield) {
			return false
		}
	}
	for _, found := range e.Carved {
		if !found.walk(e, yield) {
			return false
		}
	}
	return true
}

// Leaves yields every entity, of every reading, that is not taken apart
// further, in the order of All.
func (t *Tree) Leaves() iter.Seq[*Entity] {
	return func(yield func(*Entity) bool) {
		for e := range t.All() {
			if !e.Composite() && !yield(e) {
				return
			}
		}
	}
}

// Path names an entity in all readings: its number, and "~b" for another
// reading. Multiparts that are the whole of a message share the path of that
// message.
func (e *Entity) Path() string {
	if e.Reading == "" {
		return e.Number
	}
	return e.Number + "~" + e.Reading
}
