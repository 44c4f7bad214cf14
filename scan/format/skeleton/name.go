package skeleton

import (
	"slices"
	"strings"
	"unicode"

	"github.com/milterscan/milterscan/scan/format/charset"
)

const (
	// longestName bounds how much of a name is read.
	longestName = 256
	// fewestWords is how many words of two letters make a name that few persons share.
	fewestWords = 2
	// fewestSigns is how many signs of a script without blanks make one.
	fewestSigns = 3
)

// Names returns the forms by which a person's name is found, however it is written: the
// words in any order, in any case, with titles and initials or without, with letters that
// look alike, "ä" as "a" or "ae". It returns none for a name that many share or that is none:
// one word, or single letters.
func Names(name string) (forms []string) {
	if len(name) > longestName {
		return nil
	}
	texts := []string{name}
	add := func(text string) {
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	add(umlauts.Replace(name))
	for _, text := range texts { // a capital I looks like a small l, which no comparison without case shows
		add(strings.ReplaceAll(text, "I", "l"))
	}
	for _, text := range texts {
		if form := formOf(charset.Fold(text)); form != "" && !slices.Contains(forms, form) {
			forms = append(forms, form)
		}
	}
	return forms
}

// umlauts are letters that are written as two where a keyboard has none of them.
var umlauts = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "Ä", "Ae", "Ö", "Oe", "Ü", "Ue",
	"å", "aa", "Å", "Aa", "ø", "oe", "Ø", "Oe",
	"a\u0308", "ae", "o\u0308", "oe", "u\u0308", "ue", "A\u0308", "Ae", "O\u0308", "Oe", "U\u0308", "Ue")

// formOf returns the words of a folded name, as they look, in the order of the alphabet; "" if
// they say too little.
func formOf(folded string) string {
	all := strings.FieldsFunc(unquote.Replace(folded), betweenWords)
	words := all[:0]
	for _, w := range all {
		if len([]rune(w)) > 1 && !titles[w] {
			words = append(words, Of(w))
		}
	}
	if len(words) < fewestWords && !(len(words) == 1 && ideographs(words[0]) >= fewestSigns) {
		return ""
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

// unquote takes the signs away that are within a word: "O'Brien", "D’Arcy".
var unquote = strings.NewReplacer("'", "", "’", "", "`", "", "´", "")

// blanks are letters to Unicode, and show nothing.
const blanks = "\u115f\u1160\u2800\u3164\uffa0"

func betweenWords(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) || strings.ContainsRune(blanks, r)
}

// ideographs counts the signs of scripts whose names are written without blanks.
func ideographs(word string) (n int) {
	for _, r := range word {
		if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) {
			n++
		}
	}
	return n
}

// titles are words that people put before and after their names.
var titles = titleSet("dr prof professor mr mrs ms miss mx sir dame herr frau hr fr monsieur madame mme mlle senor senora " +
	"sr sra srta sig dott ing dipl mag lic phd msc bsc mba ma ba md esq jr junior senior " +
	"ceo cfo coo cto cio ciso cmo " +
	"president director manager chairman geschaeftsfuehrer geschaftsfuhrer vorstand directeur gerente")

func titleSet(list string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		set[w] = true
	}
	return set
}
