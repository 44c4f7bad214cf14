package policy

import "strconv"

// JSON returns the record as the function of this name does. Every message is written so, once or
// more, and encoding/json takes many times as long: it looks up anew what the fields are.
func (r Record) JSON() []byte { return written(func(o *object) { o.record(&r) }) }

// record writes the fields of a record.
func (o *object) record(r *Record) {
	o.line(r)
	withinIf(o, "contents", r.Contents, (*object).contents)
	objectsIf(o, "verdicts", r.Verdicts, (*object).verdict)
	objectsIf(o, "alternatives", r.Alternatives, (*object).alternative)
	o.flagIf("alternatives_cut", r.NotTried)
}

// line writes what the log has of a record.
func (o *object) line(r *Record) {
	o.envelope(r)
	o.ruling(r)
	objects(o, "recipients", r.Recipients, (*object).recipient)
	o.numberIf("recipients_more", r.MoreRecipients)
	objects(o, "findings", r.Findings, (*object).finding)
	o.numberIf("findings_more", r.MoreFindings)
	objects(o, "edits", r.Edits, (*object).edit)
	o.textsIf("changes", r.Changes)
	o.textsIf("applied", r.Applied)
	o.textsIf("watched", r.Watched)
	objectsIf(o, "scanners", r.Scanners, (*object).scanner)
	o.textIf("release", r.Release)
	o.flagIf("appeal", r.Appeal)
}

func (o *object) envelope(r *Record) {
	o.number("version", int64(r.Version))
	o.text("id", r.ID)
	o.textIf("host", r.Host)
	o.time("time", r.Time)
	o.key("generation")
	o.b = strconv.AppendUint(o.b, r.Generation, 10)
	o.text("stage", r.Stage)
	o.text("direction", r.Direction)
	o.text("queue_id", r.QueueID)
	o.text("message_id", r.MessageID)
	o.text("client", r.Client)
	o.text("client_name", r.ClientName)
	o.textIf("country", r.Country)
	o.numberIf("asn", int(r.ASN))
	o.textIf("as_name", r.ASName)
	o.text("helo", r.Helo)
	o.text("user", r.User)
	o.flag("tls", r.TLS)
	o.text("sender", r.Sender)
	o.textIf("from", r.From)
	o.text("subject", r.Subject)
	o.number("size", r.Size)
}

func (o *object) ruling(r *Record) {
	o.text("action", r.Action)
	o.text("reply", r.Reply)
	o.text("rule", r.Rule)
	o.fraction("score", r.Score)
	o.flag("complete", r.Complete)
	o.took("took", r.Took)
	withinIf(o, "times", r.Times, (*object).times)
}

func (o *object) times(t *RecordTimes) {
	o.timeIf("connect", t.Connect)
	o.timeIf("helo", t.Helo)
	o.timeIf("mail", t.Mail)
	o.timeIf("rcpt", t.Rcpt)
	o.timeIf("end", t.End)
}

func (o *object) recipient(to *RecordRecipient) {
	o.text("recipient", to.Recipient)
	o.text("action", to.Action)
	o.text("rule", to.Rule)
	within(o, "because", to.Because, (*object).finding)
	withinIf(o, "listed", to.Listed, (*object).listed)
	withinIf(o, "own_limit", to.Limit, (*object).limit)
}

func (o *object) listed(l *RecordListed) {
	o.number("id", l.ID)
	o.text("owner", l.Owner)
	o.text("act", l.Act)
	o.text("pattern", l.Pattern)
	o.flagIf("authenticated", l.Authenticated)
}

func (o *object) limit(l *RecordLimit) {
	o.text("owner", l.Owner)
	o.fraction("score", l.Score)
}

func (o *object) finding(f *RecordFinding) {
	o.text("kind", f.Kind.String())
	o.text("scanner", f.Scanner)
	o.text("rule", f.Rule)
	o.text("part", f.Part)
	o.textIf("name", f.Name)
	o.text("detail", f.Detail)
	o.fraction("score", f.Score)
	o.textIf("recipient", f.Recipient)
}

func (o *object) edit(e *RecordEdit) {
	o.text("kind", e.Kind)
	o.textIf("part", e.Part)
	o.textIf("name", e.Name)
	o.textIf("value", e.Value)
	o.textIf("rule", e.Rule)
}

func (o *object) scanner(s *ScannerTime) {
	o.text("scanner", s.Scanner)
	o.took("took", s.Took)
	o.numberIf("found", s.Found)
	o.textIf("error", s.Error)
}

func (o *object) contents(c *RecordContents) {
	objects(o, "parts", c.Parts, (*object).part)
	o.numberIf("parts_more", c.MoreParts)
	o.texts("hosts", c.Hosts)
	o.numberIf("hosts_more", c.MoreHosts)
	o.flagIf("unread", c.Unread)
}

func (o *object) part(p *RecordPart) {
	o.text("sha256", p.SHA256)
	o.number("size", p.Size)
	o.textIf("name", p.Name)
}

func (o *object) verdict(v *RecordVerdict) {
	o.texts("recipients", v.Recipients)
	o.text("action", v.Action)
	o.flagIf("kept", v.Kept)
	o.flagIf("appeal", v.Appeal)
	withinIf(o, "rule", v.Rule, (*object).rule)
	o.number("because", int64(v.Because))
	o.textsIf("applied", v.Applied)
	o.textsIf("watched", v.Watched)
	objectsIf(o, "matches", v.Matches, (*object).match)
	o.numberIf("matches_more", v.More)
}

func (o *object) rule(r *RecordRule) {
	o.text("name", r.Name)
	o.textIf("file", r.File)
	o.numberIf("line", r.Line)
}

func (o *object) match(m *RecordMatch) {
	within(o, "rule", &m.Rule, (*object).rule)
	o.number("finding", int64(m.Finding))
	o.numberIf("alike", m.Alike)
	o.text("does", m.Does)
	o.flagIf("decides", m.Decides)
	o.flagIf("observed", m.Observed)
	o.flagIf("lets", m.Lets)
}

func (o *object) alternative(a *Alternative) {
	o.numbersIf("findings", a.Findings)
	o.textsIf("rules", a.Rules)
	o.text("then", a.Then)
}
