package servers

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Pgbouncer is a private pooler of connections to a PostgreSQL server.
type Pgbouncer struct {
	Addr string // where it listens
	proc *process
}

// StartPgbouncer starts one in transaction mode, with few connections to the server, so that transactions of many clients share them. settings
// are lines of its configuration. Cleanup stops it.
func StartPgbouncer(t TB, to *Postgres, settings string) *Pgbouncer {
	t.Helper()
	b, dir := &Pgbouncer{Addr: newAddr(t)}, newDir(t)
	host, port, _ := strings.Cut(to.Addr, ":")
	users, file := filepath.Join(dir, "users"), filepath.Join(dir, "pgbouncer.ini")
	writeFile(t, users, fmt.Sprintf("%q %q\n", PostgresUser, PostgresPassword))
	text := fmt.Sprintf("[databases]\npostgres = host=%s port=%s dbname=postgres\n", host, port)
	host, port, _ = strings.Cut(b.Addr, ":")
	text += fmt.Sprintf("[pgbouncer]\nlisten_addr = %s\nlisten_port = %s\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = %s\n"+
		"pool_mode = transaction\ndefault_pool_size = 6\nmax_client_conn = 400\nserver_login_retry = 1\n%s\n", host, port, users, settings)
	writeFile(t, file, text)
	for _, path := range []string{dir, users, file} {
		if err := os.Chown(path, userID(t, "postgres"), -1); err != nil {
			t.Fatalf("%v", err)
		}
	}
	cmd := asPostgres("/usr/sbin/pgbouncer", file)
	b.proc = run(t, filepath.Join(dir, "log"), cmd.Path, cmd.Args[1:]...)
	b.proc.ready(t, "pgbouncer at "+b.Addr, func() bool { return answers("tcp", b.Addr) })
	t.Cleanup(b.proc.stop)
	return b
}
