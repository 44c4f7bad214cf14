package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/mta"
)

// curve shows how the cost of a mail grows with something.
type curve struct {
	name, title string
	points      []int
	// at returns how milterscan is set up at a point, with files in a directory that all points of a curve share.
	at func(t servers.TB, dir string, n int) setting
	// mails, where they are what grows, returns those of a point, of n bytes each. Their cost is drawn for a megabyte.
	mails func(n int) [][]byte
}

// setting is what milterscan is measured with at one point.
type setting struct {
	config      string
	connections int
	processors  int // 0: all
}

// curves are all that are drawn.
var curves = []curve{
	{name: "size", title: "bytes of a mail", points: []int{100_000, 1_000_000, 10_000_000, 50_000_000}, mails: ofSize,
		at: func(servers.TB, string, int) setting { return setting{connections: usual} }},
	{name: "connections", title: "connections at once", points: []int{1, 2, 8, 32, 128, 512},
		at: func(_ servers.TB, _ string, n int) setting { return setting{connections: n} }},
	{name: "processors", title: "processors", points: upTo(runtime.NumCPU()),
		at: func(_ servers.TB, _ string, n int) setting { return setting{connections: usual, processors: n} }},
	{name: "rules", title: "rules", points: []int{10, 100, 1000, 10_000}, at: withRules},
	{name: "senders", title: "senders in the list of a rule", points: []int{100, 10_000, 100_000, 1_000_000}, at: withSenders},
	{name: "words", title: "bytes of words that are looked for", points: []int{20_000, 200_000, 2_000_000, 20_000_000}, at: withWords},
	{name: "history", title: "mails in the history", points: []int{1000, 10_000, 100_000, 1_000_000}, at: withHistory},
}

// usual is how many connections are used where something else grows.
const usual = 8

func upTo(most int) (all []int) {
	for n := 1; n < most; n *= 2 {
		all = append(all, n)
	}
	return append(all, most)
}

// withRules has rules of which none matches: each has to be asked.
func withRules(_ servers.TB, _ string, n int) setting {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "[[rule]]\nname = \"rule %d\"\nfrom = [\"@sender-%d.example\"]\naction = \"reject\"\n", i, i)
	}
	return setting{config: b.String(), connections: usual}
}

// withSenders has one rule with a file of senders, of which none sends.
func withSenders(t servers.TB, dir string, n int) setting {
	file := listed(t, dir, "senders.txt", func(w *bufio.Writer) {
		for i := range n {
			fmt.Fprintf(w, "person-%d@sender-%d.example\n", i, i%5000)
		}
	})
	return setting{config: fmt.Sprintf("[[rule]]\nname = \"senders\"\nfrom = [\"file:%s\"]\naction = \"reject\"\n", file), connections: usual}
}

// withWords has a list of words, none of which is in the mails.
func withWords(t servers.TB, dir string, n int) setting {
	file := listed(t, dir, "words.txt", func(w *bufio.Writer) {
		for i, written := 0, 0; written < n; i++ {
			more, _ := fmt.Fprintf(w, "word%sx\n", strconv.FormatInt(int64(i)*7919, 36))
			written += more
		}
	})
	return setting{config: fmt.Sprintf("[[content.list]]\nname = \"words\"\nfiles = [%q]\n", file), connections: usual}
}

// listed writes a file.
func listed(t servers.TB, dir, name string, write func(*bufio.Writer)) string {
	path := filepath.Join(dir, name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatalf("%v", err)
	}
	w := bufio.NewWriter(f)
	write(w)
	if err := w.Flush(); err != nil {
		t.Fatalf("%v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatalf("%v", err)
	}
	return path
}

// draw measures the curves, and writes a picture of each into a directory.
func draw(t servers.TB, into, names string, messages int) {
	small := corpora(t, "small")[0]
	for _, c := range curves {
		if names != "" && !strings.Contains(","+names+",", ","+c.name+",") {
			continue
		}
		p := picture{Title: c.title, Cost: "processor time of a small mail, ms"}
		if c.mails != nil {
			p.Cost = "processor time for a megabyte of mail, ms"
		}
		dir := filepath.Dir(socketIn(t))
		for _, n := range c.points {
			mails, count, of := small, messages, 1.0
			if c.mails != nil {
				mails, of = corpus{c.name, split(c.mails(n))}, float64(n)/1e6
				count = min(messages, max(20, int(float64(messages)/10/of)))
			}
			r := c.measure(t, dir, mails, n, count)
			p.add(n, r.cpu.Seconds()*1000/float64(count)/of, float64(r.memory.PSS)/(1<<20))
		}
		if err := p.write(filepath.Join(into, "growth-"+c.name+".svg")); err != nil {
			t.Fatalf("%v", err)
		}
	}
}

// measure puts mails to milterscan at one point of a curve, some of them before it counts.
func (c curve) measure(t servers.TB, dir string, mails corpus, n, messages int) run {
	s := c.at(t, dir, n)
	if s.processors > 0 {
		os.Setenv("GOMAXPROCS", strconv.Itoa(s.processors))
		defer os.Unsetenv("GOMAXPROCS")
	}
	m := startMilterscan(s.config)(t)
	defer m.stop()
	m.name = fmt.Sprintf("%s %d", c.name, n)
	load := mta.Load{Network: "unix", Address: m.socket, Mails: mails.mails, Messages: messages, Connections: s.connections}
	warm := load
	warm.Messages = messages / 10
	measured(t, m, warm)
	r := measured(t, m, load)
	print(mails.name, m, load, r)
	return r
}
