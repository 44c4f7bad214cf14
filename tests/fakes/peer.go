package fakes

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// peer is one connection.
type peer struct {
	*Clamd
	conn    net.Conn
	files   *reader
	in      *bufio.Reader
	number  int
	session bool
	late    []string
}

func (p *peer) talk() {
	for {
		command, err := p.command()
		if err != nil || !p.obey(command) {
			break
		}
	}
}

// command reads a command, which ends with NUL if it begins with z, and with a
// line feed if it begins with n.
func (p *peer) command() (string, error) {
	first, err := p.in.Peek(1)
	if err != nil {
		return "", err
	}
	end := byte(0)
	if first[0] == 'n' {
		end = '\n'
	}
	return p.in.ReadString(end)
}

// obey carries out one command and reports whether more may follow.
func (p *peer) obey(command string) bool {
	name, end := command[1:len(command)-1], command[len(command)-1:]
	switch {
	case name == "IDSESSION":
		p.session = true
		p.run.sessions.Add(1)
	case name == "INSTREAM":
		b, ok := p.stream()
		return ok && p.verdict("stream", b)
	case name == "FILDES":
		b, ok := p.descriptor()
		return ok && p.verdict("fd[10]", b)
	case name == "END":
		return false
	case !p.Mute:
		p.write(p.simple(name) + end)
	}
	return p.session || p.Mute
}

// simple answers a command without content.
func (p *peer) simple(name string) string {
	switch name {
	case "PING":
		return "PONG"
	case "VERSION":
		return "ClamAV 1.0.0/1/Sun Nov 22 00:00:00 2026"
	case "STATS":
		return fmt.Sprintf("POOLS: 1\n\nMEMSTATS: heap N/A pools 1 pools_used %d.000M pools_total 9.000M\nEND", p.run.database.Load())
	}
	return "UNKNOWN COMMAND"
}

// stream reads chunks up to the empty one.
func (p *peer) stream() ([]byte, bool) {
	var b bytes.Buffer
	for {
		var head [4]byte
		if _, err := io.ReadFull(p.in, head[:]); err != nil {
			return nil, false
		}
		n := int64(binary.BigEndian.Uint32(head[:]))
		if n == 0 {
			return b.Bytes(), true
		}
		if p.Limit > 0 && int64(b.Len())+n > p.Limit {
			p.number++
			p.write(fmt.Sprintf("%d: INSTREAM size limit exceeded. ERROR\x00", p.number))
			return nil, false
		}
		if _, err := io.CopyN(&b, p.in, n); err != nil {
			return nil, false
		}
		if p.DropAfter > 0 && int64(b.Len()) >= p.DropAfter {
			return nil, false
		}
	}
}

// verdict says what it thinks of b and reports whether the session goes on.
func (p *peer) verdict(name string, b []byte) bool {
	p.run.heard(b)
	p.number++
	switch {
	case p.Mute:
		return true
	case p.number == p.DropWhen:
		return false
	case p.DropAfter > 0 && int64(len(b)) >= p.DropAfter:
		return false
	}
	line := fmt.Sprintf("%d: %s: %s\x00", p.number, name, p.opinion(b))
	if p.Answer != "" {
		line = strings.ReplaceAll(p.Answer, "%d", strconv.Itoa(p.number))
	}
	p.late = append(p.late, line)
	if len(p.late) < p.Backwards {
		return true
	}
	for _, l := range slices.Backward(p.late) {
		p.write(l)
	}
	p.late = nil
	return true
}

func (r *running) heard(b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, b)
}

func (p *peer) opinion(b []byte) string {
	if p.Beyond != "" && bytes.Contains(b, []byte(p.Beyond)) {
		return "Heuristics.Limits.Exceeded.MaxRecursion FOUND"
	}
	if p.Virus == "" || !bytes.Contains(b, []byte(p.Virus)) {
		return "OK"
	}
	if p.Signature == "" {
		return "Fake-Virus FOUND"
	}
	return p.Signature + " FOUND"
}

func (p *peer) write(s string) {
	p.conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
	if !p.ByteByByte {
		io.WriteString(p.conn, s)
		return
	}
	for i := range len(s) {
		if _, err := io.WriteString(p.conn, s[i:i+1]); err != nil {
			return
		}
	}
}
