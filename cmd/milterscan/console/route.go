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
	Open    bool          // nobody need have logged in
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

// ours returns the pages.
func (c *Console) ours() Surface {
	return Surface{Who: c.People.Who, Fail: c.fail, Routes: []Route{
		{Method: "GET", Pattern: "/{$}", Handle: c.overview},
		{Method: "GET", Pattern: stylePath, Open: true, Handle: c.style},
		{Method: "GET", Pattern: iconPath, Open: true, Handle: c.icon},
	}}
}
