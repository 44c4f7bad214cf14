//go:build linux

package doctor

import (
	"maps"
	"strings"
	"testing"
)

const ownServices = "smtp inet n - y - - smtpd\n127.0.0.1:10025 inet n - n - - smtpd\nsubmission inet n - y - - smtpd\ncleanup unix n - y - 0 cleanup\n"

// TestPostfix: what Postfix does is what counts, service by service and milter by
// milter, and each remedy is one that works.
func TestPostfix(t *testing.T) {
	h := sound(t)
	well := h.settings
	absolute := "unix:" + h.dir + "/milter.sock"
	braces := "{ unix:milter.sock, connect_timeout=10s, command_timeout=30s, content_timeout=300s, default_action=tempfail }"
	for _, c := range []struct {
		name                string
		set                 map[string]string
		services, overrides string
		want                []string // level: what -> fix
	}{
		{name: "well"},
		{name: "accept", set: map[string]string{"milter_default_action": "accept"}, want: []string{"FAULT: goes through unexamined -> postconf -e milter_default_action=tempfail"}},
		{name: "reject", set: map[string]string{"milter_default_action": "reject"}, want: []string{"FAULT: lost to its senders -> postconf -e milter_default_action=tempfail"}},
		{name: "451 of one's own", set: map[string]string{"milter_default_action": "451 4.7.1 later"}},
		{name: "content", set: map[string]string{"milter_content_timeout": "30s"}, want: []string{"FAULT: Postfix gives up first -> milter_content_timeout=300s"}},
		{name: "connect", set: map[string]string{"milter_connect_timeout": "1s"}, want: []string{"FAULT: milter_connect_timeout is 1s -> milter_connect_timeout=30s"}},
		{name: "protocol", set: map[string]string{"milter_protocol": "2"}, want: []string{"FAULT: milter_protocol is 2 -> milter_protocol=6"}},
		{name: "braces outweigh", set: map[string]string{"smtpd_milters": braces, "non_smtpd_milters": braces,
			"milter_default_action": "accept", "milter_content_timeout": "20s", "milter_command_timeout": "1s"}},
		{name: "accept in braces", set: map[string]string{"smtpd_milters": strings.Replace(braces, "tempfail", "accept", 1)},
			want: []string{"FAULT: goes through unexamined -> into the braces of unix:milter.sock"}},
		{name: "timeout in braces", set: map[string]string{"smtpd_milters": strings.Replace(braces, "300s", "20s", 1)},
			want: []string{"FAULT: milter_content_timeout is 20s -> content_timeout=300s into the braces"}},
		{name: "only milter of others in braces", set: map[string]string{"smtpd_milters": "unix:milter.sock { inet:localhost:8891, default_action=accept }"}},
		{name: "emptied at port 25", services: ownServices, overrides: "smtp/inet/smtpd_milters =\n",
			want: []string{"FAULT: arrives at smtp/inet is not examined -> postconf -PX smtp/inet/smtpd_milters"}},
		{name: "another milter at port 25", services: ownServices, overrides: "smtp/inet/smtpd_milters = inet:localhost:8891\n",
			want: []string{"FAULT: arrives at smtp/inet is not examined -> postconf -PX smtp/inet/smtpd_milters"}},
		{name: "no_milters at port 25", services: ownServices, overrides: "smtp/inet/receive_override_options = no_milters\n",
			want: []string{"FAULT: arrives at smtp/inet -> postconf -PX smtp/inet/receive_override_options"}},
		{name: "emptied at the only server", services: "smtp inet n - y - - smtpd\n", overrides: "smtp/inet/smtpd_milters =\n",
			want: []string{"FAULT: arrives at smtp/inet is not examined -> postconf -PX smtp/inet/smtpd_milters"}},
		{name: "emptied at every server", services: ownServices, overrides: "smtp/inet/smtpd_milters =\nsubmission/inet/smtpd_milters =\n",
			want: []string{"FAULT: arrives at smtp/inet -> postconf -PX smtp/inet/smtpd_milters", "advice: arrives at submission/inet -> unless that is meant"}},
		{name: "emptied after postscreen", services: "smtp inet n - y - 1 postscreen\nsmtpd pass - - y - - smtpd\nsubmission inet n - y - - smtpd\n", overrides: "smtpd/pass/smtpd_milters =\n",
			want: []string{"FAULT: arrives at smtpd/pass -> postconf -PX smtpd/pass/smtpd_milters"}},
		{name: "emptied at submission", services: ownServices, overrides: "submission/inet/smtpd_milters =\n",
			want: []string{"advice: arrives at submission/inet -> unless that is meant"}},
		{name: "emptied where mail comes back", services: ownServices, overrides: "127.0.0.1:10025/inet/smtpd_milters =\n"},
		{name: "only by override", set: map[string]string{"smtpd_milters": ""}, services: ownServices,
			overrides: "smtp/inet/smtpd_milters = unix:milter.sock\nsubmission/inet/smtpd_milters = unix:milter.sock\n"},
		{name: "accept at port 25", services: ownServices, overrides: "smtp/inet/milter_default_action = accept\n",
			want: []string{"FAULT: goes through unexamined -> postconf -P 'smtp/inet/milter_default_action=tempfail'"}},
		{name: "whole path in a chroot", set: map[string]string{"smtpd_milters": absolute, "non_smtpd_milters": absolute},
			want: []string{"FAULT: smtpd runs in a chroot -> milterscan setup postfix", "FAULT: cleanup runs in a chroot -> milterscan setup postfix"}},
		{name: "whole path, no chroot", set: map[string]string{"smtpd_milters": absolute, "non_smtpd_milters": absolute}, services: "smtp inet n - n - - smtpd\ncleanup unix n - n - 0 cleanup\n"},
		{name: "nobody", set: map[string]string{"smtpd_milters": ""}, want: []string{"FAULT: does not ask milterscan -> milterscan setup postfix"}},
		{name: "nothing handed in", set: map[string]string{"non_smtpd_milters": ""}, want: []string{"advice: programs hand in -> milterscan setup postfix"}},
		{name: "maps", set: map[string]string{"smtpd_milter_maps": "cidr:/etc/postfix/x"}, want: []string{"advice: smtpd_milter_maps -> names only clients"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.settings = maps.Clone(well)
			maps.Copy(h.settings, c.set)
			h.overrides = c.overrides
			if h.services = c.services; h.services == "" {
				h.services = "smtp inet n - y - - smtpd\ncleanup unix n - y - 0 cleanup\n"
			}
			var found []Finding
			for _, f := range h.installation(t, "").postfix(t.Context()) {
				if f.Level != OK {
					found = append(found, f)
				}
			}
			if len(found) != len(c.want) {
				t.Fatalf("%+v, want %q", found, c.want)
			}
			for i, want := range c.want {
				level, rest, _ := strings.Cut(want, ": ")
				what, fix, _ := strings.Cut(rest, " -> ")
				if f := found[i]; f.Level.String() != level || !strings.Contains(f.What, what) || !strings.Contains(f.Fix, fix) {
					t.Errorf("%+v, want %q", f, want)
				}
			}
		})
	}
}

// TestPostfixOutside: a socket that no chroot has is not recommended, and neither
// is a right that the daemon's unit does not have.
func TestPostfixOutside(t *testing.T) {
	h := sound(t)
	p := h.installation(t, "")
	p.Config.Milter.Listen = p.Config.Milter.Listen[:0]
	p.Config.Milter.Listen = append(p.Config.Milter.Listen, "unix:/run/elsewhere/milter.sock")
	found := faults(p.postfix(t.Context()))
	if len(found) != 1 || !strings.Contains(found[0].Fix, "-m 2750 "+h.dir+"/milterscan") || strings.Contains(found[0].Fix, "socket_owner") {
		t.Errorf("%+v", found)
	}
}
