package fakes

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// ICAP is an ICAP service for tests. The zero value is a good one that finds
// nothing, says 204, and wants a preview of no bytes. The fields are read while
// it runs and must not change.
type ICAP struct {
	Virus       string      // content that holds this is infected …
	Found       string      // … and reported by these header lines; "" for X-Infection-Found
	Page        bool        // an infected content is replaced by a page, and no header tells
	Preview     int         // bytes it wants to see first; below zero for no preview
	Early       bool        // it answers when it has seen the preview
	Echo        bool        // it repeats a clean content
	Change      bool        // it repeats a clean content with a word changed
	RequestOnly bool        // it knows REQMOD only
	Tag         string      // its ISTag
	Options     string      // written instead of the answer to OPTIONS
	Answer      string      // written instead of every verdict
	DropAfter   int         // closes without a word after that many bytes of one content
	Once        bool        // closes after every verdict, without saying so before
	Mute        bool        // accepts connections, reads, says nothing
	Hangup      bool        // connections are closed at once
	TLS         *tls.Config // nil for none

	net     net.Listener
	work    sync.WaitGroup
	dialled atomic.Int64
	asked   atomic.Int64
	mu      sync.Mutex
	conns   map[net.Conn]bool
	stopped bool
}

// Start listens and returns the address as a configuration writes it. The test
// ends it.
func (c *ICAP) Start(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("fake ICAP server: %v", err)
	}
	scheme := "icap"
	if c.TLS != nil {
		scheme, l = "icaps", tls.NewListener(l, c.TLS)
	}
	c.net, c.conns = l, map[net.Conn]bool{}
	c.work.Go(c.accept)
	t.Cleanup(c.Stop)
	return fmt.Sprintf("%s://%s/scan", scheme, l.Addr())
}

// Stop closes everything, as a crash would, and waits for it.
func (c *ICAP) Stop() {
	c.net.Close()
	c.mu.Lock()
	c.stopped = true
	for conn := range c.conns {
		conn.Close()
	}
	c.mu.Unlock()
	c.work.Wait()
}

// Dialled returns how many connections it has seen, Asked how many contents.
func (c *ICAP) Dialled() int64 { return c.dialled.Load() }

// Asked returns how many contents it was asked about.
func (c *ICAP) Asked() int64 { return c.asked.Load() }

func (c *ICAP) accept() {
	for {
		conn, err := c.net.Accept()
		if err != nil {
			return
		}
		c.dialled.Add(1)
		c.mu.Lock()
		c.conns[conn] = true
		if c.stopped {
			conn.Close()
		}
		c.mu.Unlock()
		c.work.Go(func() { c.serve(conn) })
	}
}

func (c *ICAP) serve(conn net.Conn) {
	defer conn.Close()
	for in := bufio.NewReader(conn); !c.Hangup && c.turn(conn, in); {
	}
}

// turn answers one request and reports whether another may follow.
func (c *ICAP) turn(conn net.Conn, in *bufio.Reader) bool {
	method, fields, ok := readRequest(in)
	switch {
	case !ok:
		return false
	case c.Mute:
		_, err := io.Copy(io.Discard, in)
		return err == nil && false
	case method == "OPTIONS":
		_, err := io.WriteString(conn, c.options())
		return err == nil && c.Options == ""
	}
	c.asked.Add(1)
	x := &icapTurn{ICAP: c, out: conn, in: in, fields: fields, body: strings.HasPrefix(method, "REQ")}
	return x.answer() && !c.Once
}

// readRequest reads the head of a request. Fields are by lower-case name.
func readRequest(in *bufio.Reader) (method string, fields map[string]string, ok bool) {
	fields = map[string]string{}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return "", nil, false
		}
		line = strings.TrimSpace(line)
		switch name, value, isField := strings.Cut(line, ": "); {
		case line == "":
			return method, fields, true
		case method == "":
			method, _, _ = strings.Cut(line, " ")
		case isField:
			fields[strings.ToLower(name)] = value
		}
	}
}

func (c *ICAP) options() string {
	if c.Options != "" {
		return c.Options
	}
	methods := "RESPMOD"
	if c.RequestOnly {
		methods = "REQMOD"
	}
	text := fmt.Sprintf("ICAP/1.0 200 OK\r\nMethods: %s\r\nService: fake\r\nISTag: \"%s\"\r\nAllow: 204\r\nEncapsulated: null-body=0\r\n",
		methods, c.Tag)
	if c.Preview >= 0 {
		text += fmt.Sprintf("Preview: %d\r\n", c.Preview)
	}
	return text + "\r\n"
}

// icapTurn is one content.
type icapTurn struct {
	*ICAP
	out    io.Writer
	in     *bufio.Reader
	fields map[string]string
	body   bool // it came in a request
}

func (x *icapTurn) answer() bool {
	places := strings.Split(x.fields["encapsulated"], "=")
	n, err := strconv.Atoi(places[len(places)-1])
	if err != nil {
		return false
	}
	if _, err := io.CopyN(io.Discard, x.in, int64(n)); err != nil {
		return false
	}
	content, ok := x.read()
	if !ok {
		return false
	}
	_, err = io.WriteString(x.out, x.verdict(content))
	return err == nil
}

// read reads the content, with a word in between if there was a preview.
func (x *icapTurn) read() (content []byte, ok bool) {
	content, last, ok := x.chunks()
	_, previewed := x.fields["preview"]
	if !ok || !previewed || strings.Contains(last, "ieof") || x.Early {
		return content, ok
	}
	if _, err := io.WriteString(x.out, "ICAP/1.0 100 Continue\r\n\r\n"); err != nil {
		return nil, false
	}
	rest, _, ok := x.chunks()
	return append(content, rest...), ok
}

// chunks reads up to the last chunk, which it returns.
func (x *icapTurn) chunks() (content []byte, last string, ok bool) {
	for {
		line, err := x.in.ReadString('\n')
		n, err2 := strconv.ParseInt(strings.TrimRight(strings.SplitN(line, ";", 2)[0], "\r\n"), 16, 32)
		if err != nil || err2 != nil {
			return nil, "", false
		}
		chunk := make([]byte, n+2)
		if _, err := io.ReadFull(x.in, chunk); err != nil {
			return nil, "", false
		}
		if n == 0 {
			return content, line, true
		}
		content = append(content, chunk[:n]...)
		if x.DropAfter > 0 && len(content) >= x.DropAfter {
			return nil, "", false
		}
	}
}

func (x *icapTurn) verdict(content []byte) string {
	infected := x.Virus != "" && bytes.Contains(content, []byte(x.Virus))
	found := x.Found
	if found == "" {
		found = "X-Infection-Found: Type=0; Resolution=2; Threat=Fake-Virus;\r\n"
	}
	switch {
	case x.Answer != "":
		return x.Answer
	case infected && x.Page:
		return x.instead("", "HTTP/1.0 403 Forbidden\r\n\r\n", []byte("blocked"), false)
	case infected:
		return x.instead(found, "HTTP/1.0 403 Forbidden\r\n\r\n", []byte("blocked"), false)
	case x.Change:
		return x.instead("", x.head(), bytes.ToUpper(content), x.body)
	case x.Echo:
		return x.instead("", x.head(), content, x.body)
	}
	return "ICAP/1.0 204 Unmodified\r\nISTag: \"" + x.Tag + "\"\r\n\r\n"
}

func (x *icapTurn) head() string {
	if x.body {
		return "PUT http://x/ HTTP/1.1\r\n\r\n"
	}
	return "HTTP/1.1 200 OK\r\nVia: fake\r\n\r\n"
}

// instead returns an answer with something in the content's place.
func (x *icapTurn) instead(fields, head string, content []byte, request bool) string {
	what := "res"
	if request {
		what = "req"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "ICAP/1.0 200 OK\r\n%sEncapsulated: %s-hdr=0, %s-body=%d\r\n\r\n%s", fields, what, what, len(head), head)
	w := httputil.NewChunkedWriter(&b)
	w.Write(content)
	w.Close()
	b.WriteString("\r\n")
	return b.String()
}
