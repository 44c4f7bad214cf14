package setup

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/postfix"
)

func postfixVersion(ctx context.Context, postconf, _ string) (string, error) {
	out, err := run(ctx, postconf, "-d", "-h", "mail_version")
	return strings.TrimSpace(out), err
}

// milterLists are the settings of main.cf that name milters.
var milterLists = []string{"smtpd_milters", "non_smtpd_milters"}

// planPostfix puts milterscan before all milters there are: what a DKIM signer
// after it signs the mail that goes out. Its timeouts and what happens without it are
// its own, so the other milters' stay as they are.
func planPostfix(ctx context.Context, m MTA, stage string, us Us) (*Plan, error) {
	if strings.HasPrefix(m.Version, "1.") || strings.HasPrefix(m.Version, "2.") {
		return nil, fmt.Errorf("version %s is too old for settings of a single milter; append contrib/postfix/main.cf to main.cf", m.Version)
	}
	conf, err := postfix.Read(ctx, postfix.Tool{Postconf: m.program, Dir: m.Dir})
	if err != nil {
		return nil, err
	}
	ours, where, err := conf.Choose(us.Listen, us.Daemon)
	if err != nil {
		return nil, err
	}
	p := newPostfixPlan(ctx, m, conf)
	p.Address, p.Hook = ours, "milter, "+where
	if p.Notes, err = overridden(conf, ours); err != nil {
		return nil, err
	}
	settings, err := postfixSettings(ctx, m, conf, where, us.Listen)
	if err != nil {
		return nil, err
	}
	if len(settings) == 0 {
		return p, ErrNothingToDo
	}
	return p, editMain(ctx, m, stage, p, append([]string{"-e"}, settings...))
}

// newPostfixPlan returns a plan with the steps that setup and removal share.
func newPostfixPlan(ctx context.Context, m MTA, conf *postfix.Config) *Plan {
	program := sibling(m.program, "postfix")
	p := &Plan{MTA: m, Checks: []Command{{program, "-c", m.Dir, "check"}}, SMTP: postfixAddress(conf)}
	p.Reload = reloadPostfix(ctx, m, p.SMTP)
	return p
}

// postfixReload returns the command by which a running Postfix takes its new configuration.
func postfixReload(ctx context.Context, m MTA) []Command {
	conf, err := postfix.Read(ctx, postfix.Tool{Postconf: m.program, Dir: m.Dir})
	if err != nil {
		return reloadPostfix(ctx, m, "")
	}
	return reloadPostfix(ctx, m, postfixAddress(conf))
}

func reloadPostfix(ctx context.Context, m MTA, smtp string) []Command {
	program := sibling(m.program, "postfix")
	if !postfixRuns(ctx, program, m.Dir, smtp) {
		return nil
	}
	return []Command{{program, "-c", m.Dir, "reload"}}
}

// A Postfix that is about to start answers before it says that it is running.
const (
	statusTries = 4
	statusPause = 500 * time.Millisecond
)

// postfixRuns reports whether Postfix is running. It asks again as long as an SMTP
// server answers.
func postfixRuns(ctx context.Context, program, dir, smtp string) bool {
	for range statusTries {
		if _, err := run(ctx, program, "-c", dir, "status"); err == nil {
			return true
		}
		if smtp == "" || !Listening("tcp:"+smtp) {
			return false
		}
		time.Sleep(statusPause)
	}
	return false
}

// editMain has postconf edit a copy of main.cf.
func editMain(ctx context.Context, m MTA, stage string, p *Plan, edits ...[]string) error {
	main, err := read(filepath.Join(m.Dir, "main.cf"))
	if err != nil {
		return err
	}
	copied, err := stageFile(stage, main)
	if err != nil {
		return err
	}
	for _, args := range edits {
		if _, err := run(ctx, m.program, append([]string{"-c", stage}, args...)...); err != nil {
			return err
		}
		p.Commands = append(p.Commands, line(m.program, append([]string{"-c", m.Dir}, args...)...))
	}
	if main.New, err = os.ReadFile(copied); err != nil {
		return err
	}
	p.Changes = []Change{main}
	return nil
}

// overridden looks for SMTP servers that main.cf does not count for. Where mail from
// other hosts arrives at one, that is an error: it would not be examined.
func overridden(conf *postfix.Config, ours string) (notes []string, err error) {
	for _, s := range conf.Servers() {
		_, own := s.Own("smtpd_milters")
		asks := slices.ContainsFunc(conf.Milters(s), func(m postfix.Milter) bool { return conf.Same(s, m.Address, ours) })
		none := strings.Contains(conf.Value(s, "receive_override_options"), "no_milters")
		if asks || !own && !none || s.Local() {
			continue
		}
		what := fmt.Sprintf("master.cf sets smtpd_milters for %s, where main.cf does not count", s)
		if none {
			what = fmt.Sprintf("receive_override_options has no_milters for %s", s)
		}
		if s.Main() {
			return nil, fmt.Errorf("%s, so mail from other hosts would not be examined; take that out first (postconf -P '%s/*' shows it)", what, s)
		}
		notes = append(notes, what+": mail that arrives there is not examined")
	}
	return notes, nil
}

// postfixSettings returns the arguments of postconf -e, none where nothing is to be
// changed. What names us by an address at which Postfix does not find us goes.
func postfixSettings(ctx context.Context, m MTA, conf *postfix.Config, where string, listen []string) ([]string, error) {
	entry := "{ " + where + ", connect_timeout=10s, command_timeout=30s, content_timeout=300s, default_action=tempfail }"
	var settings []string
	for _, name := range milterLists {
		now, err := rawSetting(ctx, m, name)
		if err != nil {
			return nil, err
		}
		if name == "non_smtpd_milters" && strings.Contains(now, "smtpd_milters") {
			continue // the same as the other one
		}
		if names(conf.Main(name), where) {
			continue // there already
		}
		others, _ := without(conf, now, listen)
		settings = append(settings, strings.TrimSpace(name+" = "+entry+" "+others))
	}
	return settings, nil
}

// rawSetting returns a setting of main.cf as it is written there.
func rawSetting(ctx context.Context, m MTA, name string) (string, error) {
	out, err := run(ctx, m.program, "-c", m.Dir, "-h", name)
	return strings.TrimSpace(out), err
}

// names reports whether a list of milters names an address.
func names(list, address string) bool {
	return slices.ContainsFunc(postfix.ParseMilters(list), func(m postfix.Milter) bool { return m.Address == address })
}

// without takes the elements out of a list that mean milterscan at one of its
// addresses, and reports whether there were any. The rest stays as it is written.
func without(conf *postfix.Config, list string, listen []string) (rest string, found bool) {
	var others []string
	for _, m := range postfix.ParseMilters(list) {
		if slices.ContainsFunc(listen, func(a string) bool { return conf.Means(m.Address, a) }) {
			found = true
			continue
		}
		others = append(others, m.Text)
	}
	if !found {
		return list, false
	}
	return strings.Join(others, " "), true
}

// postfixSMTP returns the address at which Postfix takes mail.
func postfixSMTP(ctx context.Context, m MTA) (string, error) {
	conf, err := postfix.Read(ctx, postfix.Tool{Postconf: m.program, Dir: m.Dir})
	if err != nil {
		return "", err
	}
	return postfixAddress(conf), nil
}

// postfixAddress returns the address at which the first SMTP server of master.cf
// listens, the one at port 25 if there is one; "" if there is none.
func postfixAddress(conf *postfix.Config) string {
	var first string
	for _, s := range conf.Services {
		if s.Type != "inet" || s.Program != "smtpd" && s.Program != "postscreen" {
			continue
		}
		host, port := s.Host(), s.Port()
		if host == "" {
			host = ownAddress(conf)
		}
		if n, err := net.LookupPort("tcp", port); err == nil {
			port = fmt.Sprint(n)
		}
		address := net.JoinHostPort(host, port)
		if port == "25" {
			return address
		}
		if first == "" {
			first = address
		}
	}
	return first
}

// ownAddress returns the address of a server whose line names none.
func ownAddress(conf *postfix.Config) string {
	local := "127.0.0.1"
	if conf.Main("inet_protocols") == "ipv6" {
		local = "::1"
	}
	var first string
	for _, name := range strings.FieldsFunc(conf.Main("inet_interfaces"), func(r rune) bool { return r == ' ' || r == ',' || r == '\t' }) {
		switch name = strings.Trim(name, "[]"); name {
		case "all", "loopback-only", "localhost", "127.0.0.1", "::1":
			return local
		}
		if first == "" {
			first = name
		}
	}
	if first == "" {
		return local
	}
	return first
}
