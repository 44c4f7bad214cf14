package main

import (
	"bufio"
	"bytes"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/selftest"
	"github.com/milterscan/milterscan/scan/hostile"
)

// TestSelftest runs one family through the own pipeline.
func TestSelftest(t *testing.T) {
	var out, errs bytes.Buffer
	status := run(t.Context(), []string{"selftest", "--family", "H1"}, nil, &out, &errs)
	if status != cli.ExitOK || !strings.Contains(out.String(), "transfer encoding given twice") {
		t.Errorf("status %d\n%s%s", status, out.String(), errs.String())
	}
}

func TestSelftestUsage(t *testing.T) {
	for _, args := range [][]string{{"more"}, {"--to", "a@example.com"}, {"--smtp", "127.0.0.1:25"}, {"--dir", "x", "--smtp", "127.0.0.1:25", "--to", "a@example.com"}} {
		var out, errs bytes.Buffer
		if status := run(t.Context(), append([]string{"selftest"}, args...), nil, &out, &errs); status != cli.ExitUsage {
			t.Errorf("%q: status %d", args, status)
		}
	}
}

// TestSelftestDir compares the files with the cases.
func TestSelftestDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mail")
	var out, errs bytes.Buffer
	if status := run(t.Context(), []string{"selftest", "--family", "h4", "--dir", dir}, nil, &out, &errs); status != cli.ExitOK {
		t.Fatalf("status %d: %s", status, errs.String())
	}
	index, err := os.ReadFile(filepath.Join(dir, "index.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(index)), "\n")
	cases := slices.Collect(selftest.Stock("H4", false))
	if len(lines) != len(cases) {
		t.Fatalf("%d files for %d cases", len(lines), len(cases))
	}
	for i, c := range cases {
		name, _, _ := strings.Cut(lines[i], "\t")
		if mail, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(mail, c.Message) {
			t.Errorf("%s differs from its case: %v", name, err)
		}
	}
}

// TestSelftestSMTP sends a family to a server that refuses every second mail,
// and compares what arrived byte for byte.
func TestSelftestSMTP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	arrived := make(chan string, 1000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		serveSMTP(l, arrived)
	}()
	var out, errs bytes.Buffer
	status := run(t.Context(), []string{"selftest", "--family", "N33", "--smtp", l.Addr().String(), "--to", "bob@example.com"}, nil, &out, &errs)
	l.Close()
	<-done
	close(arrived)
	if status != cli.ExitOK {
		t.Fatalf("status %d: %s", status, errs.String())
	}
	for c := range selftest.Stock("N33", false) {
		got, ok := <-arrived
		want := "X-Milterscan-Selftest: " + c.Name + "\r\n" + string(c.Message)
		if !ok || strings.ReplaceAll(got, "..", ".") != strings.ReplaceAll(want, "..", ".") {
			t.Errorf("%s arrived as %q", c.Name, got)
		}
	}
	if !strings.Contains(out.String(), "accepted: N33/") || !strings.Contains(out.String(), "refused") {
		t.Error(out.String())
	}
}

// serveSMTP is the least of a server; it takes only CRLF for a line end.
func serveSMTP(l net.Listener, arrived chan<- string) {
	for refuse := false; ; {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		refuse = session(bufio.NewReader(conn), textproto.NewWriter(bufio.NewWriter(conn)), refuse, arrived)
		conn.Close()
	}
}

// session answers one client until it leaves, and returns whether the next mail
// is to be refused.
func session(r *bufio.Reader, w *textproto.Writer, refuse bool, arrived chan<- string) bool {
	w.PrintfLine("220 mx.example.com ESMTP")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return refuse
		}
		if !strings.HasPrefix(line, "DATA") {
			w.PrintfLine("250 mx.example.com")
			continue
		}
		w.PrintfLine("354 go ahead")
		arrived <- data(r)
		reply := "250 taken"
		if refuse {
			reply = "550 5.7.1 refused"
		}
		refuse = !refuse
		w.PrintfLine("%s", reply)
	}
}

// data reads to CRLF, dot, CRLF.
func data(r *bufio.Reader) string {
	var b strings.Builder
	for !strings.HasSuffix(b.String(), "\r\n.\r\n") {
		c, err := r.ReadByte()
		if err != nil {
			return b.String()
		}
		b.WriteByte(c)
	}
	return strings.TrimSuffix(b.String(), ".\r\n")
}

func TestFateIsKnownForEveryFamily(t *testing.T) {
	families := map[string]bool{}
	for c := range selftest.Stock("", true) {
		families[c.Family] = true
	}
	for _, f := range hostile.Families() {
		if !families[f.ID] && f.ID != "D25" {
			t.Errorf("%s has no case for the self-test", f.ID)
		}
	}
}
