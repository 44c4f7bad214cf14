// Package token makes and checks the marker on our own mail: a released
// message, which must not be caught by what it was kept for; a notice, which
// must not be judged and so lead to another notice; and the probe of "milterscan
// setup", which is refused whatever the rules say. The marker is a header field
// with an HMAC (RFC 2104, SHA-256) over its purpose, its date and the body of
// the message; no address, which anybody could write, has any say in it.
package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Field is the name of the header field. It is taken off every message it is
// found on.
const Field = "X-Milterscan-Pass"

// Released is the name of the field by which rules of mailboxes know that a person has let a
// message out of the quarantine. It is taken off every message that has no pass for that.
const Released = "X-Milterscan-Released"

// Purpose is what a message may pass for.
type Purpose string

// The purposes.
const (
	Release Purpose = "release" // findings named in the grant do not count
	Notice  Purpose = "notice"  // it is our own: not judged at all
	Probe   Purpose = "probe"   // it is to be refused, to show that the MTA asks us
)

// Grant is what the bearer may do.
type Grant struct {
	For      Purpose
	ID       string    // of the kept message, or of the notice
	Issued   time.Time // to the second
	Body     [32]byte  // see Sum
	Findings []string  // rules whose findings do not count; "virus/*" for a whole family
	Rules    []string  // names of policy rules that do not count
	Infected bool      // findings of kind infected are among those that do not count
}

const (
	validity = 24 * time.Hour   // a message may wait for a while in the MTA
	clocks   = 15 * time.Minute // by which those of two hosts may differ for a pass: what a person lets out is not to be kept again for that
	version  = "1"
	maxNames = 40 // findings and rules by name each; further ones are named by family
)

var text = base64.RawURLEncoding

// Write returns the value of the field for a grant, folded.
func Write(key []byte, g Grant) string {
	v := url.Values{
		"v": {version}, "for": {string(g.For)}, "id": {g.ID}, "t": {strconv.FormatInt(g.Issued.Unix(), 10)},
		"body": {text.EncodeToString(g.Body[:])}, "finding": families(g.Findings), "rule": g.Rules,
	}
	if g.Infected {
		v.Set("infected", "yes")
	}
	body := v.Encode()
	return fold(body + "&mac=" + text.EncodeToString(sign(key, body)))
}

// families shortens a long list of rules to their first words.
func families(rules []string) []string {
	if len(rules) <= maxNames {
		return rules
	}
	seen := map[string]bool{}
	var short []string
	for _, r := range rules {
		word, _, _ := strings.Cut(r, "/")
		if !seen[word] {
			seen[word] = true
			short = append(short, word+"/*")
		}
	}
	return short
}

func sign(key []byte, s string) []byte {
	h := hmac.New(sha256.New, key)
	io.WriteString(h, "milterscan pass\n"+s)
	return h.Sum(nil)
}

// lineLength keeps folded lines below the 78 characters of RFC 5322, section
// 2.1.1.
const lineLength = 70

// fold breaks a text without blanks into lines.
func fold(s string) string {
	var lines []string
	for ; len(s) > lineLength; s = s[lineLength:] {
		lines = append(lines, s[:lineLength])
	}
	return strings.Join(append(lines, s), "\r\n ")
}

// Read returns the grant in the value of a field if it is one of ours, in time,
// and for a message with this body.
func Read(key []byte, value string, body [32]byte, now time.Time) (Grant, error) {
	flat := strings.Join(strings.Fields(value), "")
	said, mac, ok := strings.Cut(flat, "&mac=")
	given, err := text.DecodeString(mac)
	if !ok || err != nil || len(key) == 0 || !hmac.Equal(given, sign(key, said)) {
		return Grant{}, errors.New("not signed with this key")
	}
	g, err := parse(said)
	switch {
	case err != nil:
		return Grant{}, err
	case g.Body != body:
		return Grant{}, errors.New("it is for another message")
	case now.Sub(g.Issued) > validity, g.Issued.Sub(now) > clocks:
		return Grant{}, fmt.Errorf("it is of %s", g.Issued.UTC().Format(time.RFC3339))
	}
	return g, nil
}

func parse(said string) (Grant, error) {
	v, err := url.ParseQuery(said)
	if err != nil {
		return Grant{}, err
	}
	issued, err := strconv.ParseInt(v.Get("t"), 10, 64)
	if err != nil || v.Get("v") != version {
		return Grant{}, errors.New("made by another version")
	}
	g := Grant{For: Purpose(v.Get("for")), ID: v.Get("id"), Issued: time.Unix(issued, 0), Findings: v["finding"], Rules: v["rule"]}
	g.Infected = v.Get("infected") == "yes"
	sum, err := text.DecodeString(v.Get("body"))
	if err != nil || copy(g.Body[:], sum) != len(g.Body) {
		return Grant{}, errors.New("made by another version")
	}
	return g, nil
}

// Covers reports whether findings of a rule do not count.
func (g Grant) Covers(rule string) bool {
	for _, f := range g.Findings {
		if family, ok := strings.CutSuffix(f, "*"); f == rule || ok && strings.HasPrefix(rule, family) {
			return true
		}
	}
	return false
}
