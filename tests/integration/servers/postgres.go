package servers

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/milterscan/milterscan/tests/procstat"
)

// Postgres is a private PostgreSQL server, which knows one user by a password.
type Postgres struct {
	Addr string // where it listens
	dir  string
	bin  string
	args []string
	proc *process
}

// PostgresUser and PostgresPassword may do everything there.
const (
	PostgresUser     = "postgres"
	PostgresPassword = "a password of PostgreSQL"
)

// StartPostgres starts a server, with settings such as "max_connections=20", and runs some SQL. Cleanup stops it.
func StartPostgres(t TB, schema string, settings ...string) *Postgres {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		t.Fatalf("PostgreSQL is not installed (.ci/packages installs it): %v", err)
	}
	p := &Postgres{Addr: newAddr(t), dir: newDir(t), bin: filepath.Dir(found[len(found)-1])}
	data, password := filepath.Join(p.dir, "data"), filepath.Join(p.dir, "password")
	writeFile(t, password, PostgresPassword+"\n")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatalf("%v", err)
	}
	for _, path := range []string{p.dir, data, password} {
		if err := os.Chown(path, userID(t, "postgres"), -1); err != nil {
			t.Fatalf("%v", err)
		}
	}
	p.must(t, p.as("initdb", "-D", data, "-U", PostgresUser, "-A", "scram-sha-256",
		"--pwfile", password, "-E", "UTF8", "--locale=C.UTF-8", "-N"))
	host, port, _ := strings.Cut(p.Addr, ":")
	p.args = []string{"-D", data, "-k", p.dir, "-p", port, "-c", "listen_addresses=" + host}
	for _, s := range append([]string{"fsync=off", "shared_buffers=16MB"}, settings...) {
		p.args = append(p.args, "-c", s)
	}
	p.Start(t)
	t.Cleanup(p.Stop)
	p.SQL(t, schema)
	return p
}

// Standby starts a server that follows this one, as a copy of it. Cleanup stops it.
func (p *Postgres) Standby(t TB) *Postgres {
	t.Helper()
	s := &Postgres{Addr: newAddr(t), dir: newDir(t), bin: p.bin}
	data := filepath.Join(s.dir, "data")
	if err := os.Chown(s.dir, userID(t, "postgres"), -1); err != nil {
		t.Fatalf("%v", err)
	}
	host, port, _ := strings.Cut(p.Addr, ":")
	copying := s.as("pg_basebackup", "-D", data, "-R", "-c", "fast", "-h", host, "-p", port, "-U", PostgresUser)
	copying.Env = append(os.Environ(), "PGPASSWORD="+PostgresPassword)
	s.must(t, copying)
	host, port, _ = strings.Cut(s.Addr, ":")
	s.args = []string{"-D", data, "-k", s.dir, "-p", port, "-c", "listen_addresses=" + host, "-c", "fsync=off", "-c", "shared_buffers=16MB"}
	s.Start(t)
	t.Cleanup(s.Stop)
	return s
}

// Promote makes a standby a primary.
func (p *Postgres) Promote(t TB) {
	t.Helper()
	p.must(t, p.as("pg_ctl", "-D", filepath.Join(p.dir, "data"), "-w", "promote"))
}

// Start starts the server again after Stop or Kill.
func (p *Postgres) Start(t TB) {
	t.Helper()
	cmd := p.as("postgres", p.args...)
	p.proc = run(t, filepath.Join(p.dir, "log"), cmd.Path, cmd.Args[1:]...)
	p.proc.ready(t, "PostgreSQL at "+p.Addr, func() bool { return p.psql("SELECT 1").Run() == nil })
}

// SQL runs some SQL, and returns what it prints: a row on each line, with "|" between its columns.
func (p *Postgres) SQL(t TB, text string) string {
	t.Helper()
	cmd := p.psql(text)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd.Path, err, out)
	}
	return strings.TrimSpace(string(out))
}

// PasswordFile returns the path of a file with the password.
func (p *Postgres) PasswordFile(t TB) string {
	t.Helper()
	file := filepath.Join(newDir(t), "password")
	writeFile(t, file, PostgresPassword+"\n")
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatalf("%v", err)
	}
	return file
}

// Pid returns the process id of the server, whose children serve the connections.
func (p *Postgres) Pid() int { return p.proc.pid() }

// Pause stops all its processes without ending them, so that connections hang.
func (p *Postgres) Pause() { p.signal(syscall.SIGSTOP) }

// Continue lets them go on.
func (p *Postgres) Continue() { p.signal(syscall.SIGCONT) }

// signal sends a signal to the server and to its children, each of which has its own session.
func (p *Postgres) signal(s syscall.Signal) {
	p.proc.signal(s)
	for _, pid := range procstat.Children(p.proc.pid()) {
		syscall.Kill(pid, s)
	}
}

// Kill ends the server as a crash would.
func (p *Postgres) Kill() {
	children := procstat.Children(p.proc.pid())
	p.proc.kill()
	for _, pid := range children {
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

// as returns a program of the server, run by its user: it refuses to be root.
func (p *Postgres) as(program string, args ...string) *exec.Cmd {
	cmd := asPostgres(filepath.Join(p.bin, program), args...)
	cmd.Dir = p.dir
	return cmd
}

// asPostgres returns a program that is run by the user of the server.
func asPostgres(path string, args ...string) *exec.Cmd {
	return exec.Command("setpriv", append([]string{"--reuid=postgres", "--regid=postgres", "--init-groups", path}, args...)...)
}

// psql returns the client with some SQL.
func (p *Postgres) psql(text string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.bin, "psql"), "-qAt", "-v", "ON_ERROR_STOP=1", p.URL())
	cmd.Env = append(os.Environ(), "PGPASSWORD="+PostgresPassword)
	cmd.Stdin = strings.NewReader(text)
	return cmd
}

// Shell returns a command of the shell that has the programs of the server, and knows where it is and how to log in.
func (p *Postgres) Shell(ctx context.Context, text string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "sh", "-c", text)
	host, port, _ := strings.Cut(p.Addr, ":")
	cmd.Env = append(os.Environ(), "PATH="+p.bin+":"+os.Getenv("PATH"), "PGHOST="+host, "PGPORT="+port,
		"PGUSER="+PostgresUser, "PGPASSWORD="+PostgresPassword)
	return cmd
}

func (p *Postgres) must(t TB, cmd *exec.Cmd) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd.Path, err, out)
	}
}

// URL returns the address of the database, without the password.
func (p *Postgres) URL() string { return "postgres://" + PostgresUser + "@" + p.Addr + "/postgres" }

// Stop ends the server.
func (p *Postgres) Stop() {
	p.signal(syscall.SIGCONT)
	p.proc.signal(syscall.SIGINT) // which waits for no client
	p.proc.stop()
}

// Session runs some SQL in a session that stays as it is until the returned function ends it.
func (p *Postgres) Session(t TB, text string) (end func()) {
	t.Helper()
	cmd := p.psql("")
	cmd.Stdin = nil
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatalf("%v", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatalf("%v", err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v", err)
	}
	end = sync.OnceFunc(func() {
		in.Close()
		cmd.Wait()
	})
	t.Cleanup(end)
	const done = "the session is ready"
	if _, err := fmt.Fprintf(in, "%s\n\\echo %s\n", text, done); err != nil {
		t.Fatalf("%v", err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.TrimSpace(lines.Text()) == done {
			return end
		}
	}
	t.Fatalf("the session ended before it was ready")
	return end
}
