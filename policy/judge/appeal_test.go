package judge

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/scan"
)

// desk gives a link, or none.
type desk struct {
	link  string
	asked []policy.Appeal
	back  int
}

func (d *desk) Offer(a policy.Appeal) (string, func()) {
	d.asked = append(d.asked, a)
	return d.link, func() { d.back++ }
}

const anAddress = "https://mx.example.com/a/06h08cfwgrgbyv96abcdefghjkm"

// TestAppeal: the copy is safe before the reply with the link goes out, and nothing promises
// what is not there.
func TestAppeal(t *testing.T) {
	open := policy.Outcome{Answer: policy.Reject, Appeal: policy.Appealable()}
	both := policy.Outcome{Answer: policy.Reject, Appeal: policy.Appealable(), Keep: true}
	virus := scan.Finding{Kind: scan.Infected, Scanner: "virus", Rule: "virus/x", Part: scan.WholeMessage}
	full := errors.New("no space left on device")
	for _, c := range []struct {
		name   string
		o      policy.Outcome
		found  []scan.Finding
		desk   *desk
		keeps  error
		answer policy.Answer
		link   bool
		kept   int // attempts
	}{
		{"a link", open, []scan.Finding{odd}, &desk{link: anAddress}, nil, policy.Reject, true, 1},
		{"nobody gives links", open, []scan.Finding{odd}, nil, nil, policy.Reject, false, 0},
		{"no link now", open, []scan.Finding{odd}, &desk{}, nil, policy.Reject, false, 0},
		{"no room for the copy", open, []scan.Finding{odd}, &desk{link: anAddress}, full, policy.Reject, false, 1},
		{"a copy in any case", both, []scan.Finding{odd}, &desk{link: anAddress}, nil, policy.Reject, true, 1},
		{"a copy in any case, no link now", both, []scan.Finding{odd}, &desk{}, nil, policy.Reject, false, 1},
		{"a copy in any case, and no room for it", both, []scan.Finding{odd}, &desk{link: anAddress}, full, policy.Tempfail, false, 2},
		{"a virus", open, []scan.Finding{odd, virus}, &desk{link: anAddress}, nil, policy.Reject, false, 0},
		{"nothing is refused", open, nil, &desk{link: anAddress}, nil, policy.Deliver, false, 0},
	} {
		var told []*Result
		k := &keeper{err: c.keeps}
		j := judging(t, c.o, k, &told, c.found...)
		if c.desk != nil {
			j.Appeals = c.desk
		}
		in := received(j, mail)
		in.Envelope.Client = netip.MustParseAddrPort("192.0.2.7:25")
		r, release := j.Message(t.Context(), in)
		if r.Answer != c.answer || strings.HasSuffix(r.Reply.Text, " "+anAddress) != c.link || strings.Contains(r.Reply.Text, "http") != c.link || len(k.kept) != c.kept {
			t.Errorf("%s: %v %q, kept %d times", c.name, r.Answer, r.Reply.Text, len(k.kept))
		}
		if rec := told[0].Told(); rec.Appeal != c.link || rec.Reply != r.Reply.String() || len(rec.Verdicts) != 1 || rec.Verdicts[0].Appeal != c.link {
			t.Errorf("%s: record with appeal %v, reply %q, verdicts %+v", c.name, rec.Appeal, rec.Reply, rec.Verdicts)
		}
		if c.link && (!k.kept[0].Record.Appeal || k.kept[0].Record.Reply != r.Reply.String()) {
			t.Errorf("%s: the copy says %+v", c.name, k.kept[0].Record)
		}
		noted := slices.ContainsFunc(told[0].Found, func(f scan.Finding) bool { return f.Rule == notOffered && f.Kind == scan.Note })
		if back := c.desk != nil && c.desk.back == 1; back != (c.keeps != nil) || noted != back {
			t.Errorf("%s: taken back %v, noted %v", c.name, back, noted)
		}
		if c.desk != nil && len(c.desk.asked) > 0 {
			a := c.desk.asked[0]
			if a.ID != r.ID || a.Client.String() != "192.0.2.7" || a.Sender != "a@example.net" || !slices.Equal(a.Recipients, []string{"b@example.com"}) || a.Size != int64(len(mail)) {
				t.Errorf("%s: offered for %+v", c.name, a)
			}
		}
		release()
	}
}

// TestNoAppealForARelease: what we send ourselves gets no link, which would go to somebody else.
func TestNoAppealForARelease(t *testing.T) {
	var told []*Result
	d := &desk{link: anAddress}
	j := judging(t, policy.Outcome{Answer: policy.Reject, Appeal: policy.Appealable()}, &keeper{}, &told, odd)
	j.Appeals, j.Key = d, func() ([]byte, error) { return key, nil }
	r, release := j.Message(t.Context(), received(j, carrying(t, token.Grant{For: token.Release, ID: "06h08cfwgrgbyv96", Findings: []string{"content/other"}})))
	defer release()
	if r.Answer != policy.Reject || len(d.asked) > 0 || strings.Contains(r.Reply.Text, "http") {
		t.Errorf("%v %q, asked %+v", r.Answer, r.Reply.Text, d.asked)
	}
}

// TestExaminedOnly: who only has a look gets no link, and nothing says that a copy is kept.
func TestExaminedOnly(t *testing.T) {
	var told []*Result
	d := &desk{link: anAddress}
	j := judging(t, policy.Outcome{Answer: policy.Reject, Appeal: policy.Appealable()}, &keeper{}, &told, odd)
	j.Appeals = d
	r := j.Examine(t.Context(), received(j, mail))
	defer r.Close()
	if rec := r.Record(); len(d.asked) > 0 || rec.Appeal || rec.Verdicts[0].Appeal || !strings.Contains(rec.Verdicts[0].Matches[0].Does, "appeal") {
		t.Errorf("%+v", rec)
	}
}
