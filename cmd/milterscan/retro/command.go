package retro

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/past"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/feed"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/scan/contents/virus"
	"github.com/milterscan/milterscan/scan/format/listing"
)

// Run prints the earlier mail that had a file, host or client which is on a list now.
func Run(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("retro", "[-c FILE] [--kind KIND] [--feed NAME]... [--since T] [--before T] [--limit N] "+
		"[--json] [FILE...]", std)
	look := looking{Streams: std, begun: time.Now()}
	f.Var(cli.Choice(&look.kind, listing.Hashes, listing.Hosts, listing.Networks), "kind",
		"what the files are lists of: `hashes` of files, hosts that links lead to, or networks of clients; "+
			"without it, hashes or hosts, as they turn out; .hdb and .hsb files are ClamAV's")
	f.Func("feed", "the list of this [[feed]], a `name`; may be given several times", func(s string) error {
		look.feeds = append(look.feeds, s)
		return nil
	})
	f.BoolVar(&look.json, "json", false, "print one JSON object for each message, and one that adds up")
	var since, before cli.Moment
	inTime := cli.Span(f, &since, &before)
	limit := f.Int("limit", 1000, "name at most this `number` of messages, the newest; 0 for all")
	path := cli.ConfigFlag(f)
	if status, ok := cli.ParseArguments(f, args); !ok {
		return status
	}
	if err := errors.Join(inTime(), cli.Limited(*limit)); err != nil {
		return f.Refuse(err)
	}
	look.span = Span{Since: since.Time, Before: before.Time, Most: *limit}
	if *limit == 0 {
		look.span.Most = math.MaxInt
	}
	return look.run(ctx, *path, f.Args())
}

// looking is one call of the command.
type looking struct {
	cli.Streams
	kind  listing.Kind
	feeds []string
	json  bool
	span  Span
	begun time.Time
	lists []List
}

func (l *looking) run(ctx context.Context, path string, files []string) int {
	for _, file := range files { // which perhaps only the caller's user can read
		list, err := FromFile(file, l.kind, l.In)
		if err != nil {
			return l.fail(err)
		}
		l.lists = append(l.lists, list)
	}
	h, c, status := past.Open("retro", path, l.Streams)
	if h == nil {
		return status
	}
	defer h.Close()
	if err := l.configured(c, len(files) == 0 && len(l.feeds) == 0); err != nil {
		return l.fail(err)
	}
	var progress *show.Progress
	if !l.json {
		progress = show.NewProgress(nil, l.Err, "values", 0)
	}
	l.span.Step = progress.Step
	defer progress.Clear()
	a, err := Find(ctx, h, l.lists, l.span)
	progress.Clear()
	if err != nil {
		return l.fail(err)
	}
	return l.tell(a)
}

// configured takes the lists of the named feeds; with all, every list of the configuration.
func (l *looking) configured(c *config.Config, all bool) error {
	for _, name := range l.feeds {
		if !slices.ContainsFunc(c.Feeds, func(f feed.Config) bool { return f.Name == name }) {
			return fmt.Errorf("there is no [[feed]] with the name %q", name)
		}
	}
	if !all && len(l.feeds) == 0 {
		return nil
	}
	set := feed.New(feed.Options{})
	set.Use(c.Feeds, c.FeedDir)
	for _, f := range c.Feeds {
		if !all && !slices.Contains(l.feeds, f.Name) {
			continue
		}
		if err := l.take(set, f, all); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	if all {
		if err := l.signatures(c); err != nil {
			return err
		}
	}
	if len(l.lists) == 0 {
		return errors.New("there is no list: name a file, or have [[feed]] or lists of [[virus]] in the configuration")
	}
	return nil
}

// take takes the list of a feed. With all, it leaves out a list that cannot be compared, and says so.
func (l *looking) take(set *feed.Set, f feed.Config, all bool) error {
	t := set.Table(f.Name)
	if t == nil {
		return errors.New("it has never been fetched; \"milterscan feed update\" says why")
	}
	list, err := FromFeed(f.Name, t)
	if err != nil && !all {
		return err
	}
	if err != nil {
		l.note(f.Name, err.Error())
		return nil
	}
	l.lists = append(l.lists, list)
	return nil
}

// signatures takes the hash lists of virus engines.
func (l *looking) signatures(c *config.Config) error {
	for _, file := range SignatureFiles(c) {
		list, err := FromSignatures(file)
		if errors.Is(err, errOther) || errors.Is(err, errEmpty) {
			l.note(file, err.Error())
			continue
		}
		if err != nil {
			return naming(file, err)
		}
		l.lists = append(l.lists, list)
	}
	return nil
}

// SignatureFiles returns the hash lists of virus engines, each once.
func SignatureFiles(c *config.Config) (files []string) {
	for _, v := range c.Virus {
		if v.Type == virus.TypeHashes {
			files = append(files, v.Lists...)
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}

func (l *looking) note(name, what string) {
	fmt.Fprintf(l.Err, "milterscan retro: note: %s: %s\n", show.Printable(name), show.Printable(what))
}

func (l *looking) fail(err error) int {
	fmt.Fprintln(l.Err, "milterscan retro:", show.Printable(err.Error()))
	return cli.ExitError
}

// tell prints the answer, and returns the exit status.
func (l *looking) tell(a Answer) int {
	for _, list := range l.lists {
		for _, n := range list.Notes {
			l.note(list.Name, n)
		}
	}
	if l.json {
		a.writeJSON(l.Out, l.lists)
	} else {
		a.write(l.Out, l.lists, time.Since(l.begun))
	}
	blind := a.Blind()
	if len(a.Found) > 0 || a.More > 0 {
		return cli.ExitFound
	}
	if len(blind) > 0 {
		return l.fail(fmt.Errorf("no record has %s: whether mail had any of this is not known; "+
			"see history.parts and history.links",
			strings.Join(words(blind), " or ")))
	}
	return cli.ExitOK
}

// words returns the names of sorts, for people.
func words(list []history.Sort) (out []string) {
	for _, s := range list {
		out = append(out, map[history.Sort]string{history.Parts: "hashes of files", history.Hosts: "hosts of links",
			history.Clients: "addresses of clients"}[s])
	}
	return out
}
