package arc

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/milterscan/milterscan/scan/sender/dkim"
	"github.com/milterscan/milterscan/scan/sender/dns"
)

// keys looks up the keys of a chain, each once.
type keys struct {
	resolver dns.Resolver
	known    map[string]lookup
}

// lookup is a key record, or why there is none.
type lookup struct {
	record string
	err    error
}

// temporary is an error that asking again may cure.
type temporary struct{ error }

// look finds out whether the key of a signature can be had.
func (k *keys) look(ctx context.Context, t tags) error {
	_, err := k.record(ctx, t)
	return err
}

func (k *keys) record(ctx context.Context, t tags) (string, error) {
	if err := t.needs("a", "b", "d", "s"); err != nil {
		return "", err
	}
	name := t["s"] + "._domainkey." + t["d"]
	known, ok := k.known[name]
	if !ok {
		known.record, known.err = k.ask(ctx, name)
		k.known[name] = known
	}
	return known.record, known.err
}

// ask looks up the one record of a key. Several are none (RFC 6376, section 3.6.2.2).
func (k *keys) ask(ctx context.Context, name string) (string, error) {
	texts, err := dkim.Key(ctx, k.resolver, name)
	var failed *net.DNSError
	switch {
	case errors.As(err, &failed) && failed.IsTemporary:
		return "", temporary{err}
	case err != nil:
		return "", err
	case len(texts) != 1:
		return "", fmt.Errorf("there are %d keys at %s", len(texts), cut(name))
	}
	return texts[0], nil
}

// verify returns nil if a signature is that of a sum.
func (k *keys) verify(ctx context.Context, t tags, sum []byte) error {
	record, err := k.record(ctx, t)
	if err != nil {
		return err
	}
	signature, err := base64.StdEncoding.DecodeString(t["b"])
	if err != nil {
		return errors.New("b= cannot be read")
	}
	key, err := parseKey(record)
	if err != nil {
		return err
	}
	valid := false
	switch public := key.(type) {
	case *rsa.PublicKey:
		valid = t["a"] == "rsa-sha256" && rsa.VerifyPKCS1v15(public, crypto.SHA256, sum, signature) == nil
	case ed25519.PublicKey: // RFC 8463, section 3: the sum itself is signed
		valid = t["a"] == "ed25519-sha256" && ed25519.Verify(public, sum, signature)
	}
	if !valid {
		return errors.New("it does not verify")
	}
	return nil
}

// shortest is the least size of an RSA key, in bytes (RFC 8301, section 3.2).
const shortest = 1024 / 8

// parseKey reads a key record (RFC 6376, section 3.6.1).
func parseKey(record string) (crypto.PublicKey, error) {
	t, err := parseTags(record)
	if err != nil {
		return nil, fmt.Errorf("its key: %w", err)
	}
	if v, ok := t["v"]; ok && v != "DKIM1" {
		return nil, errors.New("its key is of another version")
	}
	if t["p"] == "" {
		return nil, errors.New("its key was revoked")
	}
	if _, ok := t["h"]; ok && !slices.Contains(t.list("h"), "sha256") {
		return nil, errors.New("its key is not for SHA-256")
	}
	if _, ok := t["s"]; ok && !slices.Contains(t.list("s"), "*") && !slices.Contains(t.list("s"), "email") {
		return nil, errors.New("its key is not for mail")
	}
	raw, err := base64.StdEncoding.DecodeString(t["p"])
	if err != nil {
		return nil, errors.New("its key cannot be read")
	}
	switch t["k"] {
	case "", "rsa":
		return rsaKey(raw)
	case "ed25519":
		if len(raw) == ed25519.PublicKeySize {
			return ed25519.PublicKey(raw), nil
		}
	}
	return nil, errors.New("its key cannot be used")
}

// rsaKey reads a key in either of the two forms that are in use (RFC 6376, erratum
// 3017).
func rsaKey(raw []byte) (crypto.PublicKey, error) {
	public, err := x509.ParsePKIXPublicKey(raw)
	if err != nil {
		public, err = x509.ParsePKCS1PublicKey(raw)
	}
	key, ok := public.(*rsa.PublicKey)
	switch {
	case err != nil || !ok:
		return nil, errors.New("its key cannot be read")
	case key.Size() < shortest:
		return nil, fmt.Errorf("its key of %d bits is too short", key.Size()*8)
	}
	return key, nil
}
