package integration

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/dmarc"
	"github.com/milterscan/milterscan/policy/dmarc/dmarctest"
	"github.com/milterscan/milterscan/policy/keep/fleet"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// TestSharedReports: what every store of counts and reports promises, two hosts with one database promise.
func TestSharedReports(t *testing.T) {
	needServers(t)
	pg := servers.StartPostgres(t, "")
	states := []*fleet.State{prepared(t, pg), prepared(t, pg)}
	dmarctest.Run(t, func(t *testing.T) (here, there dmarctest.Side) {
		pg.SQL(t, "TRUNCATE dmarc_report, dmarc_row, dmarc_sent, dmarc_parcel")
		return reporting(t, states[0], "mx1"), reporting(t, states[1], "mx2")
	})
	if got := pg.SQL(t, "SELECT count(*) FROM dmarc_parcel"); got != "0" {
		t.Errorf("%s parcels are remembered for nobody", got)
	}
}

// reporting returns what a host reports from, with its own file.
func reporting(t *testing.T, state database, host string) dmarctest.Side {
	t.Helper()
	s := dmarc.NewShared(state, filepath.Join(t.TempDir(), "dmarc.db"))
	t.Cleanup(func() { s.Close() })
	return dmarctest.Side{Store: s, Host: host}
}

// refused is the decision on mail that is counted.
var refused = policy.Decision{Answer: policy.Reject}

// database is what a shared store asks.
type database interface {
	Read(context.Context, func(*sql.DB) error) error
	Change(context.Context, func(*sql.Tx) error) error
}

// deaf is a database whose every other answer to a change is lost on its way.
type deaf struct {
	*fleet.State
	mu    sync.Mutex
	calls int
}

// Change makes the change, and does not always say so.
func (d *deaf) Change(ctx context.Context, do func(*sql.Tx) error) error {
	err := d.State.Change(ctx, do)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.calls++; d.calls%2 == 1 {
		return errors.Join(err, errors.New("the answer is lost"))
	}
	return err
}

// TestSharedReportsLostAnswers: counts come once where it is not known whether they have come.
func TestSharedReportsLostAnswers(t *testing.T) {
	needServers(t)
	pg := servers.StartPostgres(t, "")
	side := reporting(t, &deaf{State: prepared(t, pg)}, "mx1")
	p := dmarc.Post{Store: side.Store, Terms: dmarctest.Terms()}
	var c dmarc.Collector
	const rounds = 7
	failed := 0
	for range rounds {
		e := dmarctest.Message("owner.com", "192.0.2.1")
		c.Note(&e, refused, dmarctest.Noon)
		if err := c.Flush(t.Context(), p.Store, p.Terms, dmarctest.Noon); errors.Is(err, dmarc.ErrUnshared) {
			failed++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for err := errors.New("not yet"); err != nil; {
		err = c.Flush(t.Context(), p.Store, p.Terms, dmarctest.Noon)
	}
	if got := dmarctest.Records(t, p, "owner.com"); !maps.Equal(got, map[string]string{"192.0.2.1": fmt.Sprint(rounds)}) || failed == 0 || c.Lost() != 0 {
		t.Errorf("after %d lost answers the report has %v, and %d are lost", failed, got, c.Lost())
	}
}

// TestSharedReportsAway: while the database is away counts wait in the file of the host, through a restart as well,
// and no report is sent; when it is back, each message is counted once. Counts that are too old by then are said to
// be lost.
func TestSharedReportsAway(t *testing.T) {
	needServers(t)
	pg := servers.StartPostgres(t, "")
	state := member(t, pg, `timeout = "2s"`)
	if err := state.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	file, terms := filepath.Join(t.TempDir(), "dmarc.db"), dmarctest.Terms()
	s := dmarc.NewShared(state, file)
	t.Cleanup(func() { s.Close() })
	var c dmarc.Collector
	count := func(client string, when time.Time) error {
		e := dmarctest.Message("owner.com", client)
		c.Note(&e, refused, when)
		return c.Flush(t.Context(), s, terms, dmarctest.Noon)
	}
	want := 0
	for _, fault := range []struct {
		name        string
		begin, mend func()
	}{
		{"stopped", pg.Stop, func() { pg.Start(t) }}, {"killed", pg.Kill, func() { pg.Start(t) }},
	} {
		if err := count("192.0.2.1", dmarctest.Noon); err != nil {
			t.Fatalf("before it was %s: %v", fault.name, err)
		}
		fault.begin()
		for range 3 {
			if err := count("192.0.2.1", dmarctest.Noon); !errors.Is(err, dmarc.ErrUnshared) || !strings.Contains(err.Error(), "shared database") {
				t.Errorf("%s: %v", fault.name, err)
			}
		}
		if _, err := (dmarc.Post{Store: s, Terms: terms}).Round(t.Context(), dmarctest.Due); err == nil {
			t.Errorf("%s: a round is made of what one host knows", fault.name)
		}
		s.Close()
		s = dmarc.NewShared(state, file)
		fault.mend()
		eventually(t, fault.name+": it is back", func() error {
			return errors.Join(state.Prepare(t.Context()), c.Flush(t.Context(), s, terms, dmarctest.Noon))
		})
		want += 4
		got := dmarctest.Records(t, dmarc.Post{Store: s, Terms: terms}, "owner.com")
		if !maps.Equal(got, map[string]string{"192.0.2.1": fmt.Sprint(want)}) || c.Lost() != 0 {
			t.Errorf("%s: the report has %v, want %d; %d are lost", fault.name, got, want, c.Lost())
		}
	}
	pg.Stop()
	if err := count("192.0.2.1", dmarctest.Noon.AddDate(0, 0, -20)); err != nil || c.Lost() != 1 {
		t.Errorf("of a day that is forgotten: %v, %d lost", err, c.Lost())
	}
}

// TestReportOfTwoHosts has two daemons count mail of one domain, and one report with the counts of both delivered.
func TestReportOfTwoHosts(t *testing.T) {
	needServers(t)
	z := zones()
	z["example.org"] = strings.Replace(z["example.org"], "p=reject", "p=reject; rua=mailto:reports@test.local", 1)
	z["test.local"] = "example.org._report._dmarc TXT \"v=DMARC1\"\n"
	dns, pg, clamd := servers.StartKnot(t, z), servers.StartPostgres(t, ""), servers.StartClamd(t)
	var houses []*house
	for i := range 2 {
		h := &house{clamd: clamd, engine: "unix:" + clamd.Socket, mta: servers.StartPostfix(t, open)}
		dir := t.TempDir()
		h.join(t, ours+resolving(dns.Addr)+storeText(t, pg, fmt.Sprintf("name = \"mx%d\"\ntimeout = \"10s\"", i+1))+
			fmt.Sprintf("[auth]\nspf = true\ndkim = true\ndmarc = true\n\n[dmarc_reports]\nenabled = true\n"+
				"organization = \"Test\"\nemail = \"dmarc@test.local\"\nfile = %q\n\n[quarantine]\ndir = %q\n\n[submission]\nvia = \"smtp:%s\"\n\n"+
				"[[rule]]\nname = \"forged\"\nwhen = [\"auth/dmarc-reject\"]\naction = \"reject\"\n",
				filepath.Join(dir, "dmarc.db"), filepath.Join(dir, "kept"), h.mta.SMTP()))
		houses = append(houses, h)
	}
	for i, h := range houses {
		for range i + 1 {
			c := h.as(t, "ADDR=192.0.2.1")
			c.Send(servers.Mail{From: "sender@example.org", To: []string{"user@test.local"}, Data: clean("counted").Data})
			c.Quit()
		}
		h.mta.Mailbox().Await(t, i+1)
		h.mta.Mailbox().Clear()
	}
	await := func(what, query, want string) {
		eventually(t, what, func() error {
			if got := pg.SQL(t, query); got != want {
				return fmt.Errorf("%s: %q, not %q", query, got, want)
			}
			return nil
		})
	}
	await("the counts of both hosts", "SELECT sum(n) FROM dmarc_row", "3")
	// What was counted today is reported as that of the day before yesterday, which every report of is due.
	pg.SQL(t, "BEGIN; UPDATE dmarc_row SET day = day - 2; UPDATE dmarc_report SET day = day - 2, due = 0; COMMIT")
	mails := func() (all []servers.Delivered) {
		for _, h := range houses {
			all = append(all, h.mta.Mailbox().All()...)
		}
		return all
	}
	await("the report is sent", "SELECT state FROM dmarc_report", "sent")
	servers.Await(t, "the report", func() bool { return len(mails()) > 0 })
	got := mails()
	if len(got) != 1 || got[0].Recipient != "reports@test.local" {
		t.Fatalf("%d mails came, the first to %s", len(got), got[0].Recipient)
	}
	report := unpacked(t, got[0].Mail)
	if text := string(report); strings.Count(text, "<record>") != 1 || !strings.Contains(text, "<count>3</count>") {
		t.Errorf("the report is\n%s", text)
	}
	valid(t, report)
	if out, status := houses[0].milter.Run(t, "dmarc-report", "status"); status != 0 || !strings.Contains(out, "sent        example.org") {
		t.Errorf("the status is %d, %s", status, out)
	}
	for _, h := range houses { // who has begun nothing has nothing to send
		if out, status := h.milter.Run(t, "dmarc-report", "send"); status != 0 || !strings.HasPrefix(out, "sent: 0,") {
			t.Errorf("%d: %s", status, out)
		}
	}
}
