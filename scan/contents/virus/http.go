package virus

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scratch"
)

// ErrNoJob says that a server does not know a job: it has forgotten what was submitted to it.
var ErrNoJob = errors.New("it knows nothing of the job")

// ErrPending says that a server has not come to a verdict in time, and works on: it can be asked again.
var ErrPending = errors.New("there is no verdict yet")

// idWord is what the id of a job is put in place of.
const idWord = "{id}"

// service is a server that is asked over HTTP: contents are submitted, and verdicts asked for until they
// are there. What has none in time is remembered by its hash: the next message that holds it asks on.
type service struct {
	submit string
	HTTP
	client   *http.Client
	verdicts *verdicts
}

// httpEngine returns an engine whose servers are asked over HTTP.
func httpEngine(c Config) (*Engine, error) {
	roots, err := certificates(c.CAFile)
	if err != nil {
		return nil, err
	}
	c.HTTP.setDefaults()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	transport.MaxResponseHeaderBytes = 64 << 10
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // a token and mail go nowhere else
	}}
	var servers []Server
	for _, a := range c.Address {
		servers = append(servers, &service{submit: a, HTTP: c.HTTP, client: client, verdicts: newVerdicts(c.Remember.Go())})
	}
	e := NewEngine(c, servers...)
	e.hash = sha256Of // which goes with each content
	return e, nil
}

// String returns the address to which contents go.
func (s *service) String() string { return s.submit }

// Ask submits one content, and waits for the verdict.
func (s *service) Ask(ctx context.Context, c scan.Content) (string, error) {
	q := &Question{Content: c}
	err := s.AskAll(ctx, []*Question{q})
	if err == nil && q.pending {
		err = ErrPending
	}
	return q.signature, err
}

// spare is how much of the time for a message is left when questions without a verdict are given up, so that it can
// be said that they have none.
const spare = 500 * time.Millisecond

// AskAll submits all contents that are not known yet, and asks for verdicts until all are there or time
// is over.
func (s *service) AskAll(ctx context.Context, open []*Question) error {
	jobs, err := s.begin(ctx, open)
	if err != nil {
		return err
	}
	return s.wait(ctx, jobs)
}

// begin submits all contents that are not known yet, and returns the jobs of those without a verdict.
func (s *service) begin(ctx context.Context, open []*Question) (map[*Question]string, error) {
	jobs := map[*Question]string{}
	for _, q := range open {
		if q.sum == (sum{}) {
			if err := q.digest(ctx); err != nil {
				return nil, err
			}
		}
		a, known := s.verdicts.of(q.sum)
		if !known {
			var err error
			a, err = s.send(ctx, q)
			if errors.Is(err, ErrTooBig) {
				q.TooBig()
				continue
			}
			if err != nil {
				return nil, err
			}
			s.verdicts.keep(q.sum, a)
		}
		if !q.settle(a) {
			jobs[q] = a.job
		}
	}
	return jobs, nil
}

// settle answers a question, and reports whether there was a verdict.
func (q *Question) settle(a answer) bool {
	switch {
	case !a.settled:
		return false
	case a.name != "":
		q.Infected(a.name)
	default:
		q.Clean()
	}
	return true
}

// wait asks for the verdicts on jobs until all are there. Those that have none when time is nearly over are
// pending.
func (s *service) wait(ctx context.Context, jobs map[*Question]string) error {
	every := time.NewTicker(s.PollEvery.Go())
	defer every.Stop()
	for len(jobs) > 0 {
		if end, ok := ctx.Deadline(); ok && time.Until(end) < spare+s.PollEvery.Go() {
			for q, job := range jobs {
				q.Pending(job)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-every.C:
		}
		for q, job := range jobs {
			a, err := s.get(ctx, job)
			if err != nil {
				s.verdicts.forget(q.sum) // it is submitted again
				return err
			}
			if q.settle(a) {
				s.verdicts.keep(q.sum, a)
				delete(jobs, q)
			}
		}
	}
	return nil
}

// send submits a content.
func (s *service) send(ctx context.Context, q *Question) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.submit, scratch.Reader(readable{q.Content}))
	if err != nil {
		return answer{}, err
	}
	r.ContentLength = q.Content.Size()
	r.Header.Set("Content-Type", "application/octet-stream")
	r.Header.Set("X-Content-SHA256", hex.EncodeToString(q.sum[:]))
	a, err := s.do(r, http.StatusOK, http.StatusCreated, http.StatusAccepted)
	if err == nil && !a.settled && (a.job == "" || s.Poll == "") {
		err = fmt.Errorf("%w: it has no verdict, and no job to ask for", errAnswer)
	}
	return a, err
}

// get asks for the verdict on a job.
func (s *service) get(ctx context.Context, job string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.Replace(s.Poll, idWord, url.PathEscape(job), 1), nil)
	if err != nil {
		return answer{}, err
	}
	return s.do(r, http.StatusOK, http.StatusAccepted)
}

// do sends a request, and reads the answer, which has one of some statuses.
func (s *service) do(r *http.Request, statuses ...int) (answer, error) {
	if s.Token != nil {
		token, err := s.Token()
		if err != nil {
			return answer{}, fmt.Errorf("token_file: %w", err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := s.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, mostAnswer+1))
	switch {
	case response.StatusCode == http.StatusRequestEntityTooLarge && r.Method == http.MethodPost:
		return answer{}, ErrTooBig
	case r.Method == http.MethodGet && (response.StatusCode == http.StatusNotFound || response.StatusCode == http.StatusGone):
		return answer{}, fmt.Errorf("%w: it answers %s", ErrNoJob, response.Status)
	case !slices.Contains(statuses, response.StatusCode):
		return answer{}, fmt.Errorf("it answers %s: %.200q", response.Status, text[:min(len(text), 200)])
	case err != nil:
		return answer{}, err
	case len(text) > mostAnswer:
		return answer{}, fmt.Errorf("%w: it is longer than %d bytes", errAnswer, mostAnswer)
	}
	return s.read(text)
}
