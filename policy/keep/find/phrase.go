package find

import (
	"encoding/binary"
	"slices"
)

// phrase is tokens that follow each other in a subject, as literals of the dictionary.
type phrase []string

// looked is what a dictionary says of a phrase: for each of its tokens, the values that it
// may be.
type looked []set

// follow leaves the records with all phrases in the subject.
func (a *asked) follow(phrases []phrase) error {
	all := slices.Concat(phrases...)
	found := make([][]uint32, len(all))
	if err := a.part(words(subjects), func(text []byte) (err error) {
		for i := 0; err == nil && i < len(all); i++ {
			if found[i], err = hits(text, want{subjects, all[i], nil}); len(found[i]) == 0 {
				clear(a.left)
				return err
			}
		}
		return err
	}); err != nil || a.left.few() {
		return err
	}
	values, err := a.hold(found)
	if err != nil || a.left.few() {
		return err
	}
	var several []looked
	for _, p := range phrases {
		if len(p) > 1 {
			several = append(several, values[:len(p)])
		}
		values = values[len(p):]
	}
	if len(several) == 0 {
		return nil
	}
	return a.inOrder(several)
}

// hold leaves the records that hold all tokens, in any order. It returns the values of each.
func (a *asked) hold(found [][]uint32) ([]set, error) {
	rows, values := make([]set, len(found)), make([]set, len(found))
	for i := range found {
		rows[i], values[i] = newSet(a.Rows), nil
	}
	err := a.posted(subjects, found, func(n, id int, list []byte) error {
		values[n] = values[n].with(id)
		return rows[n].add(list, a.Rows)
	})
	for _, r := range rows {
		a.left.and(r)
	}
	return values, err
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
			if slices.ContainsFunc(all, func(l looked) bool { return !has(texts[from:to], l) }) {
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
