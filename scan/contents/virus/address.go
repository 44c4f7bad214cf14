package virus

import "fmt"

// Addresses is where an engine listens. In the configuration it is one address
// or a list of them.
type Addresses []string

// UnmarshalTOML reads a string or a list of strings.
func (a *Addresses) UnmarshalTOML(v any) error {
	switch v := v.(type) {
	case string:
		*a = Addresses{v}
		return nil
	case []any:
		list := make(Addresses, len(v))
		for i, e := range v {
			s, ok := e.(string)
			if !ok {
				return fmt.Errorf("address number %d of the list is not a string", i+1)
			}
			list[i] = s
		}
		*a = list
		return nil
	}
	return fmt.Errorf("address is neither a string nor a list of strings")
}
