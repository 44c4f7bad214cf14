package icap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// request is a question without the content.
type request struct {
	body    string // what the content is called
	head    string // up to the empty line before the content
	preview int64  // bytes of the content that go first; -1 for all
	size    int64
	may204  bool
}

// The name of the body with a content, by method.
const (
	responseBody = "res-body"
	requestBody  = "req-body"
)

// line returns the first line of a request and the host.
func (c *Client) line(method string) string {
	target := c.service
	target.Scheme = "icap" // TLS or not, it is the same service
	return fmt.Sprintf("%s %s ICAP/1.0\r\nHost: %s\r\n", method, target.String(), c.service.Host)
}

// request makes a content of that size part of a dialogue that a proxy might have
// had. A service that knows REQMOD only is shown something on its way up.
func (c *Client) request(o Options, size int64) request {
	r := request{body: responseBody, preview: -1, size: size, may204: o.Allow204}
	up := "GET http://milterscan.invalid/part HTTP/1.1\r\nHost: milterscan.invalid\r\n\r\n"
	down := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n", size)
	where := fmt.Sprintf("req-hdr=0, res-hdr=%d, res-body=%d", len(up), len(up)+len(down))
	if o.Method == "REQMOD" {
		r.body = requestBody
		up = strings.Replace(up, "GET", "PUT", 1)
		up = strings.TrimSuffix(up, "\r\n") + strings.SplitAfterN(down, "\r\n", 2)[1]
		down, where = "", fmt.Sprintf("req-hdr=0, req-body=%d", len(up))
	}
	head := c.line(o.Method)
	if o.Allow204 {
		head += "Allow: 204\r\n"
	}
	if o.Preview >= 0 {
		r.preview = min(int64(o.Preview), size)
		head += fmt.Sprintf("Preview: %d\r\n", r.preview)
	}
	r.head = head + "Encapsulated: " + where + "\r\n\r\n" + up + down
	return r
}

// modify sends a content and reads the verdict.
func (x *conn) modify(ctx context.Context, r request, content Content) (Verdict, error) {
	if r.preview < 0 {
		return x.converse(ctx, r, content, r.head, 0)
	}
	if err := x.sendPreview(ctx, r, content); err != nil {
		return Verdict{}, x.lastWords(err)
	}
	a, err := x.answer()
	if err == nil && a.status == statusContinue && r.preview < r.size {
		return x.converse(ctx, r, content, "", r.preview)
	}
	if err != nil {
		return Verdict{}, err
	}
	r.may204 = true // a preview may always be answered so (section 4.6)
	return x.verdict(a, r, content)
}

// sendPreview sends the head and the first bytes. Whether there are more is in the
// last chunk (section 4.5).
func (x *conn) sendPreview(ctx context.Context, r request, content Content) error {
	if _, err := io.WriteString(x, r.head); err != nil {
		return err
	}
	if err := x.sendChunks(ctx, content, 0, r.preview); err != nil {
		return err
	}
	end := "0\r\n\r\n"
	if r.preview == r.size {
		end = "0; ieof\r\n\r\n"
	}
	_, err := io.WriteString(x, end)
	return err
}

// converse sends head and the content from an offset on, and meanwhile reads: a
// service may answer before it has heard all.
func (x *conn) converse(ctx context.Context, r request, content Content, head string, from int64) (Verdict, error) {
	sent := make(chan error, 1)
	go func() {
		err := x.sendRest(ctx, content, head, from)
		var unreadable *contentError
		if errors.As(err, &unreadable) {
			x.Close() // so that the reader does not wait for an answer
		}
		sent <- err
	}()
	a, err := x.answer()
	var v Verdict
	if err == nil {
		v, err = x.verdict(a, r, content)
	}
	return v, x.stop(sent, err)
}

// sendRest sends head, the content from an offset on and the last chunk.
func (x *conn) sendRest(ctx context.Context, content Content, head string, from int64) error {
	if _, err := io.WriteString(x, head); err != nil {
		return err
	}
	if err := x.sendChunks(ctx, content, from, content.Size()); err != nil {
		return err
	}
	_, err := io.WriteString(x, "0\r\n\r\n")
	return err
}

// grace is how long the sending may take to end when the answer is there.
const grace = 50 * time.Millisecond

// stop ends the sending, which is useless once the answer is there, and returns the
// error that counts, of the sending or of the reading. A connection on which part of
// the content was not sent is not kept.
func (x *conn) stop(sent <-chan error, heard error) error {
	x.SetWriteDeadline(time.Now().Add(grace))
	defer x.SetWriteDeadline(time.Time{})
	return x.whose(<-sent, heard)
}

func (x *conn) whose(sent, heard error) error {
	var unreadable *contentError
	if errors.As(sent, &unreadable) {
		return sent
	}
	x.fit = x.fit && sent == nil
	return heard
}

// lastWords returns what the server said before it stopped listening, if it did: the
// reason is better than the failed write.
func (x *conn) lastWords(cause error) error {
	var unreadable *contentError
	if errors.As(cause, &unreadable) {
		return cause
	}
	a, err := x.answer()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoReply, cause)
	}
	return a.refusal()
}

// contentError is a content that could not be read: the fault is not the
// server's.
type contentError struct{ error }

func (e *contentError) Unwrap() error { return e.error }

// blockSize is the size of a chunk.
const blockSize = 64 << 10

var blocks = sync.Pool{New: func() any { return new([blockSize]byte) }}

// sendChunks sends the bytes from one offset to another in chunks (RFC 9112,
// section 7.1), without the last one.
func (x *conn) sendChunks(ctx context.Context, content Content, from, to int64) error {
	b := blocks.Get().(*[blockSize]byte)
	defer blocks.Put(b)
	for from < to {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := content.ReadAt(b[:min(to-from, blockSize)], from)
		if n == 0 {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return &contentError{fmt.Errorf("reading at %d of %d bytes: %w", from, to, err)}
		}
		chunk := net.Buffers{fmt.Appendf(nil, "%x\r\n", n), b[:n], []byte("\r\n")}
		if _, err := chunk.WriteTo(x.Conn); err != nil {
			return err
		}
		from += int64(n)
	}
	return nil
}
