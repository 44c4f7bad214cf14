package markup

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// reads reports whether a bare host, as it is written in a text, reads as one: as
// abbreviations, file names, times of day and the seam of two sentences do not,
// whatever suffixes are for sale.
func reads(written string) bool {
	labels := strings.Split(dotted(strings.TrimRight(written, ".")), ".")
	if len(labels) < 2 {
		return true
	}
	before, suffix := labels[len(labels)-2], labels[len(labels)-1]
	switch {
	case beginsSentence(suffix):
		return false
	case fileExtensions[strings.ToLower(suffix)]:
		return false
	case utf8.RuneCountInString(suffix) != 2:
		return true
	case utf8.RuneCountInString(before) == 1: // B.Sc.
		return false
	case len(labels) == 2 && abbreviations[strings.ToLower(before)]:
		return false
	}
	return !isTime(labels)
}

// beginsSentence reports whether a suffix is written as the first word of a
// sentence: "Order now.It is", but not "PayPal.Com".
func beginsSentence(suffix string) bool {
	first, n := utf8.DecodeRuneInString(suffix)
	if !unicode.IsUpper(first) || n == len(suffix) || strings.ContainsFunc(suffix[n:], func(r rune) bool { return !unicode.IsLower(r) }) {
		return false
	}
	switch suffix {
	case "Com", "Org", "Edu", "Gov":
		return false
	}
	return true
}

// isTime reports whether all labels before a suffix of two letters are numbers, as
// in "5.30.pm". Hosts of numbers are common in China.
func isTime(labels []string) bool {
	for _, l := range labels[:len(labels)-1] {
		if strings.Trim(l, "0123456789") != "" {
			return false
		}
	}
	return !strings.EqualFold(labels[len(labels)-1], "cn")
}

// fileExtensions are public suffixes that are known better as extensions of files.
var fileExtensions = setOf("ac ai am app bz cab cat cc data docs dot gd java la md mk ml mm mo mobi mov nc one pl pm ps " +
	"pub py rs run sas sh so srt sv tab tf zip")

// abbreviations are words that a dot belongs to: "approx.ca."
var abbreviations = setOf("approx bzw ca cf co corp dept dr ed esp est etc ext fig fr hr inc incl jr ltd max min mr mrs " +
	"ms mt no nos nr op pp prof ref resp sr st str tel usw vgl vol vs")

func setOf(words string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		set[w] = true
	}
	return set
}

// dots are the characters that browsers take for a dot in a host (UTS 46, section
// 4): the full-width one and two ideographic full stops.
const dots = "\uff0e\u3002\uff61"

// dotted returns a word with the dots of a host in it as such. Where no letter of a
// host is on both sides, they are punctuation.
func dotted(word string) string {
	if !strings.ContainsAny(word, dots) {
		return word
	}
	letters := []rune(word)
	for i, r := range letters {
		if i > 0 && i+1 < len(letters) && strings.ContainsRune(dots, r) && hostLike(letters[i-1]) && hostLike(letters[i+1]) {
			letters[i] = '.'
		}
	}
	return string(letters)
}

// hostLike reports whether a letter is of those that hosts are written in where
// these dots are none of the language: ASCII, also in full width.
func hostLike(r rune) bool {
	if r >= 0xff01 && r <= 0xff5e {
		r -= 0xff01 - '!'
	}
	return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-')
}
