package policy

import (
	"net/netip"
	"strconv"
	"strings"
)

// key is one thing that a condition of rules names, and that a mail can be looked up by.
type key struct {
	in      keyKind
	text    string
	network netip.Prefix
}

// keyKind says what a key is about.
type keyKind int8

const (
	ofRecipient keyKind = iota
	ofEnvelopeSender
	ofHeaderSender
	ofNetwork
	ofLogin
	ofCountry
	ofASN
	ofKind
	ofName
	namePrefix // the beginning of a name with "*" or "?" in it
)

// field is a condition that rules can be looked up by. A rule holds for no mail that has none of its keys,
// once that is known, and before that it may hold, but does not do so for certain.
type field struct {
	// named returns the keys of a rule; false if it has none that decide, or too many.
	named func(*rule) ([]key, bool)
	known func(*facts, recipient) bool
	has   func(f *facts, to recipient, l sizes, look func(key)) // the keys of a mail
	clear func(*Scope)                                          // empties the condition; nil where it is always known
	// personal fields depend on the recipient.
	personal bool
}

// scopeFields are those about the mail, and allFields those about what was found in it as well. Of fields
// that are as good the first counts.
var (
	scopeFields = []*field{toField, fromField, clientField, headerFromField, loginField, countryField, asnField}
	allFields   = append(scopeFields[:len(scopeFields):len(scopeFields)], whenField)
)

var toField = &field{
	named:    func(r *rule) ([]key, bool) { return r.to.keys(ofRecipient) },
	known:    func(_ *facts, to recipient) bool { return to.known },
	has:      func(_ *facts, to recipient, _ sizes, look func(key)) { to.address.each(ofRecipient, look) },
	clear:    func(s *Scope) { s.To = nil },
	personal: true,
}

var fromField = &field{
	named: func(r *rule) ([]key, bool) {
		if len(r.lists.From) > 0 {
			return nil, false
		}
		return r.from.keys(ofEnvelopeSender)
	},
	known: senderKnown,
	has:   func(f *facts, _ recipient, _ sizes, look func(key)) { f.sender.each(ofEnvelopeSender, look) },
	clear: func(s *Scope) { s.From = nil },
}

var headerFromField = &field{
	named: func(r *rule) ([]key, bool) {
		if len(r.lists.HeaderFrom) > 0 {
			return nil, false
		}
		return r.headerFrom.keys(ofHeaderSender)
	},
	known: func(f *facts, _ recipient) bool { return f.complete() },
	has: func(f *facts, _ recipient, _ sizes, look func(key)) {
		for _, a := range f.headerFrom() {
			a.each(ofHeaderSender, look)
		}
	},
	clear: func(s *Scope) { s.HeaderFrom = nil },
}

var clientField = &field{
	named: func(r *rule) (keys []key, ok bool) {
		for _, n := range few(r.Scope.Client) {
			keys = append(keys, key{in: ofNetwork, network: n.Masked()})
		}
		return keys, len(keys) > 0 && len(r.lists.Client) == 0
	},
	known: always,
	has: func(f *facts, _ recipient, l sizes, look func(key)) {
		a := f.in.Envelope.Client.Addr().Unmap()
		for _, bits := range l.networks {
			if p, err := a.Prefix(bits); err == nil {
				look(key{in: ofNetwork, network: p})
			}
		}
	},
}

var loginField = &field{
	named: func(r *rule) (keys []key, ok bool) {
		for _, l := range few(r.Scope.Auth) {
			if l == NoLogin {
				l = ""
			} else if l != anyLogin && strings.ContainsAny(string(l), "*?") {
				return nil, false
			}
			keys = append(keys, key{in: ofLogin, text: strings.ToLower(string(l))})
		}
		return keys, len(keys) > 0
	},
	known: senderKnown,
	has: func(f *facts, _ recipient, _ sizes, look func(key)) {
		user := strings.ToLower(f.in.Envelope.AuthUser)
		look(key{in: ofLogin, text: user})
		if user != "" {
			look(key{in: ofLogin, text: anyLogin})
		}
	},
	clear: func(s *Scope) { s.Auth = nil },
}

// anyLogin matches every client that has logged in.
const anyLogin = "*"

var countryField = &field{
	named: func(r *rule) (keys []key, ok bool) {
		for _, c := range few(r.Scope.Country) {
			keys = append(keys, key{in: ofCountry, text: string(c)})
		}
		return keys, len(keys) > 0
	},
	known: func(f *facts, _ recipient) bool { return f.knowsPlace() },
	has: func(f *facts, _ recipient, _ sizes, look func(key)) {
		look(key{in: ofCountry, text: f.in.Envelope.Place.Country})
	},
	clear: func(s *Scope) { s.Country = nil },
}

var asnField = &field{
	named: func(r *rule) (keys []key, ok bool) {
		for _, n := range few(r.Scope.ASN) {
			keys = append(keys, asnKey(n))
		}
		return keys, len(keys) > 0
	},
	known: func(f *facts, _ recipient) bool { return f.knowsPlace() },
	has:   func(f *facts, _ recipient, _ sizes, look func(key)) { look(asnKey(f.in.Envelope.Place.ASN)) },
	clear: func(s *Scope) { s.ASN = nil },
}

func asnKey(n uint32) key { return key{in: ofASN, text: strconv.FormatUint(uint64(n), 10)} }

// whenField looks at what was found by now: rules are about that alone, and not about what may be found yet.
var whenField = &field{
	named: func(r *rule) (keys []key, ok bool) {
		for _, c := range few(r.Grounds.When) {
			k, ok := c.key()
			if !ok {
				return nil, false
			}
			keys = append(keys, k)
		}
		return keys, len(keys) > 0 && !r.own // or it would not be told whose limit was looked at
	},
	known: always,
	has: func(f *facts, _ recipient, l sizes, look func(key)) {
		for _, found := range f.kinds {
			look(key{in: ofKind, text: found.Kind.String()})
			look(key{in: ofName, text: found.Rule})
			for _, n := range l.names {
				if n <= len(found.Rule) {
					look(key{in: namePrefix, text: found.Rule[:n]})
				}
			}
		}
	},
}

// key returns what the condition names of a finding; false if it is not about one, or about any.
func (c Condition) key() (key, bool) {
	switch {
	case c.AboutScore():
		return key{}, false
	case c.pattern == "":
		return key{in: ofKind, text: c.kind.String()}, true
	}
	wild := strings.IndexAny(c.pattern, "*?")
	if wild < 0 {
		return key{in: ofName, text: c.pattern}, true
	}
	return key{in: namePrefix, text: c.pattern[:wild]}, wild > 0
}

// keys returns what a list of patterns can be looked up by; false if it holds any
// pattern that cannot be, is empty or long.
func (l addresses) keys(in keyKind) (keys []key, ok bool) {
	if l.all || len(l.groups) > 0 || len(l.exact)+len(l.domains)+len(l.globs) > mostNamed {
		return nil, false
	}
	add := func(text string) { keys = append(keys, key{in: in, text: text}) }
	if l.null {
		add("@")
	}
	for a := range l.exact {
		add(a.local + "@" + a.domain)
	}
	for d := range l.domains {
		add(d)
	}
	for _, p := range l.globs {
		switch {
		case p.domain != "*":
			add(p.domain)
		case strings.ContainsAny(p.local, "*?"):
			return nil, false
		default:
			add(p.local + "@*")
		}
	}
	return keys, len(keys) > 0
}

// each calls look for all that patterns which match the address are looked up by.
func (a address) each(in keyKind, look func(key)) {
	look(key{in: in, text: a.local + "@" + a.domain})
	look(key{in: in, text: a.local + "@*"})
	if a.domain == "" {
		return
	}
	look(key{in: in, text: a.domain})
	for i := range len(a.domain) {
		if a.domain[i] == '.' {
			look(key{in: in, text: a.domain[i:]})
		}
	}
}

// few returns the list unless it is long.
func few[T any](list []T) []T {
	if len(list) > mostNamed {
		return nil
	}
	return list
}

func always(*facts, recipient) bool { return true }

func senderKnown(f *facts, _ recipient) bool { return f.knowsSender() }
