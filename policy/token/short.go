package token

import (
	"crypto/hmac"
	"encoding/base32"
	"strings"
)

// The purposes of what an appeal goes by.
const (
	AppealLink Purpose = "appeal"      // in a reply: the sender may ask for the message
	AppealForm Purpose = "appeal form" // in the page that the link leads to
)

// shortText has no letters that are easily taken for digits, and one case: a link in a reply
// goes through bounces, and is typed off them.
var shortText = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// Sizes of short links, in characters. The mark has 55 bits, and the id of a message 32 that
// no person can guess.
const (
	shortID   = 16
	shortMark = 11
)

// WriteShort returns a text for the address of a page about one message, which is short enough
// for a reply of SMTP. It names the message; who must not do a thing twice, or later, finds
// out by that. It is not for mail, where WriteLink names the person and the act.
func WriteShort(key []byte, p Purpose, id string) string { return id + shortMarkOf(key, p, id) }

func shortMarkOf(key []byte, p Purpose, id string) string {
	return shortText.EncodeToString(markOf(key, "short\n"+p, []byte(id)))[:shortMark]
}

// ReadShort returns the id of the message in a text that WriteShort has written, for this
// purpose. Upper and lower case are alike. The error is ErrNoLink.
func ReadShort(key []byte, s string, p Purpose) (id string, err error) {
	if len(s) != shortID+shortMark || len(key) == 0 {
		return "", ErrNoLink
	}
	s = strings.ToLower(s)
	id = s[:shortID]
	if !hmac.Equal([]byte(s[shortID:]), []byte(shortMarkOf(key, p, id))) {
		return "", ErrNoLink
	}
	return id, nil
}
