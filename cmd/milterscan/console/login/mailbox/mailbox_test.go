package mailbox

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

// script is what a server says, one step after the other: what it waits for, and what it answers then.
// A step "<" reads a line, "TLS" encrypts the connection, "hang up" ends it.
type script []string

// serve has a server play a script for one connection, and returns its address and what it has heard.
func (s script) serve(t *testing.T, trust *tls.Config, encrypted bool) (addr string, heard func() string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	all := make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			all <- ""
			return
		}
		if encrypted {
			conn = tls.Server(conn, trust)
		}
		all <- s.play(conn, trust)
	}()
	return l.Addr().String(), func() string { return <-all }
}

func (s script) play(conn net.Conn, trust *tls.Config) string {
	defer func() { conn.Close() }()
	conn.SetDeadline(time.Now().Add(time.Minute))
	in := bufio.NewReader(conn)
	var heard strings.Builder
	for _, step := range s {
		switch {
		case step == "hang up":
			return heard.String()
		case step == "TLS":
			conn = tls.Server(conn, trust)
			in = bufio.NewReader(conn)
		case step == "<":
			line, err := in.ReadString('\n')
			if err != nil {
				return heard.String()
			}
			heard.WriteString(strings.TrimRight(line, "\r\n") + "|")
		default:
			if _, err := conn.Write([]byte(step)); err != nil {
				return heard.String()
			}
		}
	}
	in.ReadString('\n') // LOGOUT, QUIT, or the end
	return heard.String()
}

// TestServers: who is let in is one of whom the server says so after it was encrypted, and nobody else.
func TestServers(t *testing.T) {
	cert := servers.NewCertificate(t, "mail.example.com", "127.0.0.1")
	pair, err := tls.LoadX509KeyPair(cert.File, cert.Key)
	if err != nil {
		t.Fatal(err)
	}
	trust := &tls.Config{Certificates: []tls.Certificate{pair}}
	long := strings.Repeat("x", mostOfLine+10)
	ehlo := "250-mx\r\n250 AUTH PLAIN LOGIN\r\n"
	for about, c := range map[string]struct {
		scheme   string
		script   script
		password string
		want     error // nil, ErrWrong, or errAny
		heard    string
	}{
		"imaps":                            {"imaps", script{"* OK hi\r\n", "<", "* CAPABILITY x\r\nL OK in\r\n"}, `a "b" \c`, nil, `L LOGIN "ann@example.com" "a \"b\" \\c"|`},
		"imaps, a literal":                 {"imaps", script{"* OK hi\r\n", "<", "+ go on\r\n", "<", "L OK in\r\n"}, "schön", nil, `L LOGIN "ann@example.com" {6}|schön|`},
		"imaps, a literal that is refused": {"imaps", script{"* OK hi\r\n", "<", "L NO no\r\n"}, "schön", ErrWrong, ""},
		"imap, STARTTLS":                   {"imap", script{"* OK hi\r\n", "<", "S OK go\r\n", "TLS", "<", "L OK in\r\n"}, "secret", nil, `S STARTTLS|L LOGIN "ann@example.com" "secret"|`},
		"imap, no STARTTLS":                {"imap", script{"* OK hi\r\n", "<", "S BAD what\r\n"}, "secret", errAny, "S STARTTLS|"},
		"imap, more than it was asked":     {"imap", script{"* OK hi\r\n", "<", "S OK go\r\nL OK in\r\n", "TLS"}, "secret", errAny, "S STARTTLS|"},
		"imaps, wrong":                     {"imaps", script{"* OK hi\r\n", "<", "L NO [AUTHENTICATIONFAILED] no\r\n"}, "secret", ErrWrong, ""},
		"imaps, not now":                   {"imaps", script{"* OK hi\r\n", "<", "L NO [UNAVAILABLE] later\r\n"}, "secret", errAny, ""},
		"imaps, bad":                       {"imaps", script{"* OK hi\r\n", "<", "L BAD what\r\n"}, "secret", errAny, ""},
		"imaps, somebody is in already":    {"imaps", script{"* PREAUTH hi\r\n", "<", "L OK in\r\n"}, "secret", errAny, ""},
		"imaps, another command's answer":  {"imaps", script{"* OK hi\r\n", "<", "X OK in\r\n"}, "secret", errAny, ""},
		"imaps, bye":                       {"imaps", script{"* BYE no\r\n"}, "secret", errAny, ""},
		"imaps, hangs up":                  {"imaps", script{"hang up"}, "secret", errAny, ""},
		"imaps, a long line":               {"imaps", script{"* OK " + long + "\r\n"}, "secret", errAny, ""},
		"imaps, much of it":                {"imaps", script{"* OK hi\r\n", "<", strings.Repeat("* x\r\n", mostOfAnswers/4)}, "secret", errAny, ""},
		"imaps, in the clear":              {"imap", script{"* OK hi\r\n", "<", "S NO\r\n"}, "secret", errAny, "S STARTTLS|"},
		"smtps":                            {"smtps", script{"220 mx\r\n", "<", ehlo, "<", "235 in\r\n"}, "secret", nil, "|AUTH PLAIN AGFubkBleGFtcGxlLmNvbQBzZWNyZXQ=|"},
		"smtp, STARTTLS":                   {"smtp", script{"220 mx\r\n", "<", "250-mx\r\n250 STARTTLS\r\n", "<", "220 go\r\n", "TLS", "<", ehlo, "<", "235 in\r\n"}, "secret", nil, "|STARTTLS|"},
		"smtp, no STARTTLS":                {"smtp", script{"220 mx\r\n", "<", ehlo, "<", "502 no\r\n"}, "secret", errAny, "|STARTTLS|"},
		"smtps, LOGIN":                     {"smtps", script{"220 mx\r\n", "<", "250 AUTH LOGIN\r\n", "<", "334 VXNlcm5hbWU6\r\n", "<", "334 x\r\n", "<", "235 in\r\n"}, "secret", nil, "|AUTH LOGIN|YW5uQGV4YW1wbGUuY29t|c2VjcmV0|"},
		"smtps, wrong":                     {"smtps", script{"220 mx\r\n", "<", ehlo, "<", "535-5.7.8 no\r\n535 no\r\n"}, "secret", ErrWrong, ""},
		"smtps, not now":                   {"smtps", script{"220 mx\r\n", "<", ehlo, "<", "454 later\r\n"}, "secret", errAny, ""},
		"smtps, a code for something else": {"smtps", script{"220 mx\r\n", "<", ehlo, "<", "250 in\r\n"}, "secret", errAny, ""},
		"smtps, no AUTH":                   {"smtps", script{"220 mx\r\n", "<", "250 SIZE 1\r\n"}, "secret", errAny, ""},
		"smtps, not SMTP":                  {"smtps", script{"SSH-2.0\r\n"}, "secret", errAny, ""},
	} {
		t.Run(about, func(t *testing.T) {
			addr, heard := c.script.serve(t, trust, strings.HasSuffix(c.scheme, "s"))
			err := Server{Where: c.scheme + ":" + addr, CAFile: cert.File, Timeout: 8 * time.Second}.Check(t.Context(), "ann@example.com", c.password)
			if (err == nil) != (c.want == nil) || errors.Is(err, ErrWrong) != (c.want == ErrWrong) {
				t.Errorf("%v; want %v", err, c.want)
			}
			if got := heard(); !strings.Contains(got, c.heard) || strings.Contains(c.script.before("TLS"), "secret") {
				t.Errorf("heard %q; want %q", got, c.heard)
			}
		})
	}
}

// before returns what a script has before a step.
func (s script) before(step string) string {
	text, _, _ := strings.Cut(strings.Join(s, ""), step)
	return text
}

// errAny stands for any error that is not ErrWrong.
var errAny = errors.New("any")

// TestStrangers: the password goes to no server whose certificate is not one for it.
func TestStrangers(t *testing.T) {
	cert, other := servers.NewCertificate(t, "mail.example.com", "127.0.0.1"), servers.NewCertificate(t, "mail.example.net", "192.0.2.1")
	for about, c := range map[string]struct{ shown, trusted servers.Certificate }{"not trusted": {cert, other}, "for another host": {other, other}} {
		pair, err := tls.LoadX509KeyPair(c.shown.File, c.shown.Key)
		if err != nil {
			t.Fatal(err)
		}
		addr, heard := script{"* OK hi\r\n", "<", "L OK in\r\n"}.serve(t, &tls.Config{Certificates: []tls.Certificate{pair}}, true)
		err = Server{Where: "imaps:" + addr, CAFile: c.trusted.File, Timeout: 5 * time.Second}.Check(t.Context(), "ann@example.com", "secret")
		if err == nil || errors.Is(err, ErrWrong) || heard() != "" {
			t.Errorf("%s: %v", about, err)
		}
	}
}

// TestLimits: a server that hangs holds nobody up, and what is no name or password goes to none.
func TestLimits(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := Server{Where: "imap:" + l.Addr().String(), Timeout: 200 * time.Millisecond}
	if err := s.Check(t.Context(), "ann@example.com", "secret"); err == nil || errors.Is(err, ErrWrong) {
		t.Error("a server that hangs:", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	s.Timeout = time.Minute
	if err := s.Check(gone, "ann@example.com", "secret"); err == nil || errors.Is(err, ErrWrong) {
		t.Error("one who has gone:", err)
	}
	for _, pair := range [][2]string{{"ann@example.com", ""}, {"", "secret"}, {"ann@example.com\r\nL LOGIN x", "y"}, {"ann@example.com", "x\r\nA2 DELETE y"}, {"ann@example.com", "x\x00y"}, {"ann@example.com", strings.Repeat("x", longest+1)}} {
		if err := s.Check(t.Context(), pair[0], pair[1]); !errors.Is(err, ErrWrong) {
			t.Errorf("%q: %v", pair, err)
		}
	}
}
