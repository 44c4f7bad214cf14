package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/dialogue"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// way is one of the ways a mail can come to milterscan.
type way struct {
	name string
	open func(*testing.T) dialogue.Transport
}

func ways() []way {
	return []way{
		{"postfix", func(t *testing.T) dialogue.Transport {
			return overMTA{t, unasked(t, servers.StartPostfix(t)), servers.StartPlainPostfix(t)}
		}},
		{"sendmail", func(t *testing.T) dialogue.Transport {
			return overMTA{t, unasked(t, servers.StartSendmail(t)), servers.StartPlainSendmail(t)}
		}},
		{"protocol", func(t *testing.T) dialogue.Transport {
			h := &house{}
			h.milter = servers.StartMilterscan(t, filepath.Join(t.TempDir(), "m"), "")
			return overProtocol{t, h}
		}},
		{"offline", func(t *testing.T) dialogue.Transport { return offline{t, servers.Binary(t)} }},
	}
}

// unasked is a house without a virus engine but the built-in one.
func unasked(t *testing.T, mta servers.MTA) *house {
	t.Helper()
	return &house{mta: mta, milter: servers.StartMilterscan(t, mta.MilterSocket(), "")}
}

// Every dialogue has the same verdicts whatever way its mails come: through
// Postfix, through Sendmail, by the milter protocol without an MTA, and without
// any connection at all. The log has the table of them.
func TestDialoguesEveryWay(t *testing.T) {
	needServers(t)
	all, err := dialogue.Load(os.DirFS(filepath.Join(servers.Root(t), "tests", "cases")))
	if err != nil {
		t.Fatal(err)
	}
	verdicts := table{rows: make([][]string, len(all))}
	for _, w := range ways() {
		verdicts.columns = append(verdicts.columns, w.name)
		t.Run(w.name, func(t *testing.T) { verdicts.play(t, all, w.open(t)) })
	}
	t.Logf("verdicts by dialogue and way:\n%s", verdicts.text(all))
	for i, row := range verdicts.rows {
		for _, v := range row {
			if v != row[0] || len(row) != len(verdicts.columns) {
				t.Errorf("%s: the verdicts differ: %q", all[i].Where, row)
				break
			}
		}
	}
}

// table is the verdicts of all dialogues, a column for each way.
type table struct {
	columns []string
	rows    [][]string
}

// play plays every dialogue in one way.
func (v *table) play(t *testing.T, all []dialogue.Dialogue, tr dialogue.Transport) {
	for i, d := range all {
		answers, err := tr.Send(t.Context(), d)
		if err != nil {
			t.Errorf("%s: %v", d.Where, err)
		}
		for _, difference := range d.Compare(answers) {
			t.Errorf("%s: %s", d.Where, difference)
		}
		v.rows[i] = append(v.rows[i], verdict(answers))
	}
}

// verdict is the actions of all mails of a dialogue.
func verdict(answers []dialogue.Answer) string {
	var all []string
	for _, a := range answers {
		if a.Action != "" { // not given up
			all = append(all, a.Action)
		}
	}
	return strings.Join(all, ", ")
}

func (v *table) text(all []dialogue.Dialogue) string {
	var b strings.Builder
	row := func(title string, cells []string) {
		fmt.Fprintf(&b, "%-58.58s", title)
		for _, c := range cells {
			fmt.Fprintf(&b, "  %-24s", c)
		}
		b.WriteByte('\n')
	}
	row("", v.columns)
	for i, d := range all {
		row(d.Title, v.rows[i])
	}
	return b.String()
}
