package sample

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"slices"
	"strings"
	"testing"
)

// Every sample is a mail that the standard library can read to its end.
func TestSamplesAreWellFormed(t *testing.T) {
	mails := slices.Concat(Mixed(100), Small(3), Zips(3), Large(1))
	for i, m := range append(mails, Newsletter(), Attached("x", EicarFile(), Zip("a.zip", EicarFile()))) {
		if err := read(m); err != nil {
			t.Errorf("sample %d: %v", i, err)
		}
		if bare := bytes.Count(m, []byte("\n")) - bytes.Count(m, []byte("\r\n")); bare != 0 {
			t.Errorf("sample %d: %d bare line feeds", i, bare)
		}
	}
}

func read(text []byte) error {
	m, err := mail.ReadMessage(bytes.NewReader(text))
	if err != nil {
		return err
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(kind, "multipart/") {
		return err
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := parts.NextPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, p); err != nil {
			return err
		}
	}
}

func TestSamplesAreTheSameEveryTime(t *testing.T) {
	again := Mixed(40)
	for i, m := range Mixed(40) {
		if !bytes.Equal(m, again[i]) {
			t.Fatalf("sample %d differs between two calls", i)
		}
	}
}
