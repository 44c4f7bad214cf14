package peopletest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/people"
)

var asking = people.Request{Kind: people.ReleaseRequest, Message: "06h08cfwgrgbyv96", Address: "bob@mail.example.com",
	Who: "bob", Text: "it is the invoice", Time: time.Unix(1_800_000_000, 0).UTC()}

func requests(t *testing.T, p pair) {
	s := p.here
	id, err := s.Ask(t.Context(), asking)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Ask(t.Context(), asking); !errors.Is(err, people.ErrAsked) {
		t.Errorf("asked twice: %v", err)
	}
	other := asking
	other.Address, other.Kind = "ann@example.org", people.AppealRequest
	second, err := s.Ask(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		f    people.RequestFilter
		want []int64
	}{
		"all":                      {people.RequestFilter{}, []int64{second, id}},
		"one":                      {people.RequestFilter{ID: id}, []int64{id}},
		"a kind":                   {people.RequestFilter{Kind: people.AppealRequest}, []int64{second}},
		"a message":                {people.RequestFilter{Message: "06h08cfwgrgbyv96", Limit: 1}, []int64{second}},
		"the next":                 {people.RequestFilter{Below: second}, []int64{id}},
		"another message":          {people.RequestFilter{Message: "x"}, nil},
		"addresses":                {people.RequestFilter{Addresses: []string{"x@example.com", "ann@example.org"}}, []int64{second}},
		"no addresses":             {people.RequestFilter{Addresses: []string{}}, nil},
		"a domain":                 {people.RequestFilter{Domains: []string{"example.org"}}, []int64{second}},
		"subdomains":               {people.RequestFilter{Domains: []string{".example.com"}}, []int64{id}},
		"the domain of subdomains": {people.RequestFilter{Domains: []string{"example.com"}}, nil},
		"a domain's end":           {people.RequestFilter{Domains: []string{"ple.org", ".org.example"}}, nil},
		"no domains":               {people.RequestFilter{Domains: []string{}}, nil},
		"granted ones":             {people.RequestFilter{State: people.RequestGranted}, nil},
	} {
		list, err := s.Requests(t.Context(), c.f)
		var got []int64
		for _, r := range list {
			got = append(got, r.ID)
		}
		if err != nil || fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, c.want)
		}
	}
	list, _ := s.Requests(t.Context(), people.RequestFilter{ID: id})
	want := asking
	want.ID, want.State = id, people.RequestOpen
	if list[0] != want {
		t.Errorf("%+v", list[0])
	}
	if n, err := s.ForgetRequests(t.Context(), asking.Time); n != 0 || err != nil {
		t.Errorf("%d forgotten too early: %v", n, err)
	}
	if n, err := s.ForgetRequests(t.Context(), asking.Time.Add(time.Second)); n != 2 || err != nil {
		t.Errorf("%d forgotten: %v", n, err)
	}
}

// oneAnswer: of many who answer, one does.
func oneAnswer(t *testing.T, p pair) {
	s := p.here
	id, err := s.Ask(t.Context(), asking)
	if err != nil {
		t.Fatal(err)
	}
	var done atomic.Int32
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			err := s.Answer(t.Context(), id, []people.RequestState{people.RequestGranted, people.RequestRefused}[i%2],
				fmt.Sprint("desk", i), "so be it")
			switch {
			case err == nil:
				done.Add(1)
			case !errors.Is(err, people.ErrAnswered):
				t.Error(err)
			}
		})
	}
	all.Wait()
	list, err := s.Requests(t.Context(), people.RequestFilter{ID: id})
	if done.Load() != 1 || err != nil || list[0].State == people.RequestOpen || list[0].By == "" ||
		list[0].Answer != "so be it" || list[0].Answered.IsZero() {
		t.Errorf("%d answers, %+v, %v", done.Load(), list, err)
	}
	if err := s.Answer(t.Context(), id+1, people.RequestGranted, "desk", ""); !errors.Is(err, people.ErrUnknown) {
		t.Errorf("one that is not there: %v", err)
	}
}

// appealLimits: by client, by sender, by recipient and all together, in a day.
func appealLimits(t *testing.T, p pair) {
	now := time.Unix(1_800_000_000, 0)
	limits := people.AppealLimits{Client: 3, Sender: 2, Recipient: 4, All: 8}
	s := p.here
	n := 0
	ask := func(client, sender string, at time.Time, to ...string) error {
		n++
		return s.Appeal(t.Context(), people.Appeal{Message: fmt.Sprint("m", n), Client: client, Sender: sender,
			Recipients: to, Text: "x", Time: at}, limits)
	}
	for i, c := range []struct {
		client, sender string
		after          time.Duration
		to             string
		want           error
	}{
		{"c1", "s1", 0, "a@example.com", nil},
		{"c1", "s1", 0, "A@Example.com", nil},
		{"c1", "s1", 0, "b@example.com", people.ErrLimit}, // of the sender
		{"c1", "s2", 0, "a@example.com", nil},
		{"c1", "s3", 0, "b@example.com", people.ErrLimit}, // of the client
		{"c2", "s2", 0, "a@example.com", nil},
		{"c3", "s3", 0, "a@EXAMPLE.com", people.ErrLimit}, // of the recipient
		{"c3", "s3", 0, "b@example.com", nil},
		{"c3", "s4", 0, "c@example.com", nil},
		{"c4", "s5", 0, "d@example.com", nil},
		{"c5", "s6", 0, "e@example.com", nil},
		{"c6", "s7", 0, "f@example.com", people.ErrLimit}, // of all
		{"c6", "s7", 23 * time.Hour, "f@example.com", people.ErrLimit},
		{"c1", "s1", 25 * time.Hour, "a@example.com", nil},
	} {
		if err := ask(c.client, c.sender, now.Add(c.after), c.to); !errors.Is(err, c.want) ||
			(err == nil) != (c.want == nil) {
			t.Errorf("%d: %v, want %v", i, err, c.want)
		}
	}
}

// appealsOfSeveral asks those who are not asked too often, and each once.
func appealsOfSeveral(t *testing.T, p pair) {
	s := p.here
	limits := people.AppealLimits{Client: 9, Sender: 9, Recipient: 1, All: 9}
	one := people.Appeal{Message: "m1", Sender: "s@example.net", Client: "c", Recipients: []string{"a@example.com"},
		Text: "please", Time: time.Now()}
	if err := s.Appeal(t.Context(), one, limits); err != nil {
		t.Fatal(err)
	}
	if err := s.Appeal(t.Context(), one, limits); !errors.Is(err, people.ErrAsked) {
		t.Errorf("twice: %v", err)
	}
	two := one
	two.Message, two.Recipients = "m2", []string{"a@example.com", "<b@example.com>", "B@example.com", "no address"}
	if err := s.Appeal(t.Context(), two, limits); err != nil {
		t.Fatal(err)
	}
	list, err := s.Requests(t.Context(), people.RequestFilter{Message: "m2"})
	if err != nil || len(list) != 2 || list[1].Address != "b@example.com" || list[0].Address != "no address" ||
		list[1].Who != "s@example.net" || list[1].Text != "please" {
		t.Errorf("%+v, %v", list, err)
	}
	for message, want := range map[string]bool{"m1": true, "m2": true, "m3": false} {
		if got, err := s.Appealed(t.Context(), message); got != want || err != nil {
			t.Errorf("%s: %v, %v", message, got, err)
		}
	}
}

// appealsAtOnce: of many for one message one is taken, and limits hold for many messages.
func appealsAtOnce(t *testing.T, p pair) {
	s := p.here
	limits := people.AppealLimits{Client: 5, Sender: 100, Recipient: 100, All: 100}
	var taken, more atomic.Int32
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			a := people.Appeal{Message: "same", Sender: "s@example.net", Client: "c1",
				Recipients: []string{"a@example.com"}, Time: time.Now()}
			if s.Appeal(t.Context(), a, limits) == nil {
				taken.Add(1)
			}
			a.Message, a.Client = fmt.Sprint(i), "c2"
			if s.Appeal(t.Context(), a, limits) == nil {
				more.Add(1)
			}
		})
	}
	all.Wait()
	if taken.Load() != 1 || more.Load() != 5 {
		t.Errorf("%d of one, %d of many", taken.Load(), more.Load())
	}
}
