package edit

import (
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan/format/entity"
)

func header(t *testing.T, text string) entity.Header {
	t.Helper()
	p := entity.NewParser(entity.DefaultLimits())
	p.Write([]byte(text + "\r\n"))
	return p.Close().Root.Header
}

// What claims to be ours goes, whatever stands around our name; what others say
// stays.
func TestForgedResultsGo(t *testing.T) {
	h := header(t, "Authentication-Results: other.example; spf=fail\r\n"+
		"authentication-results: MX.example.com; dmarc=pass\r\n"+
		"Authentication-Results: (a (comment) \\) with; signs)\r\n mx.example.com 1; dmarc=pass\r\n"+
		"Authentication-Results: \"mx.example.com\";dmarc=pass\r\n"+
		"Authentication-Results: mx.example.com.evil.example; dmarc=pass\r\n"+
		"Authentication-Results: mx.example.com\r\n"+
		"Authentication-Results:\r\n"+
		"X-Score: 0\r\n")
	var gone []int
	for _, c := range Fields(h, []policy.HeaderField{{Name: "Authentication-Results", Value: "mx.example.com; spf=pass"}, {Name: "X-Score", Value: "5"}}) {
		switch {
		case c.Op == policy.Delete && c.Name == "X-Score":
			gone = append(gone, -c.Index)
		case c.Op == policy.Delete:
			gone = append(gone, c.Index)
		}
	}
	if want := []int{2, 3, 4, 6, -1}; len(gone) != len(want) || gone[0] != 2 || gone[1] != 3 || gone[2] != 4 || gone[3] != 6 || gone[4] != -1 {
		t.Errorf("%v go, want %v", gone, want)
	}
}

func TestLongFieldsAreFolded(t *testing.T) {
	value := "mx.example.com; spf=pass smtp.mailfrom=joe@example.org; dkim=pass header.d=example.org " + strings.Repeat("x", 100) + "; dmarc=pass"
	got := folded("Authentication-Results", value)
	for i, line := range strings.Split("Authentication-Results: "+got, "\r\n") {
		if len(line) > 78 && !strings.Contains(line, "xxx") || i > 0 && line[0] != ' ' {
			t.Errorf("line %d is %q", i, line)
		}
	}
	if strings.ReplaceAll(got, "\r\n", "") != value {
		t.Errorf("the text is %q", got)
	}
	if short := folded("X", "a b"); short != "a b" {
		t.Errorf("%q", short)
	}
}
