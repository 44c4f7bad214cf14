package setup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/milterscan/milterscan/contrib"
	"github.com/milterscan/milterscan/scan/units"
)

var sendmailBanner = regexp.MustCompile(`(?m)^Version (\S+)`)

// sendmailVersion asks without reading a configuration, which may be broken. The
// same name may be that of another MTA's program.
func sendmailVersion(ctx context.Context, program, _ string) (string, error) {
	out, err := exec.CommandContext(ctx, program, "-d0.1", "-C", os.DevNull, "-bt").CombinedOutput()
	if found := sendmailBanner.FindStringSubmatch(string(out)); found != nil {
		return found[1], nil
	}
	return "", errors.Join(fmt.Errorf("%s is not Sendmail's", program), err)
}

// planSendmail puts the shipped filter into sendmail.mc, before the mailers, and
// has m4 make sendmail.cf of it.
func planSendmail(ctx context.Context, m MTA, stage string, us Us) (*Plan, error) {
	socket := us.Listen[0]
	mc, err := read(filepath.Join(m.Dir, "sendmail.mc"))
	if err != nil {
		return nil, fmt.Errorf("%w; a sendmail.cf without its source is left alone", err)
	}
	cf, err := read(filepath.Join(m.Dir, "sendmail.cf"))
	if err != nil {
		return nil, err
	}
	if mc.New, err = withFilter(mc.Old, socket); err != nil {
		return nil, err
	}
	p, err := remakeSendmail(ctx, m, stage, mc, cf)
	if err != nil {
		return nil, err
	}
	p.Hook, p.Address = "milter, "+sendmailSocket(socket), socket
	return p, nil
}

// remakeSendmail plans to make sendmail.cf of a changed sendmail.mc.
func remakeSendmail(ctx context.Context, m MTA, stage string, mc, cf Change) (*Plan, error) {
	made, err := makeCf(ctx, m, stage, mc.New)
	if err != nil {
		return nil, err
	}
	cf.New = []byte(made)
	stagedCf := filepath.Join(stage, "sendmail.cf")
	if err := os.WriteFile(stagedCf, cf.New, 0o644); err != nil {
		return nil, err
	}
	if err := sendmailReads(ctx, m, stagedCf); err != nil {
		return nil, err
	}
	p := &Plan{
		Commands: []string{line("m4", append(m4Command(m, mc.Old), mc.Path)...) + " >" + cf.Path},
		Changes:  []Change{mc, cf},
		Checks:   []Command{sendmailCheck(m, cf.Path)},
		SMTP:     sendmailAddress(made),
	}
	if pid := running(made); pid != "" {
		p.Reload = []Command{{"kill", "-HUP", pid}}
	}
	return p, nil
}

// makeCf has m4 make a sendmail.cf.
func makeCf(ctx context.Context, m MTA, stage string, mc []byte) (string, error) {
	staged := filepath.Join(stage, "sendmail.mc")
	if err := os.WriteFile(staged, mc, 0o644); err != nil {
		return "", err
	}
	return run(ctx, "m4", append(m4Command(m, mc), staged)...)
}

// unplanSendmail takes the lines that setup has written out of sendmail.mc, and has
// m4 make sendmail.cf of the rest.
func unplanSendmail(ctx context.Context, m MTA, stage string, _ Us, _ *journal) (*Plan, error) {
	mc, err := read(filepath.Join(m.Dir, "sendmail.mc"))
	if err != nil {
		return nil, err
	}
	cf, err := read(filepath.Join(m.Dir, "sendmail.cf"))
	if err != nil {
		return nil, err
	}
	if mc.New, err = withoutFilter(mc.Old); err != nil {
		return nil, err
	}
	made, err := makeCf(ctx, m, stage, mc.Old)
	if err != nil {
		return nil, err
	}
	if plain(made) != plain(string(cf.Old)) {
		return nil, fmt.Errorf("%s is not what m4 makes of %s; take milterscan out of both by hand. Nothing was done", cf.Path, mc.Path)
	}
	return remakeSendmail(ctx, m, stage, mc, cf)
}

// plain returns a configuration without comments, which tell when it was made.
func plain(cf string) string {
	var b strings.Builder
	for l := range strings.Lines(cf) {
		if !strings.HasPrefix(l, "#") {
			b.WriteString(l)
		}
	}
	return b.String()
}

// written is the line before what setup puts into sendmail.mc.
const written = "dnl milterscan: written by milterscan setup\n"

// withoutFilter returns sendmail.mc without what setup has put there.
func withoutFilter(mc []byte) ([]byte, error) {
	before, after, ok := strings.Cut(string(mc), written)
	if !ok {
		return nil, fmt.Errorf("%w: sendmail.mc has no line \"%s\"", ErrNotSetUp, strings.TrimSpace(written))
	}
	ours := statements(contrib.SendmailFilter)
	for l := range strings.Lines(after) {
		if !strings.HasPrefix(l, "define(`MILTERSCAN_SOCKET'") && !strings.Contains(ours, l) {
			break
		}
		after = after[len(l):]
	}
	if strings.Contains(before+after, "`milterscan'") {
		return nil, errors.New("what setup has written into sendmail.mc was changed; take it out by hand. Nothing was done")
	}
	return []byte(before + after), nil
}

// sendmailSocket returns the socket as Sendmail writes it.
func sendmailSocket(socket string) string {
	network, where := units.SplitAddress(socket)
	if network != "tcp" {
		return socket
	}
	host, port, _ := cutLast(where, ":")
	return "inet:" + port + "@" + strings.Trim(host, "[]")
}

func cutLast(s, sep string) (before, after string, ok bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

var mailerLine = regexp.MustCompile(`(?m)^MAILER\(`)

// withFilter returns sendmail.mc with the shipped lines before the first mailer.
func withFilter(mc []byte, socket string) ([]byte, error) {
	if strings.Contains(string(mc), "`milterscan'") {
		return nil, ErrNothingToDo
	}
	at := mailerLine.FindIndex(mc)
	if at == nil {
		return nil, errors.New("sendmail.mc has no line that begins with MAILER(, before which the filter has to be")
	}
	lines := "define(`MILTERSCAN_SOCKET', `" + sendmailSocket(socket) + "')dnl\n" + statements(contrib.SendmailFilter)
	return []byte(string(mc[:at[0]]) + written + lines + string(mc[at[0]:])), nil
}

// statements returns m4 text without the lines that are comments.
func statements(text string) string {
	var b strings.Builder
	for l := range strings.Lines(text) {
		if !strings.HasPrefix(l, "dnl") {
			b.WriteString(l)
		}
	}
	return b.String()
}

// m4Command returns the arguments of m4 before the file: nothing where the file
// includes the macros itself.
func m4Command(m MTA, mc []byte) []string {
	if strings.Contains(string(mc), "cf.m4") {
		return nil
	}
	dirs := []string{filepath.Join(filepath.Dir(m.program), "../../share/sendmail/cf"), "/usr/share/sendmail/cf", "/usr/share/sendmail-cf"}
	for _, d := range dirs {
		if _, err := os.Stat(filepath.Join(d, "m4/cf.m4")); err == nil {
			d = filepath.Clean(d) + "/"
			return []string{"-D_CF_DIR_=" + d, d + "m4/cf.m4"}
		}
	}
	return nil
}

// sendmailCheck has Sendmail read a configuration and resolve an address by it.
func sendmailCheck(m MTA, cf string) Command {
	return Command{m.program, "-C", cf, "-bv", "postmaster"}
}

// sendmailReads reports a configuration that Sendmail does not understand.
func sendmailReads(ctx context.Context, m MTA, cf string) error {
	check := sendmailCheck(m, cf)
	_, err := run(ctx, check[0], check[1:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == noUser {
		return fmt.Errorf("there is no postmaster, to whom everybody may write (RFC 5321, section 4.5.1), and the probe is sent: "+
			"echo 'postmaster: root' >>%s && newaliases", filepath.Join(m.Dir, "aliases"))
	}
	return err
}

// noUser is the exit status of Sendmail where an address is unknown: EX_NOUSER in sysexits.h.
const noUser = 67

var (
	pidOption    = regexp.MustCompile(`(?m)^O PidFile=(\S+)`)
	daemonOption = regexp.MustCompile(`(?m)^O DaemonPortOptions=(.*)`)
)

// running returns the process id of the daemon with this configuration, "" if none
// is running.
func running(cf string) string {
	found := pidOption.FindStringSubmatch(cf)
	if found == nil {
		return ""
	}
	text, err := os.ReadFile(found[1])
	if err != nil {
		return ""
	}
	pid, _, _ := strings.Cut(string(text), "\n")
	if _, err := os.Stat("/proc/" + pid); pid == "" || err != nil {
		return ""
	}
	return pid
}

// sendmailSMTP returns the address at which Sendmail takes mail.
func sendmailSMTP(_ context.Context, m MTA) (string, error) {
	cf, err := os.ReadFile(filepath.Join(m.Dir, "sendmail.cf"))
	return sendmailAddress(string(cf)), err
}

// sendmailAddress returns the address at which Sendmail listens.
func sendmailAddress(cf string) string {
	host, port := "127.0.0.1", "25"
	if found := daemonOption.FindStringSubmatch(cf); found != nil {
		for option := range strings.SplitSeq(found[1], ",") {
			switch name, value, _ := strings.Cut(strings.TrimSpace(option), "="); strings.ToLower(name) {
			case "addr", "a":
				host = value
			case "port", "p":
				port = strings.NewReplacer("smtp", "25").Replace(value)
			}
		}
	}
	return host + ":" + port
}
