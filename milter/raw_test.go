package milter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// What an up-to-date MTA offers, in bits.
const (
	allActions  = 0x1ff
	allProtocol = 0x1fffff
)

// rawClient writes frames as a test has them, right or wrong.
type rawClient struct {
	net.Conn
	t testing.TB
}

// frame is one frame from the filter.
type frame struct {
	code byte
	data string
}

func (f *fixture) raw(t testing.TB) *rawClient {
	t.Helper()
	c, err := net.Dial("unix", f.path())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return (&rawClient{c, t}).wait()
}

// wait gives the server a new time for what comes next: a test with many messages may
// take longer than one answer.
func (r *rawClient) wait() *rawClient {
	r.SetDeadline(time.Now().Add(patience))
	return r
}

// put writes bytes. The server may have hung up: what matters is what it does
// then.
func (r *rawClient) put(b string) { io.WriteString(r.wait(), b) }

// bytesOf is a frame as it goes over the wire.
func bytesOf(code byte, data string) string {
	length := binary.BigEndian.AppendUint32(nil, uint32(len(data)+1))
	return string(length) + string(code) + data
}

func (r *rawClient) send(code byte, data string) { r.put(bytesOf(code, data)) }

// next reads a frame, or returns an error at the end.
func (r *rawClient) next() (frame, error) {
	var head [5]byte
	if _, err := io.ReadFull(r.Conn, head[:]); err != nil {
		return frame{}, err
	}
	data := make([]byte, binary.BigEndian.Uint32(head[:])-1)
	_, err := io.ReadFull(r.Conn, data)
	return frame{head[4], string(data)}, err
}

// reply reads a frame that must come.
func (r *rawClient) reply() frame {
	r.t.Helper()
	f, err := r.wait().next()
	if err != nil {
		r.t.Fatalf("no reply: %v", err)
	}
	return f
}

// closed reads until the server hangs up, which it must do.
func (r *rawClient) closed() []frame {
	r.t.Helper()
	r.wait()
	var all []frame
	for {
		f, err := r.next()
		if err == nil {
			all = append(all, f)
			continue
		}
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			r.t.Fatalf("the server does not close the connection; it said %v", all)
		}
		return all
	}
}

func offerOf(version, actions, protocol uint32) string {
	var b []byte
	for _, v := range []uint32{version, actions, protocol} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return string(b)
}

// negotiate offers and returns what the server makes of it.
func (r *rawClient) negotiate(version, actions, protocol uint32) frame {
	r.t.Helper()
	r.send(cmdNegotiate, offerOf(version, actions, protocol))
	f := r.reply()
	if f.code != cmdNegotiate || len(f.data) < 12 {
		r.t.Fatalf("negotiation: %v", f)
	}
	return f
}

// terms are version, actions and protocol of a negotiation's reply.
func (f frame) terms() [3]uint32 {
	b := []byte(f.data)
	return [3]uint32{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])}
}

func connectData(addr string) string {
	return "host.example\x004\x00\x19" + addr + "\x00"
}

func (r *rawClient) connect(addr string) { r.send(cmdConnect, connectData(addr)) }

// wire are the frames of a small message, without negotiation.
func wire() []string {
	return []string{
		bytesOf(cmdMacros, "Ci\x00Q1\x00"),
		bytesOf(cmdConnect, connectData("192.0.2.1")),
		bytesOf(cmdHelo, "h\x00"),
		bytesOf(cmdMail, "<a@b>\x00"),
		bytesOf(cmdRcpt, "<c@d>\x00"),
		bytesOf(cmdData, ""),
		bytesOf(cmdHeader, "Subject\x00 x\x00"),
		bytesOf(cmdEndHeader, ""),
		bytesOf(cmdBody, "text\r\n"),
		bytesOf(cmdEnd, ""),
	}
}

// message sends a whole message and returns the answer.
func (r *rawClient) message() frame {
	r.t.Helper()
	r.put(strings.Join(wire(), ""))
	return r.answer()
}

// answer reads the reply to the recipient of a message, and returns that to its end.
func (r *rawClient) answer() frame {
	r.t.Helper()
	r.reply()
	return r.reply()
}

func (f frame) String() string { return fmt.Sprintf("%q %.80q", f.code, f.data) }

// closeWrite says that nothing more will come.
func (r *rawClient) closeWrite() {
	if c, ok := r.Conn.(interface{ CloseWrite() error }); ok {
		c.CloseWrite()
	}
}
