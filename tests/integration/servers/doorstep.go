package servers

import (
	"bufio"
	"io"
	"net"
	"strings"
)

// StartDoorstep stands before a server that takes mail, and returns where. When that has taken one, taken is called, and who sent it
// hears nothing any more. Cleanup ends it.
func StartDoorstep(t TB, to string, taken func()) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			go func() { io.Copy(far, near); far.Close() }()
			go replies(far, near, taken)
		}
	}()
	return l.Addr().String()
}

// replies passes on what a server answers, up to the answer to a whole mail.
func replies(from, to net.Conn, taken func()) {
	defer from.Close()
	defer to.Close()
	lines, awaited := bufio.NewReader(from), false
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		if awaited && strings.HasPrefix(line, "250") {
			taken()
			return
		}
		awaited = strings.HasPrefix(line, "354")
		if _, err := io.WriteString(to, line); err != nil {
			return
		}
	}
}
