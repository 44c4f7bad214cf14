package ldap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// Query is a question for all entries below a base.
type Query struct {
	Base, Filter string
	Attributes   []string
}

// Entry is an entry with its attributes.
type Entry struct {
	DN     string
	values map[string][]string // by the name of the attribute in small letters
}

// Values returns the values of an attribute.
func (e Entry) Values(attribute string) []string { return e.values[strings.ToLower(attribute)] }

// page is how many entries are asked for at once. Servers give no more than a thousand without.
const page = 500

// CheckFilter returns the error in a filter.
func CheckFilter(filter string) error {
	_, err := ldap.CompileFilter(filter)
	return err
}

// Walk passes on all entries that a server has, page by page, until ctx is done or take returns an error. A
// server that has more than it gives is an error: no entry is left out without a word.
func Walk(ctx context.Context, conn *Conn, q Query, take func(Entry) error) error {
	paging := ldap.NewControlPaging(page)
	for {
		found, err := conn.Search(ldap.NewSearchRequest(q.Base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, seconds(ctx), false,
			q.Filter, q.Attributes, []ldap.Control{paging}))
		if err != nil {
			return fmt.Errorf("search below %q: %w", q.Base, err)
		}
		for _, e := range found.Entries {
			entry, err := whole(ctx, conn, e)
			if err == nil {
				err = take(entry)
			}
			if err != nil {
				return err
			}
		}
		next, ok := ldap.FindControl(found.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		if !ok || len(next.Cookie) == 0 {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		paging.SetCookie(next.Cookie)
	}
}

// seconds returns how long the server may take by ctx.
func seconds(ctx context.Context) int {
	deadline, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	return max(1, int(time.Until(deadline)/time.Second))
}

// whole returns an entry with all values of its attributes: Active Directory gives some 1500 of them, and the rest
// when it is asked for (MS-ADTS, section 3.1.1.3.1.3.3).
func whole(ctx context.Context, conn *Conn, e *ldap.Entry) (Entry, error) {
	all := Entry{DN: e.DN, values: map[string][]string{}}
	for _, a := range e.Attributes {
		name, rest, err := all.add(a)
		for err == nil && rest > 0 {
			if ctx.Err() != nil {
				return all, context.Cause(ctx)
			}
			name, rest, err = all.more(conn, name, rest)
		}
		if err != nil {
			return all, fmt.Errorf("%s: %w", e.DN, err)
		}
	}
	return all, nil
}

// add takes the values of an attribute. rest is the place of the next one, 0 if these are all.
func (e Entry) add(a *ldap.EntryAttribute) (name string, rest int, err error) {
	name, options, _ := strings.Cut(strings.ToLower(a.Name), ";")
	if rest, err = restOf(options); err != nil {
		return name, 0, err
	}
	e.values[name] = append(e.values[name], a.Values...)
	return name, rest, nil
}

// restOf returns where the rest of the values begins, by the options of an attribute: 1500 of "range=0-1499", and 0 of
// "range=1500-*" and of none.
func restOf(options string) (int, error) {
	for option := range strings.SplitSeq(options, ";") {
		span, ok := strings.CutPrefix(option, "range=")
		if !ok {
			continue
		}
		from, to, _ := strings.Cut(span, "-")
		first, err := strconv.Atoi(from)
		if err != nil || to == "*" {
			return 0, err
		}
		last, err := strconv.Atoi(to)
		if err != nil || last < first {
			return 0, fmt.Errorf("%q is no range of values", option)
		}
		return last + 1, nil
	}
	return 0, nil
}

var errNoRest = errors.New("the server does not give the rest of the values")

// more asks for the values of an attribute from a place on.
func (e Entry) more(conn *Conn, attribute string, from int) (string, int, error) {
	found, err := conn.Search(ldap.NewSearchRequest(e.DN, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, "(objectClass=*)",
		[]string{fmt.Sprintf("%s;range=%d-*", attribute, from)}, nil))
	if err != nil {
		return "", 0, err
	}
	if len(found.Entries) != 1 {
		return "", 0, errNoRest
	}
	attributes := found.Entries[0].Attributes
	i := slices.IndexFunc(attributes, func(a *ldap.EntryAttribute) bool {
		return strings.HasPrefix(strings.ToLower(a.Name), attribute+";range="+strconv.Itoa(from)+"-")
	})
	if i < 0 {
		return "", 0, errNoRest
	}
	return e.add(attributes[i])
}
