package servers

import (
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// Redis is a private Redis server, which keeps nothing on the disk.
type Redis struct {
	Addr   string // where it listens, in the clear
	Secure string // and encrypted
	Socket string
	CA     string // the file with its authority

	dir  string
	args []string
	proc *process
}

// redisSecure is the port of encrypted connections.
const redisSecure = "6380"

// StartRedis starts a server, with settings such as "maxmemory 3mb". Cleanup stops it.
func StartRedis(t TB, settings ...string) *Redis {
	t.Helper()
	r := &Redis{Addr: newAddr(t), dir: newDir(t)}
	host, port, _ := strings.Cut(r.Addr, ":")
	cert := NewCertificate(t, "redis.test.local", host)
	r.Socket, r.Secure, r.CA = filepath.Join(r.dir, "socket"), host+":"+redisSecure, cert.File
	for _, s := range append([]string{"bind " + host, "port " + port, "tls-port " + redisSecure, "tls-cert-file " + cert.File,
		"tls-key-file " + cert.Key, "tls-ca-cert-file " + cert.File, "tls-auth-clients no", "unixsocket " + r.Socket, "unixsocketperm 777",
		"dir " + r.dir, "appendonly no"}, settings...) {
		name, value, _ := strings.Cut(s, " ")
		r.args = append(r.args, "--"+name)
		r.args = append(r.args, strings.Fields(value)...)
	}
	r.args = append(r.args, "--save", "")
	r.Start(t)
	t.Cleanup(r.Stop)
	return r
}

// Start starts the server again after Stop or Kill. It has forgotten all.
func (r *Redis) Start(t TB) {
	t.Helper()
	r.proc = run(t, filepath.Join(r.dir, "log"), "redis-server", r.args...)
	r.proc.ready(t, "Redis at "+r.Addr, func() bool { return r.cli("PING").Run() == nil })
}

// CLI has the server run a command, and returns what it answers.
func (r *Redis) CLI(t TB, args ...string) string {
	t.Helper()
	out, err := r.cli(args...).CombinedOutput()
	if err != nil {
		t.Fatalf("redis-cli %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// Info returns one of the facts that the server tells about itself.
func (r *Redis) Info(t TB, name string) string {
	t.Helper()
	for line := range strings.Lines(r.CLI(t, "INFO")) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	t.Fatalf("the server does not tell %s", name)
	return ""
}

// cli returns the client with a command. It says by its status whether the server took it.
func (r *Redis) cli(args ...string) *exec.Cmd {
	return exec.Command("redis-cli", append([]string{"-e", "-s", r.Socket}, args...)...)
}

// Pause stops the server without ending it, so that connections hang.
func (r *Redis) Pause() { r.proc.signal(syscall.SIGSTOP) }

// Continue lets it go on.
func (r *Redis) Continue() { r.proc.signal(syscall.SIGCONT) }

// Kill ends the server as a crash would.
func (r *Redis) Kill() { r.proc.kill() }

// Stop ends the server.
func (r *Redis) Stop() { r.proc.stop() }
