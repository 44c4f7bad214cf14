package milter

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	gomilter "github.com/d--j/go-milter"
)

// TestBytes is a property: whatever fields and body an MTA sends, the judge gets
// exactly those bytes, whether or not the MTA waits for a reply to each chunk.
func TestBytes(t *testing.T) {
	j := newFake()
	f := start(t, j, Options{})
	for _, protocol := range []uint32{allProtocol, allProtocol &^ uint32(gomilter.OptNoBodyReply)} {
		r := f.raw(t)
		r.negotiate(6, allActions, protocol)
		for seed := range uint64(200) {
			m := randomMail(rand.New(rand.NewPCG(seed, 1)))
			r.put(strings.Join(m.wire(), ""))
			a := r.reply()
			for a.code == 'c' {
				a = r.reply()
			}
			if a.code != 'a' {
				t.Fatalf("seed %d: %v", seed, a)
			}
			if got := j.last(t).raw; !bytes.Equal(got, m.bytes()) {
				t.Fatalf("seed %d: got\n%.300q, want\n%.300q", seed, got, m.bytes())
			}
		}
	}
}

// randomMail has folds, blanks, tabs, empty values and any byte a body can have.
func randomMail(r *rand.Rand) mail {
	m := letter()
	m.headers = nil
	pieces := []string{" ", "  ", "\t", "\n ", "\n\t", "a", "text", "ä", ":", "=?utf-8?q?x?=", "%", "\r", "\x80\xff", strings.Repeat("x", 998)}
	for range r.IntN(40) {
		var value strings.Builder
		for range r.IntN(12) {
			value.WriteString(pieces[r.IntN(len(pieces))])
		}
		v := value.String()
		for strings.Contains(v, "\r\n") { // that would be a line end already
			v = strings.ReplaceAll(v, "\r\n", "\n")
		}
		m.headers = append(m.headers, [2]string{"X-" + string(rune('A'+r.IntN(26))), v})
	}
	m.body = make([]byte, r.IntN(200_000))
	for i := range m.body {
		m.body[i] = "\x00\r\n\xff ab\r\n"[r.IntN(9)]
	}
	return m
}

// wire are the frames of the message with connect and HELO, with the body in
// pieces of any size.
func (m mail) wire() []string {
	events := wire()[:6]
	for _, h := range m.headers {
		events = append(events, bytesOf(cmdHeader, h[0]+"\x00"+h[1]+"\x00"))
	}
	events = append(events, bytesOf(cmdEndHeader, ""))
	for rest, n := m.body, 1; len(rest) > 0; n = n*7%65535 + 1 {
		n := min(n, len(rest))
		events = append(events, bytesOf(cmdBody, string(rest[:n])))
		rest = rest[n:]
	}
	return append(events, bytesOf(cmdEnd, ""))
}

// FuzzSession puts any bytes behind a negotiation. The process must survive, the
// connection end, and nothing be kept; and a message is only accepted if the
// judge has seen it.
func FuzzSession(f *testing.F) {
	j := newFake()
	j.stages = early
	fix := start(f, j, Options{MaxRecipients: 10, MaxMessage: 1 << 16, MaxHeader: 1 << 12})
	f.Add([]byte(strings.Join(wire(), "")))
	for _, a := range attacks {
		f.Add([]byte(a))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := len(j.messages())
		r := fix.raw(t)
		r.negotiate(6, allActions, allProtocol)
		r.put(string(b) + bytesOf(cmdQuit, ""))
		accepted := 0
		r.closeWrite()
		for _, reply := range r.closed() {
			if reply.code == 'a' {
				accepted++
			}
		}
		if judged := len(j.messages()) - before; accepted > judged {
			t.Errorf("%d messages accepted, %d judged", accepted, judged)
		}
	})
}
