package rspamd

import (
	"net/http"
	"strings"

	"github.com/milterscan/milterscan/scan"
)

const (
	// longestWord is more than any name or address has (RFC 5321, section 4.5.3.1).
	longestWord = 320
	// mostRecipients is how many rspamd is told of, as many as it takes.
	mostRecipients = 1000
)

// fields returns the envelope as rspamd wants it, in header fields of the request. It leaves out
// unknown values.
func fields(e scan.Envelope) http.Header {
	h := http.Header{}
	put := func(name, value string) {
		if value != "" {
			h.Set(name, value)
		}
	}
	put("MTA-Tag", "milterscan")
	put("Queue-Id", plain(e.QueueID))
	put("User", plain(e.AuthUser))
	put("Helo", plain(e.Helo))
	if e.Client.IsValid() {
		put("IP", e.Client.Addr().Unmap().String())
	}
	if !strings.HasPrefix(e.ClientName, "[") { // else the MTA has no name for it
		put("Hostname", plain(e.ClientName))
	}
	put("From", "<"+plain(e.Sender)+">")
	for _, to := range e.Recipients[:min(len(e.Recipients), mostRecipients)] {
		if to = plain(to); to != "" {
			h["Rcpt"] = append(h["Rcpt"], "<"+to+">")
		}
	}
	if len(e.Recipients) == 1 {
		put("Deliver-To", plain(e.Recipients[0]))
	}
	return h
}

// plain returns text that ends no header field: a client must not be able to keep its mail
// from being scored by a name that HTTP does not allow.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f || r == '<' || r == '>' {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), longestWord)]
}
