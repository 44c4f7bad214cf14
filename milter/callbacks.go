package milter

import (
	"runtime/debug"

	gomilter "github.com/d--j/go-milter"
	"go.uber.org/zap"
)

// callbacks is what the library calls. A panic in a callback would end the
// process, and with it every other message; here it ends one message, with a
// temporary failure. No callback returns an error: the library would close the
// connection, and the MTA do as its configuration says.
type callbacks struct{ *session }

// guarded runs one callback.
func (c callbacks) guarded(event string, f func() *gomilter.Response) (r *gomilter.Response, err error) {
	defer func() {
		if p := recover(); p != nil {
			r = c.panicked(event, p)
		}
	}()
	return f(), nil
}

// panicked answers for a callback that did not.
func (c callbacks) panicked(event string, p any) *gomilter.Response {
	c.log.Error("panic", zap.String("event", event), zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
	c.spoil()
	return unavailable
}

// NewConnection begins another SMTP session on the same connection.
func (c callbacks) NewConnection(gomilter.Modifier) error {
	_, err := c.guarded("new connection", func() *gomilter.Response {
		c.reset()
		return nil
	})
	return err
}

// Connect implements the library's interface, as are all that follow.
func (c callbacks) Connect(host, family string, port uint16, addr string, m gomilter.Modifier) (*gomilter.Response, error) {
	return c.guarded("connect", func() *gomilter.Response { return c.connect(host, port, addr, m) })
}

func (c callbacks) Helo(name string, m gomilter.Modifier) (*gomilter.Response, error) {
	return c.guarded("helo", func() *gomilter.Response { return c.helo(name, m) })
}

func (c callbacks) MailFrom(from, args string, m gomilter.Modifier) (*gomilter.Response, error) {
	return c.guarded("mail", func() *gomilter.Response { return c.mail(from, args, m) })
}

func (c callbacks) RcptTo(to, args string, m gomilter.Modifier) (*gomilter.Response, error) {
	return c.guarded("rcpt", func() *gomilter.Response { return c.rcpt(to, m) })
}

func (c callbacks) Data(m gomilter.Modifier) (*gomilter.Response, error) {
	return c.guarded("data", func() *gomilter.Response { return c.data(m) })
}

func (c callbacks) Header(name, value string, m gomilter.Modifier) (*gomilter.Response, error) {
	return c.guarded("header", func() *gomilter.Response { return c.header([]byte(name), []byte(value)) })
}

func (c callbacks) Headers(m gomilter.Modifier) (*gomilter.Response, error) {
	return c.guarded("end of header", func() *gomilter.Response { return c.endHeader() })
}

func (c callbacks) BodyChunk(chunk []byte, m gomilter.Modifier) (*gomilter.Response, error) {
	return c.guarded("body", func() *gomilter.Response { return c.body(chunk) })
}

// unanswered is the flag for each command with content that spares the MTA the wait.
var unanswered = map[byte]gomilter.OptProtocol{
	cmdHeader:    gomilter.OptNoHeaderReply,
	cmdEndHeader: gomilter.OptNoEOHReply,
	cmdBody:      gomilter.OptNoBodyReply,
}

// takes implements contentTaker: a message is there that may go on so.
func (c callbacks) takes(command byte) bool {
	return c.msg != nil && (c.msg.section == inBody) == (command == cmdBody) && c.agreed&unanswered[command] != 0
}

func (c callbacks) field(name, value []byte) {
	c.guarded("header", func() *gomilter.Response { return c.header(name, value) })
}

func (c callbacks) endOfHeader() {
	c.guarded("end of header", func() *gomilter.Response { return c.endHeader() })
}

func (c callbacks) piece(b []byte) {
	c.guarded("body", func() *gomilter.Response { return c.body(b) })
}

func (c callbacks) EndOfMessage(m gomilter.Modifier) (*gomilter.Response, error) {
	return c.guarded("end of message", func() *gomilter.Response { return c.endMessage(m) })
}

func (c callbacks) Abort(gomilter.Modifier) error {
	_, err := c.guarded("abort", func() *gomilter.Response {
		c.drop()
		return nil
	})
	return err
}

func (c callbacks) Unknown(string, gomilter.Modifier) (*gomilter.Response, error) {
	return gomilter.RespContinue, nil
}

func (c callbacks) Cleanup(gomilter.Modifier) {
	c.guarded("cleanup", func() *gomilter.Response {
		c.hungUp()
		return nil
	})
}

var _ gomilter.Milter = callbacks{}
