package arc

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/dkim"
	"github.com/milterscan/milterscan/scan/sender/dns"
)

// Verify returns nil if the chain of a message is valid: if the newest signature is
// that of the message as it is, and if all seals hold (RFC 8617, section 5.2). An
// error is ErrFail, ErrTemporary, the context's, or one of reading the message.
//
// The newest seal comes first, before the body is read. Nothing else is asked or
// computed for a set that a sender has forged in the name of another.
func (c Chain) Verify(ctx context.Context, m *scan.Message, r dns.Resolver) error {
	if c.fault != nil {
		return c.fault
	}
	if len(c.Sets) == 0 {
		return broken("there is none")
	}
	for i, s := range c.Sets {
		if err := s.status(i); err != nil {
			return err
		}
	}
	k := keys{resolver: r, known: map[string]lookup{}}
	sums := c.sums()
	for i := len(c.Sets) - 1; i >= 0; i-- {
		if err := c.Sets[i].verifySeal(ctx, &k, sums[i]); err != nil {
			return err
		}
		if i < len(c.Sets)-1 {
			continue
		}
		if err := c.verifySignature(ctx, m, &k); err != nil {
			return err
		}
	}
	return nil
}

// status checks what the seal says about the chain before it.
func (s Set) status(i int) error {
	want := "pass"
	if i == 0 {
		want = "none"
	}
	if cv := strings.ToLower(s.seal.tags["cv"]); cv != want {
		return broken("set %d has cv=%s", s.Instance, cv)
	}
	return nil
}

// sums returns the text that the seals of all sets sign: the sets up to their own, without the
// value of their own signature (RFC 8617, section 5.1.1).
func (c Chain) sums() [][]byte {
	var sums [][]byte
	whole := sha256.New()
	for _, s := range c.Sets {
		whole.Write([]byte(relaxed(s.results.raw) + relaxed(s.signature.raw)))
		own, err := whole.(hash.Cloner).Clone()
		if err != nil {
			panic(err) // a hash of the standard library has no reason
		}
		own.Write([]byte(strings.TrimSuffix(relaxed(unsigned(s.seal.raw)), "\r\n")))
		sums = append(sums, own.Sum(nil))
		whole.Write([]byte(relaxed(s.seal.raw)))
	}
	return sums
}

// verifySeal checks one ARC-Seal.
func (s Set) verifySeal(ctx context.Context, k *keys, sum []byte) error {
	what := fmt.Sprintf("ARC-Seal %d of %s", s.Instance, s.Sealer)
	t := s.seal.tags
	if _, ok := t["h"]; ok { // RFC 8617, section 4.1.3
		return broken("%s: there is an h=", what)
	}
	return verdict(what, k.verify(ctx, t, sum))
}

// verifySignature checks the newest ARC-Message-Signature.
func (c Chain) verifySignature(ctx context.Context, m *scan.Message, k *keys) error {
	s := c.Newest()
	what := fmt.Sprintf("ARC-Message-Signature %d of %s", s.Instance, s.Signer)
	t := s.signature.tags
	if err := fit(t); err != nil {
		return broken("%s: %v", what, err)
	}
	simpleHead, simpleBody, err := forms(t["c"])
	if err != nil {
		return broken("%s: %v", what, err)
	}
	if err := k.look(ctx, t); err != nil {
		return verdict(what, err)
	}
	body := bodyHasher{to: sha256.New(), relaxed: !simpleBody}
	if err := hashBody(ctx, &body, dkim.Body(m)); err != nil {
		return err
	}
	if want, err := base64.StdEncoding.DecodeString(t["bh"]); err != nil || subtle.ConstantTimeCompare(want, body.to.Sum(nil)) != 1 {
		return broken("%s: the body was changed", what)
	}
	return verdict(what, k.verify(ctx, t, c.headerSum(s, simpleHead)))
}

// fit returns an error if the tags of an ARC-Message-Signature are not such as sign a
// message.
func fit(t tags) error {
	if err := t.needs("bh", "h"); err != nil {
		return err
	}
	names := t.list("h")
	has := func(name string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
	}
	if !has("from") { // RFC 6376, section 5.4
		return errors.New("the From field is not signed")
	}
	if has(sealField) { // RFC 8617, section 4.1.2
		return errors.New("it signs a seal")
	}
	if _, ok := t["l"]; ok {
		return errors.New("it signs a part of the body only")
	}
	if x, ok := t["x"]; ok {
		if at, err := strconv.ParseInt(x, 10, 64); err != nil || time.Unix(at, 0).Before(time.Now()) {
			return errors.New("it has expired")
		}
	}
	return nil
}

// forms reads the tag c: whether the header and the body are in the simple form
// (RFC 6376, section 3.5).
func forms(c string) (head, body bool, err error) {
	h, b, _ := strings.Cut(c, "/")
	for _, form := range [...]string{h, b} {
		if form != "" && form != "simple" && form != "relaxed" {
			return false, false, fmt.Errorf("there is no form %q", form)
		}
	}
	return h != "relaxed", b != "relaxed", nil
}

// headerSum returns what the signature of a set signs: the fields it names, each name
// the lowest field that it has not taken yet, and itself.
func (c Chain) headerSum(s Set, simple bool) []byte {
	form := relaxed
	if simple {
		form = func(raw string) string { return raw }
	}
	left := map[string][]string{}
	for _, f := range c.fields {
		left[f.name] = append(left[f.name], f.raw)
	}
	sum := sha256.New()
	for _, name := range s.signature.tags.list("h") {
		name = strings.ToLower(name)
		if n := len(left[name]); n > 0 {
			sum.Write([]byte(form(left[name][n-1])))
			left[name] = left[name][:n-1]
		}
	}
	sum.Write([]byte(strings.TrimSuffix(form(unsigned(s.signature.raw)), "\r\n")))
	return sum.Sum(nil)
}

// verdict returns what an error about one signature makes of the chain.
func verdict(what string, err error) error {
	var t temporary
	switch {
	case err == nil:
		return nil
	case errors.As(err, &t):
		return fmt.Errorf("%w: %s: %s", ErrTemporary, what, cut(err.Error()))
	}
	return broken("%s: %v", what, err)
}
