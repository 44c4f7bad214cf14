package ldap

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan/units"
)

// Operations of LDAP, by their tags (RFC 4511, section 4).
const (
	bind     = 0x60
	search   = 0x63
	extended = 0x77
)

// tlv writes a value with its tag and length (X.690, definite form).
func tlv(tag byte, parts ...string) string {
	value := strings.Join(parts, "")
	switch n := len(value); {
	case n < 0x80:
		return string([]byte{tag, byte(n)}) + value
	default:
		return string([]byte{tag, 0x82, byte(n >> 8), byte(n)}) + value
	}
}

// result is the end of an operation.
func result(id, tag byte, code byte) string {
	return tlv(0x30, tlv(2, string([]byte{id})), tlv(tag, tlv(0x0a, string([]byte{code})), tlv(4, ""), tlv(4, "")))
}

// entry is one that was found.
func entry(id byte, dn string, attributes ...string) string {
	list := ""
	for _, a := range attributes {
		name, value, _ := strings.Cut(a, "=")
		list += tlv(0x30, tlv(4, name), tlv(0x31, tlv(4, value)))
	}
	return tlv(0x30, tlv(2, string([]byte{id})), tlv(0x64, tlv(4, dn), tlv(0x30, list)))
}

const (
	ann    = "uid=ann,dc=example,dc=com"
	admins = "cn=Admins,dc=example,dc=com"
)

// wellBehaved answers as a server that knows ann, who is an administrator.
func wellBehaved(id, op byte, _ int) string {
	switch op {
	case bind:
		return result(id, 0x61, 0)
	case search:
		return entry(id, ann, "uid=ann", "memberOf="+admins) + result(id, 0x65, 0)
	}
	return result(id, 0x78, 0)
}

// server answers every request as answer says; n counts the requests of a connection. It hangs up
// where the answer is "bye", and begins TLS after the request that asks for it, if it has a
// certificate.
func server(t *testing.T, answer func(id, op byte, n int) string, cert *tls.Config, requests *atomic.Int32) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { c.Close() }()
				for n := 0; ; n++ {
					request := make([]byte, 4096)
					got, err := c.Read(request)
					if err != nil || got < 6 {
						return
					}
					requests.Add(1)
					at := 2
					if request[1] >= 0x80 {
						at += int(request[1] & 0x7f)
					}
					id, op := request[at+2], request[at+3]
					text := answer(id, op, n)
					if text == "bye" {
						return
					}
					if c.Write([]byte(text)); op == extended && cert != nil {
						c = tls.Server(c, cert)
					}
				}
			}()
		}
	}()
	return "ldap://" + l.Addr().String()
}

func directory(url string) *Directory {
	return New(config.LDAP{URL: url, Base: "dc=example,dc=com", Filter: "(uid=%s)", Name: "uid", Groups: "memberOf",
		Roles: map[string][]string{"administrator": {strings.ToLower(admins)}}, Timeout: units.Duration(time.Minute)})
}

// TestServersThatMisbehave: whatever a server answers, nobody is let in by it who has not bound with a
// password of his own.
func TestServersThatMisbehave(t *testing.T) {
	of := func(op byte, text func(id byte) string) func(id, op byte, n int) string {
		return func(id, is byte, n int) string {
			if is == op {
				return text(id)
			}
			return wellBehaved(id, is, n)
		}
	}
	for _, c := range []struct {
		about  string
		answer func(id, op byte, n int) string
		name   string // typed; "" for ann
		want   string // the error says
		wrong  bool   // it is ErrWrong
	}{
		{about: "behaves", answer: wellBehaved},
		{about: "does not take the password", answer: of(bind, func(id byte) string { return result(id, 0x61, 49) }), want: "49", wrong: true},
		{about: "is busy", answer: of(bind, func(id byte) string { return result(id, 0x61, 51) }), want: "Busy"},
		{about: "has nobody", answer: of(search, func(id byte) string { return result(id, 0x65, 0) }), wrong: true},
		{about: "has no such place", answer: of(search, func(id byte) string { return result(id, 0x65, 32) }), wrong: true},
		{about: "has two", answer: of(search, func(id byte) string {
			return entry(id, ann, "uid=ann") + entry(id, "uid=ann,o=x", "uid=ann") + result(id, 0x65, 0)
		}), wrong: true},
		{about: "has more than are asked for", answer: of(search, func(id byte) string { return entry(id, ann, "uid=ann") + result(id, 0x65, 4) }), wrong: true},
		{about: "has one without a name", answer: of(search, func(id byte) string { return entry(id, "", "uid=ann", "memberOf="+admins) + result(id, 0x65, 0) }), want: "without a name"},
		{about: "has one without uid", answer: of(search, func(id byte) string { return entry(id, ann, "memberOf="+admins) + result(id, 0x65, 0) }), want: "0 values of uid"},
		{about: "has one whose uid is no name", answer: of(search, func(id byte) string { return entry(id, ann, "uid=a b", "memberOf="+admins) + result(id, 0x65, 0) }), want: "0 values of uid"},
		{about: "has one without groups", answer: of(search, func(id byte) string { return entry(id, ann, "uid=ann") + result(id, 0x65, 0) }), want: "makes a role"},
		{about: "has one of another group", answer: of(search, func(id byte) string { return entry(id, ann, "uid=ann", "memberOf=x,"+admins) + result(id, 0x65, 0) }), want: "makes a role"},
		{about: "answers the search as a bind", answer: of(search, func(id byte) string { return result(id, 0x61, 0) }), want: "timed out|timeout|closed"},
		{about: "answers another request", answer: of(bind, func(id byte) string { return result(id+5, 0x61, 0) }), want: "timed out|timeout|closed"},
		{about: "says nothing", answer: func(byte, byte, int) string { return "" }, want: "timed out|timeout|closed"},
		{about: "hangs up", answer: func(byte, byte, int) string { return "bye" }, want: "EOF|closed|reset"},
		{about: "speaks something else", answer: func(byte, byte, int) string { return "HTTP/1.1 400 Bad Request\r\n\r\n" }, want: "."},
		{about: "announces 2 GB", answer: func(byte, byte, int) string {
			return "\x30\x84\x7f\xff\xff\xff\x02\x01\x01\x04\x84\x7f\xff\xff\xf0" + strings.Repeat("x", 1<<16)
		}, want: "."},
		{about: "nests without end", answer: func(byte, byte, int) string { return strings.Repeat("\x30\x80", 100_000) }, want: "."},
		{about: "sends without end", answer: of(search, func(id byte) string { return strings.Repeat(entry(id, ann, "uid="+strings.Repeat("x", 60000)), 200) }), want: "."},
		{about: "sends an empty message", answer: func(byte, byte, int) string { return "\x30\x00" }, want: "."},
		{about: "sends a result without a code", answer: of(bind, func(id byte) string { return tlv(0x30, tlv(2, string([]byte{id})), tlv(0x61)) }), want: "."},
	} {
		var requests atomic.Int32
		d := directory(server(t, c.answer, nil, &requests))
		if c.want == "." || strings.Contains(c.want, "timeout") { // what does not answer ends by the clock alone
			d.config.Timeout = units.Duration(500 * time.Millisecond)
		}
		got, err := d.Authenticate(t.Context(), "Ann", "secret")
		if c.want == "" && !c.wrong {
			if err != nil || got.Name != "ann" || got.Subject != "ann" || got.Role != "administrator" || got.Source != accounts.LDAP {
				t.Errorf("a server that %s: %+v, %v", c.about, got, err)
			}
			continue
		}
		if err == nil || got.Name != "" || errors.Is(err, accounts.ErrWrong) != c.wrong || c.want != "." && !containsAny(err.Error(), c.want) {
			t.Errorf("a server that %s: %+v, %v", c.about, got, err)
		}
	}
}

func containsAny(text, words string) bool {
	for _, w := range strings.Split(words, "|") {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// TestNotAsked: the server is not asked about what cannot be a name, nor without a password.
func TestNotAsked(t *testing.T) {
	var requests atomic.Int32
	d := directory(server(t, wellBehaved, nil, &requests))
	for _, c := range [][2]string{{"ann", ""}, {"", "secret"}, {"", ""}, {strings.Repeat("n", 10<<10), "secret"}, {"a\x00b", "secret"}, {"*", ""}} {
		if _, err := d.Authenticate(t.Context(), c[0], c[1]); !errors.Is(err, accounts.ErrWrong) {
			t.Errorf("%.20q: %v", c[0], err)
		}
	}
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// TestEncryption: a password is sent to the server whose certificate was checked, and to no other.
func TestEncryption(t *testing.T) {
	web := httptest.NewUnstartedServer(nil)
	web.Config.ErrorLog = log.New(io.Discard, "", 0)
	web.StartTLS()
	defer web.Close()
	cert := &tls.Config{Certificates: web.TLS.Certificates}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		about  string
		cert   *tls.Config
		ca     string
		answer func(id, op byte, n int) string
		ok     bool
	}{
		{"its authority is known", cert, ca, wellBehaved, true},
		{"its authority is not known", cert, "", wellBehaved, false},
		{"it refuses to encrypt", nil, ca, func(id, op byte, n int) string {
			if op == extended {
				return result(id, 0x78, 52)
			}
			return wellBehaved(id, op, n)
		}, false},
		{"it agrees, and does not", nil, ca, wellBehaved, false},
	} {
		var requests, binds atomic.Int32
		d := directory(server(t, func(id, op byte, n int) string {
			if op == bind {
				binds.Add(1)
			}
			return c.answer(id, op, n)
		}, c.cert, &requests))
		if d.config.StartTLS, d.config.CAFile = true, c.ca; c.cert == nil { // two that speak past each other end by the clock alone
			d.config.Timeout = units.Duration(time.Second)
		}
		_, err := d.Authenticate(t.Context(), "ann", "secret")
		if (err == nil) != c.ok || !c.ok && (binds.Load() > 0 || errors.Is(err, accounts.ErrWrong)) {
			t.Errorf("a server: %s: %v, and %d binds", c.about, err, binds.Load())
		}
		if err := d.Health(t.Context()); (err == nil) != c.ok {
			t.Errorf("a server: %s: health: %v", c.about, err)
		}
	}
	d := directory("ldaps://" + web.Listener.Addr().String())
	if _, err := d.Authenticate(t.Context(), "ann", "secret"); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Error("ldaps, of an authority that is not known:", err)
	}
	d.config.URL = "ldaps://localhost:" + strings.Split(web.Listener.Addr().String(), ":")[1]
	d.config.CAFile = ca
	if _, err := d.Authenticate(t.Context(), "ann", "secret"); err == nil || !strings.Contains(err.Error(), "localhost") {
		t.Error("ldaps, with the certificate of another host:", err)
	}
}
