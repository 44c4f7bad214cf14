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
	"github.com/milterscan/milterscan/tests/procstat"
)

// filter is a program that says what it finds in a mail.
type filter struct {
	name string
	ask  func(*testing.T, letter) []string
	most *usage // of one mail, where each has its own processes; nil: the daemon pid is measured
	pid  int

	before time.Duration // of processor time, when it began
	asked  int
}

// says asks a filter.
func (f *filter) says(t *testing.T, l letter) []string {
	t.Helper()
	f.asked++
	return f.ask(t, l)
}

// spent returns what a daemon has used since it began, and the memory of all its processes now.
func (f *filter) spent(t *testing.T) (cpu time.Duration, memory int64) {
	t.Helper()
	u, err := procstat.Read(f.pid)
	if err != nil {
		t.Fatal(err)
	}
	return u.CPU - f.before, u.PSS
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

// startFilters starts all of them. All ask the same name server, and clamd, and have the same lists.
func startFilters(t *testing.T, dns *servers.Knot) []*filter {
	t.Helper()
	dir := t.TempDir()
	lists := newLists(t, dir)
	clamd := servers.StartClamd(t)
	lists.teach(t, clamd)
	rspamd := servers.StartShippedRspamd(t, dns.Host(), clamd.Socket, map[string]string{"multimap.conf": lists.rspamd})
	spamd := servers.StartShippedSpamd(t, dns.Host(), lists.spamAssassin)
	names, config, asking := filepath.Join(dir, "names"), filepath.Join(dir, "milterscan.toml"), filepath.Join(dir, "asking.toml")
	write(t, names, "Jane Doe <jane@home.test>\nMax Fischer\n")
	text := servers.Private(fmt.Sprintf(configuration, dns.Addr, names, clamd.Socket), dir)
	write(t, config, text)
	write(t, asking, lists.milterscan(rspamd.URL, spamd.Addr)+text+lists.entries())
	lists.fetch(t, asking)
	most := new(usage)
	filters := []*filter{
		{name: "milterscan", most: most, ask: func(t *testing.T, l letter) []string {
			if l.connected {
				return askMilterscan(t, asking, l, new(usage))
			}
			return askMilterscan(t, config, l, most)
		}},
		{name: "rspamd", pid: rspamd.Pid(), ask: func(t *testing.T, l letter) []string { return askRspamd(t, rspamd.URL, l) }},
		{name: "SpamAssassin", pid: spamd.Pid(), ask: func(t *testing.T, l letter) []string { return askSpamd(t, spamd.Addr, l) }},
		{name: "clamd", pid: clamd.Pid(), ask: func(t *testing.T, l letter) []string { return askClamd(t, clamd.Socket, l) }},
	}
	for _, f := range filters {
		if f.most == nil {
			f.before, _ = f.spent(t)
		}
	}
	return filters
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
		Verdicts []struct{ Rule struct{ Name, File string } }
	}
	if json.Unmarshal(out, &record) != nil {
		t.Fatalf("milterscan: %v, %s%s", err, out, errors.String())
	}
	most.add(cmd.ProcessState)
	for _, f := range record.Findings {
		said = append(said, f.Rule)
	}
	for _, v := range record.Verdicts {
		if v.Rule.File != "" { // those that are shipped go by the findings
			said = append(said, "rule: "+v.Rule.Name)
		}
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
