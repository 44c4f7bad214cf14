package cli

import "github.com/milterscan/milterscan/scan/units"

// Size returns what reads a flag such as "10MB", a number of bytes.
func Size(to *int64) func(string) error {
	return func(s string) error {
		var n units.Size
		err := n.UnmarshalText([]byte(s))
		*to = int64(n)
		return err
	}
}
