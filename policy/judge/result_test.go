package judge

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/edit"
	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/scan"
)

// TestOneFunctionMakesResults looks at the source: a result is built, and given its
// decision, in one function, and no decision is changed after it was made.
func TestOneFunctionMakesResults(t *testing.T) {
	set := gotoken.NewFileSet()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	built := map[string]int{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.KeyValueExpr:
					if name, ok := n.Key.(*ast.Ident); ok && name.Name == "Decision" {
						built[f.Name.Name]++
					}
				case *ast.CompositeLit:
					if name, ok := n.Type.(*ast.Ident); ok && name.Name == "Result" && f.Name.Name != "result" {
						t.Errorf("%s builds a Result", f.Name.Name)
					}
				case *ast.AssignStmt:
					for _, left := range n.Lhs {
						if to, ok := left.(*ast.SelectorExpr); ok && strings.EqualFold(to.Sel.Name, "Decision") {
							t.Errorf("%s: %s assigns a decision", set.Position(n.Pos()), f.Name.Name)
						}
					}
				}
				return true
			})
		}
	}
	if len(built) != 1 || built["result"] != 1 {
		t.Errorf("decisions of results are made in %v, want one place in result", built)
	}
}

// counted is a buffer that says when it is closed.
type counted struct {
	edit.Buffer
	open *int
}

func (c counted) Close() error {
	*c.open--
	return c.Buffer.Close()
}

// editing is a judge as cleaning makes it, with rules of its own, and a count of
// the editor's buffers that are open.
func editing(t *testing.T, f *finder, rules ...policy.Rule) (*Judge, *int) {
	t.Helper()
	j := cleaning(t, f, policy.Outcome{})
	p, err := policy.New(rules, policy.Local{})
	if err != nil {
		t.Fatal(err)
	}
	j.Policy = p
	c := edit.DefaultConfig()
	c.Banners = []edit.Banner{{Name: "legal", Position: edit.Bottom, Text: []string{"Müller Ltd"}}} // which has to be encoded
	j.Editor.Config = c
	open, inner := 0, j.Editor.NewBuffer
	j.Editor.NewBuffer = func() edit.Buffer {
		open++
		return counted{inner(), &open}
	}
	return j, &open
}

// on is a rule about a kind of finding.
func on(kind scan.Kind, o policy.Outcome) policy.Rule {
	return policy.Rule{Ref: policy.RuleRef{Name: "on " + kind.String()}, Grounds: policy.Grounds{When: []policy.Condition{policy.OfKind(kind)}}, Outcome: o}
}

// TestHowEditsEnd goes through what may become of edits. Whatever it is, all
// buffers are given back.
func TestHowEditsEnd(t *testing.T) {
	named := strings.Replace(infectedMail, "a.bin", "a.exe", 1)
	two := strings.Replace(infectedMail, "--x--", "--x\r\nContent-Type: application/octet-stream; name=b.bin\r\n\r\nmore\r\n--x--", 1)
	banner := policy.Rule{Ref: policy.RuleRef{Name: "legal"}, Mode: policy.Adds, Outcome: policy.Outcome{Banner: "legal"}}
	deliver, kept := policy.Outcome{}, policy.Outcome{Answer: policy.Discard, Keep: true}
	reject := on(scan.Suspicious, policy.Outcome{Answer: policy.Reject})
	otherPart := func() ([]scan.Finding, error) {
		return []scan.Finding{{Kind: scan.Infected, Scanner: "virus", Rule: "virus/other", Part: 2}}, nil
	}
	odd := func() ([]scan.Finding, error) { return []scan.Finding{odd}, nil }
	for name, row := range map[string]struct {
		mail   string
		finder finder
		rules  []policy.Rule
		want   string
		edited bool
		why    string // in the last note
	}{
		"it is renamed, and still there, which the rule accepts": {named, finder{word: "VIRUS"},
			[]policy.Rule{on(scan.Infected, policy.Outcome{Edit: policy.Rename})}, "deliver", true, ""},
		"one edit after the other is not made": {infectedMail, finder{word: "VIRUS", later: odd},
			[]policy.Rule{reject, on(scan.Infected, policy.Outcome{Edit: policy.Replace, Else: &deliver}), on(scan.Forbidden, policy.Outcome{Edit: policy.Rename, Else: &kept})},
			"quarantine", false, errOneRound.Error()},
		"the edited mail needs another edit": {two, finder{word: "VIRUS", later: otherPart},
			[]policy.Rule{on(scan.Infected, policy.Outcome{Edit: policy.Replace, Else: &kept})},
			"quarantine", false, errNotClean.Error()},
		"there is nothing to disarm": {strings.Replace(infectedMail, "application/octet-stream; name=a.bin", "text/html", 1), finder{word: "VIRUS"},
			[]policy.Rule{on(scan.Infected, policy.Outcome{Edit: policy.Disarm})}, "reject", false, ""},
		"a banner after a second look in vain": {infectedMail, finder{word: "VIRUS", later: odd},
			[]policy.Rule{banner, reject, on(scan.Infected, policy.Outcome{Edit: policy.Replace, Else: &deliver})},
			"deliver", true, errNotClean.Error()},
	} {
		j, open := editing(t, &row.finder, row.rules...)
		j.Engine = scan.NewEngine(&row.finder, scanner{{Kind: scan.Forbidden, Scanner: "content", Rule: "content/kind", Part: 1}})
		r := j.Examine(t.Context(), received(j, row.mail))
		last := scan.Finding{}
		if len(r.Found) > 0 {
			last = r.Found[len(r.Found)-1]
		}
		if got := r.Decision.Action(); got != row.want || r.Edited() != row.edited || !strings.Contains(last.Detail, row.why) {
			t.Errorf("%s: %s, want %s; edited %v, found %+v", name, got, row.want, r.Edited(), r.Found)
		}
		r.Close()
		if *open != 0 {
			t.Errorf("%s: %d buffers are left open", name, *open)
		}
	}
}

// TestNoRoomForABanner lets the mail go without it and says so.
func TestNoRoomForABanner(t *testing.T) {
	j, _ := editing(t, &finder{}, policy.Rule{Ref: policy.RuleRef{Name: "legal"}, Mode: policy.Adds, Outcome: policy.Outcome{Banner: "legal"}})
	j.Editor.NewBuffer = func() edit.Buffer { return noBuffer{} }
	r := j.Examine(t.Context(), received(j, mail))
	defer r.Close()
	last := r.Found[len(r.Found)-1]
	if r.Decision.Answer != policy.Deliver || r.Edited() || last.Rule != "mime/not-edited" || !strings.HasPrefix(last.Detail, "banner legal: ") {
		t.Errorf("%v with %+v", r.Decision.Answer, r.Found)
	}
}

// TestWorseForOneRecipient does not let an edit through that one of several would
// be refused.
func TestWorseForOneRecipient(t *testing.T) {
	only := on(scan.Suspicious, policy.Outcome{Answer: policy.Reject})
	to, err := policy.ParseAddressPattern("boss@example.com")
	if err != nil {
		t.Fatal(err)
	}
	only.Scope.To = []policy.AddressPattern{to}
	f := &finder{word: "VIRUS", later: func() ([]scan.Finding, error) { return []scan.Finding{odd}, nil }}
	j, _ := editing(t, f, only, on(scan.Infected, policy.Outcome{Edit: policy.Replace, Else: &policy.Outcome{Answer: policy.Discard}}))
	in := received(j, infectedMail)
	in.Envelope.Recipients = []string{"b@example.com", "boss@example.com"}
	r := j.Examine(t.Context(), in)
	defer r.Close()
	if r.Edited() || r.Decision.Action() != "discard" {
		t.Errorf("edited %v, %s", r.Edited(), r.Decision.Action())
	}
}

// slow answers when its time is over.
type slow struct{}

func (slow) Name() string { return "virus/slow" }
func (slow) Scan(ctx context.Context, _ *scan.Message) ([]scan.Finding, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestTimeIsOver is a failure of the scanner that did not answer, and nothing that
// is taken for clean.
func TestTimeIsOver(t *testing.T) { synctest.Test(t, timeIsOver) }

func timeIsOver(t *testing.T) {
	j, _ := editing(t, &finder{}, on(scan.Failed, policy.Outcome{Answer: policy.Tempfail}))
	j.Engine, j.Time = scan.NewEngine(slow{}), 10*time.Second
	r, release := j.Message(t.Context(), received(j, mail))
	defer release()
	if r.Answer != policy.Tempfail {
		t.Errorf("ruling %+v", r)
	}
}

// TestEarly waits for the checks at RCPT, refuses on what they found, and tells
// only of refusals.
func TestEarly(t *testing.T) {
	var told []*Result
	j := judging(t, policy.Outcome{}, &keeper{}, &told)
	client := policy.Rule{Ref: policy.RuleRef{Name: "client"}, Scope: policy.Scope{Client: []policy.Network{{Prefix: netip.MustParsePrefix("192.0.2.0/24")}}},
		Outcome: policy.Outcome{Answer: policy.Reject}}
	listed := policy.Rule{Ref: policy.RuleRef{Name: "listed"}, Grounds: policy.Grounds{When: []policy.Condition{policy.Named("spam/mail")}}, Outcome: policy.Outcome{Answer: policy.Tempfail}}
	for _, row := range []struct {
		name   string
		rules  []policy.Rule
		finds  []scan.Rule
		stage  scan.Stage
		want   policy.Answer
		waits  bool
		action string // in the record
	}{
		{"a client at connect", []policy.Rule{client}, nil, scan.StageConnect, policy.Reject, true, "reject"},
		{"nothing at HELO", []policy.Rule{listed}, nil, scan.StageHelo, policy.Deliver, false, ""},
		{"a finding at RCPT", []policy.Rule{listed}, []scan.Rule{{Name: "spam/mail"}}, scan.StageRcpt, policy.Tempfail, true, "tempfail"},
		{"a finding at RCPT that is not foreseen", []policy.Rule{listed}, nil, scan.StageRcpt, policy.Tempfail, true, "tempfail"},
		{"no rule about what may be found", []policy.Rule{listed}, []scan.Rule{{Name: "rate/over"}}, scan.StageRcpt, policy.Tempfail, false, "tempfail"},
	} {
		told = nil
		p, err := policy.New(row.rules, policy.Local{})
		if err != nil {
			t.Fatal(err)
		}
		o := j.Options
		o.Policy, o.Once, o.Finds = p, scan.NewEngine(witness{}), row.finds
		j := New(o)
		env := scan.Envelope{Client: netip.MustParseAddrPort("192.0.2.1:25"), Sender: "a@example.net"}
		if row.stage == scan.StageRcpt {
			env.Recipients = []string{"b@example.com"}
		}
		r := j.Early(t.Context(), row.stage, env, []*scan.Pending{j.Begin(t.Context(), scan.StageMail, env)})
		if r.Answer != row.want || j.Refuses(row.stage) != row.waits {
			t.Errorf("%s: %v, may refuse: %v", row.name, r.Answer, j.Refuses(row.stage))
		}
		if row.action == "" {
			if len(told) != 0 {
				t.Errorf("%s: told of a stage that goes on", row.name)
			}
			continue
		}
		rec := told[0].Told()
		if rec.Action != row.action || rec.Stage != row.stage.String() || rec.Client != "192.0.2.1" || rec.Generation != j.Generation() || rec.Took != 0 {
			t.Errorf("%s: told %+v", row.name, rec)
		}
		if row.stage < scan.StageRcpt && len(rec.Recipients) != 0 {
			t.Errorf("%s: recipients %+v before any was named", row.name, rec.Recipients)
		}
	}
}

// TestPassOfUnreadableMail is none: what it is for cannot be compared.
func TestPassOfUnreadableMail(t *testing.T) {
	j := judging(t, policy.Outcome{}, &keeper{}, &[]*Result{})
	j.Key = func() ([]byte, error) { return key, nil }
	in := received(j, token.Field+": for=notice\r\n"+mail)
	in.Raw = unreadable{in.Raw.Size()}
	r := j.Examine(t.Context(), in)
	defer r.Close()
	if !slices.ContainsFunc(r.Found, func(f scan.Finding) bool { return f.Rule == notPass && strings.Contains(f.Detail, "gone") }) {
		t.Errorf("found %+v", r.Found)
	}
}

// unreadable is content that the disk has lost.
type unreadable struct{ size int64 }

func (unreadable) ReadAt([]byte, int64) (int, error) { return 0, errors.New("gone") }
func (u unreadable) Size() int64                     { return u.size }
func (unreadable) Close() error                      { return nil }

// TestCatalogue names every finding of this package once.
func TestCatalogue(t *testing.T) {
	var names []string
	for _, r := range Catalogue() {
		names = append(names, r.Name)
	}
	if want := []string{released, probed, policy.PartFound, noLists, notOffered, notPass}; !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
	j := New(Options{})
	if _, err := j.Key(); err == nil || j.Relays(netip.MustParseAddr("127.0.0.1")) || j.Once.Early() {
		t.Error("a judge without options has a key, relays or scanners")
	}
	j.Tell(t.Context(), nil)
}

// TestRecordOfMuch bounds what a record takes from a message, and keeps what the
// decision rests on.
func TestRecordOfMuch(t *testing.T) {
	var found []scan.Finding
	for i := range 3 * 150 {
		found = append(found, scan.Finding{Kind: scan.Note, Scanner: "content", Rule: fmt.Sprintf("content/much%d", i%3), Part: scan.WholeMessage})
	}
	last := odd
	last.Part, last.Detail = 0, strings.Repeat("é", maxDetail)
	found = append(found, last)
	var told []*Result
	o := policy.Outcome{Tag: "{Odd?}", Banner: "", Headers: []policy.HeaderField{{Name: "X-Odd", Value: "yes"}}, Add: []string{"copy@example.com"}, Notify: []string{"boss@example.com"}}
	j := judging(t, o, &keeper{}, &told, found...)
	long := "Subject: " + strings.Repeat("a", 2*maxSubject) + "\r\nMessage-ID: <x@example.net>\r\n\r\nbody\r\n"
	_, release := j.Message(t.Context(), received(j, long))
	defer release()
	rec := told[0].Record()
	if len(rec.Findings) != maxFindings || rec.MoreFindings != 151 || len(rec.Subject) != maxSubject || rec.MessageID != "x@example.net" {
		t.Errorf("%d findings and %d more, subject of %d, id %q", len(rec.Findings), rec.MoreFindings, len(rec.Subject), rec.MessageID)
	}
	at := rec.Findings[len(rec.Findings)-1]
	if at.Rule != odd.Rule || at.Part != "1" || len(at.Detail) > maxDetail+2 || rec.Verdicts[0].Because != maxFindings-1 {
		t.Errorf("the last finding is %+v, of verdict %+v", at, rec.Verdicts[0])
	}
	var kinds []string
	for _, e := range rec.Edits {
		kinds = append(kinds, e.Kind)
	}
	if want := []string{"header", "subject", "add-recipient"}; !slices.Equal(kinds, want) {
		t.Errorf("edits %v, want %v", kinds, want)
	}
}

// TestRecordOfEdits says of which parts, and who does not get the message.
func TestRecordOfEdits(t *testing.T) {
	to, err := policy.ParseAddressPattern("boss@example.com")
	if err != nil {
		t.Fatal(err)
	}
	no := on(scan.Infected, policy.Outcome{Answer: policy.Discard})
	no.Scope.To, no.Ref.Name = []policy.AddressPattern{to}, "none for the boss"
	banner := policy.Rule{Ref: policy.RuleRef{Name: "legal"}, Mode: policy.Adds, Outcome: policy.Outcome{Banner: "legal"}}
	j, _ := editing(t, &finder{word: "VIRUS"}, banner, no, on(scan.Infected, policy.Outcome{Edit: policy.Replace}))
	in := received(j, infectedMail)
	in.Envelope.Recipients = []string{"b@example.com", "boss@example.com", "c@example.com"}
	r := j.Examine(t.Context(), in)
	defer r.Close()
	rec := r.Record()
	want := []policy.RecordEdit{{Kind: "banner", Value: "legal"}, {Kind: "replace", Part: "2", Rule: "on infected"}, {Kind: "drop-recipient", Value: "boss@example.com"}}
	if !slices.Equal(rec.Edits, want) {
		t.Errorf("edits %+v, want %+v", rec.Edits, want)
	}
	if len(rec.Verdicts) != 2 || !slices.Equal(rec.Verdicts[0].Recipients, []string{"b@example.com", "c@example.com"}) || rec.Verdicts[1].Action != "discard" {
		t.Errorf("verdicts %+v", rec.Verdicts)
	}
}

// TestRecordOfARelease names the kept message, and a scanner's error once.
func TestRecordOfARelease(t *testing.T) {
	j := judging(t, policy.Outcome{}, &keeper{}, &[]*Result{}, odd)
	j.Key = func() ([]byte, error) { return key, nil }
	j.Engine = scan.NewEngine(scanner{odd}, broken{})
	r := j.Examine(t.Context(), received(j, carrying(t, token.Grant{For: token.Release, ID: "06h08cfwgrgbyv96", Findings: []string{odd.Rule}})))
	defer r.Close()
	rec := r.Record()
	if rec.Release != "06h08cfwgrgbyv96" || len(rec.Scanners) != 2 || !strings.Contains(rec.Scanners[1].Error, "not today") {
		t.Errorf("release %q, scanners %+v", rec.Release, rec.Scanners)
	}
}

// broken is a scanner that fails.
type broken struct{}

func (broken) Name() string { return "virus/broken" }
func (broken) Scan(context.Context, *scan.Message) ([]scan.Finding, error) {
	return nil, errors.New("not today")
}

// TestHeld says why in the ruling, and changes nothing that cannot be changed.
func TestHeld(t *testing.T) {
	var told []*Result
	j := judging(t, policy.Outcome{Answer: policy.Hold}, &keeper{}, &told, odd)
	r, release := j.Message(t.Context(), received(j, mail))
	defer release()
	if r.Answer != policy.Hold || r.Reason == "" || r.Changes.Body != nil {
		t.Errorf("ruling %+v", r)
	}
}

// TestScannersAreSummed has one entry in the record for a scanner that reports at
// several stages.
func TestScannersAreSummed(t *testing.T) {
	j := witnessed(t, policy.Local{})
	r := j.Examine(t.Context(), received(j, mail))
	defer r.Close()
	if len(r.Reports) != 4 {
		t.Fatalf("reports %+v", r.Reports)
	}
	var took time.Duration
	for i := range r.Reports {
		r.Reports[i].Took = time.Duration(i+1) * time.Millisecond
		took += r.Reports[i].Took
	}
	list := r.Record().Scanners
	if len(list) != 1 || list[0].Scanner != "spam" || list[0].Took.Go() != took {
		t.Errorf("scanners %+v, want one of %v", list, took)
	}
	line := string(r.Told().Line())
	if n := strings.Count(line, `"spam"`); n != 5 { // of four findings and one scanner
		t.Errorf("the line names the scanner %d times: %s", n, line)
	}
}

// patient is a keeper that takes as long as it is given.
type patient struct{}

func (patient) Keep(ctx context.Context, _ policy.Copy) error {
	<-ctx.Done()
	return ctx.Err()
}

// asking is a keeper that is fast, and notes how long it was given.
type asking struct{ left time.Duration }

func (a *asking) Keep(ctx context.Context, _ policy.Copy) error {
	end, _ := ctx.Deadline()
	a.left = time.Until(end)
	return ctx.Err()
}

// TestTimeToKeep ends the wait for a copy with the time for the message, and leaves
// some for it where scanners take all they can get.
func TestTimeToKeep(t *testing.T) { synctest.Test(t, timeToKeep) }

func timeToKeep(t *testing.T) {
	var told []*Result
	j := judging(t, policy.Outcome{Answer: policy.Discard, Keep: true}, &keeper{}, &told, odd)
	tell := j.Tell
	j.Tell = func(ctx context.Context, r *Result) {
		if _, limited := ctx.Deadline(); !limited {
			t.Error("it may be told about for ever")
		}
		tell(ctx, r)
	}
	j.Keeper, j.Time = patient{}, 10*time.Second
	r, release := j.Message(t.Context(), received(j, mail))
	release()
	if r.Answer != policy.Tempfail || len(told) != 1 {
		t.Errorf("ruling %+v", r)
	}
	keeper := &asking{}
	j.Keeper, j.Time, j.Engine = keeper, 10*time.Second, scan.NewEngine(scanner{odd}, slow{})
	r, release = j.Message(t.Context(), received(j, mail))
	release()
	if r.Answer != policy.Discard || keeper.left <= 0 || keeper.left > j.Time/closing {
		t.Errorf("ruling %+v, %v were left", r, keeper.left)
	}
}

// TestWhatIfIsLeftOut where time is short, and the record says so.
func TestWhatIfIsLeftOut(t *testing.T) {
	j := judging(t, policy.Outcome{Answer: policy.Reject}, &keeper{}, &[]*Result{}, odd)
	r := j.Examine(t.Context(), received(j, mail))
	defer r.Close()
	if rec := r.Record(); len(rec.Alternatives) != 1 || rec.NotTried {
		t.Errorf("in time: %+v, cut %v", rec.Alternatives, rec.NotTried)
	}
	j.Time = 0 // it is over when it begins
	late := j.result(r.seen, r.choice)
	if rec := late.Record(); len(rec.Alternatives) != 0 || !rec.NotTried || rec.Action != "reject" {
		t.Errorf("too late: %+v, cut %v", rec.Alternatives, rec.NotTried)
	}
	if told := late.Told(); told.NotTried {
		t.Error("the log says that something is missing that it never has")
	}
}
