package policy

// truth says whether a condition holds, as far as that is known before the whole
// message is there. Its order makes "and" the least of several and "or" the greatest.
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

// not exchanges no and yes; unknown stays unknown.
func (t truth) not() truth { return yes - t }
