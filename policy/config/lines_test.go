package config

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

func TestKeyLines(t *testing.T) {
	text := `a = 1 # b = 2
"c d".e = """
f = 3
"""" # four quotes: the first is text
[x.y] # [z]
g = [ 1,
  "[h]", # ]
  { i = 1, j.k = '''
''' } ]
[[m]]
n = 'o # p'
[m.q]
r = 2024-01-01T00:00:00Z
[[m]]
n = -1.5e3
[[m.s]]
t = true
`
	want := map[string]int{
		"a": 1, `"c d"`: 2, `"c d".e`: 2, "x": 5, "x.y": 5, "x.y.g": 6, "x.y.g[0]": 6, "x.y.g[1]": 7, "x.y.g[2]": 8,
		"x.y.g[2].i": 8, "x.y.g[2].j": 8, "x.y.g[2].j.k": 8, "m": 10, "m[0]": 10, "m[0].n": 11, "m[0].q": 12, "m[0].q.r": 13,
		"m[1]": 14, "m[1].n": 15, "m[1].s": 16, "m[1].s[0]": 16, "m[1].s[0].t": 17,
	}
	if got := keyLines(text); !reflect.DeepEqual(got, want) {
		t.Errorf("lines %v, want %v", got, want)
	}
}

// paths lists the paths of a decoded file that are no tables.
func paths(path string, value any, add func(string)) {
	if table, ok := value.(map[string]any); ok {
		for k, v := range table {
			paths(join(path, k), v, add)
		}
		return
	}
	if items, ok := elements(value); ok {
		for i, v := range items {
			paths(fmt.Sprintf("%s[%d]", path, i), v, add)
		}
		return
	}
	add(path)
}

// FuzzKeyLines: whatever file the TOML library accepts, every value in it has a
// line, and the line exists. Any other text must only come to an end.
func FuzzKeyLines(f *testing.F) {
	f.Add(example)
	f.Add("a = \"\"\"x\"\"\"\"\"\n[[b]]\nc.'d' = [[1,[2]],{e=1}]")
	f.Add("[a]\r\nb='''\r\n'''\r\n[[a.c]]")
	f.Fuzz(func(t *testing.T, text string) {
		lines := keyLines(text)
		var table map[string]any
		if _, err := toml.Decode(text, &table); err != nil || strings.Contains(text, `\`) {
			return // an escape in a key is compared as written
		}
		last := 1 + strings.Count(text, "\n")
		paths("", table, func(path string) {
			if n := lines[path]; n < 1 || n > last {
				t.Errorf("%q stands on line %d of %d", path, n, last)
			}
		})
	})
}

// FuzzLoad: no text whatever makes the reader panic, and every problem it finds
// has a line.
func FuzzLoad(f *testing.F) {
	f.Add(example)
	f.Add(uncommentedSeed)
	f.Fuzz(func(t *testing.T, text string) {
		var table map[string]any
		if _, err := toml.Decode(text, &table); err != nil || strings.Contains(text, "file:") {
			return
		}
		c := Default()
		b := &binder{file: "f", lines: keyLines(text), origins: c.origins}
		b.bindTable("", table, reflect.ValueOf(c).Elem())
		b.rules(c.Rules, 0)
		b.check(c)
		if len(b.problems) == 0 {
			if _, err := c.Policy(); err != nil {
				t.Errorf("nothing is wrong, and yet: %v", err)
			}
		}
		for _, p := range b.problems {
			if p.Key == "" || p.What == "" {
				t.Errorf("a problem without a name: %v", p)
			}
		}
	})
}

const uncommentedSeed = `profile = "hosting"
[[rule]]
name = "a"
direction = ["inbound"]
client = ["192.0.2.0/24"]
from = ["@partner.example"]
when = ["attachment/name", "score >= 5"]
action = "reject"
reply = "550 5.7.1 No."
else = { action = "quarantine" }
headers = { X-M = "{rule}" }
`

func TestNearest(t *testing.T) {
	words := []string{"listen", "socket_mode", "socket_owner", "progress"}
	for s, want := range map[string]string{"lisen": "listen", "lsiten": "listen", "Listen": "listen", "socketmode": "socket_mode", "timeout": "", "x": ""} {
		if got := Nearest(s, words); got != want {
			t.Errorf("nearest to %q is %q, want %q", s, got, want)
		}
	}
}
