package doctor

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan/units"
)

// postfixSettings are what is read of Postfix' configuration.
var postfixSettings = []string{
	"smtpd_milters", "non_smtpd_milters", "milter_default_action", "milter_protocol", "milter_connect_timeout",
	"milter_command_timeout", "milter_content_timeout", "message_size_limit", "queue_directory", "mail_owner",
}

// postfix compares Postfix' settings with ours. Where several milters share the
// settings, those of a single one ("{ unix:…, default_action=… }") are not taken
// apart.
func (p *Patient) postfix(ctx context.Context) []Finding {
	if p.Postconf == "" {
		return nil
	}
	set, err := p.readPostfix(ctx)
	if err != nil {
		return []Finding{fault("correct Postfix' configuration (postfix check)", "its settings cannot be read: %v", err)}
	}
	found := p.postfixAsks(set)
	add := func(f Finding) {
		if f.Level != OK {
			found = append(found, f)
		}
	}
	add(p.postfixAction(set))
	add(p.postfixTimes(set))
	add(p.sizes("message_size_limit", set["message_size_limit"], "postconf -e message_size_limit="))
	if v, err := strconv.Atoi(set["milter_protocol"]); err == nil && v < 6 {
		add(fault("postconf -e milter_protocol=6", "milter_protocol is %d: senders and recipients cannot be changed", v))
	}
	return found
}

// readPostfix has postconf expand the settings.
func (p *Patient) readPostfix(ctx context.Context) (map[string]string, error) {
	args := append([]string{"-x"}, postfixSettings...)
	if p.Postfix != "" {
		args = append([]string{"-c", p.Postfix}, args...)
	}
	out, err := exec.CommandContext(ctx, p.Postconf, args...).Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", strings.Join(append([]string{p.Postconf}, args...), " "), err)
	}
	set := map[string]string{}
	for line := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(line, "=")
		set[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	return set, nil
}

// postfixAsks looks for our socket among Postfix' milters, and whether Postfix may
// connect to it.
func (p *Patient) postfixAsks(set map[string]string) []Finding {
	for _, word := range strings.FieldsFunc(set["smtpd_milters"], func(r rune) bool { return r == ' ' || r == ',' || r == '{' || r == '}' }) {
		where := word
		if path, isUnix := strings.CutPrefix(word, "unix:"); isUnix && !filepath.IsAbs(path) {
			where = "unix:" + filepath.Join(set["queue_directory"], path)
		}
		for _, a := range p.Config.Milter.Listen {
			if !sameAddress(where, string(a)) {
				continue
			}
			found := []Finding{ok("Postfix asks milterscan at %s", word)}
			if set["non_smtpd_milters"] == "" {
				found = append(found, advice("postconf -e non_smtpd_milters="+word, "mail that programs hand in on this host is not examined"))
			}
			return append(found, p.postfixConnects(set["mail_owner"], string(a))...)
		}
	}
	fix := "postconf -e smtpd_milters=ADDRESS, and postfix reload: contrib/postfix"
	if len(p.Config.Milter.Listen) > 0 {
		fix = fmt.Sprintf("postconf -e smtpd_milters=%s non_smtpd_milters=%[1]s, and postfix reload", asPostfix(string(p.Config.Milter.Listen[0])))
	}
	return []Finding{fault(fix, "Postfix does not ask milterscan: smtpd_milters is %q, and milterscan listens on %v", set["smtpd_milters"], p.Config.Milter.Listen)}
}

// asPostfix is an address of ours in Postfix' words.
func asPostfix(address string) string {
	if where, ok := strings.CutPrefix(address, "tcp:"); ok {
		return "inet:" + where
	}
	return address
}

// sameAddress compares a milter as Postfix or Sendmail names it with an address of
// ours. That of a TCP socket counts as the same where the port is.
func sameAddress(theirs, ours string) bool {
	network, where, _ := strings.Cut(theirs, ":")
	mine, place, _ := strings.Cut(ours, ":")
	switch network {
	case "unix", "local":
		return mine == "unix" && filepath.Clean(where) == filepath.Clean(place)
	case "inet", "inet6":
		port := where[strings.LastIndexByte(where, ':')+1:]
		if before, _, ok := strings.Cut(where, "@"); ok { // Sendmail: port@host
			port = before
		}
		return mine == "tcp" && strings.HasSuffix(place, ":"+port)
	}
	return false
}

// postfixConnects sees whether Postfix' user may connect to a unix socket.
func (p *Patient) postfixConnects(owner, address string) []Finding {
	path, ok := strings.CutPrefix(address, "unix:")
	if !ok {
		return nil
	}
	who, err := personOf(owner)
	if err != nil {
		return []Finding{advice("see mail_owner in main.cf", "Postfix' user: %v", err)}
	}
	if err := who.reaches(path, toRead|toWrite); err != nil {
		return []Finding{fault(fmt.Sprintf("write socket_owner = \":%s\" and socket_mode = \"0660\" into [milter], and let its directory be entered (contrib/postfix)", owner), "Postfix cannot connect: %v", err)}
	}
	return nil
}

func (p *Patient) postfixAction(set map[string]string) Finding {
	switch action := set["milter_default_action"]; action {
	case "tempfail", "quarantine", "shutdown":
	case "accept":
		return fault("postconf -e milter_default_action=tempfail", "milter_default_action is accept: mail goes through unexamined while milterscan is away")
	default:
		return fault("postconf -e milter_default_action=tempfail", "milter_default_action is %s: mail is lost to its senders while milterscan is away", action)
	}
	return Finding{}
}

// least is the shortest time an MTA may wait for an answer before the end of the
// message.
const least = 10 * time.Second

func (p *Patient) postfixTimes(set map[string]string) Finding {
	if t, ok := postfixTime(set["milter_content_timeout"]); ok && t <= p.Config.Limits.Time.Go() {
		return fault(fmt.Sprintf("postconf -e milter_content_timeout=300s, or set limits.time to less than %v", units.Duration(t)),
			"milter_content_timeout is %s, and milterscan may take %v (limits.time): Postfix gives up first", set["milter_content_timeout"], p.Config.Limits.Time)
	}
	for _, key := range []string{"milter_connect_timeout", "milter_command_timeout"} {
		if t, ok := postfixTime(set[key]); ok && t < least {
			return fault(fmt.Sprintf("postconf -e %s=30s", key), "%s is %s: a busy machine takes longer", key, set[key])
		}
	}
	return Finding{}
}

// postfixTime reads a time as Postfix writes it: a number and one letter.
func postfixTime(s string) (time.Duration, bool) {
	unit := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	if s == "" {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimRight(s, "smhdw"), 10, 32)
	each, ok := unit[s[len(s)-1]]
	if !ok {
		each = time.Second
	}
	return time.Duration(n) * each, err == nil
}

// sizes compares an MTA's limit for messages with ours. 0 is none.
func (p *Patient) sizes(key, value, set string) Finding {
	n, err := strconv.ParseInt(value, 10, 64)
	ours := p.Config.Limits.Message
	switch {
	case err != nil:
		return advice("see "+key, "%s is %q", key, value)
	case n == 0:
		return fault(fmt.Sprintf("%s%d", set, int64(ours)), "the MTA takes messages of any size, and milterscan examines %v (limits.message)", ours)
	case n > int64(ours):
		return fault(fmt.Sprintf("%s%d, or raise limits.message", set, int64(ours)), "%s is %d, and limits.message is %v: what is larger is accepted by one and refused by the other", key, n, ours)
	}
	return Finding{}
}
