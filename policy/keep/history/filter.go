package history

import (
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy"
)

// Filter says which records to find. Zero fields let everything through.
type Filter struct {
	Sender    string    // a pattern, see policy.LikeAddress, for the envelope or the author that the message names
	Recipient string    // likewise, for any of the recipients
	User      string    // likewise, for the login
	Domains   []string  // only mail from or to one of these domains, ".example.com" for all subdomains; nil for all
	Client    string    // a pattern, see policy.LikeClient
	Subject   string    // a pattern, see policy.LikeText
	Reason    string    // likewise, for any rule that decided or finding
	Rule      string    // likewise, for any rule that decided, added something, or only watched
	Finding   string    // likewise, for any finding
	Engine    string    // likewise, for any engine or scanner that was asked
	Did       string    // what such an engine did: found, failed; "" for anything
	QueueID   string    // the MTA's, whole
	MessageID string    // whole, with or without angle brackets
	Action    string    // of the message or, with Recipient, for such a recipient; without it, also for any of them
	Larger    int64     // at least so many bytes
	Smaller   int64     // at most so many bytes; 0 for any
	Since     time.Time // received then or later
	Before    time.Time // received before then
	Limit     int       // records of a page; 0 for PageSize

	// Patience is how long a search may take; 0 for as long as it takes. When it is over,
	// the page has what was found by then, and says where to go on.
	Patience time.Duration
}

// What an engine can have done.
const (
	DidFind = "found"  // it objected
	DidFail = "failed" // it gave no answer
)

// Matches reports whether the filter lets a record through. Limit and Patience play no
// part.
func (f Filter) Matches(r policy.Record) bool { return f.Matcher()(r) }

// Matcher returns Matches for many records.
func (f Filter) Matcher() func(policy.Record) bool {
	var all []func(policy.Record) bool
	for _, c := range []func() func(policy.Record) bool{f.envelope, f.texts, f.grounds, f.ids} {
		if check := c(); check != nil {
			all = append(all, check)
		}
	}
	return func(r policy.Record) bool {
		return f.inSpan(r) && f.inDomains(r) && !slices.ContainsFunc(all, func(check func(policy.Record) bool) bool { return !check(r) })
	}
}

// inSpan looks at the time and the size.
func (f Filter) inSpan(r policy.Record) bool {
	return !r.Time.Before(f.Since) && (f.Before.IsZero() || r.Time.Before(f.Before)) &&
		r.Size >= f.Larger && (f.Smaller == 0 || r.Size <= f.Smaller)
}

// inDomains looks at the domains of the sender and of all recipients.
func (f Filter) inDomains(r policy.Record) bool {
	return f.Domains == nil || slices.ContainsFunc(DomainsOf(r), func(d string) bool {
		return slices.ContainsFunc(f.Domains, func(wanted string) bool {
			wanted = strings.ToLower(wanted)
			return d == wanted || strings.HasPrefix(wanted, ".") && strings.HasSuffix(d, wanted)
		})
	})
}

// envelope looks at senders, recipients and what became of the message for them.
func (f Filter) envelope() func(policy.Record) bool {
	if f.Sender == "" && f.Recipient == "" && f.Action == "" {
		return nil
	}
	sender, recipient := policy.AddressesLike(f.Sender), policy.AddressesLike(f.Recipient)
	wanted := func(to policy.RecordRecipient) bool {
		return recipient(to.Recipient) && (f.Action == "" || f.Action == to.Action)
	}
	return func(r policy.Record) bool {
		return (f.Sender == "" || slices.ContainsFunc(r.Senders(), sender)) &&
			(f.Recipient == "" && (f.Action == "" || f.Action == r.Action) || slices.ContainsFunc(r.Recipients, wanted))
	}
}

// texts looks at what was said to us: the login, the client and the subject.
func (f Filter) texts() func(policy.Record) bool {
	if f.User == "" && f.Client == "" && f.Subject == "" {
		return nil
	}
	user, client, subject := policy.AddressesLike(f.User), policy.ClientsLike(f.Client), policy.TextsLike(f.Subject)
	return func(r policy.Record) bool {
		return (f.User == "" || r.User != "" && user(r.User)) && (f.Client == "" || client(r.Client, r.ClientName)) && subject(r.Subject)
	}
}

// grounds looks at rules, findings and engines.
func (f Filter) grounds() func(policy.Record) bool {
	if f.Reason == "" && f.Rule == "" && f.Finding == "" && f.Engine == "" && f.Did == "" {
		return nil
	}
	like := func(pattern string) func([]string) bool {
		one := policy.TextsLike(pattern)
		return func(list []string) bool { return pattern == "" || slices.ContainsFunc(list, one) }
	}
	reason, rule, finding, engine := like(f.Reason), like(f.Rule), like(f.Finding), policy.TextsLike(f.Engine)
	return func(r policy.Record) bool {
		found := FindingsOf(r)
		return reason(append(Deciders(r), found...)) && rule(RulesOf(r)) && finding(found) &&
			(f.Engine == "" && f.Did == "" || slices.ContainsFunc(r.Scanners, func(s policy.ScannerTime) bool {
				return engine(s.Scanner) && (f.Did == "" || slices.Contains(Did(s), f.Did))
			}))
	}
}

// ids looks at the names that MTAs and senders give to a message.
func (f Filter) ids() func(policy.Record) bool {
	if f.QueueID == "" && f.MessageID == "" {
		return nil
	}
	id := BareID(f.MessageID)
	return func(r policy.Record) bool {
		return (f.QueueID == "" || f.QueueID == r.QueueID) && (id == "" || id == r.MessageID)
	}
}

// BareID returns a Message-ID as records have it, without blanks and angle brackets.
func BareID(id string) string { return strings.Trim(strings.TrimSpace(id), "<>") }

// Deciders returns the names of all rules that decided about a recipient.
func Deciders(r policy.Record) (list []string) {
	for _, v := range r.Verdicts {
		if v.Rule != nil {
			list = append(list, v.Rule.Name)
		}
	}
	return list
}

// RulesOf returns the names of all rules that had a say: they decided, added something, or
// only watched.
func RulesOf(r policy.Record) []string {
	list := slices.Concat(Deciders(r), r.Applied, r.Watched)
	for _, v := range r.Verdicts {
		list = append(append(list, v.Applied...), v.Watched...)
	}
	for _, to := range r.Recipients {
		list = append(list, to.Rule)
	}
	list = append(list, r.Rule)
	slices.Sort(list)
	return slices.DeleteFunc(slices.Compact(list), func(s string) bool { return s == "" })
}

// FindingsOf returns the names of all findings.
func FindingsOf(r policy.Record) []string {
	list := make([]string, len(r.Findings))
	for i, f := range r.Findings {
		list[i] = f.Rule
	}
	return list
}

// Did returns what an engine did, apart from answering.
func Did(s policy.ScannerTime) (list []string) {
	if s.Found > 0 {
		list = append(list, DidFind)
	}
	if s.Error != "" {
		list = append(list, DidFail)
	}
	return list
}

// DomainsOf returns the domains of the sender and of all recipients, in lower case;
// "<>" for the null sender.
func DomainsOf(r policy.Record) []string {
	list := []string{strings.TrimSuffix(domain(r.Sender), ".")}
	for _, to := range r.Recipients {
		list = append(list, strings.TrimSuffix(domain(to.Recipient), "."))
	}
	slices.Sort(list)
	return slices.Compact(list)
}
