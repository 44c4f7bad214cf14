package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-message"
)

// verdict is a mail of tests/verdicts and what is right about it.
type verdict struct {
	File, Profile, Config string
	Source, Right         string // where the fault was seen, and why this is right
	Expect                expectation
}

// expectation is what is right. Patterns of rules may end in "*".
type expectation struct {
	Action      oneOrMany
	MustFind    []string `json:"must_find"`
	MustFindAny []string `json:"must_find_any"`
	MustNotFind []string `json:"must_not_find"`
	Complete    *bool
	Edits       []string
	Untouched   bool     `json:"clean_untouched"` // filter hands the mail on byte for byte
	OutputHas   []string `json:"output_has"`
	OutputLacks []string `json:"output_lacks"`
}

// oneOrMany is a string or a list of strings in JSON.
type oneOrMany []string

// UnmarshalJSON implements json.Unmarshaler.
func (o *oneOrMany) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*o = oneOrMany{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(o))
}

// report is what scan --json says, as far as it is compared.
type report struct {
	Action   string
	Complete bool
	Findings []struct{ Rule string }
	Edits    []struct{ Kind string }
}

// found reports whether a finding matches the pattern.
func (r report) found(pattern string) bool {
	prefix, wild := strings.CutSuffix(pattern, "*")
	return slices.ContainsFunc(r.Findings, func(f struct{ Rule string }) bool {
		return f.Rule == pattern || wild && strings.HasPrefix(f.Rule, prefix)
	})
}

// built compiles the program: under the race detector a test's own binary cannot be
// the child that reads archives, whose memory is limited.
func built(t testing.TB) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "milterscan")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return binary
}

// TestVerdicts judges mails that filters, this one among them, were once wrong
// about.
func TestVerdicts(t *testing.T) {
	binary := built(t)
	lists, err := filepath.Glob("../../tests/verdicts/*/expect.json")
	if err != nil || len(lists) == 0 {
		t.Fatal(lists, err)
	}
	for _, list := range lists {
		data, err := os.ReadFile(list)
		if err != nil {
			t.Fatal(err)
		}
		var all []verdict
		if err := json.Unmarshal(data, &all); err != nil {
			t.Fatal(list, err)
		}
		for _, v := range all {
			t.Run(v.File, func(t *testing.T) { v.hold(t, binary, filepath.Dir(list)) })
		}
	}
}

// hold judges the mail and compares.
func (v verdict) hold(t *testing.T, binary, dir string) {
	conf := filepath.Join(t.TempDir(), "milterscan.toml")
	if err := os.WriteFile(conf, []byte("profile = \""+v.Profile+"\"\n"+v.Config), 0o600); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, v.File))
	if err != nil {
		t.Fatal(err)
	}
	var out, messages bytes.Buffer
	called := func(in io.Reader, args ...string) {
		out.Reset()
		c := exec.CommandContext(t.Context(), binary, args...)
		c.Stdin, c.Stdout, c.Stderr = in, &out, &messages
		c.Run() // its status is part of the verdict
	}
	called(nil, "scan", "-c", conf, "--json", filepath.Join(dir, v.File))
	var r report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatalf("%v: %s%s", err, out.String(), messages.String())
	}
	v.Expect.compare(t, r)
	if e := v.Expect; e.Untouched || len(e.OutputHas)+len(e.OutputLacks) > 0 {
		called(bytes.NewReader(raw), "filter", "-c", conf)
		e.compareOutput(t, raw, out.Bytes())
	}
	if t.Failed() {
		t.Logf("right: %s (%s)", v.Right, v.Source)
	}
}

func (e expectation) compare(t *testing.T, r report) {
	t.Helper()
	if !slices.Contains(e.Action, r.Action) {
		t.Errorf("action %s, want %v", r.Action, e.Action)
	}
	for _, rule := range e.MustFind {
		if !r.found(rule) {
			t.Errorf("%s is missing in %v", rule, r.Findings)
		}
	}
	if len(e.MustFindAny) > 0 && !slices.ContainsFunc(e.MustFindAny, r.found) {
		t.Errorf("none of %v in %v", e.MustFindAny, r.Findings)
	}
	for _, rule := range e.MustNotFind {
		if r.found(rule) {
			t.Errorf("%s was found: %v", rule, r.Findings)
		}
	}
	if e.Complete != nil && r.Complete != *e.Complete {
		t.Errorf("complete is %v", r.Complete)
	}
	for _, kind := range e.Edits {
		if !slices.ContainsFunc(r.Edits, func(d struct{ Kind string }) bool { return d.Kind == kind }) {
			t.Errorf("no edit %s in %v", kind, r.Edits)
		}
	}
}

func (e expectation) compareOutput(t *testing.T, in, out []byte) {
	t.Helper()
	if e.Untouched && !bytes.Equal(in, out) {
		t.Error("the mail was changed")
	}
	text := textsOf(t, out)
	for _, s := range e.OutputHas {
		if !strings.Contains(text, s) {
			t.Errorf("the output lacks %q", s)
		}
	}
	for _, s := range e.OutputLacks {
		if strings.Contains(text, s) {
			t.Errorf("the output has %q", s)
		}
	}
}

// textsOf joins the decoded texts of a mail.
func textsOf(t *testing.T, mail []byte) string {
	t.Helper()
	if len(mail) == 0 {
		return ""
	}
	e, err := message.Read(bytes.NewReader(mail))
	if message.IsUnknownCharset(err) {
		err = nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	err = e.Walk(func(_ []int, part *message.Entity, err error) error {
		kind, _, _ := part.Header.ContentType()
		if err != nil && !message.IsUnknownCharset(err) || !strings.HasPrefix(kind, "text/") {
			return nil
		}
		_, err = io.Copy(&all, part.Body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}
