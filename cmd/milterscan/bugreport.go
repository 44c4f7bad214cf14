package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/doctor"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/config"
)

// bugReport prints what it takes to find a fault: versions, the doctor's findings, what the
// configuration sets, and the last warnings of the log.
func bugReport(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("bugreport", "[-c FILE] [--addresses]", std)
	path := cli.ServiceFlag(f)
	addresses := f.Bool("addresses", false, "print mail addresses as they are; without it, the part before the \"@\" is a number")
	if status, ok := cli.Parse(f, args); !ok {
		return status
	}
	p := installation(&doctor.Installation{File: cli.File(*path)})
	r := reporter{out: std.Out, mask: mask{keep: *addresses, known: map[string]int{}}}
	r.line("This report is for whoever is to find a fault. Passwords are left out. It has names of hosts, domains and rules,")
	r.line("and what the log says of mail: read it before you pass it on.")
	r.system()
	r.found(p.Examine(ctx))
	r.configured(p.Config, p.Problems)
	r.logged(ctx, p.Config)
	return cli.ExitOK
}

// reporter writes a report, line by line, without passwords and the persons of addresses.
type reporter struct {
	out  io.Writer
	mask mask
}

func (r *reporter) line(format string, args ...any) {
	fmt.Fprintln(r.out, show.Printable(r.mask.text(fmt.Sprintf(format, args...))))
}

func (r *reporter) heading(text string) { fmt.Fprintf(r.out, "\n== %s\n", text) }

// system says what runs on what.
func (r *reporter) system() {
	r.heading("Versions")
	r.line("%s", versionLine())
	for _, file := range []string{"/etc/os-release", "/proc/sys/kernel/osrelease", "/proc/loadavg"} {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		first := show.FirstLine(string(text))
		for line := range strings.Lines(string(text)) {
			if name, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
				first = strings.Trim(strings.TrimSpace(name), `"`)
			}
		}
		r.line("%s: %s", file, first)
	}
	r.line("%d processors, %s", runtime.NumCPU(), time.Now().Format(time.RFC3339))
}

// found prints the doctor's findings.
func (r *reporter) found(all []doctor.Finding) {
	r.heading("Doctor")
	for _, one := range all {
		r.line("%-7s %-14s %s", one.Level, one.Check, one.What)
	}
}

// configured prints what the files set, or their mistakes.
func (r *reporter) configured(c *config.Config, problems error) {
	r.heading("Configuration, as far as files set it")
	if problems != nil {
		for line := range strings.Lines(problems.Error()) {
			r.line("%s", strings.TrimRight(line, "\n"))
		}
		return
	}
	for line := range strings.Lines(c.Effective().Pick(true, true)) {
		r.line("%s", strings.TrimRight(line, "\n"))
	}
}

// logged prints the last warnings and errors of the log, wherever it is.
func (r *reporter) logged(ctx context.Context, c *config.Config) {
	r.heading("The last warnings and errors of the log")
	if c == nil {
		c = config.Default()
	}
	lines, err := lastWarnings(ctx, c.Log.Output)
	if err != nil {
		r.line("the log cannot be read: %v", err)
	}
	for _, line := range lines {
		r.line("%s", line)
	}
	if len(lines) == 0 && err == nil {
		r.line("none")
	}
}

// mostWarnings and longestTail bound how much of the log is read and printed.
const (
	mostWarnings = 100
	longestTail  = 4 << 20
)

// lastWarnings returns the last lines of the log that are warnings or errors: of the file that it is
// written to, or of the journal of the service.
func lastWarnings(ctx context.Context, output string) ([]string, error) {
	if filepath.IsAbs(output) {
		tail, err := tailOf(output)
		return warningsIn(tail), err
	}
	program, err := exec.LookPath("journalctl")
	if err != nil {
		return nil, errors.New("it goes to the journal, and there is no journalctl")
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	text, err := exec.CommandContext(ctx, program, "--unit=milterscan", "--output=cat", "--lines=20000", "--no-pager", "--quiet").Output()
	return warningsIn(text), err
}

// tailOf returns the end of a file.
func tailOf(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	from := max(0, info.Size()-longestTail)
	return io.ReadAll(io.NewSectionReader(f, from, info.Size()-from))
}

// warning matches a line of the log that is a warning or worse, in both of its forms.
var warning = regexp.MustCompile(`"level":"(warn|error|dpanic|panic|fatal)"|\t(WARN|ERROR|DPANIC|PANIC|FATAL)\t|^panic: |^fatal error: `)

func warningsIn(text []byte) (lines []string) {
	s := bufio.NewScanner(bytes.NewReader(text))
	s.Buffer(nil, longestTail)
	for s.Scan() {
		if warning.Match(s.Bytes()) {
			lines = append(lines, s.Text())
		}
	}
	return lines[max(0, len(lines)-mostWarnings):]
}

// mask takes passwords and the persons of addresses out of text.
type mask struct {
	keep  bool           // addresses
	known map[string]int // addresses, numbered
}

var (
	inAddress = regexp.MustCompile(`(://[^/\s:@"]*):[^/\s@"]+@`)
	setting   = regexp.MustCompile(`((?:password|secret|token|key|dsn)\s*=\s*)"[^"]+"`)
	mailbox   = regexp.MustCompile(`[\pL\pN.!#$%&'*+/=?^_{|}~-]+@[\pL\pN-]`)
)

// text returns a text without passwords, and with numbers for the persons in addresses, the same one for
// the same person.
func (m *mask) text(s string) string {
	s = inAddress.ReplaceAllString(s, "$1:***@")
	s = setting.ReplaceAllString(s, `$1"***"`)
	if m.keep {
		return s
	}
	return mailbox.ReplaceAllStringFunc(s, func(found string) string {
		who, domain, _ := strings.Cut(found, "@")
		if strings.HasSuffix(who, "***") {
			return found
		}
		if m.known[who] == 0 {
			m.known[who] = len(m.known) + 1
		}
		return fmt.Sprintf("person%d@%s", m.known[who], domain)
	})
}
