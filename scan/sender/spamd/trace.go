package spamd

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/milterscan/milterscan/scan"
)

// trace returns the header fields that the MTA has not added yet when we see the mail,
// and that SpamAssassin learns the client and the sender from: as Postfix writes
// them, which it knows how to read. "" where nothing is known of a client.
func trace(e scan.Envelope) string {
	if !e.Client.IsValid() {
		return ""
	}
	protocol := "ESMTP"
	if e.TLS {
		protocol += "S"
	}
	user := ""
	if e.AuthUser != "" {
		protocol += "A"
		user = fmt.Sprintf("\r\n\t(Authenticated sender: %s)", plain(e.AuthUser))
	}
	address := e.Client.Addr().Unmap()
	shown := address.String()
	if address.Is6() {
		shown = "IPv6:" + shown
	}
	name := "unknown"
	if n := plain(e.ClientName); n != "" && !strings.HasPrefix(n, "[") {
		name = n
	}
	return fmt.Sprintf("Return-Path: <%s>\r\nReceived: from %s (%s [%s])%s\r\n\tby milterscan.invalid (Postfix) with %s id %s;\r\n\t%s\r\n",
		plain(e.Sender), cmp.Or(plain(e.Helo), name), name, shown, user, protocol, cmp.Or(plain(e.QueueID),
			"0"), e.Received.UTC().Format("Mon, 02 Jan 2006 15:04:05 -0700"))
}

// longestWord is more than any name or address has (RFC 5321, section 4.5.3.1).
const longestWord = 320

// plain returns text that is in a header field without ending it, or pretending to
// be another part of it.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f || strings.ContainsRune("<>();", r) {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), longestWord)]
}
