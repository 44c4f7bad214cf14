package beside

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan/sender/dns/dnstest"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// filter is a program that says what it finds in a mail.
type filter struct {
	name string
	ask  func(*testing.T, letter) []string
	most *usage // nil if it is not measured
}

// usage is the most that one mail took.
type usage struct {
	cpu    time.Duration
	memory int64 // in kB, of one process
}

func (u *usage) add(s *os.ProcessState) {
	u.cpu = max(u.cpu, s.UserTime()+s.SystemTime())
	u.memory = max(u.memory, s.SysUsage().(*syscall.Rusage).Maxrss)
}

const configuration = `
[local]
domains = ["example.com"]

[dns]
servers = [%q]

[auth]
spf = true
dkim = true
dmarc = true
arc_trusted = ["lists.test"]

[content]
name_files = [%q]

[[virus]]
name = "clamd"
type = "clamd"
address = "unix:%s"
`

// startFilters starts all of them. All ask the same name server, and clamd.
func startFilters(t *testing.T, dns *servers.Knot) []filter {
	t.Helper()
	clamd := servers.StartClamd(t)
	rspamd := servers.StartShippedRspamd(t, dns.Host(), clamd.Socket)
	spamd := servers.StartShippedSpamd(t, dns.Host())
	dir := t.TempDir()
	names, config := filepath.Join(dir, "names"), filepath.Join(dir, "milterscan.toml")
	write(t, names, "Jane Doe <jane@home.test>\nMax Fischer\n")
	write(t, config, servers.Private(fmt.Sprintf(configuration, dns.Addr, names, clamd.Socket), dir))
	most := new(usage)
	return []filter{
		{"milterscan", func(t *testing.T, l letter) []string { return askMilterscan(t, config, l, most) }, most},
		{"rspamd", func(t *testing.T, l letter) []string { return askRspamd(t, rspamd.URL, l) }, nil},
		{"SpamAssassin", func(t *testing.T, l letter) []string { return askSpamd(t, spamd.Addr, l) }, nil},
		{"clamd", func(t *testing.T, l letter) []string { return askClamd(t, clamd.Socket, l) }, nil},
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// zoneRecords returns records of names below test as zone files have them.
func zoneRecords(z dnstest.Zone) string {
	var b strings.Builder
	names := []string{}
	for name := range z {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, record := range z[name] {
			kind, value, _ := strings.Cut(record, " ")
			if kind == "TXT" {
				value = quoted(value)
			}
			fmt.Fprintf(&b, "%s. %s %s\n", name, kind, value)
		}
	}
	return b.String()
}

// quoted returns a text as the strings of a TXT record, of 255 bytes at most.
func quoted(text string) string {
	var all []string
	for piece := range slices.Chunk([]byte(text), 255) {
		all = append(all, `"`+string(piece)+`"`)
	}
	return strings.Join(all, " ")
}

func askMilterscan(t *testing.T, config string, l letter, most *usage) (said []string) {
	t.Helper()
	cmd := exec.Command(servers.Binary(t), "scan", "-c", config, "--json", "--from", l.from, "--to", recipient,
		"--client", l.client, "--helo", l.helo, "-")
	cmd.Stdin = strings.NewReader(l.mail)
	var errors bytes.Buffer
	cmd.Stderr = &errors
	out, err := cmd.Output()
	var record struct {
		Findings []struct{ Rule string }
	}
	if json.Unmarshal(out, &record) != nil {
		t.Fatalf("milterscan: %v, %s%s", err, out, errors.String())
	}
	most.add(cmd.ProcessState)
	for _, f := range record.Findings {
		said = append(said, f.Rule)
	}
	return said
}

func askRspamd(t *testing.T, url string, l letter) (said []string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, url+"/checkv2", strings.NewReader(l.mail))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"From": l.from, "Rcpt": recipient, "Ip": l.client, "Helo": l.helo, "Hostname": l.helo, "Queue-Id": "1"} {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var record struct{ Symbols map[string]any }
	if err := json.NewDecoder(answer.Body).Decode(&record); err != nil || len(record.Symbols) == 0 {
		t.Fatalf("rspamd: %v, %s", err, answer.Status)
	}
	for name := range record.Symbols {
		said = append(said, name)
	}
	return said
}

func askSpamd(t *testing.T, addr string, l letter) (said []string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Minute))
	mail := fmt.Sprintf("Return-Path: <%s>\r\nReceived: from %s (%[2]s [%s])\r\n\tby mx.example.com (Postfix) with ESMTP id 4711\r\n"+
		"\tfor <%s>; Mon, 30 Nov 2026 09:00:00 +0000 (UTC)\r\n%s", l.from, l.helo, l.client, recipient, l.mail)
	fmt.Fprintf(c, "SYMBOLS SPAMC/1.5\r\nContent-length: %d\r\n\r\n%s", len(mail), mail)
	c.(*net.TCPConn).CloseWrite()
	text, err := io.ReadAll(c)
	_, body, ok := strings.Cut(string(text), "\r\n\r\n")
	if err != nil || !ok || !strings.Contains(string(text), "EX_OK") {
		t.Fatalf("spamd: %v, %s", err, text)
	}
	for name := range strings.SplitSeq(strings.TrimSpace(body), ",") {
		if name = strings.TrimSpace(name); name != "" {
			said = append(said, name)
		}
	}
	return said
}

func askClamd(t *testing.T, socket string, l letter) []string {
	t.Helper()
	c, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Minute))
	b := binary.BigEndian.AppendUint32([]byte("zINSTREAM\x00"), uint32(len(l.mail)))
	if _, err := c.Write(append(append(b, l.mail...), 0, 0, 0, 0)); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(c)
	if err != nil || !strings.Contains(string(text), "OK") && !strings.Contains(string(text), "FOUND") {
		t.Fatalf("clamd: %v, %s", err, text)
	}
	name, found := strings.CutSuffix(strings.Trim(strings.TrimPrefix(string(text), "stream: "), "\x00\n"), " FOUND")
	if !found {
		return nil
	}
	return []string{name}
}
