package pdf

import (
	"bytes"
	"cmp"
	"context"
	"errors"

	"github.com/milterscan/milterscan/scan/scratch"
)

// Content is the bytes of a document, or of a stream in it.
type Content = scratch.Content

// Reader reads the objects of one document (ISO 32000-1). Cross-reference tables,
// which say where objects are, can lie, and viewers repair them in ways of their
// own; so all that looks like an object is one, wherever it is: in comments,
// strings and streams, too. It is not for several goroutines at once.
type Reader struct {
	parser
	room int64 // bytes that may still be parsed; objects of hostile files overlap
}

// Object is an object of a document.
type Object struct {
	Number, Generation int64 // -1 and 0 where no number is before it
	At                 int64 // where its value begins, to be read again by Reader.At
	Trailer            bool  // it is the dictionary of a trailer (section 7.5.5)
	Again              bool  // another reading of the object before, in which readers differ
	Value              any
	Data               int64 // where the data of its stream begins; 0 if it has none
}

// NewReader returns a reader of c that parses no more than room bytes.
func NewReader(ctx context.Context, c Content, room int64) *Reader {
	return &Reader{parser: parser{lexer: lexer{source: source{ctx: ctx, c: c}}}, room: room}
}

// Trouble says why not all of the objects were followed, "" if they were.
func (r *Reader) Trouble() string {
	switch {
	case r.over:
		return "its objects overlap too often"
	case r.deep:
		return "its objects stand too deep inside each other"
	case r.crowded:
		return "an object holds more values than are kept"
	}
	return ""
}

// Room returns how many bytes may still be parsed.
func (r *Reader) Room() int64 { return max(0, r.room) }

// errOver ends a reading whose room is used up.
var errOver = errors.New("no room")

// Each calls look with all objects in the order of the file, until it returns an
// error, which may ask for objects elsewhere in the meantime. All of the file is
// read, once (eachMark).
func (r *Reader) Each(look func(Object) error) error {
	err := eachMark(r.c, func(b []byte, off int64, at int) error {
		mark := markAt(b[at:])
		o := Object{Number: -1, Trailer: mark == trailerMark, At: off + int64(at+len(mark))}
		if !o.Trailer {
			o.Number, o.Generation = numbers(b[:at])
		}
		return r.readings(o, b[at+len(mark):], look)
	}, r.ctx.Err)
	if err == errOver {
		return nil
	}
	return err
}

// At reads an object that was found before.
func (r *Reader) At(o Object) (Object, error) {
	return r.read(o, nil), r.err
}

// readings reads the object at o.At, of which b holds the first bytes, in all ways.
func (r *Reader) readings(o Object, b []byte, look func(Object) error) error {
	o.Again, r.unclear = false, false
	if err := r.handOver(r.read(o, b), look); err != nil || !r.unclear {
		return err
	}
	o.Again = true
	return r.handOver(r.read(o, b), look)
}

func (r *Reader) handOver(o Object, look func(Object) error) error {
	if r.err = cmp.Or(r.err, r.ctx.Err()); r.err != nil {
		return r.err
	}
	unclear, over := r.unclear, r.over
	err := look(o)
	if r.unclear = unclear; err == nil && over {
		return errOver
	}
	return err
}

// read reads one object.
func (r *Reader) read(o Object, b []byte) Object {
	if o.Value, o.Data = nil, 0; r.room <= 0 {
		r.over = true
		return o
	}
	r.jump(o.At, b)
	r.end = o.At + r.room
	r.values, r.loose = 0, o.Again
	o.Value = r.value(r.token(), 0)
	if _, isDict := o.Value.(Dict); isDict {
		o.Data = r.data()
	}
	r.room -= r.pos - o.At
	return o
}

// data returns where the data of a stream begins, if its mark follows (section 7.3.8),
// otherwise 0.
func (r *Reader) data() int64 {
	const mark = "stream"
	if b, ok := r.skipBlanks(); !ok || b != mark[0] {
		return 0
	}
	for _, b := range []byte(mark) {
		if !r.follows(b) {
			return 0
		}
	}
	r.follows('\r')
	r.follows('\n')
	return r.pos
}

// Packed calls look with the objects in an object stream (section 7.5.7), of which
// data is what it unpacks to and first what its dictionary has for First. Some
// readers find its objects by the places that it says, others one after the
// other: if that makes a difference, both are done. The bytes parsed count like those
// of the document.
func (r *Reader) Packed(data []byte, first int64, look func(Object) error) error {
	if first < 0 || first > int64(len(data)) {
		first = 0
	}
	p := NewReader(r.ctx, bytes.NewReader(data), r.room)
	err := p.placed(data, first, look)
	if err == errNotInOrder {
		err = p.inOrder(data, first, look)
	}
	r.room = p.room
	r.over, r.deep, r.crowded = r.over || p.over, r.deep || p.deep, r.crowded || p.crowded
	if err == errOver {
		return nil
	}
	return err
}

// errNotInOrder says that objects are not one after the other, each with its
// place.
var errNotInOrder = errors.New("not in order")

// placed reads the objects where the pairs before first say they are.
func (r *Reader) placed(data []byte, first int64, look func(Object) error) error {
	inOrder, end := true, first
	pairs := newPairs(r.ctx, data[:first])
	for number, at, ok := pairs.next(); ok; number, at, ok = pairs.next() {
		if at < 0 || at > int64(len(data))-first {
			return errNotInOrder
		}
		inOrder = inOrder && onlyBlanks(data, end, first+at)
		if err := r.readings(Object{Number: number, At: first + at}, data[first+at:], look); err != nil {
			return err
		}
		end = r.pos
	}
	if !inOrder || !onlyBlanks(data, end, int64(len(data))) {
		return errNotInOrder
	}
	return nil
}

// onlyBlanks reports whether nothing but blanks is from one place to another.
func onlyBlanks(data []byte, from, to int64) bool {
	return from <= to && len(bytes.TrimFunc(data[from:to], func(c rune) bool { return c < 0x80 && classes[byte(c)] == blank })) == 0
}

// inOrder reads the objects one after the other.
func (r *Reader) inOrder(data []byte, first int64, look func(Object) error) error {
	pairs := newPairs(r.ctx, data[:first])
	for at := first; at < int64(len(data)); {
		number, _, ok := pairs.next()
		if !ok {
			number = -1
		}
		if err := r.readings(Object{Number: number, At: at}, data[at:], look); err != nil {
			return err
		}
		at = max(r.pos, at+1)
	}
	return nil
}

// pairs reads the numbers of objects and their places, which are at the begin of
// an object stream.
type pairs struct{ lexer }

func newPairs(ctx context.Context, data []byte) *pairs {
	p := &pairs{lexer{source: source{ctx: ctx, c: bytes.NewReader(data), end: int64(len(data)) + 1}}}
	p.jump(0, data)
	return p
}

func (p *pairs) next() (number, at int64, ok bool) {
	if p.token() != numberToken {
		return 0, 0, false
	}
	number = integer(p.text)
	if p.token() != numberToken {
		return 0, 0, false
	}
	return number, integer(p.text), true
}
