package digest

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/milterscan/milterscan/policy/tell/submission"
)

// Bounds of texts that come from mail, in bytes.
const (
	mostOfSubject = 150
	mostOfAddress = 120
	longestRead   = 4000
)

// What clients make a link of in a text: a scheme, a domain, a name for a service. What follows a
// scheme needs no slashes ("tel:").
var (
	schemes = regexp.MustCompile(`([\pL\pN+.-]*\pL):(\S)`)
	dots    = regexp.MustCompile(`([\pL\pN_%+-])([.。．｡])([\pL][\pL\pN-]*)`)
)

// harmless returns a text from a mail as one line of at most so many bytes, of which no client makes a
// link: "https[:]//example[.]com". It has nothing that turns the direction of writing, and no heaps of
// marks on one letter.
func harmless(s string, most int) string {
	s = submission.OneLine(thin(clip(s, longestRead)), longestRead)
	s = strings.Join(strings.Fields(s), " ")
	s = clip(s, most*2)
	s = schemes.ReplaceAllString(s, "$1[:]$2")
	s = schemes.ReplaceAllString(s, "$1[:]$2") // "a:b:c"
	for range 2 {                              // matches touch each other: "a.b.c"
		s = dots.ReplaceAllString(s, "$1[$2]$3")
	}
	return submission.OneLine(s, most)
}

// address returns an address as one line. A client may make it one to write to, and nothing
// else.
func address(s string) string {
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || strings.ContainsAny(s, ":/\\<> ") {
		return harmless(s, mostOfAddress)
	}
	return submission.OneLine(thin(clip(s, longestRead)), mostOfAddress)
}

// mostMarks is how many marks one letter may have.
const mostMarks = 3

// thin leaves out marks that pile up on one letter, and whatever is no text.
func thin(s string) string {
	marks := 0
	return strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return '?'
		case !unicode.Is(unicode.Mn, r) && !unicode.Is(unicode.Me, r):
			marks = 0
		default:
			if marks++; marks > mostMarks {
				return -1
			}
		}
		return r
	}, s)
}

// clip returns at most so many bytes of a text, whole characters.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}
