package auth

import (
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/dkim"
)

// longestResults keeps the field on one line of at most 998 bytes (RFC 5322,
// section 2.1.1), its name included.
const longestResults = 900

// results writes the value of Authentication-Results (RFC 8601, section 2.2).
// Text from the message is quoted, so that it can end nothing.
type results struct {
	strings.Builder
	said bool
}

func newResults(id string) *results {
	r := new(results)
	r.WriteString(id)
	return r
}

// add adds a method's result, unless there is no room left. The properties are
// pairs of name and value; empty ones are left out.
func (r *results) add(method, result string, properties ...string) {
	text := "; " + method + "=" + result
	for i := 0; i < len(properties); i += 2 {
		if properties[i+1] != "" {
			text += " " + properties[i] + "=" + quoted(properties[i+1])
		}
	}
	if r.Len()+len(text) > longestResults {
		return
	}
	r.said = true
	r.WriteString(text)
}

// value returns the whole value.
func (r *results) value() string {
	if !r.said {
		return r.String() + "; none"
	}
	return r.String()
}

// longestValue bounds what one property quotes.
const longestValue = 200

// quoted returns a value in the form the field allows: unchanged if it is a token or
// an address of tokens, else as a quoted string (RFC 5322, section 3.2.4). Characters
// other than printable ASCII become "?".
func quoted(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s[:min(len(s), longestValue)])
	user, domain, _ := strings.Cut(s, "@")
	if isToken(s) || (user == "" || isToken(user)) && isToken(domain) {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func (r *results) spf(s spfResult, e scan.Envelope) {
	if s.helo {
		r.add("spf", s.result, "smtp.helo", e.Helo)
		return
	}
	r.add("spf", s.result, "smtp.mailfrom", e.Sender)
}

func (r *results) dkim(list []dkim.Signature) {
	if len(list) == 0 {
		r.add("dkim", "none")
	}
	for _, s := range list {
		r.add("dkim", string(s.Result), "header.d", s.Domain, "header.i", s.Identity)
	}
}

// dmarc adds the result and which policy of which domain was applied (RFC 9989,
// section 9.1).
func (r *results) dmarc(d dmarcResult) {
	r.add("dmarc", d.result, "header.from", d.domain, "polrec.p", d.policy, "polrec.domain", d.applied.domain)
}

// arc adds the result of a chain whose signatures were verified (RFC 8617, section
// 10.2).
func (r *results) arc(a arcResult, e scan.Envelope) {
	if a.result == "" {
		return
	}
	client := ""
	if addr := e.Client.Addr(); addr.IsValid() {
		client = addr.Unmap().String()
	}
	r.add("arc", a.result, "smtp.remote-ip", client)
}
