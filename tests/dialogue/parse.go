package dialogue

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Load reads all dialogues of the *.txt files of fsys, in the order of names.
func Load(fsys fs.FS) ([]Dialogue, error) {
	files, err := fs.Glob(fsys, "*.txt")
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var all []Dialogue
	for _, file := range files {
		text, err := fs.ReadFile(fsys, file)
		if err != nil {
			return nil, err
		}
		d, err := Parse(path.Base(file), string(text))
		if err != nil {
			return nil, err
		}
		all = append(all, d...)
	}
	return all, nil
}

// Parse reads the dialogues of one file. Errors name the file and the line.
func Parse(file, text string) ([]Dialogue, error) {
	p := parser{file: file}
	for n, line := range strings.Split(text, "\n") {
		if err := p.line(n+1, strings.TrimSpace(line)); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, n+1, err)
		}
	}
	if err := p.end(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return p.done, nil
}

// parser collects dialogues line by line.
type parser struct {
	file   string
	common []string // configuration for the rest of the file
	now    *Dialogue
	done   []Dialogue
}

func (p *parser) line(n int, line string) error {
	if line == "" {
		return p.end()
	}
	if p.now == nil {
		p.now = &Dialogue{Where: fmt.Sprintf("%s:%d", p.file, n), Config: slices.Clone(p.common)}
	}
	if title, ok := strings.CutPrefix(line, "#"); ok {
		p.now.Title = strings.TrimSpace(p.now.Title + " " + strings.TrimSpace(title))
		return nil
	}
	for _, s := range statements(line) {
		if err := p.now.statement(s); err != nil {
			return err
		}
	}
	return nil
}

// end closes the dialogue that is being read.
func (p *parser) end() error {
	d := p.now
	p.now = nil
	if d == nil {
		return nil
	}
	if len(d.Messages) == 0 {
		p.common = d.Config
		return nil
	}
	if d.Title == "" {
		return fmt.Errorf("the dialogue at %s has no title", d.Where)
	}
	for i := range d.Messages {
		if err := d.Messages[i].complete(); err != nil {
			return fmt.Errorf("%q, mail %d: %w", d.Title, i+1, err)
		}
	}
	p.done = append(p.done, *d)
	return nil
}

// complete reports what a mail lacks.
func (m *Message) complete() error {
	switch {
	case m.Source == "":
		return fmt.Errorf("no MESSAGE")
	case len(m.To) == 0:
		return fmt.Errorf("no TO")
	case m.Want.Action == "" && !m.Abort:
		return fmt.Errorf("no EXPECT")
	}
	return nil
}

// gap is what separates statements on a line.
var gap = regexp.MustCompile(`\s{2,}|\t`)

// statements splits a line. A CONFIG takes all of it: TOML has blanks.
func statements(line string) []string {
	if strings.HasPrefix(line, "CONFIG ") {
		return []string{line}
	}
	return gap.Split(line, -1)
}

// actions are what EXPECT may say.
var actions = []string{"deliver", "reject", "tempfail", "discard", "hold", "quarantine"}

func (d *Dialogue) statement(s string) error {
	word, value, _ := strings.Cut(s, " ")
	value = strings.TrimSpace(value)
	switch word {
	case "CONFIG":
		d.Config = append(d.Config, value)
	case "CLIENT":
		d.Client = value
	case "HELO":
		d.Helo = value
	case "AUTH":
		d.Auth = value
	case "THEN":
		d.Messages = append(d.Messages, newMessage())
	default:
		return d.last().statement(word, value)
	}
	return nil
}

func newMessage() Message { return Message{Want: Want{Keep: -1}} }

// last returns the mail that statements are about.
func (d *Dialogue) last() *Message {
	if len(d.Messages) == 0 {
		d.Messages = append(d.Messages, newMessage())
	}
	return &d.Messages[len(d.Messages)-1]
}

func (m *Message) statement(word, value string) (err error) {
	address := strings.Trim(value, "<>")
	switch word {
	case "FROM":
		m.From = address
	case "TO":
		m.To = append(m.To, address)
	case "MESSAGE":
		m.Source = value
	case "ABORT":
		m.Abort = true
	case "DROP":
		m.Want.Drop = append(m.Want.Drop, address)
	case "ADD":
		m.Want.Add = append(m.Want.Add, address)
	case "SENDER":
		m.Want.Sender = address
	default:
		return m.Want.statement(word, value)
	}
	return err
}

func (w *Want) statement(word, value string) (err error) {
	switch word {
	case "EXPECT":
		w.Action = value
		if !slices.Contains(actions, value) {
			err = fmt.Errorf("EXPECT %s: want one of %s", value, strings.Join(actions, ", "))
		}
	case "REPLY":
		w.Reply = value
	case "HEADER":
		w.Headers = append(w.Headers, value)
	case "RULE":
		w.Rules = append(w.Rules, value)
	case "KEEP":
		w.Keep, err = strconv.Atoi(value)
	case "UNTOUCHED":
		w.Untouched = true
	default:
		err = fmt.Errorf("%q is no statement", word)
	}
	return err
}
