package doctor

import (
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/keep/bucket"
)

// TestBucketFindings: each fact that endangers messages is told, and no other.
func TestBucketFindings(t *testing.T) {
	const day = 24 * time.Hour
	good := bucket.Facts{Conditional: true, Checked: true}
	with := func(change func(*bucket.Facts)) bucket.Facts { f := good; change(&f); return f }
	for name, test := range map[string]struct {
		facts bucket.Facts
		keep  time.Duration
		want  []Level
	}{
		"good":                  {good, 30 * day, []Level{OK}},
		"writes over":           {with(func(f *bucket.Facts) { f.Conditional = false }), day, []Level{Advice}},
		"checks nothing":        {with(func(f *bucket.Facts) { f.Checked = false }), day, []Level{Advice}},
		"neither":               {bucket.Facts{}, day, []Level{Advice, Advice}},
		"versions":              {with(func(f *bucket.Facts) { f.Versioned = true }), day, []Level{Advice}},
		"versions that go":      {with(func(f *bucket.Facts) { f.Versioned, f.Forgets = true, true }), day, []Level{OK}},
		"a rule that is later":  {with(func(f *bucket.Facts) { f.Expires = 31 }), 30 * day, []Level{OK}},
		"a rule that is sooner": {with(func(f *bucket.Facts) { f.Expires = 30 }), 30 * day, []Level{Fault}},
		"a rule with a date":    {with(func(f *bucket.Facts) { f.Ends = time.Now() }), 30 * day, []Level{Fault}},
		"a rule, and for ever":  {with(func(f *bucket.Facts) { f.Expires = 3650 }), 0, []Level{Fault}},
		"a clock that is late":  {with(func(f *bucket.Facts) { f.Drift = -time.Hour }), day, []Level{Fault}},
		"a clock that is right": {with(func(f *bucket.Facts) { f.Drift = time.Second }), day, []Level{OK}},
	} {
		found := bucketFindings("s3.example.com/mail", test.facts, test.keep)
		if len(found) != len(test.want) {
			t.Errorf("%s: %+v", name, found)
			continue
		}
		for i, f := range found {
			if f.Level != test.want[i] {
				t.Errorf("%s: %+v; want %v", name, f, test.want[i])
			}
		}
	}
}
