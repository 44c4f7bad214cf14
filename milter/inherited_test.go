package milter

import (
	"net"
	"path/filepath"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/milterscan/milterscan/scan/spool"
)

// A socket that was opened by somebody else is served, and not opened again
// where it is configured as well.
func TestInheritedSocket(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "inherited")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Inherited: []net.Listener{l}, Listen: []string{"unix:" + path, "unix:" + filepath.Join(dir, "own")}}
	core, logs := observer.New(zapcore.InfoLevel)
	s := New(o, always(newFake()), spool.New(dir, 1<<20, 0), zap.New(core))
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	if n := len(s.Addrs()); n != 2 {
		t.Errorf("%d addresses are listened on, not two", n)
	}
	f := run(t, s, logs)
	for _, address := range []string{path, filepath.Join(dir, "own")} {
		f.options.Listen[0] = "unix:" + address
		c := f.client(t, nil)
		hello(t, c)
		send(t, c, letter())
	}
}
