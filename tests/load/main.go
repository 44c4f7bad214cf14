// Load measures what milterscan costs: it puts the same mails to a milter that
// does nothing and to milterscan, over 1, 8 and 32 connections at once, and
// prints what each took. Nothing but this source tree is needed.
//
//	go run ./tests/load [-binary bin/milterscan] [-messages 2000] [-connections 1,8,32]
//		[-corpora small,mixed,zip,large] [-clamd] [-remember] [-config FILE]
//
// With -stores it measures what it costs to remember: small mails to one or two
// daemons that keep what they know in files, or share it in a private PostgreSQL.
//
//	go run ./tests/load -stores file,postgres,postgres-2 [-messages 2000] [-connections 8]
//
//	go run ./tests/load -plot DIR [-curves size,connections,processors,rules,senders,words,history] [-messages 2000]
//
// With -plot it measures how the cost of a small mail grows with what is configured, what is remembered and what comes
// at once, and that of a mail with its size, and draws it: a file of SVG for each curve.

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/mta"
	"github.com/milterscan/milterscan/tests/procstat"
	"github.com/milterscan/milterscan/tests/sample"
)

func main() {
	binary := flag.String("binary", "", "milterscan to measure; default: the one of this tree, compiled now")
	messages := flag.Int("messages", 2000, "messages of each run")
	clamd := flag.Bool("clamd", false, "start a clamd and let milterscan use it")
	remember := flag.Bool("remember", false, "have milterscan remember every message in a history")
	file := flag.String("config", "", "configuration that milterscan has in addition")
	names := flag.String("corpora", "small,mixed", "mails to send: small, mixed, zip or large, one run for each")
	connections := flag.String("connections", "1,8,32", "how many are used at once, one run for each")
	stores := flag.String("stores", "", "compare stores instead: file, postgres or postgres-2, which is two daemons")
	null := flag.String("null", "", "be the milter that does nothing, on this unix socket (used by the run itself)")
	plot := flag.String("plot", "", "measure how costs grow, and draw it into this directory")
	drawn := flag.String("curves", "", "what is drawn; default: all")
	flag.Parse()
	if *null != "" {
		os.Exit(serveNull(*null))
	}
	if *binary != "" {
		os.Setenv("MILTERSCAN_BINARY", *binary)
	}
	os.Exit(servers.Script(func(t servers.TB) {
		if *stores != "" {
			compareStores(t, strings.Split(*stores, ","), *messages, numbers(t, *connections))
			return
		}
		if *plot != "" {
			draw(t, *plot, *drawn, *messages)
			return
		}
		config := configuration(t, *file, *clamd, *remember)
		for _, corpus := range corpora(t, *names) {
			for _, n := range numbers(t, *connections) {
				measure(t, corpus, config, *messages, n)
			}
		}
	}))
}

// candidate is a milter to be measured.
type candidate struct {
	name, socket string
	pid          int
	stop         func()
}

// configuration returns what milterscan is to be configured with.
func configuration(t servers.TB, file string, clamd, remember bool) (config string) {
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("%v", err)
		}
		config = string(text) + "\n"
	}
	if remember {
		config += fmt.Sprintf("[history]\nfile = %q\n", filepath.Join(filepath.Dir(socketIn(t)), "history.db"))
	}
	if clamd {
		config += fmt.Sprintf("[[virus]]\nname = \"clamd\"\ntype = \"clamd\"\naddress = \"unix:%s\"\n", servers.StartClamd(t).Socket)
	}
	return config
}

func numbers(t servers.TB, list string) (all []int) {
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("-connections: %q is no number of connections", text)
		}
		all = append(all, n)
	}
	return all
}

// corpus holds the mails that a run sends.
type corpus struct {
	name  string
	mails []*mta.Message
}

// kinds has the mails of every corpus.
var kinds = map[string]func() [][]byte{
	"small": func() [][]byte { return sample.Small(200) },
	"mixed": func() [][]byte { return sample.Mixed(200) },
	"zip":   func() [][]byte { return sample.Zips(100) },
	"large": func() [][]byte { return sample.Large(8) },
}

// corpora returns those of the given names, and prints the head of the table.
func corpora(t servers.TB, list string) (all []corpus) {
	for name := range strings.SplitSeq(list, ",") {
		mails := kinds[name]
		if mails == nil {
			t.Fatalf("-corpora: there is no corpus %q", name)
		}
		all = append(all, corpus{name, split(mails())})
	}
	fmt.Printf("%-7s %-16s %3s %9s %10s %9s %9s %8s %8s  %s\n",
		"corpus", "milter", "c", "CPU ms/msg", "messages/s", "EOM p50", "EOM p99", "RSS MB", "PSS MB", "answers")
	return all
}

// measure puts a corpus to both. Each run starts its own milter, so that none inherits memory.
func measure(t servers.TB, corpus corpus, config string, messages, connections int) {
	for _, start := range []func(servers.TB) candidate{startNull, startMilterscan(config)} {
		c := start(t)
		load := mta.Load{Network: "unix", Address: c.socket, Mails: corpus.mails, Messages: messages, Connections: connections}
		print(corpus.name, c, load, measured(t, c, load))
		c.stop()
	}
}

// startMilterscan returns the function that starts milterscan so configured.
func startMilterscan(config string) func(servers.TB) candidate {
	return func(t servers.TB) candidate {
		m := servers.StartMilterscan(t, socketIn(t), config)
		return candidate{"milterscan", m.Socket, m.Pid(), m.Stop}
	}
}

func socketIn(t servers.TB) string {
	dir, err := os.MkdirTemp("", "milterscan-load-")
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "milter.sock")
}

// startNull runs this program once more, so that its CPU time is its own.
func startNull(t servers.TB) candidate {
	socket := socketIn(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatalf("%v", err)
	}
	cmd := exec.Command(self, "-null", socket)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
	stop := func() {
		in.Close()
		cmd.Wait()
	}
	t.Cleanup(stop)
	servers.Await(t, "the null milter", func() bool {
		c, err := net.Dial("unix", socket)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return candidate{"null", socket, cmd.Process.Pid, stop}
}

// serveNull serves until its standard input ends, and so as long as its parent.
func serveNull(socket string) int {
	l, err := net.Listen("unix", socket)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		l.Close()
	}()
	if err := mta.ServeNull(l); err != nil && !errors.Is(err, net.ErrClosed) {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func split(mails [][]byte) []*mta.Message {
	messages := make([]*mta.Message, len(mails))
	for i, m := range mails {
		messages[i] = mta.Split(m)
	}
	return messages
}

// run is the cost of one load for its milter.
type run struct {
	mta.Outcome
	cpu    time.Duration
	memory procstat.Usage // at the end
}

func measured(t servers.TB, c candidate, load mta.Load) run {
	before, err := procstat.Read(c.pid)
	if err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	outcome := load.Run(context.Background())
	after, err := procstat.Read(c.pid)
	if err != nil {
		t.Fatalf("%s did not survive: %v", c.name, err)
	}
	return run{Outcome: outcome, cpu: after.CPU - before.CPU, memory: after}
}

func print(corpus string, c candidate, load mta.Load, r run) {
	ms := func(d time.Duration) float64 { return d.Seconds() * 1000 }
	fmt.Printf("%-7s %-16s %3d %10.3f %10.0f %6.2f ms %6.2f ms %8.1f %8.1f  %v\n",
		corpus, c.name, load.Connections,
		ms(r.cpu)/float64(load.Messages), float64(load.Messages)/r.Took.Seconds(),
		ms(r.Ends.Within(50)), ms(r.Ends.Within(99)),
		float64(r.memory.RSS)/(1<<20), float64(r.memory.PSS)/(1<<20), r.Answers)
}
