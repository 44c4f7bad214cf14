package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/tests/sample"
)

// TestReplayTellsAll judges the corpus by hand under two configurations: what the replay lists must be
// the mails whose action differs, no more and no less.
func TestReplayTellsAll(t *testing.T) {
	binary, dir := built(t), t.TempDir()
	was, now := filepath.Join(dir, "was.toml"), filepath.Join(dir, "now.toml")
	put(t, was, "profile = \"default\"\n")
	put(t, now, "profile = \"strict\"\n[[rule]]\nname = \"programs pass\"\nwhen = [\"attachment/*\"]\naction = \"deliver\"\n")
	mails, _ := filepath.Glob("../../tests/corpus/*.eml")
	others, _ := filepath.Glob("../../tests/verdicts/*/*.eml")
	mails = append(mails, others...)
	if len(mails) < 300 {
		t.Fatal(len(mails))
	}
	want := differingByHand(t, binary, was, now, mails)
	got, sum := differing(t, execute(t, binary, append([]string{"replay", "--json", "-c", was, "--with", now}, mails...)...))
	if !maps.Equal(got, want) || len(want) < 20 || !strings.Contains(sum, fmt.Sprintf(`"mails":%d,"differing":`, len(mails))) {
		t.Errorf("%d mails differ, of %d that do\n%v\n%v\n%s", len(got), len(want), got, want, sum)
	}
}

// differingByHand judges each mail under two configurations, and returns those whose action differs.
func differingByHand(t testing.TB, binary, was, now string, mails []string) map[string]bool {
	t.Helper()
	actions := func(config string) map[string]string {
		all := map[string]string{}
		for line := range strings.Lines(execute(t, binary, append([]string{"scan", "--json", "-c", config}, mails...)...)) {
			var r struct{ File, Action string }
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
			all[r.File] = r.Action
		}
		return all
	}
	before, after := actions(was), actions(now)
	want := map[string]bool{}
	for _, m := range mails {
		if before[m] != after[m] {
			want[m] = true
		}
	}
	return want
}

// BenchmarkReplay replays 1,000 mails, of which a hundred are those of a mixed day and a hundred bring a program,
// under a changed rule, and holds what differs against judging each by hand. It measures the time and the memory of
// the whole program.
func BenchmarkReplay(b *testing.B) {
	binary, dir := built(b), b.TempDir()
	was, now := filepath.Join(dir, "was.toml"), filepath.Join(dir, "now.toml")
	put(b, was, "profile = \"default\"\n")
	put(b, now, "profile = \"default\"\n[[rule]]\nname = \"programs are kept\"\nwhen = [\"attachment/*\"]\naction = \"quarantine\"\n")
	var mails []string
	texts := append(sample.Small(800), sample.Mixed(100)...)
	for i := range 100 {
		texts = append(texts, sample.Attached(fmt.Sprint("program ", i), sample.Program("a.dat")))
	}
	for i, text := range texts {
		mails = append(mails, filepath.Join(dir, "mails", fmt.Sprintf("%04d.eml", i)))
		put(b, mails[i], string(text))
	}
	want := differingByHand(b, binary, was, now, mails)
	if len(mails) != 1000 || len(want) < 100 {
		b.Fatalf("%d of %d mails differ", len(want), len(mails))
	}
	for b.Loop() {
		cmd := exec.CommandContext(b.Context(), binary, "replay", "--json", "-c", was, "--with", now, filepath.Join(dir, "mails"))
		out, err := cmd.Output()
		if cmd.ProcessState.ExitCode() != cli.ExitFound {
			b.Fatalf("%v: %s", err, out)
		}
		if got, sum := differing(b, string(out)); !maps.Equal(got, want) || !strings.Contains(sum, `"mails":1000,`) {
			b.Fatalf("%v differ, of %v that do: %s", got, want, sum)
		}
		if used, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			b.ReportMetric(float64(used.Maxrss)/1024, "MB-resident")
		}
		b.ReportMetric((cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), "s-cpu")
	}
	b.ReportMetric(float64(len(want)), "differing")
}

// execute runs the binary and returns its standard output. It may find something.
func execute(t testing.TB, binary string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != cli.ExitFound) {
		t.Fatalf("%v: %s", err, errs.Bytes())
	}
	return string(out)
}

// differing returns the mails of which a replay says that the action differs, and the last line.
func differing(t testing.TB, out string) (mails map[string]bool, sum string) {
	t.Helper()
	mails = map[string]bool{}
	for line := range strings.Lines(out) {
		var v struct {
			Mail, Error string
			Differences []struct{ Was, Now struct{ Action string } }
		}
		if err := json.Unmarshal([]byte(line), &v); err != nil || v.Error != "" {
			t.Errorf("%v: %s", err, line)
		}
		for _, d := range v.Differences {
			mails[v.Mail] = mails[v.Mail] || d.Was.Action != d.Now.Action
		}
		if v.Mail == "" {
			sum = line
		}
	}
	maps.DeleteFunc(mails, func(_ string, differs bool) bool { return !differs })
	return mails, sum
}

func put(t testing.TB, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// keptMails keeps mails as a filter that wrote down what it found of their senders, and returns the
// configuration of its quarantine.
func keptMails(t *testing.T, n int, found ...policy.RecordFinding) (config, dir string) {
	t.Helper()
	root := t.TempDir()
	config, dir = writeConfig(t, root), filepath.Join(root, "quarantine")
	store := quarantine.NewDir(dir, lostIndex{}, func(error) {})
	for i := range n {
		mail := fmt.Sprintf("From: a@example.org\nTo: b@example.com\nSubject: number %d\n\nhello\n", i)
		r := policy.Record{
			Version: policy.RecordVersion, ID: fmt.Sprintf("06h0%012d", i), Time: fixedTime, Stage: "message", Sender: "a@example.org", Client: "192.0.2.7",
			Subject: fmt.Sprint("number ", i), Size: int64(len(mail)), Action: "quarantine", Rule: "ours", Complete: true, Findings: found,
			Recipients: []policy.RecordRecipient{{Recipient: "b@example.com", Action: "quarantine", Rule: "ours"}},
			Verdicts:   []policy.RecordVerdict{{Recipients: []string{"b@example.com"}, Action: "quarantine", Kept: true, Because: -1}},
		}
		if err := store.Keep(t.Context(), policy.Copy{Record: r, Raw: strings.NewReader(mail)}); err != nil {
			t.Fatal(err)
		}
	}
	return config, dir
}

// TestReplayOfKept compares kept mail with what became of it: rules see what was found about the
// sender then, though no resolver is there to be asked now, and the client that sent it.
func TestReplayOfKept(t *testing.T) {
	config, _ := keptMails(t, 3, policy.RecordFinding{Kind: 2, Scanner: "auth", Rule: "auth/dmarc-fail", Detail: "p=reject"})
	for name, c := range map[string]struct{ rules, want string }{
		"by what was found then": {"[[rule]]\nname = \"forged\"\nwhen = [\"auth/dmarc-fail\"]\naction = \"reject\"\n",
			`quarantine (rule "ours") -> reject (rule "forged"): 3 mails`},
		"by the client":   {"[[rule]]\nname = \"net\"\nclient = [\"192.0.2.0/24\"]\naction = \"hold\"\n", `quarantine (rule "ours") -> hold (rule "net"): 3 mails`},
		"without grounds": {"", `quarantine (rule "ours") -> deliver`},
	} {
		t.Run(name, func(t *testing.T) {
			text, _ := os.ReadFile(config)
			changed := filepath.Join(filepath.Dir(config), "changed.toml")
			put(t, changed, string(text)+c.rules)
			status, out, errs := call(t, "replay", "-c", changed)
			if status != cli.ExitFound || !strings.Contains(out, c.want) || !strings.Contains(out, "3 mails were judged") || errs != "" {
				t.Errorf("%d\n%s\n%s", status, out, errs)
			}
		})
	}
	// The same rules as another configuration: both are judged now, and all three differ again.
	status, out, _ := call(t, "replay", "-c", config, "--with", filepath.Join(filepath.Dir(config), "changed.toml"), "--since", "2020-01-01")
	if !strings.Contains(out, "3 mails were judged") {
		t.Errorf("%d\n%s", status, out)
	}
	if status, out, _ = call(t, "replay", "-c", config, "--since", "yesterday"); status != cli.ExitOK || !strings.Contains(out, "0 mails were judged") {
		t.Errorf("%d\n%s", status, out)
	}
}

// TestReplayGoesOn damages a kept mail in the middle, interrupts the replay, and goes on: each mail is
// counted once, and the damaged one is said and tried again.
func TestReplayGoesOn(t *testing.T) {
	config, dir := keptMails(t, 9)
	damaged := filepath.Join(dir, "06h0", "06h0000000000004.eml.gz")
	put(t, damaged, "no gzip")
	journal := filepath.Join(t.TempDir(), "journal")
	args := []string{"replay", "-c", config, "--resume", journal}
	ctx, cancel := context.WithCancel(t.Context())
	var out bytes.Buffer
	status := run(ctx, append(args, "--json"), strings.NewReader(""), after(3, cancel, &out), &out)
	if status != cli.ExitError || !strings.Contains(out.String(), `"mails":3,`) || !strings.Contains(out.String(), `"whole":false`) {
		t.Errorf("%d\n%s", status, out.String())
	}
	noted, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	put(t, journal, string(noted)+`{"mail":"06h00000`) // the last line that a crash left
	status, text, _ := call(t, args...)
	for _, want := range []string{"8 mails were judged", "1 mail could not be read", "06h0000000000004", ": 8 mails\n"} {
		if status != cli.ExitError || !strings.Contains(text, want) {
			t.Errorf("%d without %q\n%s", status, want, text)
		}
	}
	again, _, _ := call(t, args...)
	whole, err := os.ReadFile(journal)
	if err != nil || again != cli.ExitError || bytes.Count(whole, []byte("\n")) != 9 {
		t.Errorf("%d %v\n%s", again, err, whole)
	}
	put(t, filepath.Join(filepath.Dir(config), "milterscan.toml"), readText(t, config)+"[limits]\nparts = 7\n")
	if status, _, errs := call(t, args...); status != cli.ExitError || !strings.Contains(errs, "the configurations are not those that the journal is about") {
		t.Errorf("%d %s", status, errs)
	}
	put(t, journal, "something else\n")
	if status, _, errs := call(t, args...); status != cli.ExitError || !strings.Contains(errs, "line 1: this is no journal") {
		t.Errorf("%d %s", status, errs)
	}
}

// after returns a writer that calls do when so many lines have been written.
func after(lines int, do func(), to *bytes.Buffer) writerFunc {
	return func(b []byte) (int, error) {
		if lines -= bytes.Count(b, []byte("\n")); lines <= 0 {
			do()
		}
		return to.Write(b)
	}
}

type writerFunc func([]byte) (int, error)

// Write calls the function.
func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func readText(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestReplaySources finds mail wherever people keep it, with the envelope that mailboxes note, and says
// what it leaves out.
func TestReplaySources(t *testing.T) {
	dir := t.TempDir()
	mail := func(subject string) string { return "From: a@example.org\nSubject: " + subject + "\n\nhello\n" }
	put(t, filepath.Join(dir, "Maildir/cur/1700000000.1.host:2,S"), "Return-Path: <r@example.org>\nDelivered-To: to@example.com\n"+mail("cur"))
	put(t, filepath.Join(dir, "Maildir/new/1700000000.2.host"), mail("new"))
	put(t, filepath.Join(dir, "Maildir/tmp/1700000000.3.host"), mail("unfinished"))
	put(t, filepath.Join(dir, "Maildir/.Sent/cur/1700000000.4.host:2,S"), mail("folder"))
	put(t, filepath.Join(dir, "mails/one.eml"), mail("file"))
	put(t, filepath.Join(dir, "mails/notes.pdf"), "%PDF-1.4\n")
	put(t, filepath.Join(dir, "mails/old.mbox"), "From x@example.org Mon Nov  2 10:00:00 2026\n"+mail("first")+"\nFrom is no separator here:\n\nFrom y@example.org Tue Nov  3 10:00 2026\r\n"+
		mail("second")+"\n>From the text\nFrom in a paragraph\n\nFrom MAILER-DAEMON Wed Nov  4 10:00:00 2026\nsubject-less\n")
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "mails/link.eml")); err != nil {
		t.Fatal(err)
	}
	was, now := filepath.Join(dir, "was.toml"), filepath.Join(dir, "now.toml")
	put(t, was, "")
	put(t, now, "[[rule]]\nname = \"all\"\nfrom = [\"*\"]\naction = \"reject\"\n")
	status, out, errs := call(t, "replay", "--json", "-c", was, "--with", now, filepath.Join(dir, "Maildir"), filepath.Join(dir, "mails"), filepath.Join(dir, "none"))
	got, sum := map[string]string{}, ""
	for line := range strings.Lines(out) {
		var v struct {
			Mail, Error string
			Differences []struct{ Sender, Recipient, Subject string }
		}
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		name, _ := filepath.Rel(dir, v.Mail)
		switch {
		case v.Mail == "":
			sum = line
		case v.Error != "":
			got[name] = v.Error
		default:
			d := v.Differences[0]
			got[name] = d.Sender + ">" + d.Recipient + " " + d.Subject
		}
	}
	want := map[string]string{
		"Maildir/cur/1700000000.1.host:2,S":       "r@example.org>to@example.com cur",
		"Maildir/new/1700000000.2.host":           "> new",
		"Maildir/.Sent/cur/1700000000.4.host:2,S": "> folder",
		"mails/one.eml":                           "> file",
		"mails/old.mbox#1":                        "> first",
		"mails/old.mbox#2":                        "> second",
		"mails/old.mbox#3":                        "> ",
		"none":                                    "stat " + filepath.Join(dir, "none") + ": no such file or directory",
	}
	if status != cli.ExitError || !maps.Equal(got, want) || !strings.Contains(sum, `"left_out":2`) || errs != "" {
		t.Errorf("%d %s\n%s\n%v", status, errs, sum, got)
		for _, k := range slices.Sorted(maps.Keys(want)) {
			if got[k] != want[k] {
				t.Errorf("%s: %q, want %q", k, got[k], want[k])
			}
		}
	}
	// Without another configuration there is nothing to compare a file with.
	status, out, _ = call(t, "replay", "-c", was, filepath.Join(dir, "mails/one.eml"))
	if status != cli.ExitError || !strings.Contains(out, "name another configuration by --with") {
		t.Errorf("%d %s", status, out)
	}
}

// TestReplayWithoutEngine asks an engine that is not there: a mail judged without it is no finding of a
// difference, nor of its absence; an engine of another host is not asked, and named.
func TestReplayWithoutEngine(t *testing.T) {
	dir := t.TempDir()
	was, now := filepath.Join(dir, "was.toml"), filepath.Join(dir, "now.toml")
	put(t, was, "[[virus]]\nname = \"far\"\ntype = \"clamd\"\naddress = \"tcp:198.51.100.1:3310\"\n")
	put(t, now, "[[virus]]\nname = \"near\"\ntype = \"clamd\"\naddress = \"unix:"+dir+"/none.sock\"\n")
	put(t, filepath.Join(dir, "one.eml"), "Subject: x\n\nhello\n")
	status, out, errs := call(t, "replay", "-c", was, "--with", now, filepath.Join(dir, "one.eml"))
	if status != cli.ExitError || !strings.Contains(out, "1 mail was judged without an answer and does not count") ||
		!strings.Contains(out, "virus/failed/near") || !strings.Contains(errs, "the engine far is on another host and was not asked; --online asks it") {
		t.Errorf("%d\n%s\n%s", status, out, errs)
	}
}

// fixedTime is when the mails of these tests came.
var fixedTime = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

// lostIndex is an index that knows nothing.
type lostIndex struct{}

func (lostIndex) Put(context.Context, quarantine.Row) error { return nil }
func (lostIndex) Delete(context.Context, string) error      { return nil }
func (lostIndex) Find(context.Context, quarantine.Filter) ([]quarantine.Row, error) {
	return nil, nil
}
func (lostIndex) Replace(context.Context, []quarantine.Row, time.Time) error { return nil }

// TestReplayOfSample judges what [replay] has kept.
func TestReplayOfSample(t *testing.T) {
	config, dir := keptMails(t, 3)
	sample := filepath.Join(t.TempDir(), "sample.toml")
	put(t, sample, readText(t, config)+fmt.Sprintf("\n[replay]\ndir = %q\n", dir))
	for _, c := range []struct {
		config string
		args   []string
		status int
		text   string
	}{
		{sample, []string{"--sample", "--with", sample}, cli.ExitOK, "3 mails were judged"},
		{sample, []string{"--sample", dir}, cli.ExitUsage, "exclude each other"},
		{config, []string{"--sample"}, cli.ExitError, "set replay.keep"},
	} {
		status, out, errs := call(t, append([]string{"replay", "-c", c.config}, c.args...)...)
		if status != c.status || !strings.Contains(out+errs, c.text) {
			t.Errorf("%q: status %d: %s%s", c.args, status, out, errs)
		}
	}
}
