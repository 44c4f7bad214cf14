package api

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
)

// described is what docs/openapi.yaml says of an operation.
type described struct {
	params []string
	text   string
}

var (
	pathLine   = regexp.MustCompile(`^  (/\S+):$`)
	methodLine = regexp.MustCompile(`^    (get|put|post|delete|patch|head|options):$`)
	paramLine  = regexp.MustCompile(`^        - \$ref: "#/components/parameters/(\w+)"$`)
	topLine    = regexp.MustCompile(`^\w`)
	reference  = regexp.MustCompile(`#/components/(\w+)/(\w+)`)
)

// operations reads the operations of the page, by method and path. It is written in one
// form, which this reads line by line.
func operations(t *testing.T) (map[string]*described, string) {
	t.Helper()
	text, err := os.ReadFile("../../../../docs/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*described{}
	var path string
	var current *described
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		if m := pathLine.FindStringSubmatch(line); m != nil {
			path, current = m[1], nil
		} else if m := methodLine.FindStringSubmatch(line); m != nil && path != "" {
			current = &described{}
			all[strings.ToUpper(m[1])+" "+path] = current
		} else if topLine.MatchString(line) {
			path, current = "", nil
		}
		if current == nil {
			continue
		}
		current.text += line + "\n"
		if m := paramLine.FindStringSubmatch(line); m != nil {
			current.params = append(current.params, m[1])
		}
	}
	return all, string(text)
}

// TestOpenAPI holds docs/openapi.yaml to the list of routes: each is there with its
// parameters and its right, and nothing else is.
func TestOpenAPI(t *testing.T) {
	all, page := operations(t)
	a := &api{Console: &console.Console{}}
	for _, e := range a.list() {
		name := e.method + " " + e.pattern
		op := all[name]
		if op == nil {
			t.Errorf("%s is not described", name)
			continue
		}
		delete(all, name)
		want := slices.Clone(e.params)
		for _, name := range []string{"id", "name", "token", "address"} {
			if strings.Contains(e.pattern, "{"+name+"}") {
				want = append(want, name)
			}
		}
		slices.Sort(want)
		slices.Sort(op.params)
		if !slices.Equal(op.params, want) {
			t.Errorf("%s: described with %v, takes %v", name, op.params, want)
		}
		if !strings.Contains(op.text, `Needs the right "`+string(e.right)+`".`) {
			t.Errorf("%s: it is not said that it needs the right %q", name, e.right)
		}
		if !strings.Contains(op.text, "operationId: ") || !strings.Contains(op.text, `default: {$ref: "#/components/responses/Problem"}`) || !strings.Contains(op.text, `        "20`) {
			t.Errorf("%s: no id, no answer or no problem", name)
		}
	}
	for name := range all {
		t.Errorf("%s is described and not there", name)
	}
	for _, m := range reference.FindAllStringSubmatch(page, -1) {
		if !regexp.MustCompile(`(?m)^    ` + m[2] + `:`).MatchString(page) {
			t.Errorf("%s is referred to and not there", m[0])
		}
	}
	if !strings.HasPrefix(page, "openapi: 3.1.") || strings.Contains(page, "\t") {
		t.Error("it is no page of OpenAPI 3.1")
	}
}
