package pipeline

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/contents/virus"
	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/open/texts"
)

// engines returns the virus engines. Those that look at mail on its way remember together with those of other hosts; who looks at
// a file hears what an engine says now.
func engines(s *site) ([]scan.Scanner, error) {
	if !s.Live {
		return virus.New(s.Virus)
	}
	all, err := s.Stores.Clean(s.Config)
	if err != nil {
		return nil, err
	}
	return virus.NewTogether(s.Virus, all)
}

// Bounds of what a record says of a message. Senders decide how much there is.
const (
	mostParts    = 64
	mostHosts    = 64
	mostPartName = 80 // bytes
)

// contentsOf returns the function that begins to list what a message holds, for its record; nil if nothing of
// that is to be recorded: it takes hashes of all parts.
func (s *site) contentsOf() func(context.Context, *scan.Message) func() *policy.RecordContents {
	h := s.History
	if !remembers(h) || !h.Parts && !h.Links {
		return nil
	}
	var by []markup.Redirector
	for _, r := range s.Content.Redirectors {
		by = append(by, markup.ParseRedirector(r))
	}
	return func(ctx context.Context, m *scan.Message) func() *policy.RecordContents {
		l := &lister{texts: s.texts, by: by, parts: h.Parts, links: h.Links, out: make(chan *policy.RecordContents, 1)}
		work := scan.NewEngine(l).Start(ctx, m)
		return func() *policy.RecordContents {
			work.Wait()
			select {
			case c := <-l.out:
				return c
			default: // it was stopped, so that nothing is known
				return nil
			}
		}
	}
}

// lister lists what one message holds. It is a scanner, so that an engine sees to its time, and
// finds nothing.
type lister struct {
	texts        *texts.Inventory
	by           []markup.Redirector
	parts, links bool
	out          chan *policy.RecordContents
}

// Name implements scan.Scanner.
func (l *lister) Name() string { return "contents" }

// Scan implements scan.Scanner.
func (l *lister) Scan(ctx context.Context, m *scan.Message) ([]scan.Finding, error) {
	c := &policy.RecordContents{Unread: slices.ContainsFunc(m.Parts, unread)}
	if l.parts {
		takeParts(ctx, m, c)
	}
	if l.links {
		l.takeHosts(ctx, m, c)
	}
	l.out <- c
	return nil, nil
}

// unread reports whether a part may hold contents that no scanner has seen.
func unread(p scan.Part) bool { return p.Content == nil && !p.Opened }

// takeParts takes the hashes of parts: files before texts, since there are more lists of files.
func takeParts(ctx context.Context, m *scan.Message, c *policy.RecordContents) {
	c.Parts = []policy.RecordPart{}
	seen := map[scan.Sum]bool{}
	for _, i := range filesFirst(m.Parts) {
		if len(c.Parts) == mostParts {
			c.MoreParts++
			continue
		}
		sum, err := m.SHA256(ctx, i)
		if err != nil {
			c.MoreParts++
			continue
		}
		if seen[sum] {
			continue
		}
		seen[sum] = true
		p := &m.Parts[i]
		c.Parts = append(c.Parts, policy.RecordPart{SHA256: hex.EncodeToString(sum[:]), Size: p.Content.Size(), Name: shortName(p.Name())})
	}
}

// filesFirst returns the places of all parts that hold anything, those of files before those of the
// texts of the message.
func filesFirst(parts []scan.Part) (order []int) {
	var bodies []int
	for i, p := range parts {
		switch {
		case p.Content == nil || p.Content.Size() == 0:
		case p.Name() == "" && !p.Archived && strings.HasPrefix(p.Type, "text/"):
			bodies = append(bodies, i)
		default:
			order = append(order, i)
		}
	}
	return append(order, bodies...)
}

// shortName returns the beginning of a name, in a separate string, and valid UTF-8.
func shortName(s string) string {
	return strings.Clone(strings.ToValidUTF8(s[:min(len(s), mostPartName)], "\uFFFD"))
}

// takeHosts takes the hosts that links lead to, of a link through a redirector both.
func (l *lister) takeHosts(ctx context.Context, m *scan.Message, c *policy.RecordContents) {
	all, err := l.texts.Of(ctx, m)
	c.Unread = c.Unread || err != nil || all != nil && len(all.Unread) > 0
	if all == nil {
		return
	}
	c.Hosts = []string{}
	seen := map[string]bool{}
	for _, link := range all.Links() {
		first := markup.ParseLink(link.Target)
		for _, u := range []markup.URL{first, markup.Unwrap(first, l.by)} {
			switch {
			case !u.Web() || seen[u.Host]:
			case len(c.Hosts) == mostHosts:
				c.MoreHosts++
				seen[u.Host] = true
			default:
				c.Hosts = append(c.Hosts, strings.Clone(u.Host))
				seen[u.Host] = true
			}
		}
	}
}
