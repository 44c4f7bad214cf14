package oidc

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/tests/fakes"
)

func newIDP(t *testing.T) *fakes.IDP {
	t.Helper()
	i, err := fakes.NewIDP()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(i.Close)
	return i
}

// visit is what a browser does that was sent to a place: it comes back with a code.
func visit(t *testing.T, i *fakes.IDP, where string, claims map[string]any) url.Values {
	t.Helper()
	u, err := url.Parse(where)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if q.Get("code_challenge_method") != "S256" || q.Get("redirect_uri") != "https://mx.example.com"+Callback || q.Get("response_type") != "code" {
		t.Errorf("sent to %s", where)
	}
	return i.Visit(q, claims)
}

func newProvider(t *testing.T, i *fakes.IDP, change func(*config.OIDC)) *Provider {
	t.Helper()
	t.Setenv("MILTERSCAN_TEST_OIDC", "s3cret")
	c := config.OIDC{Issuer: i.URL, ClientID: "mx", SecretFile: "env:MILTERSCAN_TEST_OIDC", Scopes: []string{"openid"}, Name: "preferred_username", Groups: "groups",
		Roles: map[string][]string{"administrator": {"admins"}, "domain": {"customers"}}, Domains: map[string][]string{"customers": {"example.com"}}}
	if change != nil {
		change(&c)
	}
	p, err := New(c, "https://mx.example.com/")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// TestClaims: what the provider says of a person decides who that is here, if at all.
func TestClaims(t *testing.T) {
	i := newIDP(t)
	past := time.Now().Add(-time.Hour).Unix()
	for _, c := range []struct {
		about  string
		claims map[string]any
		config func(*config.OIDC)
		want   string
		err    error
	}{
		{about: "as agreed", want: "ann administrator []"},
		{about: "one group, as text", claims: map[string]any{"groups": "admins"}, want: "ann administrator []"},
		{about: "a domain administrator", claims: map[string]any{"groups": []string{"customers"}}, want: "ann domain [example.com]"},
		{about: "domains of a claim", claims: map[string]any{"groups": "customers", "dom": []any{"b.example", 7}}, want: "ann domain [b.example example.com]",
			config: func(c *config.OIDC) { c.DomainsClaim = "dom" }},
		{about: "several audiences, made for us", claims: map[string]any{"aud": []string{"mx", "other"}, "azp": "mx"}, want: "ann administrator []"},
		{about: "several audiences, made for another", claims: map[string]any{"aud": []string{"mx", "other"}, "azp": "other"}, err: ErrRefused},
		{about: "no groups", claims: map[string]any{"groups": nil}, err: login.ErrNoRole},
		{about: "groups that are none", claims: map[string]any{"groups": map[string]any{"admins": true}}, err: login.ErrNoRole},
		{about: "another nonce", claims: map[string]any{"nonce": "x"}, err: ErrRefused},
		{about: "no nonce", claims: map[string]any{"nonce": nil}, err: ErrRefused},
		{about: "another audience", claims: map[string]any{"aud": "other"}, err: ErrRefused},
		{about: "no audience", claims: map[string]any{"aud": nil}, err: ErrRefused},
		{about: "expired", claims: map[string]any{"exp": past}, err: ErrRefused},
		{about: "never expires", claims: map[string]any{"exp": nil}, err: ErrRefused},
		{about: "another issuer", claims: map[string]any{"iss": "https://evil.example"}, err: ErrRefused},
		{about: "not yet", claims: map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}, err: ErrRefused},
		{about: "no name", claims: map[string]any{"preferred_username": nil}, err: ErrRefused},
		{about: "no subject", claims: map[string]any{"sub": ""}, err: ErrRefused},
		{about: "an address that is not verified", claims: map[string]any{"email": "ann@example.com", "email_verified": false}, err: ErrRefused,
			config: func(c *config.OIDC) { c.Name = "email" }},
		{about: "another secret", config: func(c *config.OIDC) { c.SecretFile = "" }, err: ErrRefused},
	} {
		p := newProvider(t, i, c.config)
		where, pending, err := p.Begin(t.Context())
		if err != nil {
			t.Fatal(c.about, err)
		}
		got, err := p.Finish(t.Context(), pending, visit(t, i, where, c.claims))
		if text := strings.TrimSpace(fmt.Sprintln(got.Name, got.Role, got.Domains)); !errors.Is(err, c.err) || c.err == nil && (text != c.want || got.Source != accounts.OIDC ||
			got.Subject != i.URL+" 1234") || c.err != nil && got.Subject != "" {
			t.Errorf("%s: %+v, %v", c.about, got, err)
		}
	}
}

// TestTokensAreChecked: a token that the provider did not make as it is lets no one in.
func TestTokensAreChecked(t *testing.T) {
	i := newIDP(t)
	parts := func(token string) []string { return strings.Split(token, ".") }
	none := fakes.B64([]byte(`{"alg":"none"}`))
	for about, forge := range map[string]func(string) string{
		"changed": func(s string) string {
			p := parts(s)
			body, _ := base64.RawURLEncoding.DecodeString(p[1])
			return p[0] + "." + fakes.B64([]byte(strings.Replace(string(body), "ann", "eve", 1))) + "." + p[2]
		},
		"without a signature": func(s string) string { p := parts(s); return p[0] + "." + p[1] + "." },
		"that wants none":     func(s string) string { return none + "." + parts(s)[1] + "." },
		"signed by a password": func(s string) string {
			return fakes.B64([]byte(`{"alg":"HS256"}`)) + "." + parts(s)[1] + "." + parts(s)[2]
		},
		"none":             func(string) string { return "" },
		"that is no token": func(string) string { return strings.Repeat("x", 5000) },
		"too long":         func(s string) string { return s + strings.Repeat("A", 2<<20) },
	} {
		p := newProvider(t, i, nil)
		where, pending, err := p.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		i.Forge = forge
		if got, err := p.Finish(t.Context(), pending, visit(t, i, where, nil)); !errors.Is(err, ErrRefused) {
			t.Errorf("a token %s: %+v, %v", about, got, err)
		}
	}
}

// TestAnswers: what a browser brings back must be the answer to the log-in it began.
func TestAnswers(t *testing.T) {
	i := newIDP(t)
	p := newProvider(t, i, nil)
	set := func(key, value string) func(url.Values) { return func(q url.Values) { q.Set(key, value) } }
	for about, change := range map[string]func(url.Values){
		"another state":  set("state", "x"),
		"no state":       func(q url.Values) { q.Del("state") },
		"two states":     func(q url.Values) { q.Add("state", "x") },
		"another code":   set("code", "x"),
		"no code":        func(q url.Values) { q.Del("code") },
		"two codes":      func(q url.Values) { q.Add("code", "x") },
		"another issuer": set("iss", "https://evil.example"),
		"an error":       set("error", "access_denied"),
	} {
		where, pending, err := p.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		q := visit(t, i, where, nil)
		change(q)
		if got, err := p.Finish(t.Context(), pending, q); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %+v, %v", about, got, err)
		}
	}
	where, pending, err := p.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, other, err := p.Begin(t.Context())
	if err != nil || other == pending {
		t.Fatal(other, err)
	}
	q := visit(t, i, where, nil)
	q.Set("iss", i.URL)
	if _, err := p.Finish(t.Context(), Pending{}, q); !errors.Is(err, ErrRefused) {
		t.Error("a browser that began none:", err)
	}
	if _, err := p.Finish(t.Context(), Pending{State: pending.State, Nonce: pending.Nonce, Verifier: other.Verifier}, q); !errors.Is(err, ErrRefused) {
		t.Error("another verifier:", err)
	}
	q = visit(t, i, where, nil)
	if _, err := p.Finish(t.Context(), pending, q); err != nil {
		t.Error("in order:", err)
	}
	if _, err := p.Finish(t.Context(), pending, q); !errors.Is(err, ErrRefused) {
		t.Error("once more:", err)
	}
}

func TestPendingIsOneText(t *testing.T) {
	in := Pending{"a", "b", "c"}
	if out, ok := Decode(in.Encode()); !ok || out != in {
		t.Error(out, ok)
	}
	for _, bad := range []string{"", "a", "a b", "a b c d"} {
		if _, ok := Decode(bad); ok {
			t.Errorf("%q is taken", bad)
		}
	}
}

// TestProviderIsDown: a provider that does not answer, or is another, is said to be so, and asked again later.
func TestProviderIsDown(t *testing.T) {
	up := false
	i := newIDP(t)
	inner := i.Config.Handler
	i.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !up {
			w.Write([]byte(`{"issuer":"https://evil.example"}`))
			return
		}
		inner.ServeHTTP(w, r)
	})
	p := newProvider(t, i, nil)
	if err := p.Health(t.Context()); err == nil || !strings.Contains(err.Error(), i.URL) {
		t.Error(err)
	}
	up = true
	if err := p.Health(t.Context()); err != nil {
		t.Error(err)
	}
}
