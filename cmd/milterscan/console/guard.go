package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
)

// policyOfPages lets a page load our stylesheet and pictures, frame and post to
// ourselves, and nothing else.
const policyOfPages = "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// secure writes the fields that every answer has. A handler may make the policy
// stricter.
func secure(h http.Header, r *http.Request) {
	h.Set("Content-Security-Policy", policyOfPages)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	if h.Get("Referrer-Policy") != noReferrer { // which is stricter
		h.Set("Referrer-Policy", "same-origin")
	}
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Cache-Control", "no-store")
	if r.TLS != nil {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// serve answers a request by a route: who asks, whether it comes from a page of ours, whether
// the person may, and then the handler, until the deadline.
func (c *Console) serve(s Surface, route Route, w http.ResponseWriter, r *http.Request) {
	within := route.Within
	if within == 0 {
		within = pageTime
	}
	ctx, cancel := context.WithTimeout(r.Context(), within)
	defer cancel()
	r = r.WithContext(ctx)
	var p login.Person
	defer c.recover(s, w, r, &p)
	if err := c.answer(s, route, w, r, &p); err != nil {
		s.Fail(w, r, p, err)
	}
}

// answer has the handler of a route answer, when there is a place for one more.
func (c *Console) answer(s Surface, route Route, w http.ResponseWriter, r *http.Request, p *login.Person) (err error) {
	select {
	case c.places <- struct{}{}:
		defer func() { <-c.places }()
	case <-r.Context().Done():
		return ErrBusy
	}
	if *p, err = c.admit(s, route, w, r); err != nil {
		return err
	}
	return route.Handle(w, r, *p)
}

// admit returns the person who asks, or the reason not to answer.
func (c *Console) admit(s Surface, route Route, w http.ResponseWriter, r *http.Request) (login.Person, error) {
	body := route.Body
	if body == 0 {
		body = formBody
	}
	r.Body = http.MaxBytesReader(w, r.Body, body)
	if err := c.forge.Check(r); err != nil && !(route.Bearer && nameless(r)) {
		return login.Person{}, fmt.Errorf("%w: %w", ErrForged, err)
	}
	p, err := ask(r.Context(), c.asks, PartPeople, func(context.Context) (login.Person, error) { return s.Who(r) })
	switch {
	case !p.Away.IsZero() && !route.Apart:
		return p, ErrAway
	case route.Open:
		return p, nil
	case err != nil:
		return login.Person{}, err
	case route.Right != "" && !p.May(route.Right):
		return p, ErrForbidden
	}
	return p, nil
}

// noReferrer has browsers tell no site the address of a page.
const noReferrer = "no-referrer"

// nameless reports whether a form came without saying from where: an old browser sends one so from a page
// whose address it is to tell no site. Of an address that is the proof itself no other site knows.
func nameless(r *http.Request) bool {
	return r.Header.Get("Origin") == "null" && r.Header.Get("Sec-Fetch-Site") == ""
}

// recover answers where a handler panics. What it was is for the log.
func (c *Console) recover(s Surface, w http.ResponseWriter, r *http.Request, p *login.Person) {
	fault := recover()
	if fault == nil {
		return
	}
	if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(fault)
	}
	c.Log.Error("panic", zap.Any("reason", fault), zap.String("path", r.URL.Path), zap.ByteString("stack", debug.Stack()))
	s.Fail(w, r, *p, ErrFault)
}
