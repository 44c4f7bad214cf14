package dmarc

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"

	"github.com/milterscan/milterscan/scan/sender/auth"
)

// feedback is a report as RFC 9990, appendix A, has it. The order of the fields is that of
// the elements.
type feedback struct {
	XMLName  xml.Name `xml:"urn:ietf:params:xml:ns:dmarc-2.0 feedback"`
	Version  string   `xml:"version"`
	Metadata metadata `xml:"report_metadata"`
	Policy   policyPublished
	Records  []record `xml:"record"`
}

type metadata struct {
	Organization string `xml:"org_name"`
	Email        string `xml:"email"`
	Contact      string `xml:"extra_contact_info,omitempty"`
	ID           string `xml:"report_id"`
	Range        struct {
		Begin int64 `xml:"begin"`
		End   int64 `xml:"end"`
	} `xml:"date_range"`
	Generator string `xml:"generator,omitempty"`
}

type policyPublished struct {
	XMLName   xml.Name `xml:"policy_published"`
	Domain    string   `xml:"domain"`
	Discovery string   `xml:"discovery_method"`
	P         string   `xml:"p"`
	SP        string   `xml:"sp"`
	NP        string   `xml:"np"`
	Failures  string   `xml:"fo,omitempty"`
	DKIM      string   `xml:"adkim"`
	SPF       string   `xml:"aspf"`
	Testing   string   `xml:"testing"`
}

type record struct {
	Row struct {
		Client string    `xml:"source_ip"`
		Count  int64     `xml:"count"`
		Policy evaluated `xml:"policy_evaluated"`
	} `xml:"row"`
	Identifiers struct {
		HeaderFrom string `xml:"header_from"`
		Sender     string `xml:"envelope_from,omitempty"`
	} `xml:"identifiers"`
	Results struct {
		DKIM []dkimResult `xml:"dkim"`
		SPF  *spfResult   `xml:"spf"`
	} `xml:"auth_results"`
}

type evaluated struct {
	Disposition string  `xml:"disposition"`
	DKIM        string  `xml:"dkim"`
	SPF         string  `xml:"spf"`
	Reason      *reason `xml:"reason"`
}

type reason struct {
	Type    string `xml:"type"`
	Comment string `xml:"comment,omitempty"`
}

type dkimResult struct {
	Domain   string `xml:"domain"`
	Selector string `xml:"selector"`
	Result   string `xml:"result"`
}

type spfResult struct {
	Domain string `xml:"domain"`
	Scope  string `xml:"scope"`
	Result string `xml:"result"`
}

// document is a report as it goes out.
type document struct {
	id       string
	fileName string // of the compressed file
	xml      []byte
}

// generator names our program. It does not tell the version.
const generator = "milterscan"

// write makes the document of a report.
func (p Post) write(r Report, rows []row, counts []int64) (document, error) {
	if len(rows) == 0 {
		return document{}, ErrNothing
	}
	var published auth.Published
	if err := json.Unmarshal([]byte(r.policy), &published); err != nil {
		return document{}, err
	}
	d := document{id: p.id(r)}
	d.fileName = fmt.Sprintf("%s!%s!%d!%d!%s.xml.gz", p.Terms.Submitter(), r.Domain, r.day.begin(), r.day.end(), d.id)
	f := feedback{Version: "1.0", Policy: policyOf(published), Metadata: metadata{
		Organization: p.Terms.Organization, Email: p.Terms.Email, Contact: p.Terms.Contact, ID: d.id, Generator: generator}}
	f.Metadata.Range.Begin, f.Metadata.Range.End = r.day.begin(), r.day.end()
	for i, one := range rows {
		f.Records = append(f.Records, one.record(counts[i]))
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	e := xml.NewEncoder(&b)
	e.Indent("", " ")
	err := errors.Join(e.Encode(f), e.Close())
	b.WriteByte('\n')
	d.xml = b.Bytes()
	return d, err
}

// id returns the name of a report: the same each time it is sent, and another for each
// host that reports about its own mail alone.
func (p Post) id(r Report) string {
	if r.id != "" {
		return r.id
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%d", p.Host, p.Terms.Submitter(), r.Domain, r.day))
	return strings.ToLower(base32.HexEncoding.EncodeToString(sum[:15]))
}

func policyOf(p auth.Published) policyPublished {
	mode := map[bool]string{false: "r", true: "s"}
	return policyPublished{Domain: p.Domain, Discovery: "treewalk", P: p.P, SP: p.SP, NP: p.NP, Failures: p.Failures,
		DKIM: mode[p.StrictDKIM], SPF: mode[p.StrictSPF], Testing: map[bool]string{false: "n", true: "y"}[p.Testing]}
}

// record returns the element of a row.
func (r row) record(n int64) (e record) {
	word := map[bool]string{false: "fail", true: "pass"}
	e.Row.Client, e.Row.Count = r.Client, n
	e.Row.Policy = evaluated{Disposition: r.Disposition, DKIM: word[r.DKIM], SPF: word[r.SPF]}
	if r.Reason != "" {
		e.Row.Policy.Reason = &reason{r.Reason, r.Comment}
	}
	e.Identifiers.HeaderFrom, e.Identifiers.Sender = r.HeaderFrom, r.Sender
	for _, s := range r.Signed {
		e.Results.DKIM = append(e.Results.DKIM, dkimResult{s.Domain, s.Selector, s.Result})
	}
	if r.SPFResult != "" {
		e.Results.SPF = &spfResult{r.Sender, "mfrom", r.SPFResult}
	}
	return e
}

// compressed returns the document as a gzip file.
func (d document) compressed() ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(d.xml)
	err = errors.Join(err, z.Close())
	return b.Bytes(), err
}
