package scantest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// Message returns a message as opening it would leave it: raw is parsed, the
// parts are taken as they are given.
func Message(raw string, parts ...scan.Part) *scan.Message {
	p := entity.NewParser(entity.Limits{Parts: 1000, Depth: 50})
	_, _ = p.Write([]byte(raw)) // never fails
	tree := p.Close()
	return &scan.Message{
		Envelope: scan.Envelope{Sender: "a@example.net", Recipients: []string{"b@example.com"}},
		Header:   tree.Root.Header,
		Raw:      Bytes([]byte(raw)),
		Root:     tree.Root,
		Parts:    parts,
	}
}

// Messages returns the odd messages every scanner must bear, new at each call.
func Messages() map[string]*scan.Message {
	text := func(s string) scan.Content { return Bytes([]byte(s)) }
	mixed := "Subject: two\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Type: application/zip; name=a.zip\r\n\r\nPK\r\n--b--\r\n"
	m := Message(mixed,
		scan.Part{Parent: -1, Path: "1", Type: "text/plain", Sniffed: "text/plain", Content: text("hello")},
		scan.Part{Parent: -1, Path: "2", Names: []string{"a.zip", "b.zip"}, Type: "application/zip", Content: text("PK"), Opened: true},
		scan.Part{Parent: 1, Path: "2/a.txt", Names: []string{"a.txt"}, Content: text("member"), Archived: true},
		scan.Part{Parent: 1, Path: "2/a.txt#2", Names: []string{"a.txt"}, Archived: true},
		scan.Part{Parent: 1, Path: "2/bad\\xff%2F", Names: []string{"bad\xff/"}, Content: text("\x00\xff\xfe"), Archived: true},
	)
	m.Notes = []scan.Finding{{Kind: scan.Ambiguous, Scanner: "mime", Rule: "mime/duplicate-boundary", Part: scan.WholeMessage}}
	if len(m.Root.Children) >= 2 {
		m.Parts[0].Entity, m.Parts[1].Entity = m.Root.Children[0], m.Root.Children[1]
	}
	return map[string]*scan.Message{
		"empty":       Message(""),
		"header only": Message("Subject: x\r\n"),
		"body only":   Message("\r\nbody\r\n", scan.Part{Parent: -1, Path: "1", Type: "text/plain", Content: text("body\r\n")}),
		"empty part":  Message("Subject: x\r\n\r\n", scan.Part{Parent: -1, Path: "1", Type: "text/plain", Content: text("")}),
		"no content":  Message("Subject: x\r\n\r\n", scan.Part{Parent: -1, Path: "1", Type: "application/zip", Names: []string{""}}),
		"no type":     Message("Subject: x\r\n\r\nz", scan.Part{Parent: -1, Path: "1", Content: text("z")}),
		"html": Message("Content-Type: text/html\r\n\r\n<p>", scan.Part{Parent: -1, Path: "1", Type: "text/html",
			Content: text("<p><a href=")}),
		"parts and note": m,
	}
}

// Bytes returns content that gives io.EOF together with its last byte, as io.ReaderAt
// allows, and can be read in no other way.
func Bytes(b []byte) scan.Content { return contentBytes{bytes.NewReader(b)} }

type contentBytes struct{ r *bytes.Reader }

func (c contentBytes) Size() int64 { return c.r.Size() }

func (c contentBytes) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.r.ReadAt(p, off)
	if err == nil && off+int64(n) == c.r.Size() {
		err = io.EOF
	}
	return n, err
}

// fingerprint returns all of a message as text, contents by hash.
func fingerprint(m *scan.Message) string {
	parts := make([]scan.Part, len(m.Parts))
	sums := []string{sum(m.Raw)}
	for i, p := range m.Parts {
		sums = append(sums, sum(p.Content))
		parts[i], parts[i].Content = p, nil
	}
	text, err := json.Marshal([]any{m.Envelope, m.Header, m.Root, m.Notes, parts, sums})
	if err != nil {
		panic(err) // plain data: cannot fail
	}
	return string(text)
}

func sum(c scan.Content) string {
	if c == nil {
		return ""
	}
	h := sha256.New()
	if _, err := io.Copy(h, scan.Reader(c)); err != nil {
		return err.Error()
	}
	return hex.EncodeToString(h.Sum(nil))
}
