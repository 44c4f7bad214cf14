package milter

import (
	"bytes"
	"context"
	"io"
	"time"

	gomilter "github.com/d--j/go-milter"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/spool"
)

// maxRecipientBytes bounds what the addresses of one message may hold together.
const maxRecipientBytes = 4 << 20

// section is how far the content of a message has come.
type section int

const (
	inEnvelope section = iota
	inHeader
	inBody
)

// message is one message on its way in, from MAIL to its answer.
type message struct {
	judge   Judge   // current at MAIL
	options Options // likewise
	env     scan.Envelope
	ctx     context.Context
	cancel  context.CancelFunc

	begun     []*scan.Pending // of connection, MAIL and the recipients that stay
	addresses int             // bytes of the recipients
	crowded   bool            // some recipients were refused: there are too many

	raw     *spool.Buffer
	parser  *entity.Parser
	section section
	size    int64 // of what the MTA sent
	full    bool  // a limit was reached; the rest is counted, not stored
	line    []byte

	refused *gomilter.Response // what it will be answered, whatever comes
	landed  func()
}

// refuse decides that the message gets this answer. Its bytes are of no use any
// more.
func (m *message) refuse(r *gomilter.Response) {
	m.refused = r
	m.close()
}

// mostEarly is how many bodies are decoded as they come. There are not many large ones in one message.
const mostEarly = 32

// begin takes the buffer and the parser that the message is written to. It is decoded as it comes: the MTA takes longer to
// send it than that takes, and it is in the processor's cache.
func (m *message) begin(raw *spool.Buffer, parser *entity.Parser) {
	m.raw, m.parser = raw, parser
	early := 0
	parser.DecodeEarly(func() io.WriteCloser {
		if early++; early > mostEarly {
			return nil
		}
		return raw.Beside()
	})
}

// close gives the bytes back.
func (m *message) close() {
	if m.raw != nil {
		m.raw.Close()
	}
	m.raw, m.parser = nil, nil
}

// header takes a field as the MTA shows it: folded with LF, whatever the sender
// wrote. leading says that the value begins with what was after the colon;
// otherwise the MTA has taken one blank away.
func (m *message) header(name, value []byte, leading bool, o Options) error {
	m.section = inHeader
	b := append(append(m.line[:0], name...), ':')
	if !leading && len(value) > 0 {
		b = append(b, ' ')
	}
	m.line = append(appendCRLF(b, value), '\r', '\n')
	if m.size+int64(len(m.line)) > o.MaxHeader {
		m.full = true
	}
	return m.store(m.line, o.MaxMessage)
}

// appendCRLF appends value with its line ends as SMTP has them.
func appendCRLF(b, value []byte) []byte {
	for {
		end := bytes.IndexByte(value, '\n')
		if end < 0 {
			return append(b, value...)
		}
		b = append(b, value[:end]...)
		if b[len(b)-1] != '\r' {
			b = append(b, '\r')
		}
		b, value = append(b, '\n'), value[end+1:]
	}
}

// endHeader takes the empty line before the body.
func (m *message) endHeader(o Options) error {
	if m.section == inBody {
		return nil
	}
	m.section = inBody
	return m.store([]byte("\r\n"), o.MaxMessage)
}

// body takes a piece of the body. An MTA that leaves out the end of the header
// means it.
func (m *message) body(chunk []byte, o Options) error {
	if err := m.endHeader(o); err != nil {
		return err
	}
	return m.store(chunk, o.MaxMessage)
}

// store writes to spool and parser at once, so that both hold the same.
func (m *message) store(b []byte, limit int64) error {
	m.size += int64(len(b))
	if m.full {
		return nil
	}
	if room := limit - m.raw.Size(); int64(len(b)) > room {
		b, m.full = b[:room], true
	}
	_, err := m.raw.Write(b)
	if err != nil && m.parser.GiveUpEarly() { // the message itself goes before what is made of it
		_, err = m.raw.Write(b)
	}
	if err != nil {
		return err
	}
	m.parser.Write(b)
	return nil
}

// received ends the message and hands it over.
func (m *message) received() scan.Received {
	m.env.Times.End = time.Now()
	r := scan.Received{Envelope: m.env, Raw: m.raw, Tree: m.parser.Close(), Size: m.size, Begun: m.begun}
	m.raw, m.parser = nil, nil
	return r
}

// esmtp reports whether the arguments of MAIL or RCPT have a keyword (RFC 5321,
// section 4.1.2).
func esmtp(args, keyword string) bool {
	for _, arg := range bytes.Fields([]byte(args)) {
		word, _, _ := bytes.Cut(arg, []byte("="))
		if bytes.EqualFold(word, []byte(keyword)) {
			return true
		}
	}
	return false
}
