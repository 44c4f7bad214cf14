package token

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"
)

// Link is what the bearer of a link in a mail may do: one act on one message, for one
// person, once. The link names them, so that nothing has to be stored until it is used. Its
// mark is an HMAC with a separate key over all of it and its purpose; a link of one purpose,
// or a pass, is never good for another.
type Link struct {
	Purpose Purpose
	Address string // of the person, folded
	ID      string // of the message, or of what else the link is about
	Act     string // such as "release"; "" where the purpose says it all
	Expires time.Time
	Nonce   string // see NewNonce; who must not do a thing twice remembers it
}

// The purposes of links.
const (
	DigestLink Purpose = "digest" // an act on a kept message that a digest lists
	LogInLink  Purpose = "login"  // to log in as a recipient
)

// Reasons why something is no link that is good now.
var (
	ErrNoLink  = errors.New("it is no link of this host, or it was changed")
	ErrExpired = errors.New("the link has expired")
)

// Sizes of links. Clients and servers take addresses of some 2000 characters.
const (
	linkVersion = 1
	markLength  = 16 // bytes: 128 bits of the HMAC
	nonceLength = 12 // bytes
	longestLink = 1800
)

// Tolerance is how much later than it says a link is good, as clocks of hosts differ.
const Tolerance = 5 * time.Minute

var linkText = base64.RawURLEncoding

// NewNonce returns a nonce that no other link has.
func NewNonce() string {
	b := make([]byte, nonceLength)
	rand.Read(b)
	return string(b)
}

// WriteLink returns the link as text for an address on the web: letters, digits, "-" and
// "_". It expires to the second.
func WriteLink(key []byte, l Link) string {
	b := []byte{linkVersion}
	b = binary.AppendUvarint(b, uint64(max(0, l.Expires.Unix())))
	for _, s := range []string{l.Nonce, l.Address, l.ID, l.Act} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return linkText.EncodeToString(append(b, markOf(key, l.Purpose, b)...))
}

// markOf returns the mark of what a link says.
func markOf(key []byte, p Purpose, said []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("milterscan link\n" + string(p) + "\n"))
	h.Write(said)
	return h.Sum(nil)[:markLength]
}

// ReadLink returns the link in a text if it is one of ours, for this purpose, and in time. The
// error is ErrNoLink or ErrExpired; with the latter the link is what it was.
func ReadLink(key []byte, s string, purpose Purpose, now time.Time) (Link, error) {
	if len(s) > longestLink || len(key) == 0 {
		return Link{}, ErrNoLink
	}
	b, err := linkText.DecodeString(s)
	if err != nil || len(b) < markLength || linkText.EncodeToString(b) != s { // or one link had several texts
		return Link{}, ErrNoLink
	}
	said, mark := b[:len(b)-markLength], b[len(b)-markLength:]
	if !hmac.Equal(mark, markOf(key, purpose, said)) {
		return Link{}, ErrNoLink
	}
	l, ok := parseLink(said)
	if !ok {
		return Link{}, ErrNoLink
	}
	l.Purpose = purpose
	if now.Sub(l.Expires) > Tolerance {
		return l, ErrExpired
	}
	return l, nil
}

// parseLink reads what WriteLink has written before the mark.
func parseLink(b []byte) (l Link, ok bool) {
	if len(b) == 0 || b[0] != linkVersion {
		return l, false
	}
	b = b[1:]
	expires, n := binary.Uvarint(b)
	if n <= 0 || expires > 1<<40 {
		return l, false
	}
	b = b[n:]
	l.Expires = time.Unix(int64(expires), 0)
	for _, to := range []*string{&l.Nonce, &l.Address, &l.ID, &l.Act} {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return l, false
		}
		*to, b = string(b[n:n+int(size)]), b[n+int(size):]
	}
	return l, len(b) == 0
}
