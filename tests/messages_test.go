package tests

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// logged are the texts of all messages in the sources below some directories, with
// their levels: "warn: all connections are in use; more must wait".
func logged(t *testing.T, dirs ...string) (all []string) {
	t.Helper()
	inspect(t, dirs, func(_ string, n ast.Node) {
		if text, ok := message(n); ok && !slices.Contains(all, text) {
			all = append(all, text)
		}
	})
	return all
}

// inspect calls look with every node of the sources below some directories, and with the file
// it is in. Tests are no sources.
func inspect(t *testing.T, dirs []string, look func(path string, n ast.Node)) {
	t.Helper()
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				look(path, n)
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// written matches the beginning of a line that is written without a logger.
var written = regexp.MustCompile(`^\{"level":"(\w+)","msg":"([^"]+)"`)

// message is the text of a call such as d.log.Warn("text", …), or of a line that is
// written as JSON.
func message(n ast.Node) (string, bool) {
	if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
		s, _ := strconv.Unquote(text.Value)
		if m := written.FindStringSubmatch(s); m != nil {
			return m[1] + ": " + m[2], true
		}
	}
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) == 0 {
		return "", false
	}
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !slices.Contains([]string{"Debug", "Info", "Warn", "Error"}, f.Sel.Name) || !isLog(f.X) {
		return "", false
	}
	text, ok := call.Args[0].(*ast.BasicLit)
	if !ok {
		return "", false
	}
	s, err := strconv.Unquote(text.Value)
	return strings.ToLower(f.Sel.Name) + ": " + s, err == nil
}

// isLog reports whether an expression is called a log: log, d.log.
func isLog(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return strings.HasSuffix(strings.ToLower(e.Name), "log")
	case *ast.SelectorExpr:
		return strings.HasSuffix(strings.ToLower(e.Sel.Name), "log")
	}
	return false
}

// TestMessages: docs/messages.md has every message of the log with its level, and
// none that is not logged any more.
func TestMessages(t *testing.T) {
	page, err := os.ReadFile("../docs/messages.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for line := range strings.Lines(string(page)) {
		if f := strings.Split(line, " | "); len(f) == 3 && strings.HasPrefix(f[1], "`") {
			listed = append(listed, strings.TrimPrefix(f[0], "| ")+": "+strings.Trim(f[1], "`"))
		}
	}
	have := logged(t, "../cmd", "../milter", "../policy", "../scan")
	if len(have) < 30 {
		t.Fatalf("only %d messages were found in the sources", len(have))
	}
	for _, m := range have {
		if !slices.Contains(listed, m) {
			t.Errorf("docs/messages.md does not have %q", m)
		}
	}
	for _, m := range listed {
		// Those about missing helpers are variables: pipeline.Absent.
		if !slices.Contains(have, m) && !strings.Contains(m, " is not installed: ") {
			t.Errorf("docs/messages.md has %q, which is not logged", m)
		}
	}
}
