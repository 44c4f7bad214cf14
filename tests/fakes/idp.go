package fakes

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"time"
)

// IDP is a provider of OpenID Connect that says of a person what it is told to. It knows one
// client, "mx", whose secret is "s3cret". It may be used by several goroutines at once.
type IDP struct {
	*httptest.Server

	// Forge, if not nil, makes another token of each.
	Forge func(token string) string
	// Claims replace those of ann for browsers that come by themselves. They are set while none is there.
	Claims map[string]any

	key       *rsa.PrivateKey
	mu        sync.Mutex
	challenge string
	code      string
	claims    map[string]any // of the next token
}

// NewIDP starts a provider, which the caller closes.
func NewIDP() (*IDP, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	i := &IDP{key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"issuer": i.URL, "authorization_endpoint": i.URL + "/auth", "token_endpoint": i.URL + "/token",
			"jwks_uri": i.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"}})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]any{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1",
			"n": B64(key.N.Bytes()), "e": B64(big.NewInt(int64(key.E)).Bytes())}}})
	})
	mux.HandleFunc("/token", i.token)
	mux.HandleFunc("/auth", i.auth)
	i.Server = httptest.NewServer(mux)
	return i, nil
}

// B64 writes bytes as tokens have them.
func B64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// Visit does as a browser does that was sent to the provider by query: the person of the claims
// agrees, and the browser goes back with what Visit returns. Claims replace those of ann, who is in
// the groups staff and admins.
func (i *IDP) Visit(query url.Values, claims map[string]any) url.Values {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.challenge, i.code = query.Get("code_challenge"), rand.Text()
	i.claims = map[string]any{"iss": i.URL, "aud": "mx", "sub": "1234", "exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix(),
		"nonce": query.Get("nonce"), "preferred_username": "ann", "groups": []string{"staff", "admins"}}
	maps.Copy(i.claims, claims)
	return url.Values{"code": {i.code}, "state": {query.Get("state")}}
}

// auth sends a real browser back, as ann or as Claims say.
func (i *IDP) auth(w http.ResponseWriter, r *http.Request) {
	back := i.Visit(r.URL.Query(), i.Claims)
	http.Redirect(w, r, r.URL.Query().Get("redirect_uri")+"?"+back.Encode(), http.StatusSeeOther)
}

// token gives out the token of a code, once, to the one who has the verifier.
func (i *IDP) token(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	r.ParseForm()
	sum := sha256.Sum256([]byte(r.Form.Get("code_verifier")))
	if id, secret, _ := r.BasicAuth(); i.code == "" || r.Form.Get("code") != i.code || B64(sum[:]) != i.challenge ||
		id != "mx" || secret != "s3cret" {
		http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
		return
	}
	i.code = ""
	token := i.sign()
	if i.Forge != nil {
		token = i.Forge(token)
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": token})
}

func (i *IDP) sign() string {
	head, _ := json.Marshal(map[string]string{"alg": "RS256", "kid": "1"})
	body, _ := json.Marshal(i.claims)
	text := B64(head) + "." + B64(body)
	sum := sha256.Sum256([]byte(text))
	sig, _ := rsa.SignPKCS1v15(nil, i.key, crypto.SHA256, sum[:])
	return text + "." + B64(sig)
}
