package origin

import (
	"net/netip"
	"slices"
	"strings"
)

// hop reads a field's "from" clause (RFC 5321, section 4.4), which ends at "by".
// It believes an address only where an MTA writes the one it saw:
//
//	from HELO (NAME [ADDRESS])                Postfix, Sendmail, OpenSMTPD, Gmail, Haraka
//	from NAME ([ADDRESS]:PORT helo=HELO)      Exim, if it knows the client's name
//	from [ADDRESS]:PORT (helo=HELO ident=X)   Exim, if it does not
//	from NAME (HELO HELO) (IDENT@ADDRESS)     qmail
//	from HELO (ADDRESS)                       Exchange
//	from [ADDRESS] (account X HELO HELO)      CommuniGate
//
// The client chooses HELO, IDENT, X and often NAME, so no address in their places
// counts. Where the field names two addresses in such places, one of them may be
// the client's work, and hop returns none.
func hop(value string) Hop {
	c, ok := split(value)
	if !ok {
		return Hop{}
	}
	return Hop{Helo: strings.Trim(c.head, "[]()"), Addr: c.addr()}
}

// clause is a field's "from" clause in pieces.
type clause struct {
	head     string   // the first word
	words    []string // further words outside comments
	comments []string // without their parentheses
}

// split takes the "from" clause of a field apart, as far as its "by".
func split(value string) (c clause, ok bool) {
	rest, ok := cutPrefixFold(strings.TrimLeft(value, blanks), "from")
	if !ok || rest == "" || !strings.ContainsRune(blanks, rune(rest[0])) {
		return clause{}, false
	}
	for rest = strings.TrimLeft(rest, blanks); rest != ""; rest = strings.TrimLeft(rest, blanks) {
		if rest[0] == '(' && c.head != "" {
			var comment string
			comment, rest = cutComment(rest)
			c.comments = append(c.comments, comment)
			continue
		}
		var word string
		word, rest = cutWord(rest, c.head == "")
		switch {
		case c.head == "":
			c.head = word
		case strings.EqualFold(word, "by"):
			return c, true
		default:
			c.words = append(c.words, word)
		}
	}
	return c, c.head != ""
}

const blanks = " \t\r\n"

// cutWord cuts a word off, which ends at a blank and, but for the first one, at a
// parenthesis.
func cutWord(s string, first bool) (word, rest string) {
	end := blanks
	if !first {
		end += "("
	}
	if n := strings.IndexAny(s[1:], end); n >= 0 {
		return s[:n+1], s[n+1:]
	}
	return s, ""
}

// cutComment cuts a comment off, which may hold comments. One without a closing
// parenthesis goes on to the end.
func cutComment(s string) (comment, rest string) {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return s[1:i], s[i+1:]
			}
		}
	}
	return s[1:], ""
}

// addr returns the address the MTA saw, or the zero address if the clause does
// not say, or names two.
func (c clause) addr() netip.Addr {
	var found []netip.Addr
	keyed := false
	for _, text := range c.comments {
		if a, ok := inComment(text); ok {
			found = append(found, a)
		}
		keyed = keyed || isKeyed(text)
	}
	for _, w := range c.words {
		if a, ok := bracketed(w); ok {
			found = append(found, a)
		}
	}
	// Exim writes the address of a client without a name first, and what the
	// client says of itself after it. Elsewhere a literal there is its HELO.
	if keyed || len(found) == 0 {
		if a, ok := bracketed(c.head); ok {
			found = append(found, a)
		}
	}
	found = slices.Compact(found)
	if len(found) != 1 {
		return netip.Addr{}
	}
	return found[0]
}

// isKeyed reports whether a comment begins as Exim's: "helo=…", "port=…".
func isKeyed(comment string) bool {
	key, _, ok := strings.Cut(comment, "=")
	return ok && slices.Contains([]string{"helo", "ident", "port"}, strings.ToLower(strings.TrimSpace(key)))
}

// toldByClient are the words that begin a comment about what the client said or
// showed.
var toldByClient = []string{"helo", "ehlo", "lhlo", "account", "user", "ident", "auth", "authenticated", "using", "client", "no",
	"port", "for", "envelope-from", "sender", "cn", "tls"}

// inComment returns the address that a comment gives as the client's.
func inComment(comment string) (netip.Addr, bool) {
	words := strings.Fields(comment)
	if len(words) == 0 || isKeyed(comment) {
		return netip.Addr{}, false
	}
	if a, ok := bracketed(words[0]); ok {
		return a, true
	}
	if len(words) == 1 {
		return bare(words[0][strings.LastIndexByte(words[0], '@')+1:])
	}
	if slices.Contains(toldByClient, strings.ToLower(strings.TrimRight(words[0], ":"))) || strings.Contains(words[0], "=") {
		return netip.Addr{}, false
	}
	if !strings.HasPrefix(words[1], "[") {
		return netip.Addr{}, false
	}
	return bracketed(words[1])
}

// bracketed returns the address in the last pair of brackets of a word:
// "[192.0.2.1]", "[192.0.2.1]:25", "[192.0.2.1:25]", "mail.example[IPv6:2001:db8::1]".
// After the brackets a port may follow and punctuation.
func bracketed(w string) (netip.Addr, bool) {
	open := strings.LastIndexByte(w, '[')
	if open < 0 {
		return netip.Addr{}, false
	}
	inner, after, ok := strings.Cut(w[open+1:], "]")
	if !ok || strings.Trim(after, ":,;.0123456789") != "" {
		return netip.Addr{}, false
	}
	return bare(inner)
}

// bare returns an address without brackets, with or without a port.
func bare(s string) (netip.Addr, bool) {
	if rest, ok := cutPrefixFold(s, "IPv6:"); ok {
		s = rest
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		p, portErr := netip.ParseAddrPort(s)
		a, err = p.Addr(), portErr
	}
	return a.WithZone("").Unmap(), err == nil
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
