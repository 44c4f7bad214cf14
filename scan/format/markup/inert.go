package markup

import "strings"

// Unlinked returns a text in which no client finds an address to follow:
// "http[:]//198[.]51[.]100[.]7/". All else stays as it is.
func Unlinked(s string) string {
	return eachWord(s, func(word string) bool {
		_, ok := textLink(word)
		return ok
	})
}

// Unclaimed returns a text that names no place and no mail address, so that it may
// be shown for any link. All else stays as it is.
func Unclaimed(s string) string {
	return eachWord(s, func(word string) bool {
		_, how := place(word)
		return how != not || strings.IndexByte(word, '@') >= 0
	})
}

// eachWord writes the words of a text apart that are to be.
func eachWord(s string, apart func(string) bool) string {
	var b strings.Builder
	for s != "" {
		n := strings.IndexFunc(s, betweenWords)
		if n < 0 {
			n = len(s)
		}
		word := s[:n]
		if apart(word) {
			word = writtenApart.Replace(word)
		}
		b.WriteString(word)
		s = s[n:]
		end := strings.IndexFunc(s, func(r rune) bool { return !betweenWords(r) })
		if end < 0 {
			end = len(s)
		}
		b.WriteString(s[:end])
		s = s[end:]
	}
	return b.String()
}

// writtenApart is how people write addresses that are not to be followed.
var writtenApart = strings.NewReplacer("://", "[:]//", ":\\\\", "[:]\\\\", ".", "[.]", "@", "[@]")
