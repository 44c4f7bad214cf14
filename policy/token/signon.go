package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// SignOn is what another program that knows a person, such as a hosting panel, says of one who
// is to be let in: the account, and when it said so. It is written so that a shell and
// openssl(1) can do it: docs/hosting.md shows how.
type SignOn struct {
	Account string
	Issued  time.Time // to the second
	Nonce   string    // see NewNonce, or any text without blanks that is never used again
}

// Name tells the sign-on from all others, however its mark is written.
func (s SignOn) Name() string {
	return fmt.Sprintf("sso\n%s\n%d\n%s", s.Account, s.Issued.Unix(), s.Nonce)
}

// The times of a sign-on.
const (
	SignOnLife  = time.Minute      // for which it is good
	SignOnAhead = 30 * time.Second // by which the clock of the other program may be before ours
)

const mostOfSignOn = 200 // bytes of an account or a nonce

// Reasons why something is no sign-on that is good now.
var (
	ErrNoSignOn  = errors.New("it is not signed with the key of [console.sso], or was changed")
	ErrSignOnOld = errors.New("it is too old, or from a clock that is wrong")
)

// WriteSignOn returns the parameters of an address that lets a person in.
func WriteSignOn(key []byte, s SignOn) url.Values {
	at := strconv.FormatInt(s.Issued.Unix(), 10)
	return url.Values{"account": {s.Account}, "time": {at}, "nonce": {s.Nonce},
		"mark": {hex.EncodeToString(signOnMark(key, s.Account, at, s.Nonce))}}
}

func signOnMark(key []byte, account, at, nonce string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("milterscan sso\n" + account + "\n" + at + "\n" + nonce + "\n"))
	return h.Sum(nil)
}

// ReadSignOn returns the sign-on in the parameters of an address if it is signed with the key,
// and in time. The error wraps ErrNoSignOn or ErrSignOnOld.
func ReadSignOn(key []byte, v url.Values, now time.Time) (s SignOn, err error) {
	account, at, nonce := v.Get("account"), v.Get("time"), v.Get("nonce")
	mark, err := hex.DecodeString(v.Get("mark"))
	seconds, notTime := strconv.ParseInt(at, 10, 64)
	for _, name := range []string{"account", "time", "nonce", "mark"} {
		if len(v[name]) != 1 || len(v.Get(name)) > mostOfSignOn || strings.ContainsAny(v.Get(name), "\r\n") {
			return s, ErrNoSignOn
		}
	}
	if err != nil || notTime != nil || account == "" || len(nonce) < 8 || len(key) == 0 ||
		!hmac.Equal(mark, signOnMark(key, account, at, nonce)) {
		return s, ErrNoSignOn
	}
	s = SignOn{account, time.Unix(seconds, 0), nonce}
	if age := now.Sub(s.Issued); age > SignOnLife || age < -SignOnAhead {
		return s, fmt.Errorf("%w: it says %s, and it is %s here",
			ErrSignOnOld, s.Issued.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	return s, nil
}
