// Package reports is the commands for the reports by which domains are told what mail in
// their name looks like from here.
package reports

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/dmarc"
)

// Commands returns the commands for reports.
func Commands() []cli.Command {
	return []cli.Command{
		{Name: "preview", About: "print the report about a domain and a day as XML", Run: preview},
		{Name: "send", About: "send the reports that are due, or one that is not", Run: send},
		{Name: "status", About: "say what became of reports", Run: status},
	}
}

// desk is what sends reports, as a command sees it.
type desk struct {
	cli.Streams
	dmarc.Post
	name   string // of the command, for errors
	config *config.Config
	close  func()
}

// open reads the arguments of a command, which goes on as the owner of the file of reports if root has called
// it. Unless ok, the command ends with the status.
func open(f *cli.Options, args []string, std cli.Streams, checks ...func() error) (d *desk, status int, ok bool) {
	c, status, ok := cli.Configured(f, args, std, cli.Parse, checks...)
	if !ok {
		return nil, status, false
	}
	d = &desk{Streams: std, name: f.Name(), config: c}
	stores := pipeline.StoresOf(c, func(error) {})
	file := c.DMARC.File
	if _, err := os.Stat(file); stores.Fleet == nil && errors.Is(err, fs.ErrNotExist) { // no command makes one
		return nil, d.fail(fmt.Errorf("%s: %w yet; see dmarc_reports.enabled", file, dmarc.ErrNothing)), false
	}
	back, err := cli.AsOwner(filepath.Dir(file), c.Quarantine.Dir)
	if err != nil {
		return nil, d.fail(err), false
	}
	s := stores.Reports(c)
	d.Post = pipeline.ReportPost(c, s)
	d.close = func() { s.Close(); stores.Close(); back() }
	return d, cli.ExitOK, true
}

// fail reports an error and returns the exit status for it.
func (d *desk) fail(err error) int {
	fmt.Fprintf(d.Err, "milterscan %s: %v\n", d.name, cli.Denied(err, d.config.DMARC.File))
	if errors.Is(err, dmarc.ErrNothing) {
		return cli.ExitFound
	}
	return cli.ExitError
}

// named fills in what was not named.
func named(day string) string {
	if day == "" {
		return time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly)
	}
	return day
}

// preview prints a report.
func preview(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("dmarc-report preview", "[-c FILE] --domain NAME [--day DAY]", std)
	domain := f.String("domain", "", "the report about the domain with this `name`, whose policy it is")
	day := f.String("day", "", "of this `day` by UTC, such as 2026-11-30; without it of yesterday")
	d, status, ok := open(f, args, std, func() error {
		if *domain == "" {
			return errors.New("--domain names none; write one such as example.org")
		}
		return nil
	})
	if !ok {
		return status
	}
	defer d.close()
	text, err := d.Preview(ctx, *domain, named(*day))
	if err != nil {
		return d.fail(err)
	}
	std.Out.Write(text)
	return cli.ExitOK
}

// send sends reports.
func send(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("dmarc-report send", "[-c FILE] [--domain NAME [--day DAY]] [--json]", std)
	told := cli.Told(f, std)
	domain := f.String("domain", "", "the report about the domain with this `name`, whose policy it is")
	day := f.String("day", "", "of this `day` by UTC, such as 2026-11-30; without it of yesterday")
	d, status, ok := open(f, args, std, func() error {
		if *day != "" && *domain == "" {
			return errors.New("--day takes --domain: without it, all reports that are due are sent")
		}
		return nil
	})
	if !ok {
		return status
	}
	defer d.close()
	switch {
	case !d.config.DMARC.Enabled:
		return d.fail(errors.New("reports are off; set dmarc_reports.enabled"))
	case *domain != "":
		return d.sendOne(ctx, *domain, named(*day), told)
	}
	o, err := d.Round(ctx, time.Now())
	if err != nil {
		return d.fail(err)
	}
	told(map[string]any{"sent": o.Sent, "unwanted": o.Unwanted, "failed": o.Failed, "later": o.PutOff},
		"sent: %d, not wanted: %d, given up: %d, later: %d", o.Sent, o.Unwanted, o.Failed, o.PutOff)
	if o.Failed+o.PutOff > 0 {
		return cli.ExitError
	}
	return cli.ExitOK
}

func (d *desk) sendOne(ctx context.Context, domain, day string,
	told func(object map[string]any, line string, args ...any)) int {
	state, err := d.SendNow(ctx, domain, day, time.Now())
	if err != nil {
		return d.fail(err)
	}
	told(map[string]any{"day": day, "domain": domain, "state": word(state)}, "%s %s: %s",
		day, show.Printable(domain), word(state))
	if state != dmarc.Sent {
		return cli.ExitFound
	}
	return cli.ExitOK
}

// word returns a state as people read it.
func word(s dmarc.State) string {
	switch s {
	case dmarc.Waiting:
		return "waiting"
	case dmarc.Unwanted:
		return "not wanted"
	case dmarc.Failed:
		return "given up"
	}
	return string(s)
}

// mostListed is how many reports are listed, the latest first.
const mostListed = 1000

// status says what became of reports.
func status(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("dmarc-report status", "[-c FILE] [--json]", std)
	asJSON := f.Bool("json", false, "print a JSON object for each report")
	d, status, ok := open(f, args, std)
	if !ok {
		return status
	}
	defer d.close()
	list, err := d.Store.Reports(ctx, mostListed)
	if err != nil {
		return d.fail(err)
	}
	for _, r := range list {
		if *asJSON {
			show.JSON(std.Out, r)
			continue
		}
		fmt.Fprintf(std.Out, "%s  %-10s  %s", r.Day, word(r.State), show.Printable(r.Domain))
		if r.Why != "" {
			fmt.Fprintf(std.Out, "  %s", show.Printable(r.Why))
		}
		fmt.Fprintln(std.Out)
	}
	if len(list) == mostListed {
		fmt.Fprintf(std.Err, "note: there may be more; the latest %d are listed\n", mostListed)
	}
	return cli.ExitOK
}
