package markup

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxClaims bounds how many places are looked for in one text.
const maxClaims = 16

// bareLength is how long a text may be, in bytes, for a host in it without "www."
// or a scheme to be a claim: a long text tells of places, it does not name its
// own.
const bareLength = 200

// Claims returns the places that a text shown for a link names, in their order: an
// address with its scheme, a host that begins with "www.", or a host below a
// listed public suffix that reads as one. Mail addresses are no places to go to.
func Claims(text string) []URL {
	text = shownText(text)
	var claims []URL
	for _, word := range strings.FieldsFunc(text, betweenWords) {
		if len(text) > bareLength && !naming(word) {
			continue
		}
		if u, how := place(word); how > bare || how == bare && reads(u.Written) {
			if claims = append(claims, u); len(claims) == maxClaims {
				break
			}
		}
	}
	return claims
}

// Addresses returns the mail addresses that a text names, of domains that can be registered.
func Addresses(text string) []string { return addressesOf(text, Suffixed) }

// AnyAddresses returns the mail addresses that a text names, also those at names that look like domains and that
// cannot be registered: "service@bank.test". People do not know which ones these are. A name of one label, as in
// "a@b", looks like none.
func AnyAddresses(text string) []string { return addressesOf(text, likeDomain) }

// likeDomain reports whether a host has several labels, and at its end one of letters, as domains have.
func likeDomain(host string) bool {
	i := strings.LastIndexByte(host, '.')
	if i <= 0 || !plausible(host) {
		return false
	}
	last := host[i+1:]
	return len(last) > 1 && (strings.HasPrefix(last, "xn--") || strings.Trim(last, "abcdefghijklmnopqrstuvwxyz") == "")
}

// addressesOf returns the mail addresses in a text whose hosts are fit.
func addressesOf(text string, fit func(host string) bool) []string {
	if strings.IndexByte(text, '@') < 0 {
		return nil
	}
	var found []string
	for _, word := range strings.FieldsFunc(shownText(text), betweenWords) {
		word = trimWord(word)
		if at := strings.LastIndexByte(word, '@'); at <= 0 || strings.Contains(word, "://") || !fit(hostOf(word[at+1:])) {
			continue
		}
		if found = append(found, ParseURL("mailto:"+strings.TrimPrefix(word, "mailto:")).Address()); len(found) == maxClaims {
			break
		}
	}
	return found
}

// shownText returns a text without the characters that do not show, and put together
// where its letters are apart: "b a n k . c o m".
func shownText(s string) string {
	if !isASCII(s) {
		s = strings.Map(func(r rune) rune {
			if unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Mn, r) && r >= 0xfe00 {
				return -1
			}
			return r
		}, s)
	}
	words := 0
	for w := range strings.FieldsSeq(s) {
		if utf8.RuneCountInString(w) > 1 {
			return s
		}
		words++
	}
	if words < 5 {
		return s
	}
	return strings.Join(strings.Fields(s), "")
}

// how a word names a place.
type how int

const (
	not   how = iota
	bare      // a host alone
	pathy     // a host and a path
	named     // with its scheme, or beginning with "www."
)

// naming reports whether a word names a place at first sight.
func naming(word string) bool {
	return strings.Contains(word, "://") || strings.Contains(strings.ToLower(word), "www.")
}

// place returns the place a word names.
func place(word string) (URL, how) {
	word = dotted(trimWord(word))
	if strings.IndexByte(word, '.') < 0 && !strings.Contains(word, "://") {
		return URL{}, not
	}
	if scheme, _ := splitScheme(word); special(scheme) && scheme != "" && strings.Contains(word, ":/") {
		if u := ParseURL(word); u.Host != "" {
			return u, named
		}
		return URL{}, not
	}
	if strings.HasPrefix(strings.ToLower(word), "www.") && len(word) > len("www.") {
		return ParseURL("//" + word), named
	}
	return bareHost(word)
}

// bareHost returns a word that begins with a host under a listed public suffix.
func bareHost(word string) (URL, how) {
	host := word
	if end := strings.IndexAny(word, "/?#:"); end >= 0 {
		host = word[:end]
	}
	if strings.IndexByte(host, '@') >= 0 || strings.IndexByte(host, '.') <= 0 || !Suffixed(hostOf(host)) {
		return URL{}, not
	}
	u := ParseURL("//" + word)
	if len(u.Rest) > 0 && u.Rest[0] == '/' {
		return u, pathy
	}
	return u, bare
}

func hostOf(s string) string {
	host, numeric := canonicalHost(s)
	if numeric {
		return ""
	}
	return host
}

// trimWord takes off the punctuation around a word, and the text before a
// scheme. Brackets go with their partners only: a path may hold a pair.
func trimWord(w string) string {
	w = strings.TrimLeft(w[schemeIn(w):], "([{'*_~:,;.-")
	for w != "" {
		r, n := utf8.DecodeLastRuneInString(w)
		switch {
		case strings.ContainsRune(".,:;!?'*~…。、", r):
		case r == ')' && strings.Count(w, ")") > strings.Count(w, "("), r == ']', r == '}':
		default:
			return w
		}
		w = w[:len(w)-n]
	}
	return w
}

// schemeIn returns where the scheme of an address begins that follows other text
// without a blank: "URL:http://…". It returns 0 where there is none.
func schemeIn(w string) int {
	colon := strings.Index(w, "://")
	if colon < 0 || strings.ContainsAny(w[:colon], "/?") {
		return 0
	}
	i := colon
	for i > 0 && (w[i-1]|0x20 >= 'a' && w[i-1]|0x20 <= 'z') {
		i--
	}
	return i
}

// betweenWords reports whether no address holds a character.
func betweenWords(r rune) bool {
	if r < utf8.RuneSelf {
		return r == ' ' || r >= '\t' && r <= '\r' || r == '<' || r == '>' || r == '"' || r == '|' || r == ',' || r == ';'
	}
	return unicode.IsSpace(r) || strings.ContainsRune("„“”‚‘’«»‹›→·•", r)
}
