package fakes

import (
	"io"
	"net"
	"os"
	"syscall"
)

// reader reads a connection and keeps the descriptors that come with the bytes.
type reader struct {
	conn  net.Conn
	files []*os.File
}

func newReader(c net.Conn) *reader { return &reader{conn: c} }

// close closes the descriptors that were not taken.
func (r *reader) close() {
	for _, f := range r.files {
		f.Close()
	}
}

// Read reads bytes, and puts by what descriptors came with them.
func (r *reader) Read(b []byte) (int, error) {
	unix, ok := r.conn.(*net.UnixConn)
	if !ok {
		return r.conn.Read(b)
	}
	oob := make([]byte, syscall.CmsgSpace(4))
	n, oobn, _, _, err := unix.ReadMsgUnix(b, oob)
	if n == 0 && oobn == 0 && err == nil {
		err = io.EOF
	}
	messages, _ := syscall.ParseSocketControlMessage(oob[:oobn])
	for _, m := range messages {
		fds, _ := syscall.ParseUnixRights(&m)
		for _, fd := range fds {
			r.files = append(r.files, os.NewFile(uintptr(fd), "passed"))
		}
	}
	return max(n, 0), err
}

// descriptor takes the byte that came with a descriptor, and reads the file from its
// beginning, as clamd does.
func (p *peer) descriptor() ([]byte, bool) {
	if _, err := p.in.ReadByte(); err != nil || len(p.files.files) == 0 {
		return nil, false
	}
	f := p.files.files[0]
	p.files.files = p.files.files[1:]
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, false
	}
	b, err := io.ReadAll(io.NewSectionReader(f, 0, info.Size()))
	return b, err == nil
}
