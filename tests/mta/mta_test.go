package mta

import (
	"context"
	"net"
	"path/filepath"
	"testing"

	"github.com/milterscan/milterscan/tests/sample"
)

func TestSplit(t *testing.T) {
	m := Split([]byte("A: b\r\nC:d\r\n e\r\n\r\nbody\r\n\r\nmore\r\n"))
	want := []field{{"A", " b"}, {"C", "d\n e"}}
	if len(m.header) != 2 || m.header[0] != want[0] || m.header[1] != want[1] {
		t.Errorf("header %q, want %q", m.header, want)
	}
	if string(m.body) != "body\r\n\r\nmore\r\n" {
		t.Errorf("body %q", m.body)
	}
}

func TestLoadAgainstNullMilter(t *testing.T) {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "m"))
	if err != nil {
		t.Fatal(err)
	}
	go ServeNull(l)
	defer l.Close()
	var mails []*Message
	for _, m := range sample.Small(10) {
		mails = append(mails, Split(m))
	}
	o := Load{Network: "unix", Address: l.Addr().String(), Mails: mails, Messages: 200, Connections: 4, PerConnection: 3}.Run(context.Background())
	if o.Answers[Accepted] != 200 || len(o.Answers) != 1 || len(o.Ends) != 200 || len(o.Recipients) != 200 {
		t.Errorf("answers %v, %d waits; want 200 accepted", o.Answers, len(o.Ends))
	}
}

func TestLoadWithoutMilter(t *testing.T) {
	o := Load{Network: "unix", Address: filepath.Join(t.TempDir(), "nobody"), Messages: 5, Connections: 2}.Run(context.Background())
	if o.Answers[Broken] != 5 {
		t.Errorf("answers %v, want 5 broken", o.Answers)
	}
}
