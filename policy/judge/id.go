package judge

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"time"
)

// idText has no letters that are easily taken for digits, and sorts as bytes do.
var idText = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// FirstID returns a text that sorts after the ids of all messages that came before a time, and not after those of
// others.
func FirstID(at time.Time) string {
	var b [10]byte
	binary.BigEndian.PutUint64(b[:8], uint64(max(0, at.UnixMilli()))<<16)
	return idText.EncodeToString(b[:])
}

// newID returns a message id of 16 characters: 48 bits of milliseconds, so that
// ids sort by time, and 32 random bits.
func newID() string {
	var b [12]byte
	binary.BigEndian.PutUint64(b[:8], uint64(time.Now().UnixMilli())<<16)
	rand.Read(b[6:10])
	return idText.EncodeToString(b[:10])
}
