package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy/ldap"
	"github.com/milterscan/milterscan/scan/units"
)

// LDAPSource is the part of an entry of [[people.source]] for LDAP servers.
type LDAPSource struct {
	// Encrypt the connection of ldap://.
	StartTLS bool `toml:"starttls"`
	// The name that we have there; "" for nobody's.
	BindDN string `toml:"bind_dn"`
	// Below which entry people are.
	Base string `toml:"base"`
	// Which entries are people.
	Filter string `toml:"filter"`
	// Below which entry groups are, for servers on which people do not say in which
	// groups they are, and for groups in groups; "" for none.
	GroupBase string `toml:"group_base"`
	// Which entries are groups. Members are those in member and uniqueMember.
	GroupFilter string `toml:"group_filter"`
}

// attributes are what LDAP servers call the fields of a person.
var attributes = map[string][]string{
	fieldAddress: {"mail"}, fieldName: {"displayName", "cn"}, fieldAliases: {"proxyAddresses", "mailAlternateAddress"},
	fieldGroups: {"memberOf"}, fieldLanguage: {"preferredLanguage"}, fieldDelegates: {"publicDelegates"},
}

// Attributes of groups.
const (
	member       = "member"
	uniqueMember = "uniqueMember"
)

// mostOfTransfer is how many bytes a server may send in one load.
const mostOfTransfer = 2 << 30

// checkLDAP returns the errors in a source that is an LDAP server.
func (s Source) checkLDAP() error {
	var check units.Check
	check.Add(s.server().Check())
	check.If(s.Base == "", "base", "write below which entry people are, such as \"ou=people,dc=example,dc=com\"")
	check.If((s.BindDN == "") != (s.PasswordFile == ""), "bind_dn", "bind_dn and password_file come together; set both, or neither")
	filters := map[string]string{"filter": s.Filter}
	if s.GroupBase != "" {
		filters["group_filter"] = s.GroupFilter
	}
	for key, filter := range filters {
		err := ldap.CheckFilter(filter)
		check.If(err != nil, key, "%q is no filter; write one such as \"(mail=*)\": %v", filter, err)
	}
	return check.Err()
}

func (s Source) server() ldap.Server {
	return ldap.Server{URL: s.URL, StartTLS: s.StartTLS, CAFile: s.CAFile, BindDN: s.BindDN,
		Password: s.PasswordFile.Read, Most: mostOfTransfer}
}

// tree is a source that is an LDAP server.
type tree struct{ Source }

// attributesOf returns the attributes that hold a field.
func (t tree) attributesOf(field string) []string {
	if names := t.Fields[field]; len(names) > 0 {
		return names
	}
	return attributes[field]
}

// read reads all people and groups.
func (t tree) read(ctx context.Context, take taker) error {
	conn, err := t.server().Connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	groups := nesting{}
	if t.GroupBase != "" {
		err := ldap.Walk(ctx, conn, ldap.Query{Base: t.GroupBase, Filter: t.GroupFilter, Attributes: []string{member, uniqueMember}}, groups.add)
		if err != nil {
			return fmt.Errorf("%s: %w", t.URL, err)
		}
	}
	found := &entries{tree: t, addresses: map[string]string{}}
	var wanted []string
	for _, field := range fields() {
		wanted = append(wanted, t.attributesOf(field)...)
	}
	if err := ldap.Walk(ctx, conn, ldap.Query{Base: t.Base, Filter: t.Filter, Attributes: wanted}, found.add); err != nil {
		return fmt.Errorf("%s: %w", t.URL, err)
	}
	return found.pass(groups, take)
}

// entries are the people of a server, before it is known which people the names of entries in them are.
type entries struct {
	tree
	rows      []Row
	names     []string          // of the entries
	addresses map[string]string // main addresses, by the names of entries
}

// add takes an entry. One without an address is of no person who gets mail.
func (e *entries) add(entry ldap.Entry) error {
	values := func(field string) (all []string) {
		for _, a := range e.attributesOf(field) {
			all = append(all, entry.Values(a)...)
		}
		return all
	}
	r := Row{Name: first(values(fieldName)), Language: first(values(fieldLanguage)),
		Groups: values(fieldGroups), Delegates: values(fieldDelegates)}
	var main string
	for _, v := range values(fieldAliases) {
		address, is := proxyAddress(v)
		if address != "" {
			r.Aliases = append(r.Aliases, address)
		}
		if is {
			main = address
		}
	}
	mail := values(fieldAddress)
	if len(mail) > 0 {
		main, r.Aliases = mail[0], append(r.Aliases, mail[1:]...)
	}
	if r.Address = strings.TrimSpace(main); r.Address == "" {
		return nil
	}
	if len(e.rows) >= mostOfAddresses {
		return errManyAddresses
	}
	name := ldap.FoldDN(entry.DN)
	e.rows, e.names = append(e.rows, r), append(e.names, name)
	e.addresses[name] = r.Address
	return nil
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// proxyAddress returns the address of a value of proxyAddresses: "smtp:ann@example.com", with SMTP in capitals for
// the main one; "" for one of another kind of mail. A value without a kind is an address.
func proxyAddress(value string) (address string, main bool) {
	kind, address, ok := strings.Cut(value, ":")
	switch {
	case !ok:
		return strings.TrimSpace(value), false
	case strings.EqualFold(kind, "smtp"):
		return strings.TrimSpace(address), kind == "SMTP"
	}
	return "", false
}

// pass passes on all people, with the addresses of their delegates and all their groups.
func (e *entries) pass(groups nesting, take taker) error {
	for i, r := range e.rows {
		for j, d := range r.Delegates {
			if address, ok := e.addresses[ldap.FoldDN(d)]; ok {
				r.Delegates[j] = address
			}
		}
		r.Groups = groups.all(e.names[i], r.Groups)
		if err := take(e.names[i], r); err != nil {
			return err
		}
	}
	return nil
}

// nesting has the groups that an entry is in by itself, by the name of the entry, which may be a group.
type nesting map[string][]string

// add takes a group.
func (n nesting) add(group ldap.Entry) error {
	name := ldap.FoldDN(group.DN)
	for _, m := range slices.Concat(group.Values(member), group.Values(uniqueMember)) {
		m = ldap.FoldDN(m)
		n[m] = append(n[m], name)
	}
	return nil
}

// all returns all groups of an entry, those in which its groups are among them.
func (n nesting) all(name string, own []string) []string {
	seen := map[string]bool{}
	var list []string
	var visit func(names []string)
	visit = func(names []string) {
		for _, g := range names {
			if g = ldap.FoldDN(g); !seen[g] {
				seen[g] = true
				list = append(list, g)
				visit(n[g])
			}
		}
	}
	visit(own)
	visit(n[name])
	return list
}
