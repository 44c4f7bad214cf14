package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/wording"
	"github.com/milterscan/milterscan/docs/guide"
	"github.com/milterscan/milterscan/policy"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed style.css
var stylesheet []byte

//go:embed icon.svg
var icon []byte

// The addresses of what pages load. That of the stylesheet changes with it.
const iconPath = "/icon.svg"

const stylePath = "/style/{sum}"

// pages are the templates of one language.
type pages struct {
	texts wording.Texts
	locale
	templates map[string]*template.Template // by page
}

// parsePages reads the templates, once for each language.
func parsePages() (map[string]*pages, error) {
	all := map[string]*pages{}
	for _, code := range wording.Languages() {
		t, err := wording.Read(textFiles, code)
		if err != nil {
			return nil, err
		}
		p := &pages{t, locales[code], map[string]*template.Template{}}
		if err := p.parse(); err != nil {
			return nil, err
		}
		all[code] = p
	}
	return all, nil
}

// parse reads the layout and what all pages share, and each page with them.
func (v *pages) parse() error {
	base, err := template.New("layout.html").Funcs(v.functions()).ParseFS(templateFiles, "templates/layout.html", "templates/parts.html")
	if err != nil {
		return err
	}
	files, err := fs.Glob(templateFiles, "templates/page-*.html")
	if err != nil {
		return err
	}
	for _, file := range files {
		clone, err := base.Clone()
		if err == nil {
			clone, err = clone.ParseFS(templateFiles, file)
		}
		if err != nil {
			return err
		}
		v.templates[file[len("templates/page-"):len(file)-len(".html")]] = clone
	}
	return nil
}

// functions returns the functions that templates call.
func (v *pages) functions() template.FuncMap {
	return template.FuncMap{
		"t": v.texts.Of, "tor": v.texts.Or,
		"text": v.foreign, "brief": v.brief, "visible": func(s string) template.HTML { return isolated(policy.Visible(s)) }, "ours": ourNote,
		"number": v.anyNumber, "size": v.locale.size, "took": v.locale.took, "share": v.locale.share, "decimal": v.locale.decimal,
		"time": v.time, "moment": v.locale.moment, "first": firstLine, "link": linkTo,
		"styleURL": styleURL, "add": func(a, b int) int { return a + b }, "long": func(s string) bool { return len(s) > shortText },
		"clipped": func(s string) string { return clip(s, shortText) }, "lines": lines, "first3": firstThree, "more3": v.afterThree,
		"actionClass": known(moods), "kindClass": known(kindClasses), "stateClass": known(stateClasses),
		"because": becauseOf, "percent": percentOf, "domainFilter": domainFilter, "findingOf": findingOf,
		"helpFinding": func(rule string) string { return guide.Address("findings", rule) }, "helpSection": helpSection,
	}
}

// helpSection returns the address of the help about a section of the configuration, or about the
// one it is a part of; "" if there is none.
func helpSection(name string) string {
	first, _, _ := strings.Cut(name, ".")
	if first == "" {
		return ""
	}
	return guide.Address("config", first)
}

// anyNumber writes a whole number of any type.
func (v *pages) anyNumber(n any) string {
	switch n := n.(type) {
	case int:
		return v.locale.number(int64(n))
	case int64:
		return v.locale.number(n)
	case uint64:
		return v.locale.number(int64(n))
	}
	return ""
}

// time shows a moment, and says it to programs.
func (v *pages) time(t time.Time) template.HTML {
	if t.IsZero() {
		return "–"
	}
	return template.HTML(`<time datetime="` + t.UTC().Format(time.RFC3339) + `" title="` + t.Local().Format("MST, -07:00") + `">` +
		template.HTMLEscapeString(v.locale.moment(t)) + `</time>`)
}

// linkTo returns the address of a path with parameters: names and values in turn. Those
// without a value are left out.
func linkTo(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// view is what the layout is filled with.
type view struct {
	*pages
	Person login.Person
	Name   string // of the page
	Here   string // the address of the page, to come back to
	Notice string // key of what was done last
	Page   any
	asked  int // how many requests wait for the person
	log    *zap.Logger
}

// view begins a page for a person.
func (c *Console) view(r *http.Request, p login.Person, name string) *view {
	v := &view{pages: c.pages[languageOf(r, p)], Person: p, Name: name, Here: escapedPath(r.URL), Notice: notice(r), log: c.Log}
	if c.requests != nil && p.Away.IsZero() && p.May(login.AnswerRequests) {
		v.asked = c.requests(r.Context(), p)
	}
	return v
}

// May reports whether the person has a right, by its words.
func (v *view) May(right string) bool { return v.Person.May(login.Right(right)) }

// Title returns the title of the page.
func (v *view) Title() string {
	if t, ok := v.Page.(interface{ title(*pages) string }); ok {
		return t.title(v.pages)
	}
	return v.texts.Of("title-" + v.Name)
}

// section is an entry of the navigation.
type section struct {
	Path, Key string
	Here      bool
	Count     int // of what waits there for the person
}

// entry is a page that the navigation may lead to.
type entry struct {
	path, name string
	right      login.Right
}

// Sections returns the entries of the navigation that the person may see.
func (v *view) Sections() []section { return v.allowed(v.sectionName(), sections()...) }

// sections returns all entries of the navigation.
func sections() []entry {
	return []entry{{"/", "overview", login.SeeOverview}, {"/messages", "messages", login.SeeMessages},
		{"/quarantine", "quarantine", login.SeeQuarantine}, {RequestsPath, "requests", login.AnswerRequests},
		{PeoplePath, "people", login.SeePeople},
		{"/rules", "rules", login.SeeRules}, {"/audit", "audit", login.SeeAudit},
		{MinePath, "mine", login.SeeOwn}, {MinePath + "/lists", "mine-lists", login.SeeOwn},
		{MinePath + "/settings", "mine-settings", login.SeeOwn}}
}

// firstPage returns the address of the first page of the navigation that a person may see; that of its account
// for one who may see none.
func firstPage(p login.Person) string {
	for _, e := range sections() {
		if p.May(e.right) {
			return e.path
		}
	}
	return "/account"
}

// RulePages returns the pages about rules that the person may see.
func (v *view) RulePages() []section {
	return v.allowed(v.Name, entry{"/rules", "rules", login.SeeRules}, entry{"/rules/settings", "settings", login.SeeConfiguration},
		entry{"/rules/reloads", "reloads", login.SeeConfiguration}, entry{"/rules/rehearsal", "rehearsal", login.Rehearse},
		entry{TrialPath, "trial", login.TryConfigurations})
}

// allowed returns those entries that the person may see, and marks the one named here.
func (v *view) allowed(here string, entries ...entry) (all []section) {
	for _, e := range entries {
		if v.Person.May(e.right) {
			s := section{Path: e.path, Key: "title-" + e.name, Here: here == e.name}
			if e.path == RequestsPath {
				s.Count = v.asked
			}
			all = append(all, s)
		}
	}
	return all
}

// sectionName returns the section that the page belongs to.
func (v *view) sectionName() string {
	switch v.Name {
	case "message":
		return "messages"
	case "content", "bulk":
		return "quarantine"
	case "framed":
		return v.room()
	case "rehearsal", "reloads", "settings", "trial":
		return "rules"
	}
	return v.Name
}

// The addresses of pages of other rooms: those of recipients, that with what they ask for, and that with who they are.
const (
	MinePath     = "/mine"
	RequestsPath = "/requests"
	PeoplePath   = "/people"
)

// room returns the section that a page of another room belongs to, by its address.
func (v *view) room() string {
	path, _, _ := strings.Cut(v.Here, "?")
	switch {
	case strings.HasPrefix(path, MinePath+"/lists"):
		return "mine-lists"
	case strings.HasPrefix(path, MinePath+"/settings"):
		return "mine-settings"
	case path == RequestsPath || strings.HasPrefix(path, RequestsPath+"/"):
		return "requests"
	case path == PeoplePath || strings.HasPrefix(path, PeoplePath+"/"):
		return "people"
	case path == MinePath || strings.HasPrefix(path, MinePath+"/"):
		return "mine"
	}
	return v.Name
}

// Zone returns the zone of all times.
func (v *view) Zone() string { return time.Now().Format("MST, -07:00") }

// Code returns the code of the page's language.
func (v *view) Code() string { return v.locale.code }

// Languages returns the codes of all languages.
func (v *view) Languages() []string { return wording.Languages() }

// write fills the layout. What cannot be filled is a fault of ours, and no browser gets
// half a page.
func (v *view) write(w http.ResponseWriter, status int) error {
	var page bytes.Buffer
	if err := v.templates[v.Name].ExecuteTemplate(&page, "layout.html", v); err != nil {
		v.log.Error("page cannot be made", zap.String("page", v.Name), zap.Error(err))
		http.Error(w, v.texts.Of("problem-fault"), http.StatusInternalServerError)
		return nil
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", v.locale.code)
	w.WriteHeader(status)
	w.Write(page.Bytes())
	return nil
}

// notices are what a page can say was done, by the parameter "done" of its address. Nothing
// else of an address is ever shown as a text of ours.
var notices = map[string]bool{"released": true, "forwarded": true, "deleted": true, "handled": true, "reopened": true, "cleaned": true,
	"sender-allowed": true, "sender-blocked": true, "let-through": true, "learned-spam": true, "learned-ham": true}

func notice(r *http.Request) string {
	if key := r.URL.Query().Get("done"); notices[key] {
		return "done-" + key
	}
	return ""
}

// escapedPath returns the path and the query of an address.
func escapedPath(u *url.URL) string { return u.RequestURI() }

// styleURL returns the address of the stylesheet as it is now.
func styleURL() string {
	sum := sha256.Sum256(stylesheet)
	return "/style/" + hex.EncodeToString(sum[:6]) + ".css"
}

// style serves the stylesheet, which is no secret and does not change.
func (c *Console) style(w http.ResponseWriter, _ *http.Request, _ login.Person) error {
	return c.static(w, "text/css; charset=utf-8", stylesheet)
}

// icon serves the icon of the pages.
func (c *Console) icon(w http.ResponseWriter, _ *http.Request, _ login.Person) error {
	return c.static(w, "image/svg+xml", icon)
}

func (c *Console) static(w http.ResponseWriter, mediaType string, content []byte) error {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Cache-Control", "public, max-age=86400")
	w.Write(content)
	return nil
}

// note writes an error to the log that is a fault of ours or of a part.
func (c *Console) note(r *http.Request, err error) {
	if StatusOf(err) >= http.StatusInternalServerError {
		c.Log.Warn("page not answered as asked", zap.String("path", r.URL.Path), zap.Error(err))
	}
}
