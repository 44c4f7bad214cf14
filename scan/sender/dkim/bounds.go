package dkim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/dns"
)

// Limits of the work to verify a message. The library looks through all lines of the
// header for each name that a signature lists, so that their product counts.
const (
	maxHeader      = 1 << 20
	maxSignature   = 16 << 10
	maxComparisons = 1 << 20
)

// Header returns the header of a message, as far as it is looked at, with the empty
// line that ends it: programs differ about where damaged ones end, and the library
// is not to take a body for one.
func Header(m *scan.Message) ([]byte, error) {
	span := m.Root.Head
	head := make([]byte, min(span.Len(), maxHeader+1))
	if n, err := m.Raw.ReadAt(head, span.Start); n < len(head) {
		return nil, err
	}
	return append(bytes.TrimRight(head, "\r\n"), "\r\n\r\n"...), nil
}

// Body returns the message after the header.
func Body(m *scan.Message) io.Reader {
	return io.NewSectionReader(m.Raw, m.Root.Head.End, m.Raw.Size()-m.Root.Head.End)
}

// Bearable returns an error if verifying these signatures would take too long.
func Bearable(head []byte, signatures []string) error {
	if len(head) > maxHeader {
		return fmt.Errorf("a header of more than %d bytes is not looked at", maxHeader)
	}
	names := 0
	for _, s := range signatures {
		if len(s) > maxSignature {
			return fmt.Errorf("a signature of %d bytes is not looked at", len(s))
		}
		names += strings.Count(s, ":") + 1
	}
	if lines := bytes.Count(head, []byte("\n")); names*lines > maxComparisons {
		return fmt.Errorf("%d lines of header and signatures that list %d are not looked at", lines, names)
	}
	return nil
}

// longestKey bounds a key record, in bytes: an RSA key of 8,192 bits has room in
// it. RFC 8301, section 3.2, asks for up to 4,096; above, time goes with the cube.
const longestKey = 2 << 10

// Key looks a key record up. The errors are those the library understands: of
// package net, and temporary if asking again may help.
func Key(ctx context.Context, r dns.Resolver, name string) ([]string, error) {
	texts, err := dns.Texts(ctx, r, name)
	if err != nil {
		return nil, &net.DNSError{Err: err.Error(), Name: name, IsNotFound: dns.NotFound(err), IsTemporary: !dns.NotFound(err) &&
			!errors.Is(err, dns.ErrBudget)}
	}
	for _, t := range texts {
		if len(t) > longestKey {
			return nil, fmt.Errorf("a key record of %d bytes is not looked at", len(t))
		}
	}
	return texts, nil
}

// source reads a message for the library, which waits for ever on other
// goroutines when reading fails: it is told that the message ends, and the error
// is kept here.
type source struct {
	ctx context.Context
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	if s.err == nil {
		s.err = s.ctx.Err()
	}
	if s.err != nil {
		return 0, io.EOF
	}
	n, err := s.r.Read(p)
	if err == nil {
		return n, nil
	}
	if err != io.EOF {
		s.err = err
	}
	return n, io.EOF
}
