package greylist

import (
	"context"
	"strings"
	"time"
)

// passMark begins the keys of pairs that a person lets through, so that they are no client's.
const passMark = "let through"

// passKey returns the key under which it is remembered that a sender is let through to a recipient.
func passKey(sender, rcpt string) Key {
	return keyOf(passMark, strings.ToLower(sender), strings.ToLower(rcpt))
}

// Pass lets a sender through to a recipient, from whatever client the next try comes: from then on that client is known
// for the two. It is forgotten after the time within which clients have to come back, and returns when that is.
func (c Config) Pass(ctx context.Context, s Store, sender, rcpt string, now time.Time) (until time.Time, err error) {
	return s.Pass(ctx, passKey(sender, rcpt), now, c.Window.Go())
}
