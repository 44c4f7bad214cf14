// Package selftest makes mail with a harmless payload that programs read in
// different ways, and shows how this filter, or any other, fares with it.
package selftest

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/hostile"
)

// Stock returns the hostile mail that holds something a filter must stop: not words
// that only some readers see, which are nothing to be refused for.
func Stock(family string, huge bool) iter.Seq[hostile.Case] {
	return func(yield func(hostile.Case) bool) {
		for c := range hostile.Cases() {
			wanted := (family == "" || strings.EqualFold(family, c.Family)) && (huge || !c.Huge)
			if wanted && c.Payload.Text == "" && !yield(c) {
				return
			}
		}
	}
}

// fate is the outcome of one case.
type fate int

// The fates, worst first.
const (
	passed  fate = iota // delivered, and nothing was said
	marked              // delivered, but said to be ambiguous, suspicious or not examined
	stopped             // not delivered
)

// Judge judges all cases and prints a table of their fates and the names of
// those that passed.
func Judge(ctx context.Context, p *pipeline.Pipeline, cases iter.Seq[hostile.Case], out io.Writer) int {
	t := newTable(out, "stopped", "marked", "passed")
	var slowest time.Duration
	var slowestName string
	for c := range cases {
		if ctx.Err() != nil {
			return cli.ExitTempfail
		}
		r, err := examine(ctx, p, c)
		if err != nil {
			fmt.Fprintf(out, "%s: %v\n", c.Name, err)
			return cli.ExitError
		}
		became := fateOf(r)
		r.Close()
		if r.Took > slowest {
			slowest, slowestName = r.Took, c.Name
		}
		t.count(c, int(stopped-became), became == passed || became == marked && !c.MayBeUnscannable)
	}
	t.print()
	fmt.Fprintf(out, "slowest: %s, %v\n", slowestName, slowest.Round(time.Millisecond))
	return t.status()
}

// fateOf reads the fate of a case off its result.
func fateOf(r *judge.Result) fate {
	if r.Decision.Answer != policy.Deliver {
		return stopped
	}
	for _, f := range r.Found {
		if f.Kind >= scan.Ambiguous {
			return marked
		}
	}
	return passed
}

// examine judges one case as if an MTA had sent it.
func examine(ctx context.Context, p *pipeline.Pipeline, c hostile.Case) (*judge.Result, error) {
	raw, parser := p.Spool.Buffer(), p.Judge.NewParser()
	first := &head{to: io.MultiWriter(raw, parser), left: p.MaxMessage}
	if err := c.Write(first); err != nil {
		raw.Close()
		return nil, err
	}
	env := scan.Envelope{Sender: "selftest@example.org", Recipients: []string{"selftest@example.com"}, Received: time.Now()}
	return p.Judge.Examine(ctx, scan.Received{Envelope: env, Raw: raw, Size: first.size, Tree: parser.Close()}), nil
}

// head passes on the first bytes written to it and counts all of them.
type head struct {
	to         io.Writer
	left, size int64
}

// Write fails only if the writer it writes to fails.
func (h *head) Write(b []byte) (int, error) {
	h.size += int64(len(b))
	n := min(int64(len(b)), h.left)
	h.left -= n
	if n > 0 {
		if _, err := h.to.Write(b[:n]); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// table counts fates by family.
type table struct {
	out     io.Writer
	columns []string
	rows    map[string][]int
	bad     []string // cases that should not have got through
}

func newTable(out io.Writer, columns ...string) *table {
	return &table{out: out, columns: columns, rows: map[string][]int{}}
}

// count adds a case to a column.
func (t *table) count(c hostile.Case, column int, bad bool) {
	row := t.rows[c.Family]
	if row == nil {
		row = make([]int, len(t.columns))
		t.rows[c.Family] = row
	}
	row[column]++
	if bad {
		t.bad = append(t.bad, c.Name+" ("+c.Why+")")
	}
}

// print writes the table, and under it what got through.
func (t *table) print() {
	fmt.Fprintf(t.out, "%-6s %-45s", "", "")
	for _, name := range t.columns {
		fmt.Fprintf(t.out, " %9s", name)
	}
	fmt.Fprintln(t.out)
	sum := make([]int, len(t.columns))
	for _, f := range hostile.Families() {
		if row := t.rows[f.ID]; row != nil {
			t.line(f.ID, f.About, row)
			for i, n := range row {
				sum[i] += n
			}
		}
	}
	t.line("all", "", sum)
	for _, name := range t.bad {
		fmt.Fprintln(t.out, "got through:", name)
	}
}

func (t *table) line(id, about string, row []int) {
	fmt.Fprintf(t.out, "%-6s %-45s", id, about)
	for _, n := range row {
		fmt.Fprintf(t.out, " %9d", n)
	}
	fmt.Fprintln(t.out)
}

// status returns the exit status, by whether some mail got through.
func (t *table) status() int {
	if len(t.bad) > 0 {
		return cli.ExitFound
	}
	return cli.ExitOK
}
