package entity

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// earlyBody is a writer of one body.
type earlyBody struct {
	bytes.Buffer
	room   int
	closed bool
}

func (k *earlyBody) Write(b []byte) (int, error) {
	if k.room -= len(b); k.room < 0 {
		return 0, errors.New("no room")
	}
	return k.Buffer.Write(b)
}

func (k *earlyBody) Close() error { k.closed = true; return nil }

// decodeChunks parses msg in chunks of the sizes that next returns, and has bodies of up to room bytes decoded.
func decodeChunks(msg string, room int, next func() int) (t *Tree, all []*earlyBody) {
	p := NewParser(Limits{})
	p.DecodeEarly(func() io.WriteCloser {
		all = append(all, &earlyBody{room: room})
		return all[len(all)-1]
	})
	for rest := []byte(msg); len(rest) > 0; {
		n := min(max(next(), 1), len(rest))
		p.Write(rest[:n])
		rest = rest[n:]
	}
	return p.Close(), all
}

// checkEarly compares what is decoded while a message is read with what its bodies are decoded to afterwards.
func checkEarly(t *testing.T, msg string, next func() int) (early int) {
	t.Helper()
	tree, _ := decodeChunks(msg, 1<<20, next)
	for e := range leavesOf(tree.Root) {
		to, met := e.Decoded()
		if to == nil {
			if e.Encoding == Base64 && !isMultipart(e.Type) {
				t.Fatalf("%q in %.2000q is not decoded early", e.Number, msg)
			}
			continue
		}
		early++
		var want bytes.Buffer
		notes, err := Decode(&want, strings.NewReader(msg[e.Body.Start:e.Body.End]), e.Encoding)
		if err != nil || to.(*earlyBody).String() != want.String() || !reflect.DeepEqual(met, notes) {
			t.Fatalf("%q of %.2000q is decoded early to %.200q, %v; not to %.200q, %v", e.Number, msg, to, met, want.String(), notes)
		}
	}
	return early
}

func leavesOf(e *Entity) func(yield func(*Entity) bool) {
	return func(yield func(*Entity) bool) {
		if len(e.Children) == 0 && !yield(e) {
			return
		}
		for _, child := range e.Children {
			for leaf := range leavesOf(child) {
				if !yield(leaf) {
					return
				}
			}
		}
	}
}

func TestDecodeEarly(t *testing.T) {
	pieces := []string{
		"\n", "\r\n", "\r", " ", "-", "--a\n", "\n--a\n", "\r\n--a\r\n", "\r\n--a\r\nContent-Transfer-Encoding: base64\r\n\r\n", "\n--a--\n", "\r\n--a--\r\n",
		"\r\n--a\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", "Content-Transfer-Encoding: base64\r\n\r\n", "WDVPIVAl", "WDVPIQ==", "WDV", "=", "text ",
		mimeBase64(bytes.Repeat([]byte("0123456789"), 100)), strings.Repeat("WDVPIVAl", 5000), "Content-Type: message/rfc822\r\n\r\n",
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n", "\r\n--b\r\n", "\n--b--\n",
	}
	r := rand.New(rand.NewPCG(5, 6))
	early := 0
	for range 150 {
		var b strings.Builder
		b.WriteString("Content-Type: multipart/mixed; boundary=a\r\n"[:43*r.IntN(2)] + "Content-Transfer-Encoding: base64\r\n\r\n")
		for range r.IntN(30) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		for _, next := range []func() int{always(1), always(3), always(1000), always(1 << 20), func() int { return r.IntN(100) }} {
			early += checkEarly(t, b.String(), next)
		}
	}
	if early < 500 {
		t.Errorf("only %d bodies were decoded early", early)
	}
}

// What a body that does not fit was decoded to is closed.
func TestDecodeEarlyInVain(t *testing.T) {
	msg := "Content-Transfer-Encoding: base64\r\n\r\n" + mimeBase64(bytes.Repeat([]byte("0123456789"), 100))
	for room, want := range map[int]bool{0: false, 500: false, 1000: true} {
		tree, all := decodeChunks(msg, room, always(80))
		if to, met := tree.Root.Decoded(); (to != nil) != want || !want && met != nil || len(all) != 1 || all[0].closed == want {
			t.Errorf("room for %d bytes: %v", room, to)
		}
	}
	none := NewParser(Limits{})
	none.DecodeEarly(func() io.WriteCloser { return nil })
	none.Write([]byte(msg))
	if to, _ := none.Close().Root.Decoded(); to != nil {
		t.Error("decoded where nothing is to be")
	}
}

// What was decoded is closed where the room is wanted, and the message is read on.
func TestGiveUpEarly(t *testing.T) {
	part := "\r\n--a\r\nContent-Transfer-Encoding: base64\r\n\r\n" + mimeBase64(bytes.Repeat([]byte("0123456789"), 100))
	msg := "Content-Type: multipart/mixed; boundary=a\r\n\r\n" + strings.Repeat(part, 3) + "\r\n--a--\r\n"
	for _, at := range []int{0, 100, 1000, 2000, 3000, len(msg)} {
		var all []*earlyBody
		p := NewParser(Limits{})
		p.DecodeEarly(func() io.WriteCloser {
			all = append(all, &earlyBody{room: 1 << 20})
			return all[len(all)-1]
		})
		io.WriteString(p, msg[:at])
		if n := len(all); p.GiveUpEarly() != (n > 0) || p.GiveUpEarly() {
			t.Errorf("at %d: %d bodies were begun", at, n)
		}
		begun := len(all)
		io.WriteString(p, msg[at:])
		tree := p.Close()
		for e := range leavesOf(tree.Root) {
			if to, _ := e.Decoded(); to != nil || e.Body.Len() < 1000 {
				t.Errorf("at %d: %q has %d bytes and %v", at, e.Number, e.Body.Len(), to)
			}
		}
		if len(tree.Root.Children) != 3 || len(all) != begun {
			t.Errorf("at %d: %d parts, %d decoded in vain", at, len(tree.Root.Children), len(all)-begun)
		}
		for _, to := range all {
			if !to.closed {
				t.Errorf("at %d: one is left open", at)
			}
		}
	}
}
