package initial

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/survey"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan/units"
)

// Answers has the facts that only the administrator knows.
type Answers struct {
	MTA     string   // the name of the one that counts, if there are several
	Listen  string   // where milterscan is to listen; "" for where the MTA finds it best
	Domains []string // those of the MTA, if they cannot be listed
	Clamd   string   // the address of one on another host
	List    string   // the DNS list to ask, "" for none
}

// question is one thing that the host does not say.
type question struct {
	Text   string `json:"question"`
	Preset string `json:"preset"` // the answer if none is given
	take   func(answer string) error
}

// String returns the question with its preset.
func (q question) String() string {
	preset := q.Preset
	if preset == "" {
		preset = "none"
	}
	return fmt.Sprintf("%s [%s]", q.Text, preset)
}

// questions returns the questions that the host itself does not answer.
func (a *Answers) questions(h *survey.Host, listed string) (all []question) {
	if names := namesOf(h.MTAs); len(names) > 1 && a.MTA == "" {
		all = append(all, question{"Which MTA takes mail from other hosts: " + strings.Join(names, " or ") + "?",
			names[0], func(s string) error { return a.takeMTA(s, names) }})
	}
	more, clients := unlisted(h.MTAs)
	if len(more) > 0 && len(clients) == 0 {
		all = append(all, question{"Your MTA has domains that cannot be listed (" + brief(more) +
			"). Which domains do you take mail for, all of them, with blanks between? Without them no mail " +
			"is refused for its domain.", "",
			a.takeDomains})
	}
	if h.Clamd == nil {
		all = append(all, question{"No clamd was found here. Where does one listen (unix:/path, tcp:host:port)?", "",
			a.takeClamd})
	}
	if slices.ContainsFunc(h.Resolvers, func(r survey.Resolver) bool { return r.Hears == survey.Heard }) {
		all = append(all, question{"May the DNS list " + listed +
			" be asked about clients? Its terms allow that to small sites only.", "n",
			func(s string) error { return a.takeList(s, listed) }})
	}
	return all
}

// namesOf returns the names of MTAs, each once.
func namesOf(mtas []survey.MTA) (names []string) {
	for _, m := range mtas {
		if !slices.Contains(names, m.Name) {
			names = append(names, m.Name)
		}
	}
	return names
}

// unlisted returns the domains and clients of MTAs that cannot be listed.
func unlisted(mtas []survey.MTA) (domains, clients []string) {
	for _, m := range mtas {
		domains, clients = append(domains, m.MoreDomains...), append(clients, m.MoreClients...)
	}
	return domains, clients
}

func (a *Answers) takeMTA(s string, names []string) error {
	if !slices.Contains(names, s) {
		return fmt.Errorf("%q is none of %s", s, strings.Join(names, ", "))
	}
	a.MTA = s
	return nil
}

func (a *Answers) takeDomains(s string) error {
	words := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' })
	for _, word := range words {
		var d policy.Domain
		if err := d.UnmarshalText([]byte(word)); err != nil {
			return err
		}
	}
	a.Domains = words
	return nil
}

func (a *Answers) takeClamd(s string) error {
	if s == "" {
		return nil
	}
	if _, _, err := units.ParseAddress(s); err != nil {
		return err
	}
	a.Clamd = s
	return nil
}

func (a *Answers) takeList(s, zone string) error {
	switch strings.ToLower(s) {
	case "y", "yes":
		a.List = zone
	case "n", "no":
	default:
		return fmt.Errorf("%q is neither y nor n", s)
	}
	return nil
}

// mostTries bounds how often one question is put.
const mostTries = 5

// put puts a question until it has a good answer.
func (q question) put(in *bufio.Reader, out io.Writer) error {
	for range mostTries {
		fmt.Fprintf(out, "%s ", q)
		line, err := in.ReadString('\n')
		answer := strings.TrimSpace(line)
		if answer == "" {
			answer = q.Preset
		}
		if err != nil && line == "" {
			fmt.Fprintln(out)
			return fmt.Errorf("there was no answer to %q", q.Text)
		}
		err = q.take(answer)
		if err == nil {
			return nil
		}
		fmt.Fprintln(out, err)
	}
	return fmt.Errorf("there was no good answer to %q", q.Text)
}
