package servers

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Postgres is a private PostgreSQL server, which knows one user by a password.
type Postgres struct {
	Addr string // where it listens
	dir  string
	bin  string
	proc *process
}

// PostgresUser and PostgresPassword may do everything there.
const (
	PostgresUser     = "postgres"
	PostgresPassword = "a password of PostgreSQL"
)

// StartPostgres starts a server and runs some SQL. Cleanup stops it.
func StartPostgres(t TB, schema string) *Postgres {
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
	cmd := p.as("postgres", "-D", data, "-k", p.dir, "-p", port,
		"-c", "listen_addresses="+host, "-c", "fsync=off", "-c", "shared_buffers=16MB")
	p.proc = run(t, filepath.Join(p.dir, "log"), cmd.Path, cmd.Args[1:]...)
	t.Cleanup(p.Stop)
	p.proc.ready(t, "PostgreSQL at "+p.Addr, func() bool { return p.psql("SELECT 1").Run() == nil })
	p.must(t, p.psql(schema))
	return p
}

// as returns a program of the server, run by its user: it refuses to be root.
func (p *Postgres) as(program string, args ...string) *exec.Cmd {
	cmd := exec.Command("setpriv",
		append([]string{"--reuid=postgres", "--regid=postgres", "--init-groups", filepath.Join(p.bin, program)}, args...)...)
	cmd.Dir = p.dir
	return cmd
}

// psql returns the client with some SQL.
func (p *Postgres) psql(text string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.bin, "psql"), "-qAt", "-v", "ON_ERROR_STOP=1", p.URL())
	cmd.Env = append(os.Environ(), "PGPASSWORD="+PostgresPassword)
	cmd.Stdin = strings.NewReader(text)
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
func (p *Postgres) Stop() { p.proc.stop() }
