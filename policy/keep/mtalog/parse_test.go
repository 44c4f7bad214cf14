package mtalog

import (
	"strings"
	"testing"
	"time"
)

// at is when the lines of the tests are read.
var at = time.Date(2026, 11, 29, 18, 0, 0, 0, time.UTC)

// told is the event of a line: "" and false for a line that tells none.
func told(t *testing.T, line string) (Event, bool) {
	t.Helper()
	e, v := NewParser(time.UTC, at).Line(line)
	return e, v == Told
}

const (
	host  = "Nov 29 17:10:02 mx "
	short = "4A5B6C7D8E"
	long  = "4fRvNn2BGkz3vXt"
	mail  = "xATHA2ab012345"
	exim1 = "1rABCD-0001ab-2X"
	exim2 = "1rABCD-00000001abC-2XyZ"
)

// TestLines reads lines of every kind, as the programs write them.
func TestLines(t *testing.T) {
	for _, c := range []struct {
		line string
		want Event
	}{
		{"postfix/smtpd[12]: " + short + ": client=mail.example.org[192.0.2.1]:25, sasl_method=PLAIN, sasl_username=a, client=evil",
			Event{Agent: "smtpd", Kind: Queued, Client: "mail.example.org[192.0.2.1]:25"}},
		{"postfix/submission/smtpd[12]: " + long + ": client=unknown[2001:db8::1]", Event{Agent: "smtpd", Kind: Queued, Client: "unknown[2001:db8::1]"}},
		{"postfix/pickup[12]: " + short + ": uid=1000 from=<root>", Event{Agent: "pickup", Kind: Queued, Client: "local uid=1000", Sender: "root"}},
		{"postfix/cleanup[12]: " + short + ": message-id=<a@example.org>", Event{Agent: "cleanup", Kind: Named, MessageID: "a@example.org"}},
		{"postfix/cleanup[12]: " + short + ": message-id=<>", Event{Agent: "cleanup", Kind: Named}},
		{"postfix/cleanup[12]: " + short + ": milter-reject: END-OF-MESSAGE from x[192.0.2.1]: 5.7.1 no; from=<a@b> to=<c@d> proto=ESMTP helo=<x>",
			Event{Agent: "cleanup", Kind: Refused, Text: "milter-reject: END-OF-MESSAGE from x[192.0.2.1]: 5.7.1 no; from=<a@b> to=<c@d> proto=ESMTP helo=<x>"}},
		{"postfix/cleanup[12]: " + short + ": milter-hold: END-OF-MESSAGE from x[192.0.2.1]: milter triggers HOLD action",
			Event{Agent: "cleanup", Kind: Held, Text: "milter-hold: END-OF-MESSAGE from x[192.0.2.1]: milter triggers HOLD action"}},
		{"postfix/qmgr[12]: " + short + ": from=<>, size=4711, nrcpt=2 (queue active)",
			Event{Agent: "qmgr", Kind: Active, Sender: "<>", Text: "size 4711, recipients 2"}},
		{"postfix/qmgr[12]: " + short + ": from=<a@b>, status=expired, returned to sender",
			Event{Agent: "qmgr", Kind: Expired, Sender: "a@b", Text: "expired, returned to sender"}},
		{"postfix/qmgr[12]: " + short + ": removed", Event{Agent: "qmgr", Kind: Removed}},
		{"postfix/smtp[12]: " + short + ": to=<b@example.net>, orig_to=<info@example.com>, relay=mx.example.net[192.0.2.9]:25, conn_use=2, delay=1.3, " +
			"delays=0.1/0.01/0.5/0.69, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 9F8E7D6C5B)",
			Event{Agent: "smtp", Kind: Sent, Recipient: "b@example.net", Relay: "mx.example.net[192.0.2.9]:25", After: 1300, DSN: "2.0.0",
				Text: "250 2.0.0 Ok: queued as 9F8E7D6C5B", Next: "9F8E7D6C5B"}},
		{"postfix/smtp[12]: " + short + ": host mx.example.net[192.0.2.9] said: 450 4.2.0 greylisted (in reply to RCPT TO command)",
			Event{Agent: "smtp", Kind: Tried, Text: "host mx.example.net[192.0.2.9] said: 450 4.2.0 greylisted (in reply to RCPT TO command)"}},
		{"postfix/smtp[12]: " + short + ": to=<b@example.net>, relay=none, delay=30, delays=0.1/0/30/0, dsn=4.4.1, status=deferred (connect to " +
			"mx.example.net[192.0.2.9]:25: Connection timed out)",
			Event{Agent: "smtp", Kind: Deferred, Recipient: "b@example.net", After: 30_000, DSN: "4.4.1",
				Text: "connect to mx.example.net[192.0.2.9]:25: Connection timed out"}},
		{"postfix/lmtp[12]: " + short + ": to=<b@example.net>, relay=mx[private/dovecot-lmtp], delay=0.05, delays=0/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 <b> abc Saved)",
			Event{Agent: "lmtp", Kind: Sent, Recipient: "b@example.net", Relay: "mx[private/dovecot-lmtp]", After: 50, DSN: "2.0.0", Text: "250 2.0.0 <b> abc Saved"}},
		{"postfix/local[12]: " + short + ": to=<b@mx>, orig_to=<b>, relay=local, delay=0.05, delays=0/0/0/0, dsn=2.0.0, status=sent (delivered to mailbox)",
			Event{Agent: "local", Kind: Sent, Recipient: "b@mx", Relay: "local", After: 50, DSN: "2.0.0", Text: "delivered to mailbox"}},
		{"postfix/pipe[12]: " + short + ": to=<b@mx>, relay=filter, delay=0.05, delays=0/0/0/0, dsn=5.3.0, status=bounced (Command died)",
			Event{Agent: "pipe", Kind: Bounced, Recipient: "b@mx", Relay: "filter", After: 50, DSN: "5.3.0", Text: "Command died"}},
		{"postfix/smtp-slow[12]: " + short + ": to=<b@mx>, relay=x[192.0.2.2]:25, delay=5, delays=0/0/0/5, dsn=2.0.0, status=sent (250 ok)",
			Event{Agent: "smtp-slow", Kind: Sent, Recipient: "b@mx", Relay: "x[192.0.2.2]:25", After: 5000, DSN: "2.0.0", Text: "250 ok"}},
		{"postfix/bounce[12]: " + short + ": sender non-delivery notification: 9F8E7D6C5B",
			Event{Agent: "bounce", Kind: Notified, Text: "sender non-delivery notification", Next: "9F8E7D6C5B"}},
		{"postfix/bounce[12]: " + short + ": sender delay notification: " + long, Event{Agent: "bounce", Kind: Notified, Text: "sender delay notification", Next: long}},
		{"postfix/postsuper[12]: " + short + ": placed on hold", Event{Agent: "postsuper", Kind: Held, Text: "placed on hold"}},
		{"postfix/postsuper[12]: " + short + ": released from hold", Event{Agent: "postsuper", Kind: Freed, Text: "released from hold"}},
		{"postfix/postsuper[12]: " + short + ": removed", Event{Agent: "postsuper", Kind: Removed, Text: "removed"}},
		{"postfix/postsuper[12]: " + short + ": requeued", Event{Agent: "postsuper", Kind: Requeued, Text: "requeued"}},
		{"sm-mta[12]: " + mail + ": from=<a@example.org>, size=12, class=0, nrcpts=1, msgid=<m1@example.org>, proto=ESMTP, daemon=MTA, relay=mail.example.org [192.0.2.1]",
			Event{Kind: Queued, Sender: "a@example.org", MessageID: "m1@example.org", Client: "mail.example.org [192.0.2.1]", Text: "size 12, recipients 1"}},
		{"sendmail[12]: " + mail + ": to=<b@example.net>,<c@example.net>, ctladdr=<a@b> (0/0), delay=1+00:01:02, xdelay=00:00:01, mailer=esmtp, pri=120321, " +
			"relay=mx.example.net. [192.0.2.9], dsn=2.0.0, stat=Sent (2.0.0 xATHA2cd012346 Message accepted for delivery)",
			Event{Agent: "esmtp", Kind: Sent, Recipient: "b@example.net, c@example.net", Relay: "mx.example.net. [192.0.2.9]", After: 86462_000, DSN: "2.0.0",
				Text: "Sent (2.0.0 xATHA2cd012346 Message accepted for delivery)", Next: "xATHA2cd012346"}},
		{"sm-mta[12]: " + mail + ": to=<b@example.net>, delay=00:00:05, xdelay=00:00:05, mailer=esmtp, pri=120321, relay=mx.example.net. [192.0.2.9], dsn=4.0.0, stat=Deferred: Connection refused by mx.example.net.",
			Event{Agent: "esmtp", Kind: Deferred, Recipient: "b@example.net", Relay: "mx.example.net. [192.0.2.9]", After: 5000, DSN: "4.0.0", Text: "Deferred: Connection refused by mx.example.net."}},
		{"sm-mta[12]: " + mail + ": to=<b@example.net>, delay=00:00:05, xdelay=00:00:05, mailer=local, pri=1, dsn=5.1.1, stat=User unknown",
			Event{Agent: "local", Kind: Bounced, Recipient: "b@example.net", After: 5000, DSN: "5.1.1", Text: "User unknown"}},
		{"sm-mta[12]: " + mail + ": xATHA2ab012346: DSN: User unknown", Event{Kind: Notified, Next: "xATHA2ab012346", Text: "DSN: User unknown"}},
		{"sm-mta[12]: " + mail + ": quarantine=looks odd", Event{Kind: Held, Text: "quarantine=looks odd"}},
		{"sm-mta[12]: " + mail + ": milter=milterscan, quarantine=held [id]", Event{Kind: Held, Text: "milter=milterscan, quarantine=held [id]"}},
		{"sm-mta[12]: " + mail + ": to=<b@x>, delay=00:00:00, mailer=script, pri=30251, quarantine=held [id], stat=quarantined",
			Event{Agent: "script", Kind: Held, Recipient: "b@x", Text: "quarantined"}},
		{"sm-mta[12]: " + mail + ": to=<b@x>, delay=00:00:00, pri=30251, stat=5.7.1 no", Event{Kind: Bounced, Recipient: "b@x", Text: "5.7.1 no"}},
		{"sm-mta[12]: " + mail + ": unquarantine", Event{Kind: Freed}},
		{"sm-mta[12]: " + mail + ": Milter: data, discard", Event{Kind: Refused, Text: "Milter: data, discard"}},
		{"sm-mta[12]: " + mail + ": Milter: data, reject=550 5.7.1 no", Event{Kind: Refused, Text: "Milter: data, reject=550 5.7.1 no"}},
		{"sm-mta[12]: " + mail + ": done; delay=00:00:01, ntries=1", Event{Kind: Removed}},
		{"exim[12]: " + exim1 + " Completed", Event{Kind: Removed}},
	} {
		e, ok := told(t, host+c.line)
		if !ok {
			t.Errorf("%s: no event", c.line)
			continue
		}
		c.want.Time, c.want.Coarse, c.want.Host = time.Date(2026, 11, 29, 17, 10, 2, 0, time.UTC), true, "mx"
		_, text, _ := strings.Cut(c.line, "]: ")
		c.want.Queue, _, _ = strings.Cut(strings.ReplaceAll(text, ": ", " "), " ")
		c.want.MTA, c.want.Instance = e.MTA, e.Instance
		if e != c.want {
			t.Errorf("%s\n got %+v\nwant %+v", c.line, e, c.want)
		}
	}
}

// TestExim reads Exim's own log.
func TestExim(t *testing.T) {
	for _, c := range []struct {
		line string
		want Event
	}{
		{exim1 + ` <= a@example.org H=mail.example.org (helo.example) [192.0.2.1]:4711 I=[192.0.2.2]:25 P=esmtps X=TLS1.3:x:256 S=4711 id=m1@example.org T="hi id=m2 R=x" from <a@example.org> for b@example.com`,
			Event{Kind: Queued, Sender: "a@example.org", Client: "mail.example.org (helo.example) [192.0.2.1]:4711", MessageID: "m1@example.org"}},
		{exim2 + ` <= <> R=` + exim1 + ` U=Debian-exim P=local S=1234 T="Mail delivery failed" from <> for a@example.org`,
			Event{Kind: Queued, Sender: "<>", Client: "local Debian-exim", Parent: exim1}},
		{exim1 + ` => b@example.net F=<a@example.org> R=dnslookup T=remote_smtp S=4711 H=mx.example.net [192.0.2.9]:25 X=TLS1.3 CV=yes C="250 OK id=` + exim2 + `" QT=1m2.5s DT=1s`,
			Event{Agent: "remote_smtp", Kind: Sent, Recipient: "b@example.net", Relay: "mx.example.net [192.0.2.9]:25", Text: "250 OK id=" + exim2, Next: exim2, After: 62_500}},
		{exim1 + ` => bob <bob@example.com> R=local_user T=maildir_home`, Event{Agent: "maildir_home", Kind: Sent, Recipient: "bob@example.com"}},
		{exim1 + ` -> c@example.net R=dnslookup T=remote_smtp H=mx.example.net [192.0.2.9] C="250 \"ok\""`,
			Event{Agent: "remote_smtp", Kind: Sent, Recipient: "c@example.net", Relay: "mx.example.net [192.0.2.9]", Text: `250 "ok"`}},
		{exim1 + ` == b@example.net R=dnslookup T=remote_smtp defer (111): Connection refused H=x C="250 no"`,
			Event{Agent: "remote_smtp", Kind: Deferred, Recipient: "b@example.net", Text: `defer (111): Connection refused H=x C="250 no"`}},
		{exim1 + ` ** b@example.net R=dnslookup T=remote_smtp H=mx.example.net [192.0.2.9]: SMTP error from remote mail server after RCPT TO:<b@example.net>: 550 no`,
			Event{Agent: "remote_smtp", Kind: Bounced, Recipient: "b@example.net", Relay: "mx.example.net [192.0.2.9]", Text: "SMTP error from remote mail server after RCPT TO:<b@example.net>: 550 no"}},
		{exim1 + " Completed QT=2s", Event{Kind: Removed}},
		{exim1 + " Frozen (delivery error message)", Event{Kind: Held, Text: "Frozen (delivery error message)"}},
		{exim1 + " Unfrozen by forced delivery", Event{Kind: Freed, Text: "Unfrozen by forced delivery"}},
		{exim1 + " cancelled by timeout_frozen_after", Event{Kind: Expired, Text: "cancelled by timeout_frozen_after"}},
	} {
		for _, begin := range []string{"2026-11-29 17:10:02 ", "2026-11-29 18:10:02 +0100 ", "2026-11-29 17:10:02.000 [123] ",
			"Nov 29 17:10:02 mx exim[123]: ", "Nov 29 17:10:02 mx exim4[123]: 2026-11-29 17:10:02 "} {
			e, ok := told(t, begin+c.line)
			if !ok {
				t.Errorf("%s: no event", begin+c.line)
				continue
			}
			want := c.want
			want.MTA, want.Host, want.Coarse, want.Time = "exim", e.Host, e.Coarse, time.Date(2026, 11, 29, 17, 10, 2, 0, time.UTC)
			want.Queue, _, _ = strings.Cut(c.line, " ")
			if e != want {
				t.Errorf("%s\n got %+v\nwant %+v", begin+c.line, e, want)
			}
		}
	}
}

// TestHeaders reads the same event after headers of every form.
func TestHeaders(t *testing.T) {
	const text = short + ": removed"
	for _, c := range []struct {
		line, when string
		coarse     bool
	}{
		{"Nov 29 17:10:02 mx postfix/qmgr[1]: " + text, "2026-11-29T17:10:02Z", true},
		{"Nov  9 17:10:02 mx postfix/qmgr[1]: " + text, "2026-11-09T17:10:02Z", true},
		{"Nov 30 17:10:02 mx postfix/qmgr[1]: " + text, "2026-11-30T17:10:02Z", true}, // a clock that is a day ahead
		{"Dec 24 17:10:02 mx postfix/qmgr[1]: " + text, "2025-12-24T17:10:02Z", true},
		{"Feb 29 17:10:02 mx postfix/qmgr[1]: " + text, "2024-02-29T17:10:02Z", true},
		{"Nov 29 17:10:02.123456 mx postfix/qmgr[1]: " + text, "2026-11-29T17:10:02.123456Z", false},
		{"Nov 29 2024 17:10:02 mx postfix/qmgr[1]: " + text, "2024-11-29T17:10:02Z", true},
		{"déc. 24 17:10:02 mx postfix/qmgr[1]: " + text, "2025-12-24T17:10:02Z", true},
		{"Mär 24 17:10:02 mx postfix/qmgr[1]: " + text, "2026-03-24T17:10:02Z", true},
		{"<22>Nov 29 17:10:02 mx postfix/qmgr[1]: " + text, "2026-11-29T17:10:02Z", true},
		{"2026-11-29T17:10:02.123456+01:00 mx postfix/qmgr[1]: " + text, "2026-11-29T16:10:02.123456Z", false},
		{"2026-11-29T17:10:02+0100 mx postfix/qmgr[1]: " + text, "2026-11-29T16:10:02Z", true},
		{"<22>1 2026-11-29T17:10:02.123Z mx postfix/qmgr 1 - - " + text, "2026-11-29T17:10:02.123Z", false},
		{`<22>1 2026-11-29T17:10:02.123Z mx postfix/qmgr 1 - [meta a="b"] ` + text, "2026-11-29T17:10:02.123Z", false},
		{`{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"1795972202123456","_HOSTNAME":"mx","SYSLOG_IDENTIFIER":"postfix/qmgr","MESSAGE":"` + text + `"}`, "2026-11-29T17:10:02.123456Z", false},
		{`{"__REALTIME_TIMESTAMP":"1795972203000000","_SOURCE_REALTIME_TIMESTAMP":"1795972202123456","_HOSTNAME":"mx","SYSLOG_IDENTIFIER":"postfix/qmgr","MESSAGE":[52,65,53,66,54,67,55,68,56,69,58,32,114,101,109,111,118,101,100]}`, "2026-11-29T17:10:02.123456Z", false},
	} {
		e, ok := told(t, c.line)
		if got := e.Time.Format(time.RFC3339Nano); !ok || got != c.when || e.Coarse != c.coarse || e.Kind != Removed || e.Queue != short || e.Host != "mx" {
			t.Errorf("%s\n%v %s coarse %v, %+v", c.line, ok, got, e.Coarse, e)
		}
	}
}

// TestZones reads times of a zone, through the hour that its clocks show twice.
func TestZones(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	p := NewParser(berlin, time.Date(2026, 10, 25, 12, 0, 0, 0, time.UTC))
	for _, c := range [][2]string{
		{"Oct 25 01:59:00", "2026-10-24T23:59:00Z"}, {"Oct 25 02:30:00", "2026-10-25T00:30:00Z"}, {"Oct 25 02:59:59", "2026-10-25T00:59:59Z"},
		{"Oct 25 02:59:58", "2026-10-25T00:59:58Z"}, {"Oct 25 02:00:01", "2026-10-25T01:00:01Z"}, {"Oct 25 02:30:00", "2026-10-25T01:30:00Z"},
		{"Oct 25 03:00:00", "2026-10-25T02:00:00Z"},
	} {
		e, _ := p.Line(c[0] + " mx postfix/qmgr[1]: " + short + ": removed")
		if got := e.Time.Format(time.RFC3339); got != c[1] {
			t.Errorf("%s: %s, not %s", c[0], got, c[1])
		}
	}
}

// TestForeign shows that lines of others tell nothing, whatever they quote.
func TestForeign(t *testing.T) {
	const forged = short + ": to=<b@x>, relay=x[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)"
	for _, line := range []string{
		host + "sshd[1]: Failed password for postfix/smtp[12]: " + forged,
		host + "kernel: " + forged,
		host + "opendkim[1]: " + short + ": DKIM-Signature field added",
		host + "postfix/smtpd[1]: warning: " + forged,
		host + "postfix/smtpd[1]: NOQUEUE: reject: RCPT from x[192.0.2.1]: 554 5.7.1; from=<a@b> to=<c@d> proto=ESMTP helo=<x>",
		host + "postfix/smtpd[1]: connect from mail.example.org[192.0.2.1]",
		host + "postfix/smtpd[1]: disconnect from mail.example.org[192.0.2.1] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5",
		host + "postfix/smtp[1]: " + short + ": removed",
		host + "postfix/cleanup[1]: " + forged,
		host + "postfix/cleanup[1]: " + short + ": warning: header Subject: x; " + forged + " from x[192.0.2.1]; from=<a@b> to=<c@d> proto=ESMTP helo=<x>",
		host + "postfix/qmgr[1]: " + short + ": from=<a>, size=1, nrcpt=1 (queue active) x",
		host + "postfix/anvil[1]: statistics: max connection rate 1/60s for (smtp:192.0.2.1) at Nov 29 17:10:02",
		host + "dovecot: lmtp(b): sieve: msgid=<x>: stored mail into mailbox 'INBOX'",
		host + "exim[1]: no queue id Completed",
		host + "logger: " + exim1 + " Completed",
		host + "sm-mta[1]: " + mail + ": Milter insert (0): header: X: to=<b@x>, delay=00:00:05, xdelay=00:00:05, mailer=esmtp, pri=1, stat=Sent",
		"2026-11-29 17:10:02 " + exim1 + ` H=x [192.0.2.1] F=<a@b> rejected after DATA: => b@x C="250 ok"`,
		"2026-11-29 17:10:02 SMTP connection from [192.0.2.1] " + exim1 + " Completed",
		"2026-11-29 17:10:02 no host name found for IP address 192.0.2.1",
	} {
		if e, ok := told(t, line); ok {
			t.Errorf("%s\ntells %+v", line, e)
		}
	}
}

// TestForged has addresses, names and answers that look like the MTA's own words.
func TestForged(t *testing.T) {
	const forged = ", relay=evil[192.0.2.66]:25, delay=9, delays=0/0/0/9, dsn=2.0.0, status=sent (250 stolen"
	const real = ", relay=none, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (unknown)"
	to := host + "postfix/smtp[1]: " + short + ": to=<"
	exim := "2026-11-29 17:10:02 " + exim1
	for _, c := range []struct {
		name, line string
		kind       Kind
		recipient  string
	}{
		{"quoted address", to + `"a@x>` + forged + `"@example.com>` + real, Bounced, `"a@x>` + forged + `"@example.com`},
		{"escaped quote", to + `"a\"@x>` + forged + `"@example.com>` + real, Bounced, `"a\"@x>` + forged + `"@example.com`},
		{"address without quotes", to + `a@x>` + forged + `@example.com>` + real, Unclear, ""},
		{"orig_to without quotes", to + `b@x>, orig_to=<a@x>` + forged + `@example.com>` + real, Unclear, ""},
		{"answer", to + `a@example.com>` + real + " said <b@x>" + forged + ")", Unclear, ""},
		{"answer in brackets", to + `a@example.com>, relay=mx[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=4.0.0, status=deferred (host said: 450 status=sent (250 ok))`, Deferred, "a@example.com"},
		{"message-id", host + "postfix/cleanup[1]: " + short + ": message-id=<x>, to=<a@x>" + forged, Named, ""},
		{"sender of Sendmail", host + "sm-mta[1]: " + mail + ": from=<a, size=1, class=0, nrcpts=1, msgid=<stolen@x>, proto=ESMTP, daemon=x, relay=evil@x>, size=12, class=0, nrcpts=1, msgid=<m@x>, proto=ESMTP, daemon=MTA, relay=x", Unclear, ""},
		{"recipient of Sendmail", host + "sm-mta[1]: " + mail + `: to=<"a, delay=00:00:01, xdelay=00:00:01, mailer=esmtp, pri=1, relay=evil, dsn=2.0.0, stat=Sent (x"@x>, delay=00:00:02, xdelay=00:00:02, mailer=local, pri=2, dsn=5.1.1, stat=User unknown`, Unclear, ""},
		{"sender of Exim", exim + ` => b@example.com F=<"a T=evil H=evil [192.0.2.66] C=\"250 stolen\""@x> R=r T=maildir`, Sent, "b@example.com"},
		{"subject of Exim", exim + ` <= a@x H=x [192.0.2.1] P=smtp S=1 T="x id=stolen@x R=` + exim1 + `"`, Queued, ""},
	} {
		e, ok := told(t, c.line)
		if !ok || e.Kind != c.kind || e.Recipient != c.recipient && c.recipient != "" || strings.Contains(e.Relay+e.Client+e.Agent, "evil") || strings.Contains(e.MessageID, "stolen@") {
			t.Errorf("%s: %v %+v", c.name, ok, e)
		}
	}
}

// TestUnread tells lines in no known form from lines of other programs.
func TestUnread(t *testing.T) {
	for line, want := range map[string]Verdict{
		"": Unread, "hello": Unread, "{}": Unread, `{"MESSAGE":null}`: Unread, "17:10:02 mx postfix/qmgr[1]: " + short + ": removed": Unread,
		"1795972202.123 mx postfix/qmgr[1]: x": Unread, "\x00\xff": Unread, host + "cron[1]: x": Foreign, host + "last message repeated 2 times": Unread,
		"2026-11-29T17:10:02Z mx systemd[1]: x": Foreign,
	} {
		if _, v := NewParser(time.UTC, at).Line(line); v != want {
			t.Errorf("%q: %v, not %v", line, v, want)
		}
	}
}

// TestPrivate takes out what is not to be kept.
func TestPrivate(t *testing.T) {
	e := Event{Sender: "a@b.example", Recipient: "c@d.example", Client: "x[192.0.2.1]", Text: "550 <c@d.example>: no such user c@d.example (x@y)"}
	got := e.Private(true, true, false)
	if got.Sender != "*@b.example" || got.Recipient != "*@d.example" || got.Client != "" || got.Text != "550 <*@d.example>: no such user *@d.example (*@y)" {
		t.Errorf("%+v", got)
	}
	if got := e.Private(false, false, true); got.Text != "" || got.Recipient != e.Recipient {
		t.Errorf("%+v", got)
	}
}

// FuzzLine reads any line: none may panic, and whatever is told has a queue id of an MTA
// and is bounded.
func FuzzLine(f *testing.F) {
	for _, s := range []string{
		host + "postfix/smtp[12]: " + short + ": to=<b@example.net>, relay=none, delay=30, delays=0.1/0/30/0, dsn=4.4.1, status=deferred (x)",
		host + "sm-mta[12]: " + mail + ": to=<b@example.net>, delay=00:00:05, xdelay=00:00:05, mailer=local, pri=1, dsn=5.1.1, stat=User unknown",
		host + "sm-mta[12]: " + mail + ": from=<a@b>, size=12, class=0, nrcpts=1, msgid=<m1@example.org>, proto=ESMTP, relay=x",
		"2026-11-29 17:10:02 " + exim1 + ` => b@example.net F=<a@b> R=r T=t H=mx [192.0.2.9] C="250 OK" QT=1m`,
		`{"__REALTIME_TIMESTAMP":"1","SYSLOG_IDENTIFIER":"postfix/qmgr","MESSAGE":[52,65]}`,
		"<22>1 2026-11-29T17:10:02.123Z mx postfix/qmgr 1 - - " + short + ": removed",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		e, v := NewParser(time.UTC, at).Line(line)
		if v != Told {
			return
		}
		if !isPostfixQueue(e.Queue) && !isSendmailQueue(e.Queue) && !eximID.MatchString(e.Queue) {
			t.Errorf("queue id %q", e.Queue)
		}
		if e.Kind == "" || e.MTA == "" || len(e.Text) > maxText || len(e.Recipient) > maxAddress || len(e.MessageID) > maxID {
			t.Errorf("%+v", e)
		}
	})
}
