package accounts

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"golang.org/x/text/secure/precis"
)

// strength is what a password costs: 64 MB and one thread, some 100 ms.
var strength = argon2id.Params{Memory: 64 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// nobodys is compared with where there is no password to compare with, so that an answer takes as
// long whether there is an account or not. No password has it.
const nobodys = "$argon2id$v=19$m=65536,t=2,p=1$bm8gc3VjaCBhY2NvdW50IQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// What a password must be.
const (
	leastOfPassword = 12   // characters
	mostOfPassword  = 1024 // bytes
	leastDifferent  = 5    // characters
	leastBeside     = 8    // characters that are not the name
)

// CheckPassword reports mistakes in a new password of an account.
func CheckPassword(name, password string) error {
	plain, err := precis.OpaqueString.String(password)
	if err != nil || len(password) > mostOfPassword {
		return fmt.Errorf("a password has at most %d bytes, and no control characters", mostOfPassword)
	}
	if n := utf8.RuneCountInString(plain); n < leastOfPassword {
		return fmt.Errorf("the password has %d characters; at least %d are needed", n, leastOfPassword)
	}
	different := map[rune]bool{}
	for _, r := range strings.ToLower(plain) {
		different[r] = true
	}
	if len(different) < leastDifferent {
		return fmt.Errorf("the password repeats %d characters; use at least %d different ones", len(different), leastDifferent)
	}
	beside := strings.ToLower(plain)
	for _, part := range strings.Split(strings.ToLower(name), "@") {
		if part != "" {
			beside = strings.ReplaceAll(beside, part, "")
		}
	}
	if utf8.RuneCountInString(beside) < leastBeside {
		return errors.New("the password is little more than the name: use another one")
	}
	return nil
}

// mostWaiting is how many may wait for the one whose password is being compared.
const mostWaiting = 16

// hasher compares and makes hashes, one at a time: however many try to log in, the memory
// that is taken for it is that of one.
type hasher struct {
	waiting, turn chan struct{}
}

func newHasher() *hasher {
	return &hasher{make(chan struct{}, mostWaiting), make(chan struct{}, 1)}
}

// run calls do when its turn comes. The error is ErrBusy where too many wait.
func (h *hasher) run(ctx context.Context, do func()) error {
	select {
	case h.waiting <- struct{}{}:
		defer func() { <-h.waiting }()
	default:
		return ErrBusy
	}
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return ErrBusy
	}
	do()
	debug.FreeOSMemory() // or the heap may grow to several times what one takes
	return nil
}

// hash returns the stored data of a password.
func (h *hasher) hash(ctx context.Context, password string) (hash string, err error) {
	plain, err := precis.OpaqueString.String(password)
	if err != nil {
		return "", err
	}
	busy := h.run(ctx, func() { hash, err = argon2id.CreateHash(plain, &strength) })
	return hash, errors.Join(busy, err)
}

// matches reports whether a password has a hash. It takes as long where there is none, and
// where the password cannot be one.
func (h *hasher) matches(ctx context.Context, password, hash string) (ok bool, err error) {
	plain, unusable := precis.OpaqueString.String(password)
	if unusable != nil || len(password) > mostOfPassword {
		plain, hash = "", ""
	}
	sound := sound(hash)
	if !sound {
		hash = nobodys
	}
	busy := h.run(ctx, func() { ok, err = argon2id.ComparePasswordAndHash(plain, hash) })
	return ok && sound, errors.Join(busy, err)
}

// sound reports whether a hash is one of ours, and costs no more than ours.
func sound(hash string) bool {
	p, salt, key, err := argon2id.DecodeHash(hash)
	return err == nil && p.Memory <= strength.Memory && p.Iterations >= 1 && p.Iterations <= 8 && p.Parallelism >= 1 && len(salt) >= 8 &&
		len(key) >= 16
}
