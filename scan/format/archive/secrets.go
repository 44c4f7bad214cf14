package archive

import "slices"

// secret is a password that may be right.
type secret struct {
	text    string
	word    bool // of a message: the administrator did not give it as one
	earlier bool // of one that came before
}

// code returns the code of what was opened with the password.
func (s secret) code() string {
	switch {
	case s.earlier:
		return openedByEarlier
	case s.word:
		return openedByWord
	}
	return openedByPassword
}

// secrets returns the passwords to try on one member: those that are configured, then the
// words of the message, then those of messages before it.
func (b *Budget) secrets() []secret {
	var list []secret
	add := func(s secret) {
		if !slices.ContainsFunc(list, func(known secret) bool { return known.text == s.text }) {
			list = append(list, s)
		}
	}
	for _, p := range b.Passwords[:min(len(b.Passwords), passwordTries)] {
		add(secret{text: p})
	}
	for _, w := range few(b.Words) {
		add(secret{text: w, word: true})
	}
	for _, w := range few(b.Earlier) {
		add(secret{text: w, word: true, earlier: true})
	}
	return list
}

// few returns the first of words that may be passwords.
func few(all func() []string) []string {
	if all == nil {
		return nil
	}
	words := all()
	return words[:min(len(words), passwordTries)]
}

// tries reports whether a password may be tried, which takes steps of a price. What it
// takes to try words is charged, and never comes to so much that the message could not be
// opened for it.
func (b *Budget) tries(s secret, steps int64, each Price) bool {
	if !s.word {
		return true
	}
	if b.work.limit > 0 && b.work.done.Load()+steps*int64(each) > b.work.limit/2 {
		return false
	}
	b.Work(steps, each)
	return true
}

// untried is said of what stays closed though there are words that were not tried.
const untried = "; to try all words of the message takes too much"

// What it takes to try a password, beyond what the document itself says.
const (
	priceWinZip  Price = 1_000_000_000  // AES in zip: 1,000 rounds of HMAC-SHA1, four times
	pricePKZip   Price = 2_000_000      // the first bytes
	priceSpin    Price = 500_000        // a round of Office
	pricePDF     Price = 60_000_000     // MD5 and RC4
	pricePDFHard Price = 3_000_000_000  // AES and SHA-2, 64 times and more
	priceRAR3    Price = 90_000_000_000 // 262,144 rounds of SHA-1
	priceRAR5    Price = 350_000        // a round of HMAC-SHA256
)

// strayWords is on how many members of one zip words are tried in vain: members of one
// archive have one password.
const strayWords = 3
