package spamd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/scorer"
	"github.com/milterscan/milterscan/scan/units"
)

// The faults of an answer. Each means that there is no opinion.
var (
	ErrNoReply = errors.New("spamd closed the connection without a complete answer")
	ErrGarbage = errors.New("spamd's answer makes no sense")
	ErrDaemon  = errors.New("spamd reports an error")
)

const (
	// dialTime is how long connecting may take.
	dialTime = 5 * time.Second
	// longestAnswer is more than the names of all rules there are.
	longestAnswer = 256 << 10
	// mostRules is how many rules are reported of one message.
	mostRules = 200
)

// question is a message as spamd is to see it.
type question struct {
	verb  string // SYMBOLS or TELL
	own   string // header fields of the verb
	user  string
	trace string // header fields in front of it
	mail  scan.Content
}

// ask has the message scored over a separate connection, as the protocol wants it
// (spamd/PROTOCOL in SpamAssassin).
func (q question) ask(ctx context.Context, address string) (opinion, error) {
	var o opinion
	err := exchange(ctx, address, q.send, func(in *bufio.Reader) error {
		fields, err := readHead(in, "EX_OK")
		if err != nil {
			return err
		}
		o, err = fields.opinion()
		if err != nil {
			return err
		}
		o.rules, err = fields.rules(in)
		return err
	})
	return o, err
}

// send writes the request.
func (q question) send(w io.Writer) error {
	head := q.verb + " SPAMC/1.5\r\n" + q.own
	if q.user != "" {
		head += "User: " + q.user + "\r\n"
	}
	head += fmt.Sprintf("Content-length: %d\r\n\r\n%s", int64(len(q.trace))+q.mail.Size(), q.trace)
	if _, err := io.WriteString(w, head); err != nil {
		return err
	}
	n, err := io.Copy(w, scan.Reader(q.mail))
	if err == nil && n < q.mail.Size() {
		return io.ErrUnexpectedEOF
	}
	return err
}

// ping asks whether spamd is there.
func ping(ctx context.Context, address string) error {
	send := func(w io.Writer) error {
		_, err := io.WriteString(w, "PING SPAMC/1.5\r\n\r\n")
		return err
	}
	return exchange(ctx, address, send, func(in *bufio.Reader) error {
		_, err := readStatus(in, "PONG")
		return err
	})
}

// exchange puts one question and reads the answer within the time of ctx. When
// writing fails, spamd may have said why.
func exchange(ctx context.Context, address string, send func(io.Writer) error, read func(*bufio.Reader) error) error {
	network, where, err := units.ParseAddress(address)
	if err != nil {
		return err
	}
	dialer := net.Dialer{Timeout: dialTime}
	conn, err := dialer.DialContext(ctx, network, where)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	sent := send(conn)
	if half, ok := conn.(interface{ CloseWrite() error }); ok && sent == nil {
		sent = half.CloseWrite()
	}
	err = read(bufio.NewReader(io.LimitReader(conn, longestAnswer)))
	if errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil || sent == nil {
		return err
	}
	return fmt.Errorf("%w: %w", err, sent)
}

// fields are the header fields of an answer, by lower-case name.
type fields map[string]string

// readHead reads the head of an answer that is to have the given status.
func readHead(in *bufio.Reader, status string) (fields, error) {
	if _, err := readStatus(in, status); err != nil {
		return nil, err
	}
	f := fields{}
	for {
		line, err := readLine(in)
		if err != nil {
			return nil, err
		}
		if line == "" {
			return f, nil
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("%w: %.80q is no header field", ErrGarbage, line)
		}
		f[strings.ToLower(name)] = strings.TrimSpace(value)
	}
}

// readStatus reads "SPAMD/1.1 0 EX_OK".
func readStatus(in *bufio.Reader, want string) (string, error) {
	line, err := readLine(in)
	if err != nil {
		return "", err
	}
	words := strings.Fields(line)
	switch {
	case len(words) < 3 || !strings.HasPrefix(words[0], "SPAMD/"):
		return "", fmt.Errorf("%w: it begins with %.80q", ErrGarbage, line)
	case words[1] != "0" || words[2] != want:
		return "", fmt.Errorf("%w: %.200q", ErrDaemon, line)
	}
	return line, nil
}

func readLine(in *bufio.Reader) (string, error) {
	line, err := in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", fmt.Errorf("%w: a line without end", ErrGarbage)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "", err
	case err != nil:
		return "", fmt.Errorf("%w: %w", ErrNoReply, err)
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

// opinion reads "True ; 7.5 / 5.0".
func (f fields) opinion() (opinion, error) {
	verdict, rest, _ := strings.Cut(f["spam"], ";")
	score, required, _ := strings.Cut(rest, "/")
	o := opinion{}
	var err, err2 error
	o.score, err = strconv.ParseFloat(strings.TrimSpace(score), 64)
	o.required, err2 = strconv.ParseFloat(strings.TrimSpace(required), 64)
	switch strings.ToLower(strings.TrimSpace(verdict)) {
	case "true", "yes", "false", "no": // by its own threshold, not ours
	default:
		err = strconv.ErrSyntax
	}
	if err = errors.Join(err, err2); err != nil || !scorer.Believable(o.score) || !scorer.Believable(o.required) {
		return o, fmt.Errorf("%w: Spam is %.80q", ErrGarbage, f["spam"])
	}
	return o, nil
}

// rules reads the names of the rules that matched, which are the body. It must be
// as long as it is said to be.
func (f fields) rules(in *bufio.Reader) ([]string, error) {
	body, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoReply, err)
	}
	if length, said := f["content-length"]; said && length != strconv.Itoa(len(body)) {
		return nil, fmt.Errorf("%w: %d bytes of %.20s", ErrNoReply, len(body), length)
	}
	var names []string
	for name := range strings.FieldsFuncSeq(string(body), separates) {
		if len(names) == mostRules {
			break
		}
		if fit(name) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

func separates(r rune) bool { return r == ',' || r <= ' ' }

// longestRule is more than any rule's name has.
const longestRule = 100

// fit reports whether a name can be that of a rule of SpamAssassin: a word.
func fit(name string) bool {
	return len(name) <= longestRule && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}
