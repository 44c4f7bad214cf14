package icap

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http/httputil"
	"net/textproto"
	"os"
	"strconv"
	"strings"
)

const (
	statusContinue   = 100
	statusOK         = 200
	statusUnmodified = 204
)

// Limits of an answer. A longer one is an error.
const (
	longestLine  = 8 << 10
	mostLines    = 200
	longestBlock = 256 << 10 // an encapsulated header
)

// answer is the head of an ICAP answer.
type answer struct {
	status int
	text   string // status and reason
	header textproto.MIMEHeader
}

// options sends a request without a content and reads the answer.
func (x *conn) options(request string) (answer, error) {
	if _, err := io.WriteString(x, request); err != nil {
		return answer{}, x.lastWords(err)
	}
	a, err := x.answer()
	switch {
	case err != nil:
		return a, err
	case a.status != statusOK:
		return a, a.refusal()
	case strings.Contains(a.header.Get("Encapsulated"), "opt-body"):
		return a, nil // an answer that cannot be read further; the connection is not kept
	}
	x.fit = a.persists()
	return a, nil
}

// answer reads the head of an answer.
func (x *conn) answer() (answer, error) {
	line, err := x.readLine()
	if err != nil {
		return answer{}, err
	}
	x.silent = false
	version, rest, _ := strings.Cut(line, " ")
	code, _, _ := strings.Cut(rest, " ")
	status, err := strconv.Atoi(code)
	if err != nil || len(code) != 3 || !strings.HasPrefix(version, "ICAP/1.") {
		return answer{}, fmt.Errorf("%w: it begins with %.80q", ErrGarbage, line)
	}
	header, err := x.readHeader()
	return answer{status, rest, header}, err
}

// readLine reads a line of bounded length, without its end.
func (x *conn) readLine() (string, error) {
	line, err := x.in.ReadSlice('\n')
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

// readHeader reads header fields up to an empty line.
func (x *conn) readHeader() (textproto.MIMEHeader, error) {
	header := textproto.MIMEHeader{}
	last := ""
	for range mostLines {
		line, err := x.readLine()
		if err != nil || line == "" {
			return header, err
		}
		if line[0] == ' ' || line[0] == '\t' { // a fold, as c-icap makes them
			if list := header[last]; len(list) > 0 {
				list[len(list)-1] += "\n" + strings.TrimSpace(line)
			}
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return header, fmt.Errorf("%w: %.80q is no header field", ErrGarbage, line)
		}
		last = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))
		header.Add(last, strings.TrimSpace(value))
	}
	return header, fmt.Errorf("%w: more than %d header fields", ErrGarbage, mostLines)
}

// persists reports whether the server goes on listening after this answer.
func (a answer) persists() bool {
	return !strings.EqualFold(a.header.Get("Connection"), "close")
}

// refusal returns the error for a status that is no verdict.
func (a answer) refusal() error { return fmt.Errorf("%w: %.200q", ErrService, a.text) }

// verdict reads the rest of the answer to a content.
func (x *conn) verdict(a answer, r request, content Content) (Verdict, error) {
	v := a.threat()
	switch {
	case a.status == statusUnmodified && r.may204:
		x.fit = a.persists()
		return v, nil
	case a.status == statusUnmodified:
		return Verdict{}, fmt.Errorf("%w: \"unmodified\", which it was not allowed to say", ErrGarbage)
	case a.status != statusOK:
		return Verdict{}, a.refusal()
	case v.Infected:
		return v, nil // the page about it is not needed
	}
	same, err := x.repeats(a, r, content)
	x.fit = err == nil && same && a.persists()
	return Verdict{Infected: err == nil && !same}, err
}

// repeats reports whether the answer holds exactly the content sent. A service that
// puts anything else in its place objects.
func (x *conn) repeats(a answer, r request, content Content) (bool, error) {
	e, err := encapsulated(a.header.Get("Encapsulated"))
	if err != nil {
		return false, err
	}
	head := make([]byte, e.end)
	if _, err := io.ReadFull(x.in, head); err != nil {
		return false, fmt.Errorf("%w: %w", ErrNoReply, err)
	}
	_, status, _ := strings.Cut(string(head[e.start:]), " ")
	if e.body != r.body || r.body == responseBody && !strings.HasPrefix(status, "200") {
		return false, nil
	}
	return x.equals(content)
}

// equals compares a body in chunks with the content.
func (x *conn) equals(content Content) (bool, error) {
	body := httputil.NewChunkedReader(x.in)
	theirs, ours := blocks.Get().(*[blockSize]byte), blocks.Get().(*[blockSize]byte)
	defer blocks.Put(theirs)
	defer blocks.Put(ours)
	for at := int64(0); ; {
		n, err := body.Read(theirs[:])
		if at+int64(n) > content.Size() {
			return false, nil
		}
		if _, err := io.ReadFull(io.NewSectionReader(content, at, int64(n)), ours[:n]); err != nil {
			return false, &contentError{err}
		}
		if string(theirs[:n]) != string(ours[:n]) {
			return false, nil
		}
		at += int64(n)
		switch {
		case err == io.EOF:
			_, err := x.readHeader() // the trailer
			return at == content.Size(), err
		case err != nil:
			return false, fmt.Errorf("%w: %w", ErrNoReply, err)
		}
	}
}

// layout describes an answer: headers up to end, the last of them from start on, and
// then a body.
type layout struct {
	start, end int
	body       string // "res-body", "req-body" or "null-body"
}

// encapsulated reads the layout of an answer (section 4.4.1).
func encapsulated(field string) (layout, error) {
	var l layout
	for item := range strings.SplitSeq(field, ",") {
		name, offset, _ := strings.Cut(strings.TrimSpace(item), "=")
		n, err := strconv.Atoi(offset)
		if err != nil || n < l.end || n > longestBlock || l.body != "" {
			return l, fmt.Errorf("%w: Encapsulated is %.80q", ErrGarbage, field)
		}
		l.end = n
		if strings.HasSuffix(name, "-body") {
			l.body = name
		} else {
			l.start = n
		}
	}
	if l.body == "" {
		return l, fmt.Errorf("%w: Encapsulated is %.80q", ErrGarbage, field)
	}
	return l, nil
}

// threat reads the fields in which services name the malware found. The first is of
// draft-stecher-icap-subid, the others are customs.
func (a answer) threat() Verdict {
	if f := a.header.Get("X-Infection-Found"); f != "" {
		_, name, _ := strings.Cut(f, "Threat=")
		name, _, _ = strings.Cut(name, ";")
		return Verdict{true, strings.TrimSpace(name)}
	}
	if f := a.header.Get("X-Violations-Found"); f != "" {
		return violation(f)
	}
	for _, field := range [...]string{"X-Virus-ID", "X-Virus-Name"} {
		if name := a.header.Get(field); name != "" {
			return Verdict{true, name}
		}
	}
	return Verdict{}
}

// violation reads the number of violations, and of the first one the name: four
// lines, of which it is the second.
func violation(field string) Verdict {
	lines := strings.Split(field, "\n")
	n, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	v := Verdict{Infected: err != nil || n != 0}
	if v.Infected && len(lines) > 2 {
		v.Threat = lines[2]
	}
	return v
}
