package virus

import (
	"bytes"
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

// YARA holds the keys that only an entry of type "yara" has.
type YARA struct {
	// yara: the files with rules; or one with compiled rules, as yarac writes it, of which a large set is read faster
	Rules []string `toml:"rules"`
	// yara: "infected" (default) or "suspicious": what a part is that matches a rule. Suspicious ones are virus/suspicious/RULE
	Verdict string `toml:"verdict"`
}

// The verdicts on a part that matches a rule.
const (
	verdictInfected   = "infected"
	verdictSuspicious = "suspicious"
)

// yaraProgram is where Debian has the program.
const yaraProgram = "/usr/bin/yara"

// yara is the program of that name, which looks at all contents of a message in one run.
//
// QUIRK: when it could not look at a file, or not to its end, its exit status is 0 all the same; it
// says so on a separate line. So all of its output that is no match is an error.
type yara struct{ command }

func checkYARA(c Config, check *units.Check) {
	check.If(len(c.Rules) == 0, "rules", "it is missing; write files with rules, such as [\"/etc/milterscan/rules.yar\"]")
	for i, file := range c.Rules {
		check.If(!filepath.IsAbs(file) || strings.ContainsAny(file, ":\n"), fmt.Sprintf("rules[%d]", i),
			"%q is no absolute path without a colon; write one", file)
	}
	check.If(len(c.Command) > 1 || len(c.Command) == 1 && !filepath.IsAbs(c.Command[0]), "command",
		"it is the absolute path of yara alone, such as [%q]; arguments are ours", yaraProgram)
	if c.Verdict != "" {
		check.Word("verdict", c.Verdict, verdictInfected, verdictSuspicious)
	}
}

// yaraEngine returns an engine whose server is yara. An error names the file and the line of a rule
// that cannot be compiled. Where yara is not installed, that shows when it is asked.
func yaraEngine(c Config) (*Engine, error) {
	removeAbandoned(os.TempDir())
	c.SetDefaults()
	path := yaraProgram
	if len(c.Command) > 0 {
		path = c.Command[0]
	}
	s := yara{command{line: []string{path, "-w", "-N", "-p", "1", "-a", strconv.Itoa(max(1, int(c.Timeout.Go()/time.Second)))},
		program: worker.Program{Path: path, Read: slices.Clone(c.Read), Memory: cmp.Or(c.Memory, 2*units.GB),
			CPU: c.Timeout.Go(), Wall: c.Timeout.Go(), Output: mostOutput}}}
	rules, err := rulesOf(c.Rules)
	if err != nil {
		return nil, err
	}
	s.line = append(append(s.line, rules...), dirWord)
	for _, file := range c.Rules {
		s.program.Read = append(s.program.Read, filepath.Dir(file)) // files that it includes are in its directory
	}
	e := NewEngine(c, s)
	if _, err := os.Stat(path); err != nil {
		return e, nil
	}
	if err := s.compile(); errors.Is(err, errRules) {
		return nil, err
	}
	return e, nil
}

// rulesOf returns the arguments for files with rules, each in a separate name space, so that two files may have rules
// of the same name.
func rulesOf(files []string) (args []string, err error) {
	for i, file := range files {
		compiled, err := isCompiled(file)
		switch {
		case err != nil:
			return nil, fmt.Errorf("rules[%d]: %w", i, err)
		case compiled && len(files) > 1:
			return nil, fmt.Errorf("rules[%d]: %s has compiled rules, which must be the only file; compile all of them together", i, file)
		case compiled:
			return []string{"-C", file}, nil
		}
		args = append(args, fmt.Sprintf("r%d:%s", i, file))
	}
	return args, nil
}

// isCompiled reports whether a file has compiled rules.
func isCompiled(file string) (bool, error) {
	f, err := os.Open(file)
	if err != nil {
		return false, err
	}
	defer f.Close()
	head := make([]byte, 4)
	n, _ := f.Read(head)
	return string(head[:n]) == "YARA", nil
}

// compileTime is how long compiling the rules may take.
const compileTime = time.Minute

// errRules says that there is a mistake in the rules.
var errRules = errors.New("the rules cannot be compiled")

// compile runs the rules on an empty file, and returns an error if they cannot be compiled.
func (y yara) compile() error {
	ctx, cancel := context.WithTimeout(context.Background(), compileTime)
	defer cancel()
	o, dir, err := y.run(ctx, []scan.Content{bytes.NewReader(nil)})
	if err == nil && o.Status != 0 {
		return fmt.Errorf("%w: %.500s", errRules, oneLine(o.Output))
	}
	if err == nil {
		_, err = parseYARA(o, dir, 1)
	}
	return err
}

// oneLine returns the output on one line of what can be printed.
func oneLine(output string) string {
	return strings.Join(strings.Fields(strings.ToValidUTF8(output, "?")), " ")
}

// match is a rule and the number of the content that matches it.
type match struct {
	rule    string
	content int
}

// matchLine is a line about a match: the rule, and the file in the directory.
var matchLine = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]{0,127}) (.*)$`)

// parseYARA reads the output of yara about n contents in a directory. Matches before an error count.
func parseYARA(o worker.Outcome, dir string, n int) (found []match, err error) {
	output := o.Output
	if o.Cut {
		output = output[:strings.LastIndexByte(output, '\n')+1]
	}
	for line := range strings.Lines(output) {
		line = strings.TrimSuffix(line, "\n")
		m := matchLine.FindStringSubmatch(line)
		if m == nil {
			err = cmp.Or(err, fmt.Errorf("%w: %.300q", errStatus, strings.ReplaceAll(line, dir+"/", "part ")))
			continue
		}
		number, ok := strings.CutPrefix(m[2], dir+"/")
		i, bad := strconv.Atoi(number)
		if !ok || bad != nil || i < 1 || i > n {
			err = cmp.Or(err, fmt.Errorf("%w: %.300q", errStatus, strings.ReplaceAll(line, dir+"/", "part ")))
			continue
		}
		found = append(found, match{m[1], i - 1})
	}
	switch {
	case err != nil:
	case o.Cut:
		err = fmt.Errorf("%w: it says more than %d bytes", errStatus, mostOutput)
	case o.Status != 0:
		err = fmt.Errorf("%w: exit status %d", errStatus, o.Status)
	}
	return found, err
}

// AskAll runs yara on all contents together. Of several rules that a content matches the first counts.
func (y yara) AskAll(ctx context.Context, open []*Question) error {
	var contents []scan.Content
	for _, q := range open {
		contents = append(contents, q.Content)
	}
	o, dir, err := y.run(ctx, contents)
	if err != nil {
		return err
	}
	found, err := parseYARA(o, dir, len(open))
	for _, m := range found {
		if q := open[m.content]; !q.done {
			q.Infected(m.rule)
		}
	}
	if err != nil {
		return err
	}
	for _, q := range unanswered(open) {
		q.Clean()
	}
	return nil
}

// Ask runs yara on one content.
func (y yara) Ask(ctx context.Context, c scan.Content) (string, error) {
	q := &Question{Content: c}
	if err := y.AskAll(ctx, []*Question{q}); err != nil && !q.done {
		return "", err
	}
	return q.signature, nil
}

// Health sees whether the program is there, and the rules can be compiled.
func (y yara) Health(ctx context.Context) (Health, error) {
	h, err := y.command.Health(ctx)
	return h, errors.Join(err, y.compile())
}
