package find

import (
	"encoding/binary"
	"slices"
)

// phrase is tokens that follow each other in a subject, as literals of the dictionary.
type phrase []string

// looked is what a dictionary says of a phrase: for each of its tokens, the values that it
// may be.
type looked struct {
	hits   [][]hit
	tokens []set // the same, of all values
}

// follow leaves the records with all phrases in the subject.
func (a *asked) follow(phrases []phrase) error {
	all := make([]looked, len(phrases))
	if err := a.part(words(subjects), func(data []byte) error {
		d, err := openDictionary(data)
		for i := 0; err == nil && i < len(phrases); i++ {
			all[i], err = phrases[i].look(d)
		}
		return err
	}); err != nil {
		return err
	}
	if err := a.hold(all); err != nil || a.left.few() {
		return err
	}
	all = slices.DeleteFunc(all, func(l looked) bool { return len(l.tokens) == 1 })
	if len(all) == 0 {
		return nil
	}
	return a.inOrder(all)
}

// look looks the tokens of a phrase up.
func (p phrase) look(d dictionary) (l looked, err error) {
	for _, literal := range p {
		hits, err := d.hits(want{subjects, literal, nil})
		if err != nil {
			return l, err
		}
		t := newSet(d.count)
		for _, h := range hits {
			t.put(h.id)
		}
		l.hits, l.tokens = append(l.hits, hits), append(l.tokens, t)
	}
	return l, nil
}

// hold leaves the records that hold all tokens in any order.
func (a *asked) hold(all []looked) error {
	for _, l := range all {
		if slices.ContainsFunc(l.hits, func(hits []hit) bool { return len(hits) == 0 }) {
			clear(a.left)
			return nil
		}
	}
	return a.part(postings(subjects), func(data []byte) error {
		for _, l := range all {
			for _, hits := range l.hits {
				found := newSet(a.Rows)
				if err := found.addAll(hits, data, a.Rows); err != nil {
					return err
				}
				a.left.and(found)
			}
		}
		return nil
	})
}

// inOrder leaves the records in whose subjects the tokens of each phrase follow each other.
func (a *asked) inOrder(all []looked) error {
	return a.part(PartSubjects, func(data []byte) error {
		if len(data) < 4*a.Rows {
			return ErrDamaged
		}
		texts, starts := data[4*a.Rows:], data[:4*a.Rows:4*a.Rows]
		starts = binary.LittleEndian.AppendUint32(starts, uint32(len(texts)))
		for i := range a.Rows {
			if !a.left.has(i) {
				continue
			}
			from, to := binary.LittleEndian.Uint32(starts[4*i:]), binary.LittleEndian.Uint32(starts[4*i+4:])
			if from > to || int(to) > len(texts) {
				return ErrDamaged
			}
			if slices.ContainsFunc(all, func(l looked) bool { return !has(texts[from:to], l.tokens) }) {
				a.left.drop(i)
			}
		}
		return nil
	})
}

// has reports whether tokens follow each other in a subject, which is their places in the
// dictionary.
func has(subject []byte, tokens []set) bool {
	var ids [mostTokens]int // the latest, one after the other
	for n := 0; len(subject) > 0; n++ {
		id, size := binary.Uvarint(subject)
		if size <= 0 {
			return true // for the filter to see
		}
		subject = subject[size:]
		copy(ids[:], ids[1:])
		ids[mostTokens-1] = int(id)
		if n+1 >= len(tokens) && follows(ids[mostTokens-len(tokens):], tokens) {
			return true
		}
	}
	return false
}

func follows(ids []int, tokens []set) bool {
	for i, id := range ids {
		if id < 0 || id/64 >= len(tokens[i]) || !tokens[i].has(id) {
			return false
		}
	}
	return true
}

// sequences returns the subjects of entries, in an order, as places in the dictionary.
func (b *Builder) sequences(order []int) []byte {
	ids := ranked(b.terms[subjects])
	var starts, all []byte
	for _, i := range order {
		starts = binary.LittleEndian.AppendUint32(starts, uint32(len(all)))
		for _, t := range b.entries[i].subject {
			all = binary.AppendUvarint(all, uint64(ids[t]))
		}
	}
	return append(starts, all...)
}
