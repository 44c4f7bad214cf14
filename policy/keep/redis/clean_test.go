package redis

import (
	"errors"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/breaker"
	"github.com/milterscan/milterscan/scan/contents/virus/virustest"
)

// patiently returns the verdicts of a host that waits longer for an answer than mail does: machines that test are slow at times.
func patiently(s *State, key string) *Clean {
	s.clean.haste = 10 * time.Second
	return s.Clean([]byte(key))
}

// TestClean holds verdicts to what all promise.
func TestClean(t *testing.T) {
	virustest.Clean(t, func(t *testing.T) virustest.Hosts {
		m := miniredis.RunT(t)
		host := func(key string) *Clean {
			return patiently(hostOf(t, Options{Server: Server{URL: "redis://" + m.Addr()}, Prefix: "milterscan:"}), key)
		}
		return virustest.Hosts{One: host("key"), Other: host("key"), Stranger: host("another"),
			Later: m.FastForward, Forge: func() {
				for _, k := range m.Keys() {
					v, _ := m.Get(k)
					m.Set(k, v[:len(v)-1]+string([]byte{v[len(v)-1] ^ 1}))
				}
			}}
	})
}

// TestCleanValues: only what was signed with the same key, for the same content, within a minute, is trusted; what nobody of us
// has signed is counted.
func TestCleanValues(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	c, other := New(Options{}).Clean([]byte("key")), New(Options{}).Clean([]byte("another"))
	k := scan.Sum{1}
	good := c.sign(k, now)
	for name, test := range map[string]struct {
		value string
		want  Outcome
	}{
		"good":                {good, known},
		"of a minute ago":     {c.sign(k, now.Add(-cleanTime)), known},
		"too old":             {c.sign(k, now.Add(-cleanTime-time.Second)), unknown},
		"of a host far ahead": {c.sign(k, now.Add(10*time.Minute)), unknown},
		"nothing":             {"", unknown},
		"of another key":      {other.sign(k, now), foreign},
		"of another content":  {c.sign(scan.Sum{2}, now), foreign},
		"another time":        {c.sign(k, now.Add(-time.Second))[:stamped] + good[stamped:], foreign},
		"cut short":           {good[:stamped+4], foreign},
		"too short":           {"1", foreign},
		"longer":              {good + "0", foreign},
		"a word":              {"clean and harmless, believe me", foreign},
	} {
		if got := c.read(k, test.value, now); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// TestCleanInNoTime: no mail waits longer than the time for an answer for a server that says nothing, few wait for that, and what
// nobody could know is counted.
func TestCleanInNoTime(t *testing.T) {
	s := hostOf(t, Options{Server: Server{URL: "redis://" + silent(t)}, Prefix: "m:", Patience: time.Second})
	c := s.Clean([]byte("key"))
	waited, begun := 0, time.Now()
	for range 100 {
		ahead := s.clean.calls.MayTry(time.Now())
		if got := c.Recall(t.Context(), []scan.Sum{{1}}); len(got) != 1 || got[0] {
			t.Fatal(got)
		}
		if ahead {
			waited++
		}
	}
	if n := s.Outcomes()["missed"]; n != 100 || waited != unlucky+1 && time.Since(begun) < breaker.Rest {
		t.Errorf("%d were missed, and %d waited", n, waited)
	}
}

// TestWhichKey: hosts with different keys are told so, and it is no fault of the server.
func TestWhichKey(t *testing.T) {
	m := miniredis.RunT(t)
	host := func(key string) *Clean {
		return hostOf(t, Options{Server: Server{URL: "redis://" + m.Addr()}, Prefix: "m:"}).Clean([]byte(key))
	}
	one, same, other := host("key"), host("key"), host("another")
	for name, step := range map[string]error{"nobody has said": other.Agrees(t.Context()), "the first": one.Announce(t.Context()),
		"the same": errors.Join(same.Agrees(t.Context()), same.Announce(t.Context()))} {
		if step != nil {
			t.Errorf("%s: %v", name, step)
		}
	}
	for range 3 {
		if err := errors.Join(other.Announce(t.Context())); !errors.Is(err, ErrOtherKey) {
			t.Error(err)
		}
	}
	if err := errors.Join(one.Agrees(t.Context()), other.state.Look(t.Context())); err != nil {
		t.Error(err)
	}
	m.FastForward(whichTime + time.Second)
	if err := other.Announce(t.Context()); err != nil {
		t.Errorf("when the others have gone: %v", err)
	}
}
