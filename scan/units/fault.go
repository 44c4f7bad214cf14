package units

import (
	"errors"
	"fmt"
)

// Fault is something that is wrong with one key of a section of the
// configuration. Sections report their faults so that each can be told with the
// line of its key.
type Fault struct {
	Key  string // below the section: "max_unpacked", "list[2].name"; "" for the section itself
	What string // the mistake and, after a semicolon, what would be right
}

// Wrong returns a fault as an error.
func Wrong(key, format string, args ...any) error {
	return Fault{key, fmt.Sprintf(format, args...)}
}

// Error returns the fault as "key: what".
func (f Fault) Error() string {
	if f.Key == "" {
		return f.What
	}
	return f.Key + ": " + f.What
}

// Faults returns everything that an error of a section's check says, errors that
// errors.Join has put together one by one. An error that names no key is a fault
// of the section itself.
func Faults(err error) []Fault {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []Fault
		for _, e := range joined.Unwrap() {
			all = append(all, Faults(e)...)
		}
		return all
	}
	var f Fault
	if errors.As(err, &f) {
		return []Fault{f}
	}
	return []Fault{{What: err.Error()}}
}

// Within returns the faults of a part of a section, such as "list[2]", as those
// of the section.
func Within(part string, err error) error {
	var all []error
	for _, f := range Faults(err) {
		key := part
		if f.Key != "" {
			key += "." + f.Key
		}
		all = append(all, Fault{key, f.What})
	}
	return errors.Join(all...)
}
