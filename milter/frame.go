package milter

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"
)

// The commands of the milter protocol: the first byte of each frame an MTA
// sends (Sendmail's libmilter/mfdef.h, SMFIC_*).
const (
	cmdNegotiate = 'O'
	cmdMacros    = 'D'
	cmdConnect   = 'C'
	cmdHelo      = 'H'
	cmdMail      = 'M'
	cmdRcpt      = 'R'
	cmdData      = 'T'
	cmdHeader    = 'L'
	cmdEndHeader = 'N'
	cmdBody      = 'B'
	cmdEnd       = 'E'
	cmdAbort     = 'A'
	cmdQuit      = 'Q'
	cmdQuitNew   = 'K'
	cmdUnknown   = 'U'
)

// Frame lengths count the command, not the four bytes of the length itself.
const (
	maxBodyFrame   = 64 << 10 // 65,535 bytes of body: the size we negotiate
	maxHeaderFrame = 1 << 20  // one field; Postfix cuts at header_size_limit, 102,400
	maxMacroFrame  = 64 << 10
	maxFrame       = 16 << 10 // all others; SMTP command lines are far shorter
)

// maxLength returns the greatest length of a frame of that command, 0 if there is no
// such command.
func maxLength(command byte) int {
	switch command {
	case cmdBody:
		return maxBodyFrame
	case cmdHeader:
		return maxHeaderFrame
	case cmdMacros:
		return maxMacroFrame
	case cmdEnd:
		return 1 // libmilter takes a last piece of body here, which no MTA sends and the library would lose
	case cmdNegotiate, cmdConnect, cmdHelo, cmdMail, cmdRcpt, cmdData, cmdEndHeader, cmdAbort, cmdQuit, cmdQuitNew, cmdUnknown:
		return maxFrame
	}
	return 0
}

// checkFrame returns an error if the arguments of a command are malformed. The
// library takes well-formed frames for granted, and a panic in it ends the process.
func checkFrame(command byte, data []byte) error {
	switch command {
	case cmdNegotiate:
		return checkLength(data, 12)
	case cmdConnect:
		return checkConnect(data)
	case cmdHelo, cmdMail, cmdRcpt, cmdUnknown:
		return checkString(data)
	case cmdHeader:
		return checkHeader(data)
	case cmdMacros:
		return checkMacros(data)
	}
	return nil
}

var errUnterminated = errors.New("a string is not terminated")

func checkLength(data []byte, least int) error {
	if len(data) < least {
		return fmt.Errorf("%d bytes of arguments, at least %d are needed", len(data), least)
	}
	return nil
}

// checkString asks for one string or more, each ended by NUL.
func checkString(data []byte) error {
	if len(data) == 0 || data[len(data)-1] != 0 {
		return errUnterminated
	}
	return nil
}

// checkHeader asks for exactly a name and a value.
func checkHeader(data []byte) error {
	if n := bytes.Count(data, []byte{0}); n != 2 {
		return fmt.Errorf("%d strings, not a name and a value", n)
	}
	return checkString(data)
}

// checkMacros asks for the command the macros belong to, and for strings.
func checkMacros(data []byte) error {
	if len(data) == 0 {
		return errors.New("no command the macros belong to")
	}
	if !strings.ContainsRune("CHMRTLNBEAU", rune(data[0])) {
		return fmt.Errorf("macros for %q", data[0])
	}
	if len(data) == 1 {
		return nil
	}
	return checkString(data)
}

// checkConnect asks for a host name, a protocol family and, where the family
// has them, a port and an address the library can read.
func checkConnect(data []byte) error {
	_, rest, ok := bytes.Cut(data, []byte{0})
	if !ok {
		return errUnterminated
	}
	if len(rest) == 0 {
		return errors.New("no protocol family")
	}
	family, rest := rest[0], rest[1:]
	if family == 'U' {
		return nil
	}
	if err := checkLength(rest, 3); err != nil {
		return err
	}
	address, _, ok := bytes.Cut(rest[2:], []byte{0})
	if !ok {
		return errUnterminated
	}
	return checkAddress(family, string(address))
}

func checkAddress(family byte, address string) error {
	ok := false
	switch family {
	case 'L':
		ok = true
	case '4':
		ip := net.ParseIP(address)
		ok = ip != nil && ip.To4() != nil
	case '6':
		address = strings.TrimPrefix(address, "IPv6:")
		if n := len(address); n > 2 && address[0] == '[' && address[n-1] == ']' {
			address = address[1 : n-1]
		}
		ok = net.ParseIP(address) != nil
	}
	if !ok {
		return fmt.Errorf("address %.64q of family %q", address, family)
	}
	return nil
}

// frameError is a frame that breaks the protocol.
type frameError struct {
	command byte
	length  uint32
	reason  error
}

func (e *frameError) Error() string {
	return fmt.Sprintf("frame %q of %d bytes: %v", e.command, e.length, e.reason)
}

func (e *frameError) Unwrap() error { return e.reason }
