package setup

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func postfixVersion(ctx context.Context, postconf, _ string) (string, error) {
	out, err := run(ctx, postconf, "-d", "-h", "mail_version")
	return strings.TrimSpace(out), err
}

// planPostfix puts milterscan before all milters there are: what a DKIM signer
// behind it signs is what goes out. Its timeouts and what happens without it are
// its own, so the other milters' stay as they are.
func planPostfix(ctx context.Context, m MTA, stage, socket string) (*Plan, error) {
	if strings.HasPrefix(m.Version, "1.") || strings.HasPrefix(m.Version, "2.") {
		return nil, fmt.Errorf("version %s is too old for settings of a single milter; append contrib/postfix/main.cf to main.cf", m.Version)
	}
	main, err := read(filepath.Join(m.Dir, "main.cf"))
	if err != nil {
		return nil, err
	}
	where, err := postfixSocket(ctx, m, socket)
	if err != nil {
		return nil, err
	}
	settings, err := postfixSettings(ctx, m, where)
	if err != nil {
		return nil, err
	}
	copied, err := stageFile(stage, main)
	if err != nil {
		return nil, err
	}
	if _, err := run(ctx, m.program, append([]string{"-c", stage, "-e"}, settings...)...); err != nil {
		return nil, err
	}
	if main.New, err = os.ReadFile(copied); err != nil {
		return nil, err
	}
	postfix := beside(m.program, "postfix")
	p := &Plan{
		Hook:     "milter, " + where,
		Commands: []string{line(m.program, append([]string{"-c", m.Dir, "-e"}, settings...)...)},
		Changes:  []Change{main},
		Checks:   []Command{{postfix, "-c", m.Dir, "check"}},
	}
	if _, err := run(ctx, postfix, "-c", m.Dir, "status"); err == nil {
		p.Reload = []Command{{postfix, "-c", m.Dir, "reload"}}
	}
	p.SMTP, err = postfixAddress(ctx, m)
	return p, err
}

// postfixSocket is the socket as smtpd and cleanup reach it: in a chroot, if
// Postfix runs them in one, paths begin at its queue directory.
func postfixSocket(ctx context.Context, m MTA, socket string) (string, error) {
	kind, where, _ := strings.Cut(socket, ":")
	if kind == "tcp" {
		return "inet:" + where, nil
	}
	queue, err := run(ctx, m.program, "-c", m.Dir, "-h", "-x", "queue_directory")
	if err != nil {
		return "", err
	}
	if below, ok := strings.CutPrefix(where, strings.TrimSpace(queue)+"/"); ok {
		return "unix:" + below, nil
	}
	services, err := run(ctx, m.program, "-c", m.Dir, "-M")
	if err != nil {
		return "", err
	}
	for service := range strings.Lines(services) {
		f := strings.Fields(service)
		if len(f) > 7 && (f[7] == "smtpd" || f[7] == "cleanup") && f[4] != "n" {
			return "", fmt.Errorf("%s runs in a chroot and cannot reach %s; have milterscan listen below %s as well, for example milter.listen = [\"unix:%s/milterscan/milter.sock\"]",
				f[7], where, strings.TrimSpace(queue), strings.TrimSpace(queue))
		}
	}
	return "unix:" + where, nil
}

// postfixSettings are the arguments of postconf -e.
func postfixSettings(ctx context.Context, m MTA, where string) ([]string, error) {
	entry := "{ " + where + ", connect_timeout=10s, command_timeout=30s, content_timeout=300s, default_action=tempfail }"
	var settings []string
	for _, name := range []string{"smtpd_milters", "non_smtpd_milters"} {
		now, err := run(ctx, m.program, "-c", m.Dir, "-h", name)
		if err != nil {
			return nil, err
		}
		now = strings.TrimSpace(now)
		if strings.Contains(now, where) || strings.Contains(now, "smtpd_milters") {
			continue // there already, or what the other one is
		}
		settings = append(settings, strings.TrimSpace(name+" = "+entry+" "+now))
	}
	if len(settings) == 0 {
		return nil, ErrNothingToDo
	}
	return settings, nil
}

// postfixAddress is where the first SMTP server of master.cf listens.
func postfixAddress(ctx context.Context, m MTA) (string, error) {
	services, err := run(ctx, m.program, "-c", m.Dir, "-M")
	if err != nil {
		return "", err
	}
	for service := range strings.Lines(services) {
		f := strings.Fields(service)
		if len(f) < 8 || f[1] != "inet" || f[7] != "smtpd" && f[7] != "postscreen" {
			continue
		}
		if f[0] == "smtp" {
			return "127.0.0.1:25", nil
		}
		if !strings.Contains(f[0], ":") {
			return "127.0.0.1:" + f[0], nil
		}
		return f[0], nil
	}
	return "", nil
}
