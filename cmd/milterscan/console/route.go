package console

import (
	"net/http"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
)

// Handler answers a request of a person. It returns an error instead of an answer
// where there is none to give.
type Handler func(w http.ResponseWriter, r *http.Request, p login.Person) error

// Route is one thing that can be asked of the console.
type Route struct {
	Method  string
	Pattern string        // of http.ServeMux, without the method
	Right   login.Right   // that a person must have; "" for any who has logged in
	Open    bool          // no person need have logged in
	Bearer  bool          // the address itself proves who may ask
	Apart   bool          // it needs no database that hosts share, and changes nothing
	Body    int64         // bytes that a request may bring; 0 for those of a form
	Within  time.Duration // for the answer; 0 for that of a page
	Handle  Handler
}

// Surface is a group of routes that know a person, and tell of an error, in the same
// way.
type Surface struct {
	Who    func(r *http.Request) (login.Person, error)
	Fail   func(w http.ResponseWriter, r *http.Request, p login.Person, err error)
	Routes []Route
}

// The times of answers.
const (
	pageTime = 3 * time.Second // which a store that hangs cannot make longer
	actTime  = 90 * time.Second
	formBody = 64 << 10
)

// lookTime is for what opens a message: taking one apart may take longer than a page.
const lookTime = 30 * time.Second

// ours returns the pages.
func (c *Console) ours() Surface {
	routes := []Route{
		{Method: "GET", Pattern: "/{$}", Apart: true, Handle: c.overview},
		{Method: "GET", Pattern: "/messages", Right: login.SeeMessages, Handle: c.messages},
		{Method: "GET", Pattern: "/messages/{id}", Right: login.SeeMessages, Handle: c.message},
		{Method: "POST", Pattern: "/messages/{id}/sender", Right: login.AllowSenders, Handle: c.listSender},
		{Method: "GET", Pattern: "/quarantine", Right: login.SeeQuarantine, Handle: c.quarantined},
		{Method: "GET", Pattern: "/quarantine/{id}/content", Right: login.SeeQuarantine, Within: lookTime, Handle: c.content},
		{Method: "GET", Pattern: "/quarantine/{id}/page/{part}", Right: login.SeeContent, Within: lookTime, Handle: c.frame},
		{Method: "GET", Pattern: "/quarantine/{id}/file/{part}", Right: login.DownloadParts, Within: actTime, Handle: c.download},
		{Method: "GET", Pattern: "/picture/{id}/{part}/{until}/{mark}", Open: true, Within: lookTime, Handle: c.picture},
		{Method: "POST", Pattern: "/quarantine", Right: login.SeeQuarantine, Within: bulkTime, Handle: c.bulk},
		{Method: "GET", Pattern: "/rules", Right: login.SeeRules, Apart: true, Handle: c.rules},
		{Method: "GET", Pattern: "/rules/settings", Right: login.SeeConfiguration, Apart: true, Handle: c.settings},
		{Method: "GET", Pattern: "/rules/reloads", Right: login.SeeConfiguration, Apart: true, Handle: c.reloads},
		{Method: "GET", Pattern: "/rules/rehearsal", Right: login.Rehearse, Handle: c.rehearsal},
		{Method: "POST", Pattern: "/rules/rehearsal", Right: login.Rehearse, Body: mostUpload, Within: actTime, Handle: c.rehearse},
		{Method: "GET", Pattern: TrialPath, Right: login.TryConfigurations, Handle: c.trial},
		{Method: "POST", Pattern: TrialPath, Right: login.TryConfigurations, Body: mostDraftForm, Within: actTime,
			Handle: c.beginTrial},
		{Method: "POST", Pattern: TrialPath + "/cancel", Right: login.TryConfigurations, Handle: c.cancelTrial},
		{Method: "GET", Pattern: "/audit", Right: login.SeeAudit, Handle: c.audit},
		{Method: "POST", Pattern: "/language", Handle: c.language},
		{Method: "GET", Pattern: stylePath, Open: true, Apart: true, Handle: c.style},
		{Method: "GET", Pattern: iconPath, Open: true, Apart: true, Handle: c.icon},
	}
	for _, a := range acts() {
		routes = append(routes, Route{Method: "POST", Pattern: "/quarantine/{id}/" + a.name, Right: a.right, Within: actTime,
			Handle: c.acting(a)})
	}
	return Surface{Who: c.People.Who, Fail: c.fail, Routes: routes}
}
