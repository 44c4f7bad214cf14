package bounce

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"regexp"
	"strings"
	"time"
)

// Field is the header field with the mark of mail that goes out.
const Field = "X-Milterscan-Mark"

// A mark is "1.KEY.DATE.MAC": the version, the name of the key, the day on which
// it was made, in UTC, and the first half of an HMAC with SHA-256 (RFC 2104,
// section 5, allows to cut it) over these three and the sender. It is short enough
// for one line wherever it is quoted, and has no sign in it that an encoding of
// text would change.
var mark = regexp.MustCompile(`^1\.([0-9A-Za-z]{1,16})\.([0-9]{8})\.([0-9A-Za-z_-]{22})$`)

const (
	version  = "1"
	dateForm = "20060102"
	day      = 24 * time.Hour
)

// The faults of a mark.
var (
	errForged  = errors.New("not made with one of the keys, or for another sender")
	errExpired = errors.New("too old, or of a day to come")
)

// Mark returns the mark of mail of a sender.
func (k Key) Mark(sender string, now time.Time) string {
	said := version + "." + k.ID + "." + now.UTC().Format(dateForm)
	return said + "." + base64.RawURLEncoding.EncodeToString(k.sign(said, sender))
}

// sign returns the MAC over a sender, upper and lower case alike, which only the
// holder of the key can make.
func (k Key) sign(said, sender string) []byte {
	h := hmac.New(sha256.New, k.Secret)
	io.WriteString(h, "milterscan mark\n"+said+"\n"+strings.ToLower(sender))
	return h.Sum(nil)[:sha256.Size/2]
}

// check returns an error for a bad mark on mail of a sender: errForged, or errExpired
// for one that was good once.
func (keys Keys) check(text, sender string, now time.Time, valid time.Duration) error {
	words := mark.FindStringSubmatch(text)
	if words == nil {
		return errForged
	}
	k, known := keys.find(words[1])
	given, err := base64.RawURLEncoding.DecodeString(words[3])
	said := text[:strings.LastIndexByte(text, '.')]
	if !known || err != nil || !hmac.Equal(given, k.sign(said, sender)) {
		return errForged
	}
	made, err := time.Parse(dateForm, words[2])
	if err != nil || now.After(made.Add(day+valid)) || made.After(now.Add(day)) { // it is a day somewhere
		return errExpired
	}
	return nil
}
