package bounce

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/scratch"
)

// Limits of the search. Bounces quote the header of the mail, and their own text
// comes before that.
const (
	maxMarks   = 20      // of one message
	maxMessage = 1 << 20 // bytes of the message as it came
	maxPart    = 256 << 10
	maxParts   = 20
)

// marksIn returns all texts that could be marks: in the header of a quoted message,
// or in the text, where servers quote it in their own words. It searches the message
// as it came, and its parts of text with their encoding undone.
func marksIn(ctx context.Context, m *scan.Message) ([]string, error) {
	s := search{ctx: ctx}
	err := s.in(m.Raw, maxMessage)
	parts := 0
	for _, p := range m.Parts {
		if err != nil || parts == maxParts {
			break
		}
		if p.Content != nil && p.Entity != nil && p.Entity.Encoding != entity.Identity && isText(p.Type) {
			parts++
			err = s.in(p.Content, maxPart)
		}
	}
	if errors.Is(err, errEnough) {
		err = nil
	}
	return s.marks, err
}

func isText(mediaType string) bool {
	return strings.HasPrefix(mediaType, "text/") || strings.HasPrefix(mediaType, "message/")
}

// search collects marks.
type search struct {
	ctx   context.Context
	marks []string
}

// errEnough ends a search.
var errEnough = errors.New("enough is searched")

// overlap is more than the name of the field, a fold and a mark.
const overlap = 256

// in searches the first bytes of a content.
func (s *search) in(c scan.Content, limit int64) error {
	err := scratch.Windows(c, 0, overlap, func(b []byte, off int64) error {
		if off > limit {
			return errPart
		}
		s.collect(b)
		if len(s.marks) >= maxMarks {
			return errEnough
		}
		return s.ctx.Err()
	})
	if errors.Is(err, errPart) {
		return nil
	}
	return err
}

// errPart ends the search of one content.
var errPart = errors.New("enough of this content is searched")

var name = []byte(Field + ":")

// collect takes each mark in a piece of text once.
func (s *search) collect(b []byte) {
	for len(s.marks) < maxMarks {
		at := bytes.Index(b, name)
		if at < 0 {
			return
		}
		b = b[at+len(name):]
		text := trim(string(b[:min(len(b), overlap-len(name))]))
		if text != "" && !slices.Contains(s.marks, text) {
			s.marks = append(s.marks, text)
		}
	}
}

// token is the word after the name of a field, in which a fold may come first,
// and with it the sign of a quoted line.
var token = regexp.MustCompile(`^[ \t]*(?:\r?\n[ \t>]+)?([0-9A-Za-z._-]{1,64})`)

func trim(value string) string {
	if words := token.FindStringSubmatch(value); words != nil {
		return words[1]
	}
	return ""
}

// isAnswer reports whether mail from the null sender says that it answers one
// (RFC 3834, section 5.1) or that one was read (RFC 8098), and quotes none as
// bounces do.
func isAnswer(m *scan.Message) bool {
	receipt, quotes := false, false
	for _, p := range m.Parts {
		switch p.Type {
		case "message/disposition-notification":
			receipt = true
		case "message/delivery-status", "message/global-delivery-status", "message/rfc822", "message/global", "text/rfc822-headers",
			"message/global-headers":
			quotes = true
		}
	}
	quotes = quotes || slices.ContainsFunc(m.Root.Children, func(e *entity.Entity) bool {
		return e.Type == "message/rfc822" ||
			e.Type == "message/global"
	})
	automatic := slices.ContainsFunc(m.Header.Values("Auto-Submitted"), func(v string) bool {
		return strings.HasPrefix(strings.ToLower(strings.TrimSpace(v)), "auto-replied")
	})
	return receipt || automatic && !quotes
}
