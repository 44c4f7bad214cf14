package pdf

// Filters returns the filters of a stream with this dictionary, in the order in which
// they are undone. Resolve is what a value refers to: itself, if it is no
// reference. A value that refers to nothing is nil. A value that neither is a name nor
// refers to anything is no filter.
func (d Dict) Filters(resolve func(any) any) []Filter {
	names := list(resolve(d.Get("Filter")))
	if short := resolve(d.Get("F")); names == nil && !isFile(short) {
		names = list(short)
	}
	parameters := list(resolve(d.Get("DecodeParms")))
	if parameters == nil {
		parameters = list(resolve(d.Get("DP")))
	}
	var filters []Filter
	for i, n := range names {
		var p Dict
		if i < len(parameters) {
			p, _ = resolve(parameters[i]).(Dict)
		}
		_, isRef := n.(Ref)
		if name, isName := resolve(n).(Name); isName || isRef {
			filters = append(filters, p.filter(string(name), resolve))
		}
	}
	return filters
}

// list returns an array as it is, and a name or dictionary as an array of one value.
func list(value any) Array {
	switch v := value.(type) {
	case Array:
		return v
	case Name, Dict:
		return Array{v}
	}
	return nil
}

// isFile reports whether a value is a file specification, which has the same key
// as filters have for short.
func isFile(value any) bool {
	_, isDict := value.(Dict)
	return isDict
}

// filter returns a filter with the parameters in d.
func (d Dict) filter(name string, resolve func(any) any) Filter {
	number := func(key Name) int64 {
		n, _ := resolve(d.Get(key)).(int64)
		return n
	}
	early, given := resolve(d.Get("EarlyChange")).(int64)
	crypt, _ := resolve(d.Get("Name")).(Name)
	return Filter{
		Name: name, Predictor: number("Predictor"), Columns: number("Columns"), Colors: number("Colors"), Bits: number("BitsPerComponent"),
		Late: given && early == 0, Crypt: string(crypt),
	}
}
