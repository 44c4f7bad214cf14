package dialogue

import (
	"encoding/json"
	"fmt"
)

// ScanArgs returns the arguments with which milterscan judges a mail of a dialogue
// that it is given on its standard input, and reports in JSON.
func ScanArgs(config string, d Dialogue, m Message) []string {
	args := []string{"scan", "--json", "-c", config, "--from", m.From, "--client", d.Client, "--helo", d.Helo, "--auth", d.Auth}
	for _, to := range m.To {
		args = append(args, "--to", to)
	}
	return append(args, "-")
}

// scanned is what of a report dialogues look at.
type scanned struct {
	Action, Reply string
	Edits         []struct{ Kind, Name, Value string }
	Findings      []struct{ Rule string }
}

// ReadReport returns a report as a dialogue sees it. What scan would keep, it only says.
func ReadReport(out []byte) (Answer, error) {
	var r scanned
	if err := json.Unmarshal(out, &r); err != nil || r.Action == "" {
		return Answer{}, fmt.Errorf("scan said %q", out)
	}
	a := Answer{Action: r.Action, Reply: r.Reply, Keep: -1, Rules: []string{}, Changed: len(r.Edits) > 0}
	if r.Action == "quarantine" {
		a.Keep = 1
	}
	for _, f := range r.Findings {
		a.Rules = append(a.Rules, f.Rule)
	}
	for _, e := range r.Edits {
		switch e.Kind {
		case "header":
			a.Headers = append(a.Headers, e.Name+": "+e.Value)
		case "drop-recipient":
			a.Drop = append(a.Drop, e.Value)
		case "add-recipient":
			a.Add = append(a.Add, e.Value)
		}
	}
	return a, nil
}
