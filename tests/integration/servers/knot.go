package servers

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Knot is a private Knot, a name server. It answers for the zones it is given
// and refuses all other questions.
type Knot struct {
	Addr string // where it listens, over UDP and TCP; port 53 of the same host is its as well

	dir  string
	proc *process
}

// StartKnot starts a name server for zones: by name, their records in the form
// of zone files, without SOA and NS. A zone whose records are Broken gives
// SERVFAIL. Cleanup stops it.
func StartKnot(t TB, zones map[string]string) *Knot {
	t.Helper()
	k := &Knot{Addr: newAddr(t), dir: newDir(t)}
	conf := fmt.Sprintf("server:\n    rundir: %[1]s\n    listen: [ %[2]s, %[3]s@53 ]\nlog:\n  - target: stderr\n    any: info\n"+
		"database:\n    storage: %[1]s\ntemplate:\n  - id: default\n    storage: %[1]s\n    file: \"%%s.zone\"\n"+
		"    zonefile-load: whole\n    journal-content: none\nzone:\n", k.dir, strings.Replace(k.Addr, ":", "@", 1), k.Host())
	for _, name := range sortedKeys(zones) {
		conf += "  - domain: " + name + "\n"
		writeFile(t, filepath.Join(k.dir, name+".zone"), zoneFile(name, zones[name]))
	}
	writeFile(t, filepath.Join(k.dir, "knot.conf"), conf)
	k.Start(t)
	t.Cleanup(k.Stop)
	return k
}

// Host returns its address without the port.
func (k *Knot) Host() string {
	host, _, _ := strings.Cut(k.Addr, ":")
	return host
}

// Broken are the records of a zone that cannot be loaded.
const Broken = "this is no zone\n"

func zoneFile(name, records string) string {
	return fmt.Sprintf("$ORIGIN %s.\n$TTL 60\n@ SOA ns admin 1 3600 600 86400 5\n@ NS ns\nns A 127.0.0.1\n%s", name, records)
}

func sortedKeys(m map[string]string) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Start starts a stopped name server again, on the same address.
func (k *Knot) Start(t TB) {
	t.Helper()
	log := filepath.Join(k.dir, "knot.log")
	k.proc = run(t, log, "knotd", "-c", filepath.Join(k.dir, "knot.conf"))
	k.proc.ready(t, "Knot at "+k.Addr, func() bool {
		text, _ := os.ReadFile(log)
		return strings.Contains(string(text), "server started") && answers("tcp", k.Addr)
	})
}

// Stop ends the name server.
func (k *Knot) Stop() { k.proc.stop() }
