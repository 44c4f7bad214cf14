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
	found := make([]hits, len(all))
	if err := a.part(words(subjects), func(data []byte) error {
		d, err := openDictionary(data)
		for i := 0; err == nil && i < len(all); i++ {
			if found[i] = d.look(want{field: subjects, literal: all[i]}); found[i].none() {
				clear(a.left)
				return nil
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
	for first := 0; first < a.Rows && len(several) > 0; first += subjectChunk {
		if err := a.inOrder(several, first); err != nil {
			return err
		}
	}
	return nil
}

// hold leaves the records that hold all tokens, in any order. It returns the values of each.
func (a *asked) hold(found []hits) ([]set, error) {
	rows, values := make([]set, len(found)), make([]set, len(found))
	for i := range found {
		rows[i] = newSet(a.Rows)
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

// inOrder leaves, of the records of a chunk, those in whose subjects the tokens of each phrase
// follow each other.
func (a *asked) inOrder(all []looked, first int) error {
	rows := min(subjectChunk, a.Rows-first)
	if !a.left[first/64 : (first+rows+63)/64].any() {
		return nil
	}
	return a.part(sequences(first/subjectChunk), func(data []byte) error {
		if len(data) < 4*rows {
			return ErrDamaged
		}
		for i := range rows {
			if !a.left.has(first + i) {
				continue
			}
			subject, err := subjectAt(data[:4*rows], data[4*rows:], i)
			if err != nil {
				return err
			}
			if slices.ContainsFunc(all, func(l looked) bool { return !has(subject, l) }) {
				a.left.drop(first + i)
			}
		}
		return nil
	})
}

// subjectAt returns one of some subjects that follow each other, from where each begins.
func subjectAt(starts, texts []byte, i int) ([]byte, error) {
	from, to := binary.LittleEndian.Uint32(starts[4*i:]), uint32(len(texts))
	if 4*i+4 < len(starts) {
		to = binary.LittleEndian.Uint32(starts[4*i+4:])
	}
	if from > to || int(to) > len(texts) {
		return nil, ErrDamaged
	}
	return texts[from:to], nil
}

// has reports whether tokens follow each other in a subject, which is their places in the
// dictionary.
func has(subject []byte, tokens []set) bool {
	var met uint // a bit for each token: it was met, after all those before it
	for len(subject) > 0 {
		id, size := uint64(subject[0]), 1
		if id >= 0x80 {
			if id, size = binary.Uvarint(subject); size <= 0 {
				return true // for the filter to see
			}
		}
		subject = subject[size:]
		may := met<<1 | 1
		met = 0
		for i, t := range tokens {
			if may&(1<<i) != 0 && id/64 < uint64(len(t)) && t[id/64]&(1<<(id%64)) != 0 {
				met |= 1 << i
			}
		}
		if met&(1<<(len(tokens)-1)) != 0 {
			return true
		}
	}
	return false
}

// sequences writes the subjects of entries, in an order, as places in the dictionary.
func (b *Builder) sequences(order []int, to map[Part][]byte) {
	ids := ranked(b.terms[subjects])
	w := sequenceWriter{to: to}
	var tokens []byte
	for _, i := range order {
		tokens = tokens[:0]
		for _, t := range b.entries[i].subject {
			tokens = binary.AppendUvarint(tokens, uint64(ids[t]))
		}
		w.add(tokens)
	}
	w.flush()
}
