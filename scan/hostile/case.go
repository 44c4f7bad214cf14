// Package hostile makes mail that different programs read in different ways,
// with a harmless payload in it: the stock of `milterscan selftest` and of the
// tests. Every case is a mail in which at least one plausible client shows the
// payload; the case says which, and carries that client's reading as code, so
// that a test can prove it.
//
// The package is independent of the rest of milterscan on purpose. It shares no
// parser and no decoder with what it puts to the test.
package hostile

import (
	"bytes"
	"io"
	"iter"
)

// Case is one hostile mail.
type Case struct {
	Family           string // "H1"
	Name             string // unique: "H1/base64/part/second-of-two"
	Why              string // which client shows the payload, and how it reads
	Message          []byte // the mail, lines as they are; nil for a Huge one
	Huge             bool   // megabytes to gigabytes: use Write
	Payload          Payload
	Client           Reading // the reading of Why by hand; nil where no single mail shows the payload
	WantDeviation    bool    // the mail departs from the standards, so a scanner must say so
	MayBeUnscannable bool    // saying "not examined" or "forbidden kind of mail" is an answer as good as finding the payload

	stream func(io.Writer) error
}

// Write writes the mail to w. It needs little memory, also for a Huge one.
func (c Case) Write(w io.Writer) error {
	if c.stream != nil {
		return c.stream(w)
	}
	_, err := io.Copy(w, bytes.NewReader(c.Message))
	return err
}

// Payload is what must be found. Exactly one field is set.
type Payload struct {
	Content []byte // bytes of a part, its transfer encoding undone
	Text    string // words of a text part, its charset undone as well
	Name    string // file name of a part, as a client shows it
}

// Bytes returns the payload as Case.Client returns it.
func (p Payload) Bytes() []byte {
	switch {
	case p.Text != "":
		return []byte(p.Text)
	case p.Name != "":
		return []byte(p.Name)
	}
	return p.Content
}

// Family is a kind of trick, of which the cases are variants.
type Family struct {
	ID    string // as Case.Family
	About string // one phrase
	cases func() []Case
}

// Cases makes the family's cases, in a fixed order.
func (f Family) Cases() iter.Seq[Case] {
	return func(yield func(Case) bool) {
		for _, c := range f.cases() {
			c.Family, c.Name = f.ID, f.ID+"/"+c.Name
			if !yield(c) {
				return
			}
		}
	}
}

// Cases makes every case of every family, in a fixed order. The Huge ones are
// among them.
func Cases() iter.Seq[Case] {
	return func(yield func(Case) bool) {
		for _, f := range Families() {
			for c := range f.Cases() {
				if !yield(c) {
					return
				}
			}
		}
	}
}
