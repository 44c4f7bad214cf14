package bombs

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestShapesAreMadeAgain makes mails of every container: the same numbers make the
// same mail, and none is too large to be sent.
func TestShapesAreMadeAgain(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, container := range Containers() {
		s := Shape{Container: container, Members: 100, Name: 10, Letter: "%", Size: 1000, Content: "x", Copies: 1, Suffix: ".exe"}
		for range 4 {
			mail := s.Mail()
			if !bytes.Equal(mail, s.Mail()) {
				t.Errorf("%v makes two mails", s)
			}
			if len(mail) < 200 || len(mail) > 28<<20 {
				t.Errorf("%v makes a mail of %d bytes", s, len(mail))
			}
			s = s.Mutated(r)
		}
	}
}
