package tests

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// smtpCode is a literal that is an enhanced status code (RFC 3463), or a whole reply.
var smtpCode = regexp.MustCompile(`^([245]\d\d )?[245]\.[0-7]\.\d{1,3}($| )`)

// TestRepliesAreInOneRoom: only policy/reply.go knows the codes of SMTP. What people
// may write into a rule is shown in the configuration.
func TestRepliesAreInOneRoom(t *testing.T) {
	here := 0
	for _, dir := range []string{"../cmd", "../milter", "../policy", "../scan"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				literal, ok := n.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					return true
				}
				text, err := strconv.Unquote(literal.Value)
				switch {
				case err != nil || !smtpCode.MatchString(text):
				case filepath.ToSlash(path) == "../policy/reply.go":
					here++
				default:
					t.Errorf("%s: %q; policy/reply.go is the place for replies", path, text)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if here < 10 {
		t.Errorf("only %d codes were found in policy/reply.go: is the test blind?", here)
	}
}
