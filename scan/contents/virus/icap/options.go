package icap

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// Options are the answer of a service to OPTIONS (RFC 3507, section 4.10).
type Options struct {
	Service  string // its name and version; may be empty
	ISTag    string // changes whenever its verdicts might (section 4.7)
	Preview  int    // bytes it wants to see first; -1 for no preview
	Allow204 bool   // it says "unmodified" without repeating the content
	Method   string // RESPMOD, or REQMOD if it knows no other
}

const (
	// mostPreview is the largest preview we send.
	mostPreview = 64 << 10
	// optionsAge is how long options count if the service does not say, and at most.
	optionsAge = time.Hour
)

// Options asks the service what it can do.
func (c *Client) Options(ctx context.Context) (Options, error) {
	var o Options
	ttl := optionsAge
	err := c.with(ctx, func(conn *conn) error {
		a, err := conn.options(c.line("OPTIONS") + "Encapsulated: null-body=0\r\n\r\n")
		if err != nil {
			return err
		}
		o, ttl = a.options(), a.ttl()
		return nil
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.options, c.until = o, time.Now().Add(ttl)
	if err != nil {
		c.until = time.Time{}
	}
	return o, err
}

// known returns the options as they were told of late.
func (c *Client) known(ctx context.Context) (Options, error) {
	c.mu.Lock()
	o, fresh := c.options, time.Now().Before(c.until)
	c.mu.Unlock()
	if fresh {
		return o, nil
	}
	return c.Options(ctx)
}

// forget makes the next question ask for the options first.
func (c *Client) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until = time.Time{}
}

// options reads the answer to OPTIONS.
func (a answer) options() Options {
	o := Options{Service: a.header.Get("Service"), ISTag: strings.Trim(a.header.Get("ISTag"), `"`), Preview: -1, Method: "RESPMOD"}
	if n, err := strconv.Atoi(a.header.Get("Preview")); err == nil && n >= 0 {
		o.Preview = min(n, mostPreview)
	}
	for _, v := range a.header.Values("Allow") {
		o.Allow204 = o.Allow204 || strings.Contains(v, "204")
	}
	methods := strings.Join(a.header.Values("Methods"), ",")
	if strings.Contains(methods, "REQMOD") && !strings.Contains(methods, "RESPMOD") {
		o.Method = "REQMOD"
	}
	return o
}

// ttl returns how long the options count.
func (a answer) ttl() time.Duration {
	n, err := strconv.ParseInt(a.header.Get("Options-TTL"), 10, 32)
	if err != nil || n < 0 {
		return optionsAge
	}
	return min(time.Duration(n)*time.Second, optionsAge)
}
