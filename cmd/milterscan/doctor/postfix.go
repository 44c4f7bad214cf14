package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/postfix"
	"github.com/milterscan/milterscan/scan/units"
)

// setUpPostfix is the remedy if Postfix does not ask milterscan as it should.
const setUpPostfix = "milterscan setup postfix"

// postfix compares Postfix' settings with ours, as each service goes by them.
func (p *Installation) postfix(ctx context.Context) []Finding {
	if p.Postconf == "" {
		return nil
	}
	c, err := postfix.Read(ctx, postfix.Tool{Postconf: p.Postconf, Dir: p.Postfix})
	if err != nil {
		return []Finding{fault("correct Postfix' configuration (postfix check)",
			"its settings cannot be read: %v", err)}
	}
	m := &mailServer{p, c}
	found := m.servers()
	found = append(found, m.submitted()...)
	found = append(found, p.sizes("message_size_limit", c.Main("message_size_limit"),
		"postconf -e message_size_limit="))
	if maps := c.Main("smtpd_milter_maps"); maps != "" {
		found = append(found, advice("see that it names only clients whose mail need not be examined",
			"smtpd_milter_maps (%s) decides for single clients which milters are asked", maps))
	}
	return worthSaying(append(found, m.held(ctx)))
}

// worthSaying leaves out empty findings, and those that repeat another one.
func worthSaying(found []Finding) (left []Finding) {
	for _, f := range found {
		if f.What != "" && !slices.Contains(left, f) {
			left = append(left, f)
		}
	}
	return left
}

// mailServer is a Postfix that is looked at for an installation.
type mailServer struct {
	*Installation
	conf *postfix.Config
}

// servers looks at every SMTP server: mail that arrives at one that does not ask
// milterscan is not examined.
func (m *mailServer) servers() (found []Finding) {
	var not []postfix.Service
	asked := false
	for _, s := range m.conf.Servers() {
		ours, ok := m.ours(s, m.conf.Milters(s))
		if !ok {
			not = append(not, s)
			continue
		}
		asked = true
		found = append(found, m.asks(s, ours)...)
	}
	if !asked && !m.overridden(not) {
		return []Finding{m.notAsked()}
	}
	for _, s := range not {
		found = append(found, m.passedBy(s))
	}
	return found
}

// ours returns the element among milters by which a service reaches us.
func (m *mailServer) ours(s postfix.Service, milters []postfix.Milter) (postfix.Milter, bool) {
	for _, one := range milters {
		for _, a := range m.Config.Milter.Listen {
			if m.conf.Same(s, one.Address, string(a)) {
				return one, true
			}
		}
	}
	return postfix.Milter{}, false
}

// listens returns milter.listen as plain words.
func (p *Installation) listens() (all []string) {
	for _, a := range p.Config.Milter.Listen {
		all = append(all, string(a))
	}
	return all
}

// setUp returns the fix that has Postfix ask us: by setup, if it can reach a socket of ours
// already.
func (m *mailServer) setUp() string {
	_, _, err := m.conf.Choose(m.listens(), m.User)
	var why *postfix.Unreachable
	if errors.As(err, &why) {
		return why.Remedy
	}
	return setUpPostfix
}

// notAsked reports that no SMTP server asks us, or that one asks at an
// address where we do not listen.
func (m *mailServer) notAsked() Finding {
	for _, s := range m.conf.Servers() {
		for _, one := range m.conf.Milters(s) {
			for _, a := range m.Config.Milter.Listen {
				if m.conf.Means(one.Address, string(a)) {
					return fault(m.setUp(), "Postfix cannot find milterscan: %s runs in a chroot, where %s is %s",
						s.Program, one.Address, strings.TrimPrefix(m.conf.Reach(s, one.Address), "unix:"))
				}
			}
		}
	}
	return fault(m.setUp(), "Postfix does not ask milterscan: smtpd_milters is %q, and milterscan listens on %v",
		m.conf.Main("smtpd_milters"), m.Config.Milter.Listen)
}

// overridden reports whether master.cf decides for all of the servers, so that what main.cf
// says counts nowhere.
func (m *mailServer) overridden(servers []postfix.Service) bool {
	for _, s := range servers {
		if _, own := s.Own(m.setting(s)); !own {
			return false
		}
	}
	return len(servers) > 0 && m.conf.Main("smtpd_milters") != ""
}

// passedBy reports a server that does not ask us, although others do or main.cf
// says so.
func (m *mailServer) passedBy(s postfix.Service) Finding {
	if s.Local() {
		return ok("%s takes mail from this host only, and does not ask milterscan", s)
	}
	what := fmt.Sprintf("mail that arrives at %s is not examined: master.cf sets %s for it", s, m.override(s))
	fix := fmt.Sprintf("postconf -PX %s, and postfix reload, so that main.cf counts there too", m.override(s))
	if !s.Main() {
		return advice(fix+"; unless that is meant", "%s", what)
	}
	return fault(fix, "%s", what)
}

// override returns the setting that keeps a service from asking us, as postconf -P names it.
func (m *mailServer) override(s postfix.Service) string { return s.String() + "/" + m.setting(s) }

// setting returns the name of that setting.
func (m *mailServer) setting(s postfix.Service) string {
	if value, ok := s.Own("receive_override_options"); ok && strings.Contains(value, "no_milters") {
		return "receive_override_options"
	}
	return "smtpd_milters"
}

// asks examines how a service asks us.
func (m *mailServer) asks(s postfix.Service, ours postfix.Milter) []Finding {
	found := []Finding{ok("Postfix (%s) asks milterscan at %s", s, ours.Address), m.action(s, ours)}
	found = append(found, m.times(s, ours)...)
	if v, err := strconv.Atoi(m.conf.Setting(s, ours, "protocol")); err == nil && v < 6 {
		found = append(found, fault(set(s, ours, "protocol", "6"),
			"milter_protocol is %d: senders and recipients cannot be changed", v))
	}
	for _, a := range m.listens() {
		if !m.conf.Same(s, ours.Address, a) {
			continue
		}
		if why := m.conf.Connects(a, m.User); why != nil {
			found = append(found, fault(why.Remedy, "Postfix cannot connect: %s", why.Why))
		}
	}
	return found
}

// set returns the command that changes a setting where it counts.
func set(s postfix.Service, ours postfix.Milter, name, value string) string {
	if _, inBraces := ours.Own(name); inBraces {
		return fmt.Sprintf("write %s=%s into the braces of %s in smtpd_milters and non_smtpd_milters, "+
			"and postfix reload", name, value, ours.Address)
	}
	if _, own := s.Own("milter_" + name); own {
		return fmt.Sprintf("postconf -P '%s/milter_%s=%s', and postfix reload", s, name, value)
	}
	return fmt.Sprintf("postconf -e milter_%s=%s, and postfix reload", name, value)
}

// submitted examines whether Postfix asks us about mail that programs on this host hand in.
func (m *mailServer) submitted() []Finding {
	s := m.conf.Cleanup()
	milters := m.conf.Submitted()
	ours, asked := m.ours(s, milters)
	if asked {
		return m.asks(s, ours)[1:]
	}
	if len(milters) == 0 {
		return []Finding{advice(m.setUp()+"; unless that is meant",
			"mail that programs hand in on this host is not examined: non_smtpd_milters is empty")}
	}
	for _, one := range milters {
		for _, a := range m.listens() {
			if m.conf.Means(one.Address, a) {
				return []Finding{fault(m.setUp(),
					"mail that programs hand in on this host is deferred: cleanup runs in a chroot, where %s is %s",
					one.Address, strings.TrimPrefix(m.conf.Reach(s, one.Address), "unix:"))}
			}
		}
	}
	return []Finding{advice(m.setUp()+"; unless that is meant",
		"mail that programs hand in on this host is not examined: non_smtpd_milters is %q",
		m.conf.Main("non_smtpd_milters"))}
}

// action examines what Postfix does with mail while milterscan is away.
func (m *mailServer) action(s postfix.Service, ours postfix.Milter) Finding {
	action := m.conf.Setting(s, ours, "default_action")
	fix := set(s, ours, "default_action", "tempfail")
	switch {
	case action == "tempfail", action == "quarantine", action == "shutdown", strings.HasPrefix(action, "4"):
		return Finding{}
	case action == "accept":
		return fault(fix, "milter_default_action is accept: mail goes through unexamined while milterscan is away")
	}
	return fault(fix, "milter_default_action is %s: mail is lost to its senders while milterscan is away", action)
}

// least is the shortest time an MTA may wait for an answer before the end of the
// message.
const least = 10 * time.Second

// times compares how long Postfix waits with how long we may take.
func (m *mailServer) times(s postfix.Service, ours postfix.Milter) (found []Finding) {
	content := m.conf.Setting(s, ours, "content_timeout")
	if t, ok := postfix.Time(content); ok && t <= m.Config.Limits.Time.Go() {
		found = append(found, fault(fmt.Sprintf("%s, or set limits.time to less than %v",
			set(s, ours, "content_timeout", "300s"), units.Duration(t)),
			"milter_content_timeout is %s, and milterscan may take %v (limits.time): Postfix gives up first",
			content, m.Config.Limits.Time))
	}
	for _, name := range []string{"connect_timeout", "command_timeout"} {
		value := m.conf.Setting(s, ours, name)
		if t, ok := postfix.Time(value); ok && t < least {
			found = append(found, fault(set(s, ours, name, "30s"),
				"milter_%s is %s: a busy machine takes longer", name, value))
		}
	}
	return found
}

// sizes compares an MTA's limit for messages with ours. 0 is none.
func (p *Installation) sizes(key, value, set string) Finding {
	n, err := strconv.ParseInt(value, 10, 64)
	ours := p.Config.Limits.Message
	switch {
	case err != nil:
		return advice("see "+key, "%s is %q", key, value)
	case n == 0:
		return fault(fmt.Sprintf("%s%d", set, int64(ours)),
			"the MTA takes messages of any size, and milterscan examines %v (limits.message)",
			ours)
	case n > int64(ours):
		return fault(fmt.Sprintf("%s%d, or raise limits.message", set, int64(ours)),
			"%s is %d, and limits.message is %v: what is larger is accepted by one and refused by the other",
			key, n, ours)
	}
	return Finding{}
}
