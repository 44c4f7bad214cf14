package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/tests/sample"
)

// listing is a configuration with lists of its own.
func listing(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	file := writeConfig(t, dir)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, fmt.Sprintf("\n[people]\nfile = %q\n[console]\nfile = %q\n[[rule]]\nname = \"spam\"\nwhen = [\"score >= 3\"]\naction = \"reject\"\n",
		filepath.Join(dir, "people.db"), filepath.Join(dir, "console.db"))...)
	text = append(text, "[[content.list]]\nname = \"pills\"\nwords = [\"pills\"]\nscore = 4.0\n"...)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestListCommands makes, shows, writes out, reads in and removes entries.
func TestListCommands(t *testing.T) {
	file := listing(t)
	soon := time.Now().Add(30 * 24 * time.Hour).Format("2006-01-02")
	for _, c := range []struct {
		words       string
		status      int
		out, errout string // what it says, and what it says on standard error
	}{
		{"show", cli.ExitOK, "", ""},
		{"add block --for host @spam.example 192.0.2.0/24 --note x", cli.ExitOK, "host block 192.0.2.0/24 (", ""},
		{"add allow --for Bob@Example.com Ann@Example.net --expires 30d", cli.ExitOK, "bob@example.com allow ann@example.net until " + soon, "this is weak"},
		{"add allow --for bob@example.com shop.example --authenticated", cli.ExitOK, "bob@example.com allow @shop.example authenticated (", ""},
		{"add allow --for bob@example.com 192.0.2.1", cli.ExitOK, "192.0.2.1/32", ""},
		{"show --for bob@example.com", cli.ExitOK, "bob@example.com allow @shop.example authenticated", ""},
		{"show --act block --like SPAM --json", cli.ExitOK, `"pattern":"@spam.example"`, ""},
		{"show --limit 2", cli.ExitOK, "allow", "there are more"},
		{"add allow --for bob@example.com boss*@example.com", cli.ExitUsage, "", "stands for nothing here"},
		{"add allow --for bob@example.com nonsense", cli.ExitUsage, "", "is no sender"},
		{"add drop --for bob@example.com x@example.net", cli.ExitUsage, "", `write "allow" or "block"`},
		{"add allow --for nonsense@ x@example.net", cli.ExitUsage, "", "is no address"},
		{"add allow x@example.net", cli.ExitUsage, "", "--for says"},
		{"add allow --for bob@example.com x@example.net --expires soon", cli.ExitUsage, "", "is no time"},
		{"add allow --for bob@example.com x@example.net --expires 2001-01-01", cli.ExitUsage, "", "expired already"},
		{"add allow --for bob@example.com bob@example.com", cli.ExitUsage, "", "owner's own"},
		{"remove --for bob@example.com @shop.example", cli.ExitFound, "", "is it one for authenticated senders?"},
		{"remove --for bob@example.com @shop.example --authenticated", cli.ExitOK, "", ""},
		{"remove --for bob@example.com", cli.ExitUsage, "", "--all for the whole list"},
		{"remove --for bob@example.com --all", cli.ExitOK, "2 entries removed", ""},
		{"export --for bob@example.com", cli.ExitOK, "owner,act,pattern", ""},
		{"export --format json", cli.ExitOK, `"owner":"host"`, ""},
		{"import nothing.txt", cli.ExitError, "", "no such file"},
		{"bogus", cli.ExitUsage, "", "usage"},
	} {
		args := append([]string{"list"}, strings.Fields(c.words)...)
		if c.words != "bogus" {
			args = append(args, "-c", file)
		}
		status, out, errs := call(t, args...)
		if status != c.status || !strings.Contains(out, c.out) || !strings.Contains(errs, c.errout) || c.errout == "" && errs != "" {
			t.Errorf("list %s: status %d\n%s%s", c.words, status, out, errs)
		}
	}
	_, audit, _ := call(t, "audit", "-c", file)
	for _, want := range []string{"list add", "host: block @spam.example", "list remove"} {
		if !strings.Contains(audit, want) {
			t.Errorf("the audit log lacks %q:\n%s", want, audit)
		}
	}
}

// TestListFiles writes lists out in both forms, and reads them in again as they were.
func TestListFiles(t *testing.T) {
	file := listing(t)
	run1 := func(in string, words ...string) (int, string, string) {
		var out, errs bytes.Buffer
		status := run(t.Context(), append(append([]string{"list"}, words...), "-c", file), strings.NewReader(in), &out, &errs)
		return status, out.String(), errs.String()
	}
	plain := "# who annoys\n\nann@example.net # a note\n  @spam.example\n192.0.2.0/24\n[2001:db8::1]\nbücher.example\n"
	if status, out, errs := run1(plain, "import", "--for", "host", "--act", "block", "-"); status != cli.ExitOK || out != "5 entries made\n" {
		t.Fatalf("%d, %s%s", status, out, errs)
	}
	if status, _, errs := run1("", "add", "allow", "--for", "bob@example.com", "--authenticated", "--expires", "30d", "--note", `"a, b" #c`, "x@shop.example"); status != cli.ExitOK {
		t.Fatal(errs)
	}
	for _, format := range []string{"csv", "json"} {
		_, before, _ := run1("", "export", "--format", format)
		for _, owner := range []string{"host", "bob@example.com"} {
			if status, _, errs := run1("", "remove", "--for", owner, "--all"); status != cli.ExitOK {
				t.Fatal(errs)
			}
		}
		in := before
		if format == "json" { // in the reverse order, as an array, on several lines
			in = "[\n" + strings.ReplaceAll(strings.TrimSpace(before), "\n", ",\n") + "\n]\n"
			in = strings.NewReplacer(`"id":`, `"id": `).Replace(in)
		}
		if status, out, errs := run1(in, "import", "-"); status != cli.ExitOK || out != "6 entries made\n" {
			t.Fatalf("%s: %d, %s%s", format, status, out, errs)
		}
		if _, after, _ := run1("", "export", "--format", "csv"); sorted(after) != sorted(first(t, format, before, run1)) {
			t.Errorf("%s:\n%s\nbecomes\n%s", format, before, after)
		}
	}
	for name, c := range map[string]struct{ in, args, want string }{
		"a bad line":       {"a@example.net\nboss*@example.net\n", "--for host --act block", "-:2: "},
		"no owner":         {"a@example.net\n", "--act block", "-:1: \"\" is no owner"},
		"no act":           {"a@example.net\n", "--for host", "-:1: \"\" is nothing a list does"},
		"bad CSV":          {"owner,act,pattern\nhost,block,a@example.net\nhost,drop,b@example.net\n", "", "-:3: act: "},
		"a broken quote":   {"owner,act,pattern\nhost,block,\"a@example.net\nhost,block,b@example.net\n", "", "-:"},
		"a strange column": {"owner,act,pattern,colour\nhost,block,a@example.net,red\n", "", `there is no column "colour"`},
		"bad JSON":         {"{\"owner\":\"host\",\"act\":\"block\",\"pattern\":\"a@example.net\"}\n{\"owner\":\"host\",\n", "", "-:"},
		"a strange key":    {"{\"owner\":\"host\",\"act\":\"block\",\"pattern\":\"a@example.net\",\"colour\":\"red\"}\n", "", "colour"},
		"a bad entry":      {"[{\"owner\":\"host\",\"act\":\"block\",\"pattern\":\"a@example.net\"},\n{\"owner\":\"host\",\"act\":\"block\",\"pattern\":\"*\"}]", "", "-:2: "},
		"a bad time":       {"owner,act,pattern,expires\nhost,block,a@example.net,soon\n", "", "-:2: expires: "},
		"expired":          {"owner,act,pattern,expires\nhost,block,a@example.net,2001-01-01\n", "", "-:2: the entry would have expired"},
	} {
		_, before, _ := run1("", "export")
		status, out, errs := run1(c.in, append(append([]string{"import"}, strings.Fields(c.args)...), "-")...)
		if status != cli.ExitUsage || out != "" || !strings.Contains(errs, c.want) {
			t.Errorf("%s: status %d, %s%s", name, status, out, errs)
		}
		if _, after, _ := run1("", "export"); after != before {
			t.Errorf("%s: something was made all the same", name)
		}
	}
}

// first returns the CSV of what was exported in a format.
func first(t *testing.T, format, text string, list func(string, ...string) (int, string, string)) string {
	t.Helper()
	if format == "csv" {
		return text
	}
	_, now, _ := list("", "export", "--format", "json")
	strip := func(s string) string {
		var lines []string
		for line := range strings.Lines(s) {
			_, rest, _ := strings.Cut(line, `"owner"`) // behind the number
			lines = append(lines, rest)
		}
		return sorted(strings.Join(lines, ""))
	}
	if strip(now) != strip(text) {
		t.Errorf("JSON:\n%s\nbecomes\n%s", text, now)
	}
	_, csv, _ := list("", "export", "--format", "csv")
	return csv
}

// sorted returns the lines of a text in their order.
func sorted(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestListsOfAMail has the filter judge mails by lists that were changed a moment ago.
func TestListsOfAMail(t *testing.T) {
	file := listing(t)
	spam := "From: Ann <ann@shop.example>\r\nSubject: cheap\r\n\r\nBuy pills now.\r\n"
	judge := func(mail string) (int, string) {
		var out, errs bytes.Buffer
		args := []string{"filter", "-c", file, "--from", "ann@news.example", "--to", "bob@example.com", "--client", "192.0.2.7"}
		return run(t.Context(), args, strings.NewReader(mail), &out, &errs), errs.String()
	}
	list := func(words string) {
		t.Helper()
		if status, out, errs := call(t, append(strings.Fields("list "+words), "-c", file)...); status != cli.ExitOK {
			t.Fatalf("%s: %d, %s%s", words, status, out, errs)
		}
	}
	if status, errs := judge(spam); status != cli.ExitRefused {
		t.Fatalf("spam: %d, %s", status, errs)
	}
	list("add allow --for bob@example.com ann@news.example")
	if status, errs := judge(spam); status != cli.ExitOK {
		t.Errorf("spam of an allowed sender: %d, %s", status, errs)
	}
	if status, errs := judge(string(sample.Attached("x", sample.EicarFile()))); status != cli.ExitRefused {
		t.Errorf("a virus of an allowed sender: %d, %s", status, errs)
	}
	_, history, _ := call(t, "history", "-c", file, "--limit", "2")
	ids := strings.Fields(history)
	if _, out, _ := call(t, "explain", strings.Fields(strings.Split(strings.TrimSpace(history), "\n")[1])[0], "-c", file); !strings.Contains(out, "allowed by an entry of bob@example.com: ann@news.example") {
		t.Errorf("explain %s does not say by which entry:\n%s", ids[0], out)
	}
	list("add block --for host @shop.example")
	if status, errs := judge(spam); status != cli.ExitRefused || !strings.Contains(errs, "The recipient does not accept mail from this sender") {
		t.Errorf("a blocked author: %d, %s", status, errs)
	}
	list("remove --for host @shop.example")
	list("add block --for example.com 192.0.2.0/24")
	if status, errs := judge("Subject: x\r\n\r\nx\r\n"); status != cli.ExitRefused {
		t.Errorf("a blocked network: %d, %s", status, errs)
	}
}
