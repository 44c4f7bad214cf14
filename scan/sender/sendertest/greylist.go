package sendertest

import (
	"fmt"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan/sender/greylist"
)

// Greylists are one empty greylist, as each host has it.
type Greylists struct {
	Clock
	Hosts []greylist.Store
}

// terms of all tries.
var terms = greylist.Terms{Delay: 5 * time.Minute, Window: 2 * time.Hour, Keep: 100 * time.Hour, AutoAllow: 3}

// key returns a key that no other word has.
func key(word string) (k greylist.Key) {
	copy(k[:], word)
	return k
}

// try has a client try at a host.
func (g Greylists) try(t *testing.T, host int, client, pair string) (greylist.Standing, error) {
	t.Helper()
	a, err := g.Hosts[host%len(g.Hosts)].Try(t.Context(), greylist.Try{Client: key("c" + client),
		Pair: key("p" + client + pair), Pass: key("l" + pair), Now: g.Now(), Terms: terms})
	return a.Standing, err
}

// Greylist tests a store of each that open returns.
func Greylist(t *testing.T, open func(t *testing.T) Greylists) {
	t.Run("stories", func(t *testing.T) { stories(t, open(t)) })
	t.Run("pass", func(t *testing.T) { passes(t, open(t)) })
	t.Run("clients that come back", func(t *testing.T) { clients(t, open(t)) })
	t.Run("many at once", func(t *testing.T) { greylistRace(t, open(t)) })
}

// stories tells each story of a client, one step at each host in turn.
func stories(t *testing.T, g Greylists) {
	type step struct {
		later time.Duration
		want  greylist.Standing
	}
	for i, story := range [][]step{
		{{0, greylist.First}, {time.Minute, greylist.Early}, {3 * time.Minute, greylist.Early}, {time.Minute, greylist.Back}, {0, greylist.Known},
			{99 * time.Hour, greylist.Known}, {99 * time.Hour, greylist.Known}},
		{{0, greylist.First}, {2*time.Hour + time.Minute, greylist.First}, {5 * time.Minute, greylist.Back}},
		{{0, greylist.First}, {6 * time.Minute, greylist.Back}, {101 * time.Hour, greylist.First}},
		{{0, greylist.First}, {-time.Hour, greylist.First}, {6 * time.Minute, greylist.Back}},
	} {
		for n, s := range story {
			g.Later(s.later)
			if got, err := g.try(t, n, fmt.Sprint("s", i), "x"); got != s.want || err != nil {
				t.Errorf("story %d, step %d: %v, %v; want %v", i, n+1, got, err, s.want)
			}
		}
	}
}

// passes has a person let a sender through: whatever client comes is known from then on.
func passes(t *testing.T, g Greylists) {
	want := func(client, pair string, standing greylist.Standing) {
		t.Helper()
		if got, err := g.try(t, 1, client, pair); got != standing || err != nil {
			t.Errorf("%s, %s: %v, %v; want %v", client, pair, got, err, standing)
		}
	}
	want("a", "x", greylist.First)
	until, err := g.Hosts[0].Pass(t.Context(), key("lx"), g.Now(), time.Hour)
	if left := until.Sub(g.Now()); err != nil || left < 59*time.Minute || left > 61*time.Minute {
		t.Errorf("it ends at %v, %v", until, err)
	}
	want("a", "x", greylist.Known)
	want("b", "x", greylist.Known)
	want("a", "y", greylist.First)
	g.Later(2 * time.Hour)
	want("b", "x", greylist.Known)
	want("c", "x", greylist.First)
}

// clients that have come back often enough, to whatever host, are known; long after they are not.
func clients(t *testing.T, g Greylists) {
	for i := range terms.AutoAllow {
		for _, want := range []greylist.Standing{greylist.First, greylist.Back} {
			if got, err := g.try(t, i, "c", fmt.Sprint(i)); got != want || err != nil {
				t.Fatalf("recipient %d: %v, %v; want %v", i, got, err, want)
			}
			g.Later(6 * time.Minute)
		}
	}
	for _, step := range []struct {
		later  time.Duration
		client string
		want   greylist.Standing
	}{{0, "c", greylist.Known}, {0, "d", greylist.First}, {90 * time.Hour, "c", greylist.Known},
		{90 * time.Hour, "c", greylist.Known}, {101 * time.Hour, "c", greylist.First}} {
		g.Later(step.later)
		if got, err := g.try(t, 1, step.client, "new"); got != step.want || err != nil {
			t.Errorf("%v later, %s: %v, %v; want %v", step.later, step.client, got, err, step.want)
		}
		g.Later(3 * time.Hour) // the pair is forgotten
	}
}

// greylistRace has hosts get the same mail at once: one finds it new, one finds it back, and the client is counted once.
func greylistRace(t *testing.T, g Greylists) {
	for round := range terms.AutoAllow {
		pair := fmt.Sprint("r", round)
		once := func(first, rest greylist.Standing) {
			t.Helper()
			got := race(t, func(i int) (greylist.Standing, error) { return g.try(t, i, "r", pair) })
			if got[first] != 1 || got[rest] != racers-1 {
				t.Errorf("round %d: %v; want one of %v", round, got, first)
			}
		}
		once(greylist.First, greylist.Early)
		g.Later(6 * time.Minute)
		once(greylist.Back, greylist.Known)
		if got, err := g.try(t, 0, "r", fmt.Sprint("other", round)); (got == greylist.Known) != (round == terms.AutoAllow-1) || err != nil {
			t.Errorf("after %d times: %v, %v", round+1, got, err)
		}
	}
}
