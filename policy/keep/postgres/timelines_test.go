package postgres

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestTimelines: of the servers of one cluster those are old whose timeline is not the latest, whatever others have.
func TestTimelines(t *testing.T) {
	var all Timelines
	for _, step := range []struct {
		system   string
		timeline uint32
		old      bool
	}{
		{"a", 1, false}, {"a", 1, false}, {"b", 7, false}, {"a", 3, false}, {"a", 2, true}, {"b", 7, false}, {"a", 3, false},
		{"", 1, false}, {"a", 0, false}, {"b", 6, true}, {"c", 1, false},
	} {
		if err := all.See(Standing{System: step.system, Timeline: step.timeline}); errors.Is(err, ErrOld) != step.old {
			t.Errorf("%+v: %v", step, err)
		}
	}
	text, err := json.Marshal(&all)
	if err != nil || string(text) != `{"a":3,"b":7,"c":1}` {
		t.Fatalf("%s, %v", text, err)
	}
	var later Timelines
	later.See(Standing{System: "a", Timeline: 4})
	if err := json.Unmarshal(text, &later); err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(&later); err != nil || string(got) != `{"a":4,"b":7,"c":1}` {
		t.Errorf("with what was remembered: %s, %v", got, err)
	}
	for text, good := range map[string]bool{`{}`: true, `null`: true, `{"a":1}`: true, `{"a":-1}`: false, `{"a":"x"}`: false, `[]`: false} {
		var one Timelines
		if err := json.Unmarshal([]byte(text), &one); (err == nil) != good || one.See(Standing{System: "b", Timeline: 1}) != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestServers: each server of a URL is asked by itself, once, with encryption and without where the URL has it try both.
func TestServers(t *testing.T) {
	for url, want := range map[string]map[string]int{
		"postgres://m@a,b:5433/mail?sslmode=disable": {"a:5432": 0, "b:5433": 0}, "postgres://m@a/mail?sslmode=disable": {"a:5432": 0},
		"postgres://m@a,b/mail?sslmode=prefer": {"a:5432": 1, "b:5432": 1}, "postgres://m@a,a/mail?sslmode=disable": {"a:5432": 1},
	} {
		c, err := pgx.ParseConfig(url)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for _, one := range servers(c) {
			got[placeOf(one.Host, one.Port)] = len(one.Fallbacks)
			for _, f := range one.Fallbacks {
				if f.Host != one.Host || f.Port != one.Port {
					t.Errorf("%s: %s would be asked for %s", url, f.Host, one.Host)
				}
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: %v; want %v", url, got, want)
		}
		for place, n := range want {
			if got[place] != n {
				t.Errorf("%s: %v; want %v", url, got, want)
			}
		}
	}
}
