package appeal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// question is what a person answers and a program that only follows links, or fills in any form,
// does not.
type question struct {
	text  string
	right func(answer string) bool
}

// The parts of questions.
const (
	mostNumber = 10 // that is added
	listed     = 4  // words of which one is asked for
)

// question returns the one that follows from a nonce. Without the key no program can tell it but by
// reading it.
func (p *page) question(key []byte, nonce string) question {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("milterscan question\n" + nonce))
	sum := h.Sum(nil)
	dice := rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum), binary.BigEndian.Uint64(sum[8:])))
	if dice.IntN(2) == 0 {
		return p.sum(1+dice.IntN(mostNumber), 1+dice.IntN(mostNumber))
	}
	words := slices.Clone(p.words("words"))
	dice.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
	return p.nth(words[:listed], dice.IntN(listed))
}

// sum asks for the sum of two numbers, which are written as words.
func (p *page) sum(a, b int) question {
	numbers := p.words("numbers") // from one on
	return question{p.texts.Of("question-sum", numbers[a-1], numbers[b-1]), func(answer string) bool {
		answer = plain(answer)
		return answer == strconv.Itoa(a+b) || answer == plain(numbers[a+b-1])
	}}
}

// nth asks for one of some words.
func (p *page) nth(words []string, n int) question {
	return question{p.texts.Of("question-word", p.words("ordinals")[n], strings.Join(words, ", ")), func(answer string) bool {
		return plain(answer) == plain(words[n])
	}}
}

// words returns a list among the texts.
func (p *page) words(key string) []string { return strings.Split(p.texts.Of(key), ", ") }

// plain makes answers alike that a person would call the same: case, accents, and anything but
// letters and digits make no difference.
func plain(s string) string {
	s = s[:min(len(s), mostAnswer)]
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(s))
}

// mostAnswer is how many bytes of an answer are looked at.
const mostAnswer = 100
