package policy

// truth is what is known of a condition before the whole message is there. Its
// order makes "and" the least of several and "or" the greatest.
type truth int8

const (
	no truth = iota
	perhaps
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// not turns no and yes round; what is not known stays so.
func (t truth) not() truth { return yes - t }
