package tests

import (
	"go/ast"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// smtpCode is a literal that is an enhanced status code (RFC 3463), or a whole reply.
var smtpCode = regexp.MustCompile(`^([245]\d\d )?[245]\.[0-7]\.\d{1,3}($| )`)

// TestRepliesAreInOneRoom: only policy/reply.go knows the codes of SMTP. What people
// may write into a rule is shown in the configuration.
func TestRepliesAreInOneRoom(t *testing.T) {
	here := 0
	inspect(t, []string{"../cmd", "../milter", "../policy", "../scan"}, func(path string, n ast.Node) {
		literal, ok := n.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return
		}
		text, err := strconv.Unquote(literal.Value)
		switch {
		case err != nil || !smtpCode.MatchString(text):
		case filepath.ToSlash(path) == "../policy/reply.go":
			here++
		default:
			t.Errorf("%s: %q; policy/reply.go is the place for replies", path, text)
		}
	})
	if here < 10 {
		t.Errorf("only %d codes were found in policy/reply.go: is the test blind?", here)
	}
}
