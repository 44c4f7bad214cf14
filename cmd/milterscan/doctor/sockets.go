package doctor

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan/units"
)

// talkTime bounds a conversation with the daemon.
const talkTime = 5 * time.Second

const startUs = "systemctl start milterscan, and see its log if it does not stay"

// sockets examines every address at which the daemon should listen: whether the socket exists,
// with the right mode and group, and whether a milter answers.
func (p *Installation) sockets(ctx context.Context) []Finding {
	var found []Finding
	for _, a := range p.Config.Milter.Listen {
		network, where := a.Split()
		if network == "unix" {
			if f := p.socketFile(where); f.Level != OK {
				found = append(found, f)
				continue
			}
		}
		found = append(found, talk(ctx, network, where))
	}
	return found
}

// socketFile looks at the socket as a file.
func (p *Installation) socketFile(path string) Finding {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && bound(path):
		return fault("systemctl restart milterscan",
			"%s was removed while milterscan was running: the MTA cannot connect", path)
	case errors.Is(err, fs.ErrNotExist):
		return fault(startUs, "%s is not there: milterscan does not listen", path)
	case err != nil:
		return fault("run doctor as root", "%s: %v", path, err)
	case info.Mode().Type() != fs.ModeSocket:
		return fault("take it away and start milterscan", "%s is no socket", path)
	}
	if have, want := info.Mode().Perm(), fs.FileMode(p.Config.Milter.SocketMode); have != want {
		return fault("restart milterscan, and see who changes it", "%s has the mode %#o, not %#o", path, have, want)
	}
	return Finding{}
}

// bound reports whether some process listens on a socket that milterscan or systemd made at a
// path, even if the file is gone.
func bound(path string) bool {
	text, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		const flags, listens, name = 3, "00010000", 7
		f := strings.Fields(line)
		if len(f) > name && f[flags] == listens && (f[name] == path || f[name] == path+".new") {
			return true
		}
	}
	return false
}

// talk begins a conversation as an MTA does.
func talk(ctx context.Context, network, where string) Finding {
	dialer := net.Dialer{Timeout: talkTime}
	conn, err := dialer.DialContext(ctx, network, where)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fault("run doctor as root, or as a user that may connect", "%s: %v", where, err)
	case err != nil:
		return fault(startUs, "%s: %v", where, err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(talkTime))
	if err := negotiate(conn); err != nil {
		return fault("see which program listens there (ss -lp), and give milterscan or it another place",
			"%s: %v", where, err)
	}
	return ok("%s answers%s", where, who(conn))
}

// Answers reports whether a milter answers at an address: another program may listen there.
func Answers(ctx context.Context, address string) bool {
	network, where := units.SplitAddress(address)
	dialer := net.Dialer{Timeout: talkTime}
	conn, err := dialer.DialContext(ctx, network, where)
	if err != nil {
		return false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(talkTime))
	return negotiate(conn) == nil
}

// errNoMilter is reported for a server that speaks another protocol, or none.
var errNoMilter = errors.New("it does not answer as a milter")

// negotiate sends the first packet of the milter protocol and reads the answer:
// length, 'O', version, actions, steps.
func negotiate(conn io.ReadWriter) error {
	const version, actions, steps = 6, 0x1ff, 0x1fffff
	packet := binary.BigEndian.AppendUint32(nil, 13)
	packet = append(packet, 'O')
	for _, n := range [...]uint32{version, actions, steps} {
		packet = binary.BigEndian.AppendUint32(packet, n)
	}
	if _, err := conn.Write(packet); err != nil {
		return fmt.Errorf("%w: %w", errNoMilter, err)
	}
	var answer [5]byte
	if _, err := io.ReadFull(conn, answer[:]); err != nil {
		return fmt.Errorf("%w: %w", errNoMilter, err)
	}
	n := binary.BigEndian.Uint32(answer[:])
	if n < 13 || n > 1<<16 || answer[4] != 'O' {
		return errNoMilter
	}
	io.CopyN(io.Discard, conn, int64(n-1))
	conn.Write([]byte{0, 0, 0, 1, 'Q'}) // a polite end; an error does not matter
	return nil
}
