package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/mta"
	"github.com/milterscan/milterscan/tests/procstat"
	"github.com/milterscan/milterscan/tests/sample"
)

// memory is what a run has milterscan remember of each message. DIR in its configuration is a directory of the daemon.
type memory struct{ name, config string }

var memories = []memory{
	{"nothing", "[history]\nfile = \"\"\n"},
	{"history", ""},
	{"all", `
[greylist]
enabled = true
file = "DIR/greylist.db"
auto_allow = 0 # else the one client is soon known, and nothing is asked any more
[contact]
enabled = true
file = "DIR/contact.db"
[rate]
file = "DIR/rate.db"
[[rate.limit]]
name = "senders"
by = "sender"
recipients = 1000000
per = "1h"
[[rule]]
name = "go on"
when = ["greylist/*"]
action = "deliver"
`},
	{"kept", "[[rule]]\nname = \"keep all\"\naction = \"quarantine\"\n"},
}

// compareStores has daemons remember with one store after the other, and prints what that costs them and the database.
func compareStores(t servers.TB, stores []string, messages int, connections []int) {
	mails := fromMany(split(sample.Small(200)), 2000)
	fmt.Printf("%-8s %-11s %3s %10s %11s %6s %6s %10s %9s %9s %9s %9s  %s\n", "kept", "store", "c",
		"CPU ms/msg", "PG's ms/msg", "KB", "WAL KB", "messages/s", "RCPT p50", "RCPT p99", "EOM p50", "EOM p99", "answers")
	for _, memory := range memories {
		for _, store := range stores {
			for _, n := range connections {
				r := remember(t, store, memory, mta.Load{Network: "unix", Mails: mails, Messages: messages, Connections: n})
				ms := func(d time.Duration) float64 { return d.Seconds() * 1000 }
				of := float64(messages)
				fmt.Printf("%-8s %-11s %3d %10.3f %11.3f %6.1f %6.1f %10.0f %6.2f ms %6.2f ms %6.2f ms %6.2f ms  %v\n",
					memory.name, store, n, ms(r.cpu)/of, ms(r.database.cpu)/of, r.database.size/of/1024, r.database.log/of/1024,
					of/r.Took.Seconds(), ms(r.Recipients.Within(50)), ms(r.Recipients.Within(99)), ms(r.Ends.Within(50)), ms(r.Ends.Within(99)), r.Answers)
			}
		}
	}
}

// fromMany returns each mail from so many senders in turn.
func fromMany(mails []*mta.Message, senders int) (all []*mta.Message) {
	for i := range senders {
		m := *mails[i%len(mails)]
		m.Sender = fmt.Sprintf("sender%d@example.org", i)
		all = append(all, &m)
	}
	return all
}

// remembering is a run, and what the database took for it.
type remembering struct {
	run
	database usage
}

// usage is what a database has used so far.
type usage struct {
	cpu       time.Duration
	size, log float64 // bytes: of its tables now, and of its write-ahead log since it began
}

func (u usage) since(before usage) usage {
	return usage{u.cpu - before.cpu, u.size - before.size, u.log - before.log}
}

// remember sends a load, shared evenly by the daemons that the store stands for.
func remember(t servers.TB, store string, memory memory, load mta.Load) (r remembering) {
	config, database, stop := storeOf(t, store)
	defer stop()
	daemons := make([]*servers.Milterscan, 1+strings.Count(store, "-2"))
	for i := range daemons {
		socket := socketIn(t)
		own := strings.ReplaceAll(memory.config, "DIR", filepath.Dir(socket))
		if config != "" {
			own += fmt.Sprintf("%s\nname = \"mx%d\"\n", config, i+1)
		}
		daemons[i] = servers.StartMilterscan(t, socket, own)
	}
	warm := load
	warm.Messages = min(200, load.Messages)
	warm.Address = daemons[0].Socket
	warm.Run(context.Background()) // connections are made, statements known
	before, databaseBefore := spent(t, daemons), database()
	parts := make([]mta.Outcome, len(daemons))
	var all sync.WaitGroup
	for i, m := range daemons {
		part := load
		part.Address = m.Socket
		part.Messages = load.Messages / len(daemons)
		part.Connections = max(1, load.Connections/len(daemons))
		at := i * len(load.Mails) / len(daemons)
		part.Mails = slices.Concat(load.Mails[at:], load.Mails[:at])
		all.Go(func() { parts[i] = part.Run(context.Background()) })
	}
	all.Wait()
	for _, p := range parts {
		r.Add(p)
	}
	time.Sleep(2 * time.Second) // records are written after the answers
	r.cpu, r.database = spent(t, daemons)-before, database().since(databaseBefore)
	for _, m := range daemons {
		m.Stop()
	}
	return r
}

// storeOf returns what milterscan is told of a store, what the store itself has used, and what ends it.
func storeOf(t servers.TB, store string) (config string, used func() usage, stop func()) {
	switch store {
	case "file":
		return "", func() usage { return usage{} }, func() {}
	case "postgres", "postgres-2":
		pg := servers.StartPostgres(t, "", "fsync=on", "shared_buffers=128MB", "max_wal_size=4GB")
		config := fmt.Sprintf("[store]\nurl = %q\npassword_file = %q", pg.URL(), pg.PasswordFile(t))
		return config, func() usage { return usageOf(t, pg) }, pg.Stop
	}
	t.Fatalf("-stores: there is no store %q", store)
	return "", nil, nil
}

func usageOf(t servers.TB, pg *servers.Postgres) (u usage) {
	u.cpu = cpu(t, pg.Pid())
	row := pg.SQL(t, "SELECT pg_database_size(current_database()), pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")
	if _, err := fmt.Sscanf(row, "%f|%f", &u.size, &u.log); err != nil {
		t.Fatalf("the database says %q: %v", row, err)
	}
	return u
}

func spent(t servers.TB, daemons []*servers.Milterscan) (d time.Duration) {
	for _, m := range daemons {
		d += cpu(t, m.Pid())
	}
	return d
}

// cpu returns what a process and its children have used so far.
func cpu(t servers.TB, pid int) time.Duration {
	u, err := procstat.Read(pid)
	if err != nil {
		t.Fatalf("process %d: %v", pid, err)
	}
	return u.CPU
}
