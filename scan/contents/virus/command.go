package virus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/open/worker"
	"github.com/milterscan/milterscan/scan/units"
)

// Program holds the keys that only an entry of type "command" has: a command line
// that is run with limits and without a shell.
type Program struct {
	// command: the program, by its absolute path, and its arguments. The content is its standard input; "{file}" is replaced
	// by the path of a private copy, "{dir}" by that of a private directory with all contents of a message, which are then
	// looked at in one run
	Command  []string `toml:"command"`
	Clean    []int    `toml:"clean"`    // command: the exit statuses that mean clean; default [0]
	Infected []int    `toml:"infected"` // command: those that mean infected; default [1]. Any other is a failure
	// command: a regular expression (RE2) whose first group in the output is the name of the malware; where it matches, the
	// content is infected whatever the exit status
	Signature string `toml:"signature"`
	Expect    string `toml:"expect"` // command: a regular expression the output must match to count as clean
	// command: paths the program may read in addition to the directories of the system and its own, such as its signatures
	Read   []string   `toml:"read"`
	Memory units.Size `toml:"memory"` // command: how much it may use; default 2GB
}

// The words of a command line that are replaced by paths of contents.
const (
	fileWord = "{file}"
	dirWord  = "{dir}"
)

// mostOutput is how much a program may say. More makes "clean" an error.
const mostOutput = 256 << 10

// errStatus is reported for a program that ended with a status its entry does not
// list.
var errStatus = errors.New("the program ended with neither verdict")

// command is a program that is asked about one content at a time. It may take all
// the time of its message.
type command struct {
	line      []string
	clean     []int
	infected  []int
	signature *regexp.Regexp // nil for none, as is expect
	expect    *regexp.Regexp
	program   worker.Program
}

// commandDir is a command that looks at all contents of a message in one run.
type commandDir struct{ command }

// commandEngine returns an engine whose server is a program.
func commandEngine(c Config) (*Engine, error) {
	removeAbandoned(os.TempDir())
	c.SetDefaults()
	s := command{
		line:      c.Command,
		clean:     c.Clean,
		infected:  c.Infected,
		signature: pattern(c.Signature),
		expect:    pattern(c.Expect),
		program: worker.Program{
			Path: c.Command[0], Read: c.Read, Memory: cmp.Or(c.Memory, 2*units.GB),
			CPU: time.Duration(c.Timeout), Wall: time.Duration(c.Timeout), Output: mostOutput,
		},
	}
	if len(s.clean) == 0 {
		s.clean = []int{0}
	}
	if len(s.infected) == 0 {
		s.infected = []int{1}
	}
	if strings.Contains(strings.Join(c.Command, " "), dirWord) {
		return NewEngine(c, commandDir{s}), nil
	}
	return NewEngine(c, s), nil
}

// pattern compiles a regular expression that was checked before; nil for none.
func pattern(s string) *regexp.Regexp {
	if s == "" {
		return nil
	}
	return regexp.MustCompile(s)
}

func checkCommand(c Config, check *units.Check) {
	check.If(len(c.Command) == 0 || !filepath.IsAbs(c.Command[0]), "command",
		"it is missing; write the absolute path of a program and its arguments, such as [\"/usr/bin/clamscan\", \"--no-summary\", \"{file}\"]")
	line := strings.Join(c.Command, " ")
	check.If(strings.Contains(line, fileWord) && strings.Contains(line, dirWord),
		"command", "it has %s and %s; write one of them", fileWord, dirWord)
	for _, key := range [][2]string{{"signature", c.Signature}, {"expect", c.Expect}} {
		if re, err := regexp.Compile(key[1]); err != nil {
			check.Wrong(key[0], "%v", err)
		} else if key[1] != "" && re.MatchString("") {
			check.Wrong(key[0], "it matches anything; write a pattern that does not match empty text")
		}
	}
	for _, n := range c.Clean {
		check.If(slices.Contains(c.Infected, n), "clean", "exit status %d means clean and infected; write it into one of both", n)
	}
	for i, dir := range c.Read {
		check.If(!filepath.IsAbs(dir), fmt.Sprintf("read[%d]", i), "%q is no absolute path; write one", dir)
	}
}

// String returns the command line.
func (c command) String() string { return strings.Join(c.line, " ") }

// Health sees whether the program is there and may be run.
func (c command) Health(context.Context) (Health, error) {
	info, err := os.Stat(c.line[0])
	if err == nil && (!info.Mode().IsRegular() || info.Mode()&0o111 == 0) {
		err = fmt.Errorf("%s is no program", c.line[0])
	}
	return Health{Address: c.String()}, err
}

// Ask runs the program on one content.
func (c command) Ask(ctx context.Context, content scan.Content) (string, error) {
	o, _, err := c.run(ctx, []scan.Content{content})
	if err != nil {
		return "", err
	}
	infected, err := c.judge(o)
	if err != nil || !infected {
		return "", err
	}
	return c.name(o.Output), nil
}

// run runs the program on contents and returns also the directory in which they
// were.
func (c command) run(ctx context.Context, contents []scan.Content) (worker.Outcome, string, error) {
	dir, remove, err := privateDir()
	if err != nil {
		return worker.Outcome{}, "", err
	}
	defer remove()
	p := c.program
	p.Write = dir
	stdin := contents[0]
	for _, word := range c.line[1:] {
		p.Args = append(p.Args, strings.NewReplacer(fileWord, filepath.Join(dir, "1"), dirWord, dir).Replace(word))
	}
	if strings.Join(p.Args, " ") != strings.Join(c.line[1:], " ") {
		stdin = nil
		for i, content := range contents {
			if err := private(ctx, filepath.Join(dir, strconv.Itoa(i+1)), content); err != nil {
				return worker.Outcome{}, "", err
			}
		}
	}
	o, err := worker.Defaults().Run(ctx, p, stdin)
	return o, dir, err
}

// private writes a content to a file that no other user can read.
func private(ctx context.Context, path string, c scan.Content) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = each(ctx, c, func(b *block, n int) error {
		_, err := f.Write(b[4 : 4+n])
		return err
	})
	return errors.Join(err, f.Close())
}

// judge reads a verdict out of how the program ended.
func (c command) judge(o worker.Outcome) (infected bool, err error) {
	switch {
	case c.signature != nil && c.signature.MatchString(o.Output), slices.Contains(c.infected, o.Status):
		return true, nil
	case o.Cut:
		return false, fmt.Errorf("%w: it says more than %d bytes", errStatus, mostOutput)
	case !slices.Contains(c.clean, o.Status), c.expect != nil && !c.expect.MatchString(o.Output):
		return false, fmt.Errorf("%w: exit status %d, %.200q", errStatus, o.Status, strings.TrimSpace(o.Output))
	}
	return false, nil
}

// name returns the name that the program's output gives the malware found.
func (c command) name(output string) string {
	if c.signature == nil {
		return unnamed
	}
	if m := c.signature.FindStringSubmatch(output); len(m) > 1 {
		return cmp.Or(m[1], unnamed)
	}
	return unnamed
}

// AskAll runs the program on all contents together. Where it finds something and
// does not say in which, it is asked about each by itself.
func (c commandDir) AskAll(ctx context.Context, open []*Question) error {
	var contents []scan.Content
	for _, q := range open {
		contents = append(contents, q.Content)
	}
	o, dir, err := c.run(ctx, contents)
	if err != nil {
		return err
	}
	infected, err := c.judge(o)
	if err != nil {
		return err
	}
	if infected && !c.attribute(o.Output, dir, open) {
		return askEach(ctx, c, open)
	}
	for _, q := range unanswered(open) {
		q.Clean()
	}
	return nil
}

// attribute answers the questions about files that a line of the output names
// together with a signature, and reports whether there are any.
func (c commandDir) attribute(output, dir string, open []*Question) (some bool) {
	if c.signature == nil {
		return false
	}
	for line := range strings.Lines(output) {
		_, file, named := strings.Cut(line, dir+"/")
		if !named || !c.signature.MatchString(line) {
			continue
		}
		digits := file[:len(file)-len(strings.TrimLeft(file, "0123456789"))]
		if n, err := strconv.Atoi(digits); err == nil && n >= 1 && n <= len(open) {
			open[n-1].Infected(c.name(line))
			some = true
		}
	}
	return some
}
