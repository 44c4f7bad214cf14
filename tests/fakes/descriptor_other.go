//go:build !linux

package fakes

import "net"

// reader reads a connection; descriptors are passed on Linux only.
type reader struct{ net.Conn }

func newReader(c net.Conn) *reader { return &reader{c} }

func (r *reader) close() {}

func (p *peer) descriptor() ([]byte, bool) { return nil, false }
