package fleet

import (
	"errors"
	"net"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/milterscan/milterscan/policy/keep/postgres"
)

// listen returns the place of a server that has each connection in its hands.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return l.Addr().String()
}

// primary says where it stands, whatever it is asked.
func primary(c net.Conn) {
	defer c.Close()
	b := pgproto3.NewBackend(c, c)
	_, err := b.ReceiveStartupMessage()
	b.Send(&pgproto3.AuthenticationOk{})
	for err == nil {
		b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		err = b.Flush()
		var asked pgproto3.FrontendMessage
		if err == nil {
			asked, err = b.Receive()
		}
		if _, query := asked.(*pgproto3.Query); !query {
			return
		}
		b.Send(&pgproto3.RowDescription{Fields: make([]pgproto3.FieldDescription, 3)})
		b.Send(&pgproto3.DataRow{Values: [][]byte{[]byte("on"), []byte("7"), []byte("00000002")}})
		b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
	}
}

// TestSilentServer: a server of the URL that takes connections and says no word, as one whose host has lost its power, keeps nobody from
// using the one that was promoted, however long a connection may take; and mail, which has no time for that, does not try it first.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	tried := make(chan net.Conn, 100)
	silent, live := listen(t, func(c net.Conn) { tried <- c }), listen(t, primary)
	s := New(Options{Server: postgres.Server{URL: "postgres://m@" + silent + "," + live + "/mail?sslmode=disable"}, Connections: 1,
		Patience: 2 * lookTime})
	t.Cleanup(func() { s.Close() })
	if err := s.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(tried); n != 1 {
		t.Errorf("to see where the servers stand the silent one was tried %d times", n)
	}
	p, err := s.open()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(p.mail.PingContext(t.Context()), p.records.PingContext(t.Context())); err != nil || len(tried) != 1 {
		t.Errorf("a connection of mail: %v; the silent server was tried %d times", err, len(tried))
	}
}

// TestPreferred: the first server that can be written to and is not old is tried first, and stays so while none is seen.
func TestPreferred(t *testing.T) {
	s := nowhere(t)
	at := func(place string, timeline uint32) postgres.Standing {
		return postgres.Standing{Place: place, Writable: timeline > 0, System: "a", Timeline: timeline}
	}
	for i, step := range []struct {
		list []postgres.Standing
		want string
	}{
		{nil, ""}, {[]postgres.Standing{at("a", 1), at("b", 0)}, "a"}, {[]postgres.Standing{at("b", 0)}, "a"},
		{[]postgres.Standing{at("a", 1), at("b", 2)}, "b"}, {[]postgres.Standing{at("a", 1)}, "b"}, {[]postgres.Standing{at("a", 2), at("b", 2)}, "a"},
	} {
		for _, one := range step.list {
			if one.Writable {
				s.timelines.See(one)
			}
		}
		if s.prefer(step.list); s.preferred() != step.want {
			t.Errorf("step %d: %q is tried first, want %q", i, s.preferred(), step.want)
		}
	}
}
