package feed

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"aead.dev/minisign"
)

// minisignKey begins the key of a publisher who signs with minisign.
const minisignKey = "minisign:"

// key returns the key of the publisher, nil if the list is not signed.
func (c Config) key() (*minisign.PublicKey, error) {
	if c.Signature == "" {
		return nil, nil
	}
	text, ok := strings.CutPrefix(c.Signature, minisignKey)
	key := new(minisign.PublicKey)
	if !ok || key.UnmarshalText([]byte(strings.TrimSpace(text))) != nil {
		return nil, fmt.Errorf("%q is no key; write \"minisign:\" and the second line of the publisher's minisign.pub", c.Signature)
	}
	return key, nil
}

// errNotSigned says that a list is not signed by its publisher.
var errNotSigned = errors.New("the list is not signed by the key of the configuration")

// verify returns when a list was signed by a key; zero if its signature does not say.
func verify(key *minisign.PublicKey, list, signature []byte) (time.Time, error) {
	var s minisign.Signature
	if err := s.UnmarshalText(signature); err != nil {
		return time.Time{}, fmt.Errorf("the signature cannot be read: %w", err)
	}
	if !minisign.Verify(*key, list, signature) {
		return time.Time{}, errNotSigned
	}
	return signedAt(s.TrustedComment), nil
}

// signedAt returns the time in a trusted comment, which minisign writes as "timestamp:1780000000".
func signedAt(comment string) time.Time {
	for _, word := range strings.Fields(comment) {
		if text, ok := strings.CutPrefix(word, "timestamp:"); ok {
			if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 0 && n < 1<<40 {
				return time.Unix(n, 0)
			}
		}
	}
	return time.Time{}
}
