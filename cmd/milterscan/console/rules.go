package console

import (
	"net/http"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// rulesPage shows the rules in force and what they did.
type rulesPage struct {
	Days     int
	Spans    []int
	Rules    []ruleRow
	Never    int // rules of the host's own that nothing was met by
	Counted  bool
	AsOf     time.Time // when was counted, if that is some time ago
	Troubles []trouble
}

// ruleRow is a rule with what it did lately.
type ruleRow struct {
	N         int
	Ref       policy.RuleRef
	Text      string
	Hits      int64 // recipients
	Watched   int64 // it would have applied to
	Share     int   // of the most hits, in percent
	OnlyWatch bool
}

// rules shows the rules in force, in the order in which they are tried.
func (c *Console) rules(w http.ResponseWriter, r *http.Request, p login.Person) error {
	v := c.view(r, p, "rules")
	m := &rulesPage{Days: 7, Spans: spans()}
	for _, days := range m.Spans {
		if r.URL.Query().Get("days") == v.locale.plain(days) {
			m.Days = days
		}
	}
	l, err := c.lately(r.Context(), p, m.Days)
	if err != nil {
		m.Troubles = append(m.Troubles, troubleOf(v.pages, err))
	}
	m.Counted, m.AsOf = err == nil && !l.none, l.asOf
	m.fill(c.Host.Config().Effective().Rules, l.counts)
	v.Page = m
	return v.write(w, http.StatusOK)
}

// fill puts rules and counts together.
func (m *rulesPage) fill(rules []policy.Rule, counts []history.Count) {
	hits, watched := map[string]int64{}, map[string]int64{}
	for _, n := range counts {
		switch n.What {
		case history.ByRule:
			hits[n.Value] = n.N
		case history.ByWatched:
			watched[n.Value] = n.N
		}
	}
	most := int64(1)
	for i, r := range rules {
		row := ruleRow{N: i + 1, Ref: r.Ref, Text: r.String(), Hits: hits[r.Ref.Name], Watched: watched[r.Ref.Name],
			OnlyWatch: r.Mode == policy.Watches}
		most = max(most, row.Hits)
		if row.Hits == 0 && row.Watched == 0 && r.Ref.File != "" {
			m.Never++
		}
		m.Rules = append(m.Rules, row)
	}
	for i := range m.Rules {
		m.Rules[i].Share = int(100 * m.Rules[i].Hits / most)
	}
}

// settingsPage shows the configuration in force.
type settingsPage struct {
	Sections []settingSection
	Only     string // the words that keys must have
	All      bool   // defaults, too
	Hidden   int
}

// settingSection is a section of the configuration.
type settingSection struct {
	Name     string
	Settings []config.Setting
}

// settings shows every value in force with its origin.
func (c *Console) settings(w http.ResponseWriter, r *http.Request, p login.Person) error {
	v := c.view(r, p, "settings")
	q := r.URL.Query()
	m := &settingsPage{Only: clip(strings.TrimSpace(q.Get("key")), 100), All: q.Get("all") == "1"}
	for _, s := range c.Host.Config().Effective().Settings {
		switch {
		case m.Only != "" && !policy.LikeText(m.Only, s.Key):
			continue
		case !m.All && m.Only == "" && s.Origin == config.Origin{}:
			m.Hidden++
			continue
		}
		name, _, _ := strings.Cut(s.Key, ".")
		if n := len(m.Sections); n == 0 || m.Sections[n-1].Name != name {
			m.Sections = append(m.Sections, settingSection{Name: name})
		}
		last := &m.Sections[len(m.Sections)-1]
		last.Settings = append(last.Settings, s)
	}
	v.Page = m
	return v.write(w, http.StatusOK)
}

// reloadsPage shows the configurations that were put in force.
type reloadsPage struct {
	Reloads []Reload
	Trouble *trouble
}

// reloads shows the history of reloads.
func (c *Console) reloads(w http.ResponseWriter, r *http.Request, p login.Person) error {
	v := c.view(r, p, "reloads")
	m := &reloadsPage{}
	var err error
	m.Reloads, err = ask(r.Context(), c.asks, PartReloads, c.Host.Reloads)
	status := http.StatusOK
	if err != nil {
		t := troubleOf(v.pages, err)
		m.Trouble, status = &t, StatusOf(err)
	}
	v.Page = m
	return v.write(w, status)
}
