// Package oidc has persons log in to the console by OpenID Connect.
package oidc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan/units"
)

// Callback is the path to which the provider sends browsers back.
const Callback = "/login/oidc/callback"

// patience is how long the provider may take for one answer.
const patience = 10 * time.Second

// Provider is the one of [console.oidc]. It may be used by several goroutines at once.
type Provider struct {
	config   config.OIDC
	callback string
	client   *http.Client

	mu    sync.Mutex
	known *oidc.Provider // what it says of itself; nil until it was asked
}

// New returns a provider, which is not asked yet. site is the address by which browsers know
// the console.
func New(c config.OIDC, site string) (*Provider, error) {
	roots, err := units.Authorities(c.CAFile)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConns: 2, IdleConnTimeout: time.Minute,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}}
	return &Provider{config: c, callback: strings.TrimRight(site, "/") + Callback,
		client: &http.Client{Transport: bounded{transport}, Timeout: patience}}, nil
}

// Close ends the connections to the provider.
func (p *Provider) Close() { p.client.CloseIdleConnections() }

// mostOfAnswer is how many bytes of an answer of the provider are read.
const mostOfAnswer = 1 << 20

// bounded reads no more than so much of each answer.
type bounded struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		answer.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(answer.Body, mostOfAnswer), answer.Body}
	}
	return answer, err
}

// CloseIdleConnections lets http.Client reach the connections.
func (b bounded) CloseIdleConnections() {
	if c, ok := b.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// ask returns what the provider says of itself. It is asked again until it has answered.
func (p *Provider) ask(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known != nil {
		return p.known, nil
	}
	// The provider keeps the context to fetch keys later.
	ctx = oidc.ClientContext(context.WithoutCancel(ctx), p.client)
	known, err := oidc.NewProvider(ctx, p.config.Issuer)
	if err != nil {
		return nil, fmt.Errorf("%s does not answer as a provider: %w", p.config.Issuer, err)
	}
	p.known = known
	return known, nil
}

// Health asks whether persons could log in.
func (p *Provider) Health(ctx context.Context) error {
	if _, err := p.config.SecretFile.Read(); err != nil {
		return err
	}
	_, err := p.ask(ctx)
	return err
}

// Pending is a log-in that has begun. It is kept with the session of the browser, and taken out of
// there before Finish: it is good once.
type Pending struct{ State, Nonce, Verifier string }

// Encode writes it as one text.
func (p Pending) Encode() string { return p.State + " " + p.Nonce + " " + p.Verifier }

// Decode reads what Encode wrote.
func Decode(text string) (Pending, bool) {
	f := strings.Fields(text)
	if len(f) != 3 {
		return Pending{}, false
	}
	return Pending{f[0], f[1], f[2]}, true
}

// Begin returns where to send a browser, and what to remember of it.
func (p *Provider) Begin(ctx context.Context) (where string, pending Pending, err error) {
	o, _, err := p.oauth(ctx)
	if err != nil {
		return "", Pending{}, err
	}
	pending = Pending{rand.Text(), rand.Text(), oauth2.GenerateVerifier()}
	return o.AuthCodeURL(pending.State, oidc.Nonce(pending.Nonce), oauth2.S256ChallengeOption(pending.Verifier)), pending, nil
}

func (p *Provider) oauth(ctx context.Context) (*oauth2.Config, *oidc.Provider, error) {
	known, err := p.ask(ctx)
	if err != nil {
		return nil, nil, err
	}
	secret, err := p.config.SecretFile.Read()
	if err != nil {
		return nil, nil, err
	}
	return &oauth2.Config{ClientID: p.config.ClientID, ClientSecret: secret, Endpoint: known.Endpoint(), RedirectURL: p.callback,
		Scopes: p.config.Scopes}, known, nil
}

// ErrRefused is reported for an answer that does not let a person in.
var ErrRefused = errors.New("the provider's answer does not let in")

// Finish returns who a browser is that comes back from the provider with query. The error is
// ErrRefused for an answer that is not the one to the pending log-in, and login.ErrNoRole for a person
// who is nothing in the console: then the address of the person is returned, too.
func (p *Provider) Finish(ctx context.Context, pending Pending, query url.Values) (accounts.Identity, error) {
	if pending.State == "" || len(query["state"]) != 1 || subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(pending.State)) != 1 {
		return accounts.Identity{}, fmt.Errorf("%w: it answers no log-in that this browser began", ErrRefused)
	}
	if iss := query["iss"]; len(iss) > 0 && (len(iss) > 1 || iss[0] != p.config.Issuer) { // RFC 9207
		return accounts.Identity{}, fmt.Errorf("%w: it is that of another issuer, %.100q", ErrRefused, iss)
	}
	if said := query.Get("error"); said != "" || len(query["code"]) != 1 {
		return accounts.Identity{}, fmt.Errorf("%w: %.100q %.200q", ErrRefused, said, query.Get("error_description"))
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.client), patience)
	defer cancel()
	o, known, err := p.oauth(ctx)
	if err != nil {
		return accounts.Identity{}, err
	}
	tokens, err := o.Exchange(ctx, query.Get("code"), oauth2.VerifierOption(pending.Verifier))
	if err != nil {
		return accounts.Identity{}, fmt.Errorf("%w: the code: %w", ErrRefused, err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	token, err := known.Verifier(&oidc.Config{ClientID: p.config.ClientID}).Verify(ctx, raw)
	if err != nil {
		return accounts.Identity{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(pending.Nonce)) != 1 {
		return accounts.Identity{}, fmt.Errorf("%w: it was made for another log-in", ErrRefused)
	}
	return p.identity(token)
}

// identity returns who the claims of a token are in the console.
func (p *Provider) identity(token *oidc.IDToken) (accounts.Identity, error) {
	claims := map[string]any{}
	if err := token.Claims(&claims); err != nil {
		return accounts.Identity{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if azp, ok := claims["azp"].(string); len(token.Audience) > 1 && (!ok || azp != p.config.ClientID) {
		return accounts.Identity{}, fmt.Errorf("%w: it was made for %q", ErrRefused, token.Audience)
	}
	name, _ := claims[p.config.Name].(string)
	if name == "" || token.Subject == "" {
		return accounts.Identity{}, fmt.Errorf("%w: it has no claim %q with a name, or none with a subject", ErrRefused, p.config.Name)
	}
	if verified, told := claims["email_verified"].(bool); p.config.Name == "email" && told && !verified {
		return accounts.Identity{}, fmt.Errorf("%w: the e-mail address %q is not verified there", ErrRefused, name)
	}
	var own []string
	if p.config.DomainsClaim != "" {
		own = texts(claims[p.config.DomainsClaim])
	}
	role, domains := login.Groups{Roles: p.config.Roles, Domains: p.config.Domains}.RoleOf(texts(claims[p.config.Groups]), own)
	if role == "" {
		return accounts.Identity{Mail: p.mail(claims)}, fmt.Errorf("%w: %s", login.ErrNoRole, name)
	}
	return accounts.Identity{Source: accounts.OIDC, Subject: token.Issuer + " " + token.Subject, Name: name, Role: role, Domains: domains}, nil
}

// mail returns the address of a person as the provider has verified it.
func (p *Provider) mail(claims map[string]any) []string {
	verified, _ := claims["email_verified"].(bool)
	if address, ok := claims[p.config.Mail].(string); ok && verified {
		return []string{address}
	}
	return nil
}

// texts returns the texts of a claim, which is one or a list.
func texts(claim any) []string {
	switch v := claim.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, one := range v {
			if s, ok := one.(string); ok {
				all = append(all, s)
			}
		}
		return all
	}
	return nil
}
