package doctor

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/contents/virus"
)

// engines examines every address of every virus engine on its own: mail does not show
// that an address is dead as long as another one answers.
func (p *Installation) engines(ctx context.Context) []Finding {
	var all []virus.Config
	for _, c := range p.Config.Virus {
		if !c.Asks() {
			continue
		}
		for i := range max(len(c.Address), 1) {
			one := c
			if len(c.Address) > 0 {
				one.Address = c.Address[i : i+1]
			}
			one.BackupFor = ""
			all = append(all, one)
		}
	}
	if len(all) == 0 {
		return []Finding{advice("add clamd or another engine: docs/engines.md",
			"nothing but the built-in engine looks for viruses")}
	}
	results := make([][]Finding, len(all))
	var wg sync.WaitGroup
	for i, c := range all {
		wg.Go(func() { results[i] = p.engine(ctx, c) })
	}
	wg.Wait()
	return join(results)
}

func join(results [][]Finding) (all []Finding) {
	for _, found := range results {
		all = append(all, found...)
	}
	return all
}

// engine examines one server: whether it answers, the date of its signatures, and
// whether it finds a test virus.
func (p *Installation) engine(ctx context.Context, c virus.Config) []Finding {
	name := c.Name
	if len(c.Address) > 0 {
		name += " (" + c.Address[0] + ")"
	}
	e, err := virus.Open(c)
	if err != nil {
		return []Finding{fault("correct its entry in the configuration", "%s: %v", name, err)}
	}
	all, err := e.Health(ctx)
	if err != nil || len(all) == 0 {
		return []Finding{fault(remedy(c, err), "%s: %v", c.Name, err)} // which names the address
	}
	found := []Finding{ok("%s: %s", name, cmp.Or(strings.TrimSpace(all[0].Version), "is there"))}
	if c.Type == virus.TypeClamd {
		found = append(found, p.signatures(name, all[0].Signatures)...)
	}
	if c.Type == virus.TypeYARA {
		return found // its rules say which viruses it knows
	}
	if p.Gently {
		return append(found, knowsTestVirus(ctx, e, name)...)
	}
	return append(found, probe(ctx, e, c, name)...)
}

// remedy returns the fix for a server that cannot be reached.
func remedy(c virus.Config, err error) string {
	service := map[string]string{virus.TypeClamd: "clamav-daemon", virus.TypeICAP: "c-icap"}[c.Type]
	switch {
	case c.Type == virus.TypeYARA:
		return "install yara, or correct its rules"
	case c.Type == virus.TypeCommand:
		return "install the program, or correct command"
	case errors.Is(err, fs.ErrPermission):
		return "let the daemon's user connect: put it into the socket's group (adduser milterscan clamav)"
	case errors.Is(err, fs.ErrNotExist) && c.Type == virus.TypeClamd:
		return fmt.Sprintf("start it (systemctl start %s) once freshclam has fetched signatures, or write the socket's right path into address", service)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("start it (systemctl start %s), or write the socket's right path into address", service)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("start it: systemctl start %s", service)
	}
	return "see its log, and whether address is right"
}

// old is the greatest age of signatures. The official ones change daily.
const old = 7 * 24 * time.Hour

// signatures looks at the date of the official signatures.
func (p *Installation) signatures(name string, date time.Time) []Finding {
	if date.IsZero() {
		return []Finding{advice("see why freshclam fetches none (journalctl -u clamav-freshclam), unless signatures of your own are all you want",
			"%s: it has no official signatures", name)}
	}
	switch age := p.Now.Sub(date); {
	case age > old:
		return []Finding{fault("run freshclam, and see in its log why it does not run by itself",
			"%s: its signatures are %d days old", name, int(age.Hours()/24))}
	case age < -24*time.Hour:
		return []Finding{fault("set the clock, and keep it right with NTP",
			"%s: its signatures are of %s, which is to come", name, date.Format(time.DateOnly))}
	}
	return nil
}

// probe gives the engine a virus that it must find, and files larger or deeper than it
// may look.
func probe(ctx context.Context, e *virus.Engine, c virus.Config, name string) []Finding {
	if found := knowsTestVirus(ctx, e, name); found != nil {
		return found
	}
	var found []Finding
	large, err := largeArchive(int(c.MaxStream))
	if err == nil {
		if rules, err := ask(ctx, e, large); err != nil || !rules.infected {
			found = append(found, fault(largerLimits(c),
				"%s: it does not look at all of %v, which is max_stream (%s)", name, c.MaxStream, rules.or(err)))
		}
	}
	if c.Type != virus.TypeClamd {
		return found
	}
	if rules, err := ask(ctx, e, deepArchive()); err != nil || !rules.told {
		found = append(found, fault("write \"AlertExceedsMax yes\" into clamd.conf and restart clamd",
			"%s: what is beyond its limits it calls clean (%s)", name, rules.or(err)))
	}
	return found
}

// knowsTestVirus returns a fault if an engine does not find the virus that it must find.
func knowsTestVirus(ctx context.Context, e *virus.Engine, name string) []Finding {
	rules, err := ask(ctx, e, testVirus())
	if err == nil && rules.infected {
		return nil
	}
	return []Finding{fault("see its log; it must know the EICAR test string",
		"%s: it does not find the test virus (%s)", name, rules.or(err))}
}

// largerLimits returns the fix for an engine that reads less of a file than it gets.
func largerLimits(c virus.Config) string {
	switch c.Type {
	case virus.TypeClamd:
		return fmt.Sprintf("set StreamMaxLength, MaxFileSize and MaxScanSize in clamd.conf to at least %v, "+
			"or max_stream to less", c.MaxStream)
	case virus.TypeICAP:
		return fmt.Sprintf("raise the service's limit (c-icap: virus_scan.MaxObjectSize %v, and ScanFileTypes), "+
			"or set max_stream to less",
			c.MaxStream)
	}
	return "raise the program's limits, or set max_stream to less"
}

// said is the report of an engine.
type said struct {
	infected, told bool // a virus; that it did not look at everything
	rules          []string
}

// or returns the report of the engine, or the error.
func (s said) or(err error) string {
	if err != nil {
		return err.Error()
	}
	if len(s.rules) == 0 {
		return "it says nothing"
	}
	return strings.Join(s.rules, ", ")
}

// ask has the engine look at one content.
func ask(ctx context.Context, e *virus.Engine, content []byte) (said, error) {
	m := &scan.Message{Raw: bytes.NewReader(nil),
		Parts: []scan.Part{{Parent: -1, Path: "1", Content: bytes.NewReader(content)}}}
	found, err := e.Scan(ctx, m)
	var s said
	for _, f := range found {
		s.rules = append(s.rules, f.Rule)
		s.infected = s.infected || f.Kind == scan.Infected
		s.told = s.told || f.Kind == scan.Infected || f.Kind == scan.Unscannable
	}
	return s, err
}
