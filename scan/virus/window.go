package virus

// overlap is how far windows on a large content reach into each other. A pattern
// that is not longer stands in one of them as a whole.
const overlap = 64 << 10

// split tells the contents an engine takes whole from those too large for it.
func split(all []*job, limit int64) (whole, large []*job) {
	for _, j := range all {
		if j.content.Size() > limit {
			large = append(large, j)
		} else {
			whole = append(whole, j)
		}
	}
	return whole, large
}

// windows cuts large contents into overlapping pieces that an engine takes.
// Plain patterns are found in them; what is packed or known by its hash is not,
// which is why the content counts as unscannable all the same.
func windows(large []*job, limit int64) []*job {
	var pieces []*job
	for _, j := range large {
		size := j.content.Size()
		for at := int64(0); at < size-overlap; at += limit - overlap {
			pieces = append(pieces, &job{parts: j.parts, content: section(j.content, at, min(at+limit, size))})
		}
	}
	return pieces
}
