package timeline

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/mtalog"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// records is a history.
type records []policy.Record

func (l records) Lookup(_ context.Context, key string) (found []policy.Record, err error) {
	key = strings.Trim(key, "<>")
	for _, r := range l {
		if key != "" && (r.ID == key || r.QueueID == key || r.MessageID == key) {
			found = append(found, r)
		}
	}
	return found, nil
}

// box is a quarantine.
type box map[string]quarantine.Entry

func (b box) Entry(_ context.Context, id string) (quarantine.Entry, error) {
	if e, ok := b[id]; ok {
		return e, nil
	}
	return quarantine.Entry{}, quarantine.ErrUnknown
}

// message returns the record of a mail that passed some seconds after noon.
func message(id, queue, mid string, after float64) policy.Record {
	t := noon.Add(time.Duration(after * float64(time.Second)))
	return policy.Record{ID: id, QueueID: queue, MessageID: mid, Time: t, Stage: "message", Action: "deliver", Client: "192.0.2.1", Helo: "h",
		Sender: "a@example.org", Recipients: []policy.RecordRecipient{{Recipient: "b@example.com"}}, Took: policy.Millis(100 * time.Millisecond),
		Times: &policy.RecordTimes{Connect: t.Add(-200 * time.Millisecond), Helo: t.Add(-100 * time.Millisecond), Mail: t, Rcpt: t.Add(50 * time.Millisecond),
			End: t.Add(400 * time.Millisecond)}}
}

// log reads a log of lines "SECONDS TAG: TEXT", with whole seconds.
func log(t *testing.T, lines string) mtalog.Found {
	t.Helper()
	var found mtalog.Found
	p := mtalog.NewParser(time.UTC, noon.Add(40*24*time.Hour))
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		var at float64
		fmt.Sscan(line, &at)
		_, text, _ := strings.Cut(line, " ")
		e, v := p.Line(noon.Add(time.Duration(at*float64(time.Second))).Format(time.RFC3339) + " mx postfix/" + text)
		if v != mtalog.Told {
			t.Fatalf("%s tells nothing", line)
		}
		found = append(found, e)
	}
	return found
}

// line writes a story on one line: what happened, with the queue id where it is another.
func line(s Story, queue string) string {
	var words []string
	for _, step := range s.Steps {
		if step.Queue != "" && step.Queue != queue {
			words = append(words, step.What+"@"+step.Queue)
		} else {
			words = append(words, step.What)
		}
	}
	return strings.Join(words, " ")
}

const passed = "connect helo mail rcpt message verdict "

func sentTo(relay, answer string) string {
	return "smtp[1]: %s: to=<b@example.com>, relay=" + relay + ", delay=1.3, delays=0/0/0/1.3, dsn=2.0.0, status=sent (" + answer + ")\n"
}

// TestStories tells of one message what is its own, and nothing else.
func TestStories(t *testing.T) {
	const usual = `
		0 smtpd[1]: AAAAAAAA: client=x[192.0.2.1]
		0 cleanup[1]: AAAAAAAA: message-id=<m1@x>
		0 qmgr[1]: AAAAAAAA: from=<a@example.org>, size=1, nrcpt=1 (queue active)
		`
	delivered := usual + "1 " + fmt.Sprintf(sentTo("mx[192.0.2.9]:25", "250 ok"), "AAAAAAAA") + "1 qmgr[1]: AAAAAAAA: removed\n"
	const first = "connect helo mail queued rcpt message message-id verdict active "
	filtered := usual + "1 " + fmt.Sprintf(sentTo("127.0.0.1[127.0.0.1]:10024", "250 2.0.0 Ok: queued as BBBBBBBB"), "AAAAAAAA") + "1 qmgr[1]: AAAAAAAA: removed\n"
	for _, c := range []struct {
		name string
		log  string
		r    policy.Record
		more []policy.Record // other messages
		want string
	}{
		{"delivered", delivered, message("id1", "AAAAAAAA", "m1@x", 0.1), nil, first + "sent removed"},
		{"not logged", delivered, message("id1", "CCCCCCCC", "m2@x", 0.1), nil, strings.TrimSpace(passed)},
		{"another message of the same queue id, long before", delivered, message("id1", "AAAAAAAA", "", 40_000), nil, strings.TrimSpace(passed)},
		{"another message of the same queue id, a moment before", delivered + "8 smtpd[1]: AAAAAAAA: client=y[192.0.2.2]\n8 qmgr[1]: AAAAAAAA: removed\n",
			message("id1", "AAAAAAAA", "", 8), nil, "connect helo mail queued rcpt message verdict removed"},
		{"another Message-ID", delivered, message("id1", "AAAAAAAA", "m9@x", 0.1), nil, strings.TrimSpace(passed)},
		{"a Message-ID that a log cannot show", strings.ReplaceAll(delivered, "m1@x", "m?@x"), message("id1", "AAAAAAAA", "mü@x"[:2]+"@x", 0.1), nil, first + "sent removed"},
		{"held for a day", usual + "3 postsuper[1]: AAAAAAAA: placed on hold\n86400 postsuper[1]: AAAAAAAA: released from hold\n86400 qmgr[1]: AAAAAAAA: removed\n",
			message("id1", "AAAAAAAA", "m1@x", 0.1), nil, first + "held freed removed"},
		{"only the end is logged", "86400 qmgr[1]: AAAAAAAA: removed\n", message("id1", "AAAAAAAA", "m1@x", 0.1), nil, passed + "removed"},
		{"content filter", filtered + `
			1 smtpd[1]: BBBBBBBB: client=localhost[127.0.0.1]
			1 cleanup[1]: BBBBBBBB: message-id=<m1@x>
			2 qmgr[1]: BBBBBBBB: removed`, message("id1", "AAAAAAAA", "m1@x", 0.1), nil,
			first + "sent removed queued@BBBBBBBB message-id@BBBBBBBB removed@BBBBBBBB"},
		{"content filter that hands in by sendmail(1)", usual + "1 qmgr[1]: AAAAAAAA: removed\n" + `
			1 pickup[1]: BBBBBBBB: uid=1 from=<a>
			1 cleanup[1]: BBBBBBBB: message-id=<m1@x>
			2 qmgr[1]: BBBBBBBB: removed`, message("id1", "AAAAAAAA", "m1@x", 0.1), nil,
			first + "removed queued@BBBBBBBB message-id@BBBBBBBB removed@BBBBBBBB"},
		{"the same mail sent again, hours later", delivered + `
			9000 pickup[1]: BBBBBBBB: uid=1 from=<a>
			9000 cleanup[1]: BBBBBBBB: message-id=<m1@x>`, message("id1", "AAAAAAAA", "m1@x", 0.1), nil, first + "sent removed"},
		{"an answer that names another's mail", filtered + `
			1 smtpd[1]: BBBBBBBB: client=localhost[127.0.0.1]
			1 cleanup[1]: BBBBBBBB: message-id=<m2@x>
			2 qmgr[1]: BBBBBBBB: removed`, message("id1", "AAAAAAAA", "m1@x", 0.1), nil, first + "sent removed"},
		{"the same Message-ID twice", delivered + `
			5 smtpd[1]: CCCCCCCC: client=x[192.0.2.1]
			5 cleanup[1]: CCCCCCCC: message-id=<m1@x>
			6 qmgr[1]: CCCCCCCC: removed`, message("id1", "AAAAAAAA", "m1@x", 0.1), []policy.Record{message("id2", "CCCCCCCC", "m1@x", 5)}, first + "sent removed"},
		{"bounce", usual + `
			1 smtp[1]: AAAAAAAA: to=<b@example.com>, relay=none, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (unknown)
			1 cleanup[1]: DDDDDDDD: message-id=<n@mx>
			1 bounce[1]: AAAAAAAA: sender non-delivery notification: DDDDDDDD
			2 qmgr[1]: DDDDDDDD: from=<>, size=1, nrcpt=1 (queue active)
			2 qmgr[1]: AAAAAAAA: removed`, message("id1", "AAAAAAAA", "m1@x", 0.1), nil, first + "bounced notified message-id@DDDDDDDD removed active@DDDDDDDD"},
		{"clock ahead", strings.NewReplacer("\t\t0 ", "\t\t90 ", "1 smtp", "91 smtp", "1 qmgr", "91 qmgr").Replace(delivered), message("id1", "AAAAAAAA", "m1@x", 0.1), nil,
			first + "sent removed"},
		{"clock behind", strings.NewReplacer("\t\t0 ", "\t\t-90 ", "1 smtp", "-89 smtp", "1 qmgr", "-89 qmgr").Replace(delivered), message("id1", "AAAAAAAA", "m1@x", 0.1), nil,
			first + "sent removed"},
	} {
		x := Reader{Records: records(append(c.more, c.r)), Events: log(t, c.log)}
		s, err := x.Of(t.Context(), c.r)
		if got := line(s, c.r.QueueID); got != c.want || err != nil {
			t.Errorf("%s: %v\n got %s\nwant %s", c.name, err, got, c.want)
		}
		if strings.HasPrefix(c.name, "clock") != (s.Ahead != 0) {
			t.Errorf("%s: ahead %v", c.name, s.Ahead.Go())
		}
	}
}

// TestFind finds messages by the ids under which they went on.
func TestFind(t *testing.T) {
	events := log(t, "0 smtpd[1]: AAAAAAAA: client=x[192.0.2.1]\n0 cleanup[1]: AAAAAAAA: message-id=<m1@x>\n1 "+
		fmt.Sprintf(sentTo("127.0.0.1[127.0.0.1]:10024", "250 2.0.0 Ok: queued as BBBBBBBB"), "AAAAAAAA")+
		"1 smtpd[1]: BBBBBBBB: client=x[127.0.0.1]\n1 cleanup[1]: BBBBBBBB: message-id=<m1@x>\n3 qmgr[1]: EEEEEEEE: removed\n")
	x := Reader{Records: records{message("id1", "AAAAAAAA", "m1@x", 0.1)}, Events: events}
	for key, want := range map[string]string{"id1": "id1", "AAAAAAAA": "id1", "<m1@x>": "id1", "BBBBBBBB": "id1", "EEEEEEEE": "none", "FFFFFFFF": ""} {
		list, err := x.Find(t.Context(), key)
		got := ""
		for _, s := range list {
			got += "none"
			if s.Record != nil {
				got = s.Record.ID
			}
		}
		if got != want || err != nil {
			t.Errorf("%s: %s, %v", key, got, err)
		}
	}
}

// TestRelease shows in the story of a kept message who let it go, and what became of it.
func TestRelease(t *testing.T) {
	kept := message("id1", "AAAAAAAA", "", 0)
	kept.Action = "quarantine"
	again := message("id2", "BBBBBBBB", "", 60)
	again.Release = "id1"
	at := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
	entry := quarantine.Entry{Record: kept, Events: []quarantine.Event{{Time: at(59), What: "release", By: "ann", To: []string{"b@example.com"}},
		{Time: at(62), What: "released", By: "ann", Answer: "2.0.0 Ok: queued as BBBBBBBB"}}}
	events := log(t, "60 smtpd[1]: BBBBBBBB: client=localhost[127.0.0.1]\n63 "+fmt.Sprintf(sentTo("mx[192.0.2.9]:25", "250 ok"), "BBBBBBBB"))
	x := Reader{Records: records{kept, again}, Events: events, Kept: box{"id1": entry}}
	s, err := x.Of(t.Context(), kept)
	const want = passed + "release queued@BBBBBBBB verdict@BBBBBBBB released@BBBBBBBB sent@BBBBBBBB"
	if got := line(s, "AAAAAAAA"); got != want || err != nil {
		t.Errorf("%v\n got %s\nwant %s", err, got, want)
	}
	if len(s.Outcomes) != 1 || s.Outcomes[0].Kind != mtalog.Sent || s.Ahead != 0 {
		t.Errorf("outcomes %+v, ahead %v", s.Outcomes, s.Ahead)
	}
	i := slices.IndexFunc(s.Steps, func(s Step) bool { return s.What == "sent" })
	if text := s.Steps[i].Text; text != "b@example.com: 250 ok from mx[192.0.2.9]:25, 1.3 s after it came" {
		t.Error(text)
	}
}

// TestOldRecords tells the stages of records that have no times of them.
func TestOldRecords(t *testing.T) {
	r := message("id1", "AAAAAAAA", "", 0)
	r.Times = nil
	s, err := Reader{Records: records{r}}.Of(t.Context(), r)
	if got := line(s, "AAAAAAAA"); got != strings.TrimSpace(passed) || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	r.Stage, r.Action, r.Recipients = "connect", "reject", nil
	s, err = Reader{Records: records{r}}.Of(t.Context(), r)
	if got := line(s, "AAAAAAAA"); got != "connect helo verdict" || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}
