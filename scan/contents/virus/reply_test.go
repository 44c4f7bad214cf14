package virus

import (
	"errors"
	"strings"
	"testing"
)

func TestParseReply(t *testing.T) {
	for line, want := range map[string]reply{
		"1: fd[10]: OK": {id: 1},
		"2: stream: OK": {id: 2},
		"12: stream: Eicar-Test.UNOFFICIAL FOUND": {id: 12, signature: "Eicar-Test.UNOFFICIAL"},
		"3: stream: A: B FOUND":                   {id: 3, signature: "A: B"},
		"4: INSTREAM size limit exceeded. ERROR":  {id: 4, err: ErrTooBig},
		"5: fd[10]: Can't allocate memory ERROR":  {id: 5, err: ErrDaemon},
		"6: Command read timed out. ERROR":        {id: 6, err: ErrDaemon},
	} {
		got, err := parseReply(line)
		if err != nil || got.id != want.id || got.signature != want.signature || !errors.Is(got.err, want.err) {
			t.Errorf("%q: %+v, error %v; want %+v", line, got, err, want)
		}
	}
	for _, line := range []string{"", ":", "1", "1:", "1: ", "1: OK", "1: stream OK", "x: stream: OK", "1: stream: FOUND",
		"1: stream: OK\n", "1: stream:OK", "1: stream: OK OK", " 1: stream: OK", "OK", "stream: OK", "1: stream: X FOUND "} {
		if got, err := parseReply(line); !errors.Is(err, ErrGarbage) {
			t.Errorf("%q: %+v, error %v; want garbage", line, got, err)
		}
	}
}

// FuzzParseReply: a line says "clean" only if it ends exactly so.
func FuzzParseReply(f *testing.F) {
	f.Add("1: stream: OK")
	f.Add("1: stream: X FOUND")
	f.Add("1: x ERROR")
	f.Fuzz(func(t *testing.T, line string) {
		r, err := parseReply(line)
		if err == nil && r.err == nil && r.signature == "" && !strings.HasSuffix(line, ": OK") {
			t.Errorf("%q is clean", line)
		}
	})
}

func FuzzSanitised(f *testing.F) {
	f.Add("Win.Test/a b\xff")
	f.Fuzz(func(t *testing.T, s string) {
		got := sanitised(s)
		if got == "" || len(got) > longestSignature || strings.ContainsFunc(got, unfit) || strings.Contains(got, "/") {
			t.Errorf("%q becomes %q", s, got)
		}
	})
}
