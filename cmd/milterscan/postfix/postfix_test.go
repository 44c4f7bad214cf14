package postfix

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseMilters(t *testing.T) {
	for list, want := range map[string]string{
		"":                         "",
		"unix:a":                   "unix:a",
		"unix:a inet:b:1,unix:c":   "unix:a|inet:b:1|unix:c",
		"unix:a,\n  inet:b:1 , c":  "unix:a|inet:b:1|c",
		"{ unix:a }":               "unix:a",
		"{unix:a,timeout=1s}unix":  "{unix:a,timeout=1s}unix",
		"{ unix:a, x=1, y = 2 } b": "unix:a x=1 y=2|b",
		"{unix:a x=1 y={ 451 4.7.1 go away }}, {b}": "unix:a x=1 y=451 4.7.1 go away|b",
		"{ unix:a, x=1": "{ unix:a, x=1",
	} {
		var got []string
		for _, m := range ParseMilters(list) {
			s := m.Address
			for _, key := range []string{"x", "y"} {
				if v, ok := m.Own(key); ok {
					s += " " + key + "=" + v
				}
			}
			got = append(got, s)
			if !strings.Contains(list, m.Text) {
				t.Errorf("%q: the text %q is not in it", list, m.Text)
			}
		}
		if s := strings.Join(got, "|"); s != want && !strings.HasPrefix(want, "{") {
			t.Errorf("%q: %q, want %q", list, s, want)
		}
	}
}

// reading is a configuration as postconf shows it.
func reading(t *testing.T, main, services, own string) *Config {
	t.Helper()
	script := filepath.Join(t.TempDir(), "postconf")
	text := fmt.Sprintf("#!/bin/sh\ncase \" $* \" in *' -M '*) cat <<'END'\n%sEND\n;; *' -Px '*) cat <<'END'\n%sEND\n;; *) cat <<'END'\n%sEND\nesac\n", services, own, main)
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	c, err := Read(t.Context(), Tool{Postconf: script})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const services = `smtp       inet  n       -       y       -       -       smtpd -o smtpd_milters=
submission inet  n       -       -       -       -       smtpd -o x=y
127.0.0.1:10025 inet n   -       n       -       -       smtpd
smtpd      pass  -       -       n       -       -       smtpd
cleanup    unix  n       -       n       -       0       cleanup
`

// A service goes by what master.cf says for it, and only then by main.cf; so does a
// milter by what its braces say.
func TestServices(t *testing.T) {
	c := reading(t, "smtpd_milters = { unix:m/s, default_action=accept } unix:/m/t\nmilter_default_action = tempfail\nqueue_directory = /q\ncompatibility_level = 3.6\n",
		services, "smtp/inet/smtpd_milters =\nsubmission/inet/receive_override_options = no_milters\nsmtpd/pass/milter_default_action = reject\n")
	var got []string
	for _, s := range c.Servers() {
		line := fmt.Sprintf("%s main=%v local=%v", s, s.Main(), s.Local())
		for _, m := range c.Milters(s) {
			line += " " + c.Reach(s, m.Address) + "=" + c.Setting(s, m, "default_action")
		}
		got = append(got, line)
	}
	want := []string{
		"smtp/inet main=true local=false",
		"submission/inet main=false local=false",
		"127.0.0.1:10025/inet main=false local=true unix:/q/m/s=accept unix:/m/t=tempfail",
		"smtpd/pass main=true local=false unix:/q/m/s=accept unix:/m/t=reject",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// In a chroot every path begins at the queue directory.
func TestReach(t *testing.T) {
	for _, c := range []struct {
		level, chroot, theirs, ours string
		same, means                 bool
	}{
		{"3.6", "n", "unix:/q/m/s", "unix:/q/m/s", true, true},
		{"3.6", "n", "unix:m/s", "unix:/q/m/s", true, true},
		{"3.6", "y", "unix:m/s", "unix:/q/m/s", true, true},
		{"3.6", "y", "unix:/m/s", "unix:/q/m/s", true, true},
		{"3.6", "y", "unix:/q/m/s", "unix:/q/m/s", false, true},
		{"0", "-", "unix:/q/m/s", "unix:/q/m/s", false, true},
		{"", "-", "unix:/q/m/s", "unix:/q/m/s", false, true},
		{"3.6", "-", "unix:/q/m/s", "unix:/q/m/s", true, true},
		{"3.6", "n", "local:/q/m//s", "unix:/q/m/s", true, true},
		{"3.6", "n", "unix:/q/m/s2", "unix:/q/m/s", false, false},
		{"3.6", "y", "inet:localhost:7357", "tcp:127.0.0.1:7357", true, true},
		{"3.6", "y", "inet:localhost:7358", "tcp:127.0.0.1:7357", false, false},
		{"3.6", "y", "inet:localhost:17357", "tcp:127.0.0.1:7357", false, false},
		{"3.6", "y", "nonsense", "unix:/q/m/s", false, false},
	} {
		p := reading(t, "queue_directory = /q\ncompatibility_level = "+c.level+"\n", "smtp inet n - "+c.chroot+" - - smtpd\n", "")
		s := p.Servers()[0]
		if same, means := p.Same(s, c.theirs, c.ours), p.Means(c.theirs, c.ours); same != c.same || means != c.means {
			t.Errorf("%+v: same %v, means %v", c, same, means)
		}
	}
}

// Postfix is told the socket that it reaches, or why it reaches none.
func TestChoose(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, chroot, owner string
		listen              []string
		want, remedy        string
	}{
		{"below the queue first", "n", me.Username, []string{"unix:/run/m/s", "unix:/q/m/s"}, "unix:m/s", ""},
		{"outside, no chroot", "n", me.Username, []string{"unix:/run/m/s"}, "unix:/run/m/s", ""},
		{"outside, chroot", "y", me.Username, []string{"unix:/run/m/s"}, "", "install -d -o daemon -g "},
		{"outside, chroot, tcp", "y", me.Username, []string{"unix:/run/m/s", "tcp:127.0.0.1:1"}, "inet:127.0.0.1:1", ""},
		{"nowhere", "y", me.Username, nil, "", "/q/milterscan/milter.sock"},
		{"nobody", "n", "nobody-of-this-name", []string{"unix:/run/m/s"}, "", "mail_owner"},
	} {
		p := reading(t, "queue_directory = /q\ncompatibility_level = 3.6\nmail_owner = "+c.owner+"\n", "smtp inet n - "+c.chroot+" - - smtpd\n", "")
		_, got, err := p.Choose(c.listen, "daemon")
		if got != c.want || (err == nil) != (c.remedy == "") || err != nil && !strings.Contains(err.Error(), c.remedy) {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
}

// A socket that Postfix' user may not use is no way to milterscan.
func TestConnects(t *testing.T) {
	queue := t.TempDir()
	os.Chmod(filepath.Dir(queue), 0o755)
	os.Chmod(queue, 0o755)
	dir := filepath.Join(queue, "milterscan")
	socket := filepath.Join(dir, "s")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(socket, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := user.Lookup("nobody"); err != nil || os.Getuid() != 0 {
		t.Skip("needs root and the user nobody")
	}
	p := reading(t, "queue_directory = "+queue+"\nmail_owner = nobody\n", "smtp inet n - n - - smtpd\n", "")
	for _, c := range []struct {
		dir, socket os.FileMode
		remedy      string
	}{
		{0o755, 0o666, ""},
		{0o755, 0o660, "install -d -o daemon -g nogroup -m 2750 " + dir},
		{0o700, 0o666, "install -d -o daemon -g nogroup -m 2750 " + dir},
		{0o755, 0o600, "socket_mode = \"0660\""},
	} {
		os.Chmod(dir, c.dir)
		os.Chmod(socket, c.socket)
		why := p.Connects("unix:"+socket, "daemon")
		if (why == nil) != (c.remedy == "") || why != nil && !strings.Contains(why.Remedy, c.remedy) {
			t.Errorf("%#o/%#o: %v", c.dir, c.socket, why)
		}
	}
	outside := filepath.Join(t.TempDir(), "s")
	if err := os.WriteFile(outside, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if why := p.Connects("unix:"+outside, "daemon"); why == nil || !strings.Contains(why.Remedy, "milter.listen") {
		t.Errorf("outside of the queue directory: %v", why)
	}
}
