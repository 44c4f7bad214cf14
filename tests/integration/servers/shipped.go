package servers

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// StartShippedRspamd starts an rspamd with the rules of Debian's package, for mail to be
// compared with. It asks a name server at port 53 of a host, and a clamd on a unix socket. What
// needs Redis or other servers is off. Cleanup stops it.
func StartShippedRspamd(t TB, nameserver, clamd string, more map[string]string) *Rspamd {
	t.Helper()
	needRoot(t, "rspamd")
	dir := newDir(t)
	s := &Rspamd{URL: "http://" + newAddr(t), Controller: "http://" + newAddr(t), dir: dir}
	etc := filepath.Join(dir, "etc")
	if err := os.CopyFS(etc, os.DirFS("/etc/rspamd")); err != nil {
		t.Fatalf("%v", err)
	}
	s.args = []string{"-c", filepath.Join(etc, "rspamd.conf"), "--var=CONFDIR=" + etc, "--var=LOCAL_CONFDIR=" + etc}
	for _, d := range []string{"DBDIR", "RUNDIR", "LOGDIR"} {
		makeOpen(t, filepath.Join(dir, d))
		s.args = append(s.args, "--var="+d+"="+filepath.Join(dir, d))
	}
	writeFile(t, filepath.Join(dir, "tld.dat"), "com\norg\nnet\ntest\n") // the whole list takes half a minute to compile
	for name, text := range map[string]string{
		"options.inc": fmt.Sprintf("dns { nameserver = [\"%s:53:1\"]; timeout = 2s; }\nmap_watch_interval = 24h;\ntask_timeout = 60s;\n"+
			"control_socket = \"%s/RUNDIR/control.sock mode=0600\";\nurl_tld = \"%[2]s/tld.dat\";\n", nameserver, dir),
		"worker-normal.inc":     fmt.Sprintf("bind_socket = %q;\ncount = 1;\n", strings.TrimPrefix(s.URL, "http://")),
		"worker-controller.inc": fmt.Sprintf("bind_socket = %q;\n", strings.TrimPrefix(s.Controller, "http://")),
		"logging.inc":           "type = \"console\";\nlevel = \"warning\";\n",
		"antivirus.conf": fmt.Sprintf("clamav { type = \"clamav\"; symbol = \"CLAM_VIRUS\"; servers = %q; scan_mime_parts = true; "+
			"scan_text_mime = true; max_size = 100000000; timeout = 30.0; }\n", clamd),
	} {
		writeFile(t, filepath.Join(etc, "override.d", name), text)
	}
	for name, text := range more {
		writeFile(t, filepath.Join(etc, "override.d", name), text)
	}
	for _, off := range []string{"ratelimit", "greylist", "history_redis", "redis", "neural", "bayes_expiry", "fuzzy_check"} {
		writeFile(t, filepath.Join(etc, "override.d", off+".conf"), "enabled = false;\n")
	}
	writeFile(t, filepath.Join(etc, "override.d", "worker-proxy.inc"), "enabled = false;\n")
	s.Start(t)
	t.Cleanup(s.Stop)
	return s
}

// StartShippedSpamd starts a spamd with the rules of Debian's packages, which asks a name server.
// Cleanup stops it.
func StartShippedSpamd(t TB, nameserver, more string) *Spamd {
	t.Helper()
	needRoot(t, "spamd")
	dir := newDir(t)
	s := &Spamd{Addr: newAddr(t), dir: dir}
	etc := filepath.Join(dir, "etc")
	if err := os.CopyFS(etc, os.DirFS("/etc/spamassassin")); err != nil {
		t.Fatalf("%v", err)
	}
	makeOpen(t, filepath.Join(dir, "home"))
	writeFile(t, filepath.Join(etc, "local.cf"), fmt.Sprintf(
		"dns_server %s\ndns_available yes\nuse_bayes 0\ntrusted_networks 127.0.0.0/8\n%s", nameserver, more))
	s.args = []string{"--siteconfigpath=" + etc, "--configpath=/usr/share/spamassassin"}
	s.Start(t)
	t.Cleanup(s.Stop)
	return s
}

// makeOpen makes a directory in which servers write as a user without rights.
func makeOpen(t TB, dir string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatalf("%v", err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatalf("%v", err)
	}
}
