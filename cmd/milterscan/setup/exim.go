package setup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/milterscan/milterscan/contrib"
)

var eximBanner = regexp.MustCompile(`(?m)^Exim version (\S+)`)

func eximVersion(ctx context.Context, program, _ string) (string, error) {
	out, err := run(ctx, program, "-C", os.DevNull, "-bV")
	if found := eximBanner.FindStringSubmatch(out); err == nil && found != nil {
		return found[1], nil
	}
	return "", errors.Join(fmt.Errorf("%s is not Exim's", program), err)
}

// planExim puts a router before all others, and the transport it names: into
// Debian's split configuration where there is one, otherwise into the one file.
func planExim(ctx context.Context, m MTA, stage string, _ Us) (*Plan, error) {
	snippets, err := eximSnippets()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(m.Dir, "conf.d", "router")); err == nil {
		return planSplitExim(m, snippets)
	}
	for _, name := range []string{"exim4.conf", "exim.conf", "configure"} {
		path := filepath.Join(m.Dir, name)
		if _, err := os.Stat(path); err == nil {
			return planOneFile(ctx, m, stage, path, snippets)
		}
	}
	return nil, fmt.Errorf("there is neither conf.d nor exim4.conf in %s", m.Dir)
}

const eximHook = "pipe in front of all routing"

// snippet is text for one section.
type snippet struct{ section, file, text string }

// eximSnippets returns the text to add, with the path of the script on this host: next
// to milterscan itself, in lib instead of bin.
func eximSnippets() ([]snippet, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	script := filepath.Join(filepath.Dir(program), "../lib/milterscan/milterscan-exim")
	if _, err := os.Stat(script); err != nil {
		return nil, fmt.Errorf("%w; install what is in contrib/exim and contrib/filter there first", err)
	}
	const shipped = "/usr/local/lib/milterscan/milterscan-exim"
	return []snippet{
		{"main", "main/06_milterscan", eximMain},
		{"routers", "router/050_milterscan", contrib.EximRouter},
		{"transports", "transport/05_milterscan", strings.Replace(contrib.EximTransport, shipped, script, 1)},
	}, nil
}

// eximMain is for the main section.
const eximMain = "# Bounces pass milterscan as well, and must not carry a virus back.\nbounce_return_body = false\n"

// planSplitExim adds files to Debian's conf.d, and has update-exim4.conf put
// them together.
func planSplitExim(m MTA, snippets []snippet) (*Plan, error) {
	p := &Plan{Hook: eximHook}
	for _, add := range snippets {
		path := filepath.Join(m.Dir, "conf.d", add.file)
		if _, err := os.Stat(path); err == nil {
			return nil, ErrNothingToDo
		}
		p.Changes = append(p.Changes, Change{Path: path, New: []byte(add.text), Mode: 0o644})
	}
	update := Command{"update-exim4.conf"}
	p.Checks = []Command{update, {m.program, "-bV"}}
	p.Reload = []Command{update, {"systemctl", "try-reload-or-restart", "exim4"}} // update for undoing, too
	return p, nil
}

// planOneFile puts the snippets into the sections of one file.
func planOneFile(ctx context.Context, m MTA, stage, path string, snippets []snippet) (*Plan, error) {
	c, err := read(path)
	if err != nil {
		return nil, err
	}
	if strings.Contains(string(c.Old), "transport = milterscan") {
		return nil, ErrNothingToDo
	}
	text := string(c.Old)
	for _, add := range snippets {
		if text, err = inSection(text, add); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	c.New = []byte(text)
	staged := filepath.Join(stage, "exim.conf")
	if err := os.WriteFile(staged, c.New, 0o644); err != nil {
		return nil, err
	}
	if _, err := run(ctx, m.program, "-C", staged, "-bV"); err != nil {
		return nil, err
	}
	return &Plan{Hook: eximHook, Changes: []Change{c}, Checks: []Command{{m.program, "-C", path, "-bV"}}}, nil
}

// inSection puts a snippet at the beginning of its section: the main one has no
// line that begins it.
func inSection(text string, add snippet) (string, error) {
	if add.section == "main" {
		if strings.Contains(text, "bounce_return_body") {
			return text, nil // the administrator has decided already
		}
		return add.text + text, nil
	}
	begin := regexp.MustCompile(`(?m)^begin\s+` + add.section + `\s*\n`).FindStringIndex(text)
	if begin == nil {
		return "", fmt.Errorf("there is no line \"begin %s\"", add.section)
	}
	return text[:begin[1]] + add.text + text[begin[1]:], nil
}

// unplanExim takes the snippets that setup has written out of the one file. Debian's
// split configuration has files of ours, which are restored as a whole or not.
func unplanExim(ctx context.Context, m MTA, stage string, _ Us, j *journal) (*Plan, error) {
	if j == nil {
		return nil, ErrNotSetUp
	}
	if len(j.Files) != 1 {
		return nil, fmt.Errorf("a file that setup has made was changed; remove %s by hand, and run update-exim4.conf. Nothing was done",
			j.paths())
	}
	c, err := read(j.Files[0].Path)
	if err != nil {
		return nil, err
	}
	text := string(c.Old)
	for _, block := range insertions(string(j.Files[0].Old), string(j.Files[0].New)) {
		before, after, ok := strings.Cut(text, block)
		if !ok {
			return nil, fmt.Errorf("what setup has written into %s was changed; take it out by hand. Nothing was done", c.Path)
		}
		text = before + after
	}
	c.New = []byte(text)
	staged := filepath.Join(stage, "exim.conf")
	if err := os.WriteFile(staged, c.New, 0o644); err != nil {
		return nil, err
	}
	if _, err := run(ctx, m.program, "-C", staged, "-bV"); err != nil {
		return nil, err
	}
	return &Plan{Changes: []Change{c}, Checks: []Command{{m.program, "-C", c.Path, "-bV"}}}, nil
}

// insertions returns the runs of lines that one text has and the other has not.
func insertions(from, to string) (blocks []string) {
	var run strings.Builder
	flush := func() {
		if run.Len() > 0 {
			blocks = append(blocks, run.String())
		}
		run.Reset()
	}
	for _, e := range compare(lines([]byte(from)), lines([]byte(to))) {
		if e.kind != '+' {
			flush()
			continue
		}
		run.WriteString(e.text + "\n")
	}
	flush()
	return blocks
}
