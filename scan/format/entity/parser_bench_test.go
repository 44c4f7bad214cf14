package entity

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/emersion/go-message"
)

// attachment is a two-part mail whose attachment has some size bytes of lines.
func attachment(encoding, line string, size int) []byte {
	var b bytes.Buffer
	b.WriteString(crlf("From: a@example.com\nTo: b@example.com\nSubject: a file\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"----=_Part_1\"\n\nThis is a multi-part message in MIME format.\n------=_Part_1\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 7bit\n\nPlease find the file attached.\n\n-- \nA\n------=_Part_1\nContent-Type: application/octet-stream; name=\"a.bin\"\nContent-Disposition: attachment; filename=\"a.bin\"\nContent-Transfer-Encoding: " + encoding + "\n\n"))
	for b.Len() < size {
		b.WriteString(line + "\r\n")
	}
	b.WriteString("------=_Part_1--\r\n")
	return b.Bytes()
}

var (
	benchBase64 = attachment("base64", base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("\x8f\x01z"), 19)), 10<<20)
	benchQP     = attachment("quoted-printable", "<td class=3D\"x\">A line of some text with a dash - or two -- and =C3=BCmlauts.=", 10<<20)
	benchText   = attachment("7bit", "A line of some text with a dash - or two -- as people write them, of usual length.", 10<<20)
	benchSmall  = attachment("base64", "QUJDREVG", 2000)
)

const chunk = 65535

func BenchmarkParser(b *testing.B) {
	for _, m := range []struct {
		name string
		msg  []byte
	}{{"base64", benchBase64}, {"qp", benchQP}, {"text", benchText}, {"small", benchSmall}} {
		b.Run(m.name, func(b *testing.B) {
			b.SetBytes(int64(len(m.msg)))
			b.ReportAllocs()
			for b.Loop() {
				p := NewParser(Limits{})
				for i := 0; i < len(m.msg); i += chunk {
					p.Write(m.msg[i:min(i+chunk, len(m.msg))])
				}
				t := p.Close()
				t.Reread(bytes.NewReader(m.msg))
			}
		})
	}
}

func BenchmarkStandardLibrary(b *testing.B) {
	b.SetBytes(int64(len(benchBase64)))
	b.ReportAllocs()
	for b.Loop() {
		r := multipart.NewReader(bytes.NewReader(benchBase64), "----=_Part_1")
		for {
			part, err := r.NextRawPart()
			if err != nil {
				break
			}
			io.Copy(io.Discard, part)
		}
	}
}

func BenchmarkGoMessage(b *testing.B) {
	for _, m := range []struct {
		name string
		msg  []byte
	}{{"base64", benchBase64}, {"qp", benchQP}} {
		b.Run(m.name, func(b *testing.B) {
			b.SetBytes(int64(len(m.msg)))
			b.ReportAllocs()
			for b.Loop() {
				e, err := message.Read(bytes.NewReader(m.msg))
				if err != nil {
					b.Fatal(err)
				}
				e.Walk(func(_ []int, e *message.Entity, err error) error {
					if e != nil && !strings.HasPrefix(e.Header.Get("Content-Type"), "multipart/") {
						io.Copy(io.Discard, e.Body)
					}
					return err
				})
			}
		})
	}
}
