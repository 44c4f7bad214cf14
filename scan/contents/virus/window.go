package virus

// overlap is how far windows on a large content reach into each other. A pattern
// that is not longer is in one of them as a whole.
const overlap = 64 << 10

// split tells the contents an engine takes whole from those too large for it.
func split(all []*Question, limit int64) (whole, large []*Question) {
	for _, q := range all {
		if q.Content.Size() > limit {
			large = append(large, q)
		} else {
			whole = append(whole, q)
		}
	}
	return whole, large
}

// windows cuts large contents into overlapping pieces that an engine takes.
// The engine finds plain patterns in them, but no packed files and no hashes, which
// is why the content counts as unscannable all the same.
func windows(large []*Question, limit int64) []*Question {
	var pieces []*Question
	for _, q := range large {
		size := q.Content.Size()
		for at := int64(0); at < size-overlap; at += limit - overlap {
			pieces = append(pieces, &Question{parts: q.parts, Content: section(q.Content, at, min(at+limit, size))})
		}
	}
	return pieces
}
