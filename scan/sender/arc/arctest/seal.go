// Package arctest seals messages for tests (RFC 8617, section 5.1). It shares no code
// with what verifies them.
package arctest

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan/sender/dns/dnstest"
)

// Sealer is a host that passes messages on.
type Sealer struct {
	Domain string
	algo   string
	key    crypto.Signer
}

// New returns a sealer with a new key of Ed25519, which z publishes.
func New(t testing.TB, z dnstest.Zone, domain string) Sealer {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := Sealer{domain, "ed25519-sha256", private}
	z[s.KeyName()] = []string{"TXT v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)}
	return s
}

// NewRSA returns a sealer with a new RSA key, which z publishes.
func NewRSA(t testing.TB, z dnstest.Zone, domain string) Sealer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	s := Sealer{domain, "rsa-sha256", key}
	z[s.KeyName()] = []string{"TXT v=DKIM1; p=" + base64.StdEncoding.EncodeToString(public)}
	return s
}

// KeyName returns the name at which the key is.
func (s Sealer) KeyName() string { return "arc._domainkey." + s.Domain }

// Set is what a sealer writes. Whatever is zero is as it should be.
type Set struct {
	Instance int
	CV       string
	Results  string // the site and what it found
	Form     string // c=; "relaxed/relaxed"
	Names    string // h=; "from:subject"
	Extra    string // tags for the end of the signature
	SealTags string // tags for the end of the seal
}

var setField = regexp.MustCompile(`(?im)^arc-(?:authentication-results|message-signature|seal):.*\r\n(?:[ \t].*\r\n)*`)

// Seal puts another set on top of a message whose lines end with CRLF.
func (s Sealer) Seal(t testing.TB, mail string, set Set) string {
	t.Helper()
	head, body, _ := strings.Cut(mail, "\r\n\r\n")
	old := setField.FindAllString(head+"\r\n", -1)
	if set.Instance == 0 {
		set.Instance = len(old)/3 + 1
	}
	if set.CV == "" {
		set.CV = map[bool]string{true: "none", false: "pass"}[set.Instance == 1]
	}
	if set.Form == "" {
		set.Form = "relaxed/relaxed"
	}
	if set.Names == "" {
		set.Names = "from:subject"
	}
	results := fmt.Sprintf("ARC-Authentication-Results: i=%d; %s\r\n", set.Instance, set.Results)
	signature := s.message(t, set, head+"\r\n", body)
	seal := fmt.Sprintf("ARC-Seal: i=%d; a=%s; cv=%s; d=%s; s=arc;%s b=", set.Instance, s.algo, set.CV, s.Domain, set.SealTags)
	var signed strings.Builder
	for i := len(old) - 3; i >= 0; i -= 3 { // the fields of a set are seal, signature, results from the top
		signed.WriteString(relax(old[i+2]) + relax(old[i+1]) + relax(old[i]))
	}
	signed.WriteString(relax(results) + relax(signature) + strings.TrimSuffix(relax(seal), "\r\n"))
	return seal + s.sign(t, signed.String()) + "\r\n" + signature + results + mail
}

// message returns the signature of the message.
func (s Sealer) message(t testing.TB, set Set, head, body string) string {
	t.Helper()
	headForm, bodyForm, _ := strings.Cut(set.Form, "/")
	sum := sha256.Sum256([]byte(bodyIn(bodyForm, body)))
	field := fmt.Sprintf("ARC-Message-Signature: i=%d; a=%s; c=%s; d=%s; s=arc;\r\n h=%s; bh=%s;%s b=", set.Instance, s.algo, set.Form,
		s.Domain, set.Names, base64.StdEncoding.EncodeToString(sum[:]), set.Extra)
	form := relax
	if headForm == "simple" {
		form = func(f string) string { return f }
	}
	var signed strings.Builder
	for name := range strings.SplitSeq(set.Names, ":") {
		fields := regexp.MustCompile(`(?im)^`+regexp.QuoteMeta(name)+`:.*\r\n(?:[ \t].*\r\n)*`).FindAllString(head, -1)
		if len(fields) > 0 {
			signed.WriteString(form(fields[len(fields)-1]))
		}
	}
	signed.WriteString(strings.TrimSuffix(form(field), "\r\n"))
	return field + s.sign(t, signed.String()) + "\r\n"
}

func (s Sealer) sign(t testing.TB, text string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(text))
	hash := crypto.SHA256
	if s.algo == "ed25519-sha256" {
		hash = crypto.Hash(0)
	}
	b, err := s.key.Sign(rand.Reader, sum[:], hash)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b)
}

var (
	blanks   = regexp.MustCompile(`[ \t\r\n]+`)
	runs     = regexp.MustCompile(`[ \t]+`)
	atEnds   = regexp.MustCompile(` \r\n`)
	trailing = regexp.MustCompile(`(?:\r\n)*\z`)
)

// relax returns a field in the relaxed form.
func relax(field string) string {
	name, value, _ := strings.Cut(field, ":")
	return strings.ToLower(strings.TrimSpace(name)) + ":" + strings.TrimSpace(blanks.ReplaceAllString(value, " ")) + "\r\n"
}

// bodyIn returns a body in one of the two forms.
func bodyIn(form, body string) string {
	if form == "relaxed" {
		body = atEnds.ReplaceAllString(runs.ReplaceAllString(body+"\r\n", " "), "\r\n")
	}
	body = trailing.ReplaceAllString(body, "")
	if body == "" && form == "relaxed" {
		return ""
	}
	return body + "\r\n"
}
