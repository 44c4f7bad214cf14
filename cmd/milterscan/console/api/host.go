package api

import (
	"bufio"
	"mime"
	"net/http"
	"net/netip"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/doctor"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// ruleHits is a rule in force, and what it did lately.
type ruleHits struct {
	Name    string `json:"name"`
	File    string `json:"file,omitempty"` // "" for the shipped rules of a profile
	Line    int    `json:"line,omitempty"`
	Text    string `json:"text"`
	Watches bool   `json:"watches,omitempty"`
	Hits    int64  `json:"hits"`    // recipients it applied to
	Watched int64  `json:"watched"` // recipients it would have applied to if it did not only watch
}

// rules lists the rules in force, in the order in which they are tried.
func (a *api) rules(w http.ResponseWriter, r *http.Request, _ login.Person, q *query) error {
	days := q.number("days", 7, 1, 3650)
	if q.err != nil {
		return q.err
	}
	counts, err := a.Counts(r.Context(), a.Now().Add(-time.Duration(days)*24*time.Hour))
	if err != nil {
		return err
	}
	did := map[history.Count]int64{}
	for _, c := range counts {
		did[history.Count{What: c.What, Value: c.Value}] = c.N
	}
	out := struct {
		Days  int64      `json:"days"`
		Rules []ruleHits `json:"rules"`
	}{days, []ruleHits{}}
	for _, rule := range a.Host.Config().Effective().Rules {
		name := rule.Ref.Name
		out.Rules = append(out.Rules, ruleHits{name, rule.Ref.File, rule.Ref.Line, rule.String(), rule.Mode == policy.Watches,
			did[history.Count{What: history.ByRule, Value: name}], did[history.Count{What: history.ByWatched, Value: name}]})
	}
	return reply(w, http.StatusOK, out)
}

// setting is a value of the configuration in force.
type setting struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Origin string `json:"origin"` // "file:line", or "default"
}

// configuration lists every value in force.
func (a *api) configuration(w http.ResponseWriter, _ *http.Request, _ login.Person, _ *query) error {
	list := []setting{}
	for _, s := range a.Host.Config().Effective().Settings {
		list = append(list, setting{s.Key, s.Value, s.Origin.String()})
	}
	return reply(w, http.StatusOK, map[string]any{"settings": list})
}

// finding is what "doctor" says of one thing.
type finding struct {
	Level string `json:"level"` // ok, advice, fault
	Check string `json:"check"`
	What  string `json:"what"`
	Fix   string `json:"fix,omitempty"`
}

// outage is something that does not answer.
type outage struct {
	Name     string    `json:"name"`
	Finding  string    `json:"finding"`
	Since    time.Time `json:"since"`
	Messages int       `json:"messages"`
}

// health is the state of the host, in the words of "doctor".
type health struct {
	Examined time.Time `json:"examined,omitzero"` // zero: not yet
	Running  bool      `json:"running,omitempty"`
	Worst    string    `json:"worst,omitempty"` // of all levels; none while nothing was examined
	Findings []finding `json:"findings"`
	Outages  []outage  `json:"outages"`
}

// status shows the state of the host.
func (a *api) status(w http.ResponseWriter, _ *http.Request, _ login.Person, _ *query) error {
	now := a.Host.Health()
	out := health{Examined: now.At, Running: now.Running, Findings: []finding{}, Outages: []outage{}}
	worst := doctor.Level(0)
	for _, f := range now.Findings {
		worst = max(worst, f.Level)
		out.Findings = append(out.Findings, finding{levels[f.Level], f.Check, f.What, f.Fix})
	}
	for _, o := range now.Outages {
		worst = doctor.Fault
		out.Outages = append(out.Outages, outage{o.Name, o.Finding, o.Since, o.Messages})
	}
	if !now.At.IsZero() || len(now.Outages) > 0 {
		out.Worst = levels[worst]
	}
	return reply(w, http.StatusOK, out)
}

// levels are the words for the levels of findings.
var levels = map[doctor.Level]string{doctor.OK: "ok", doctor.Advice: "advice", doctor.Fault: "fault"}

// errMedia says that a body is no mail.
var errMedia = &mistake{http.StatusUnsupportedMediaType, "media-type", "The body is no mail",
	"Send the mail as it is, as message/rfc822 or application/octet-stream."}

// rehearse judges a mail, and keeps nothing of it.
func (a *api) rehearse(w http.ResponseWriter, r *http.Request, _ login.Person, q *query) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil ||
		kind != "message/rfc822" && kind != "application/octet-stream" {
		return errMedia
	}
	about := pipeline.Delivery{From: q.text("from"), To: q.values["to"], Client: q.text("client"), Helo: q.text("helo")}
	if _, err := netip.ParseAddr(about.Client); about.Client != "" && err != nil {
		q.fail("client", err)
	}
	if q.err != nil {
		return q.err
	}
	record, err := a.Judge(r.Context(), bufio.NewReader(r.Body), about)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, map[string]any{"record": record})
}
