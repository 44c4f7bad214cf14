// Package ldap has persons log in to the console by name and password of a directory.
package ldap

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/policy/config"
	servers "github.com/milterscan/milterscan/policy/ldap"
)

// Directory asks an LDAP server. It may be used by several goroutines at once; each log-in has its
// own connection.
type Directory struct{ config config.LDAP }

// New returns a directory. Nothing is asked yet.
func New(c config.LDAP) *Directory { return &Directory{c} }

// server returns the server that is asked.
func (d *Directory) server() servers.Server {
	return servers.Server{URL: d.config.URL, StartTLS: d.config.StartTLS, CAFile: d.config.CAFile, BindDN: d.config.BindDN,
		Password: d.config.PasswordFile.Read, Most: mostOfAnswers}
}

// mostOfAnswers is how many bytes a server may send for one log-in.
const mostOfAnswers = 4 << 20

// errNobody is reported for a person that the directory does not have, or has several times.
var errNobody = errors.New("the directory has no such person")

// Authenticate returns who has a name and a password. The error is accounts.ErrWrong where the
// directory does not know the name or does not take the password, and login.ErrNoRole for a
// person who is nothing in the console: then the addresses of the person are returned, too.
func (d *Directory) Authenticate(ctx context.Context, name, password string) (accounts.Identity, error) {
	// a bind without a password succeeds for any name (RFC 4513, section 5.1.2)
	if _, err := accounts.Canonical(name); err != nil || password == "" {
		return accounts.Identity{}, accounts.ErrWrong
	}
	ctx, cancel := context.WithTimeout(ctx, d.config.Timeout.Go())
	defer cancel()
	conn, err := d.server().Connect(ctx)
	if err != nil {
		return accounts.Identity{}, err
	}
	defer conn.Close()
	who, err := d.find(conn, name)
	if errors.Is(err, errNobody) {
		return accounts.Identity{}, fmt.Errorf("%w: %w", accounts.ErrWrong, err)
	}
	if err != nil {
		return accounts.Identity{}, err
	}
	groups, err := d.groups(conn, who)
	if err != nil {
		return accounts.Identity{}, err
	}
	if err := conn.Bind(who.DN, password); refused(err) {
		return accounts.Identity{}, fmt.Errorf("%w: %w", accounts.ErrWrong, err)
	} else if err != nil {
		return accounts.Identity{}, fmt.Errorf("%s: %w", d.config.URL, err)
	}
	return d.identity(who, groups, name)
}

// Health asks whether persons could log in: the server is there, has the right certificate, and takes
// our own name and password.
func (d *Directory) Health(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, d.config.Timeout.Go())
	defer cancel()
	conn, err := d.server().Connect(ctx)
	if err != nil {
		return err
	}
	conn.Close()
	return nil
}

// refused reports whether a server says that a name and a password do not fit.
func refused(err error) bool {
	return ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInappropriateAuthentication,
		ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultConstraintViolation,
		ldap.LDAPResultInvalidDNSyntax)
}

// find returns the one person of a name.
func (d *Directory) find(conn *servers.Conn, name string) (*ldap.Entry, error) {
	filter := strings.ReplaceAll(d.config.Filter, "%s", ldap.EscapeFilter(strings.TrimSpace(name)))
	list, err := d.search(conn, d.config.Base, filter, 2, d.config.Name, d.config.Groups, d.config.Mail)
	switch {
	case ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject), err == nil && len(list) == 0:
		return nil, errNobody
	case ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded), err == nil && len(list) > 1:
		return nil, fmt.Errorf("%w: it has several", errNobody)
	case err != nil:
		return nil, err
	case list[0].DN == "": // to bind by such a name is to bind as no person
		return nil, fmt.Errorf("%s: the server answers with a person without a name", d.config.URL)
	}
	return list[0], nil
}

// search asks for entries below a base.
func (d *Directory) search(conn *servers.Conn, base, filter string, most int, attributes ...string) ([]*ldap.Entry, error) {
	seconds := int(d.config.Timeout.Go()/time.Second) + 1
	found, err := conn.Search(ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, most, seconds, false, filter,
		attributes, nil))
	if err != nil {
		return nil, fmt.Errorf("%s: search below %s: %w", d.config.URL, base, err)
	}
	return found.Entries, nil
}

// mostOfGroups is how many groups of a person are looked at.
const mostOfGroups = 1000

// groups returns the groups of a person.
func (d *Directory) groups(conn *servers.Conn, who *ldap.Entry) ([]string, error) {
	var all []string
	if d.config.Groups != "" {
		all = who.GetEqualFoldAttributeValues(d.config.Groups)
	}
	if d.config.GroupBase == "" {
		return all, nil
	}
	filter := strings.ReplaceAll(d.config.GroupFilter, "%s", ldap.EscapeFilter(who.DN))
	list, err := d.search(conn, d.config.GroupBase, filter, mostOfGroups, "1.1") // no attributes (RFC 4511, section 4.5.1.8)
	if err != nil && !ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
		return nil, err
	}
	for _, g := range list {
		all = append(all, g.DN)
	}
	return all, nil
}

// identity returns who a person is in the console. The error is login.ErrNoRole for one who is
// nothing there: then the addresses of the person are returned, too.
func (d *Directory) identity(who *ldap.Entry, groups []string, typed string) (accounts.Identity, error) {
	role, domains := login.Groups{Roles: d.config.Roles, Domains: d.config.Domains, Fold: true}.RoleOf(groups, nil)
	if role == "" {
		return accounts.Identity{Mail: who.GetEqualFoldAttributeValues(d.config.Mail)}, fmt.Errorf("%w: %s", login.ErrNoRole, who.DN)
	}
	name, err := d.nameOf(who, typed)
	if err != nil {
		return accounts.Identity{}, err
	}
	return accounts.Identity{Source: accounts.LDAP, Subject: name, Name: name, Role: role, Domains: domains}, nil
}

// nameOf returns the name by which a person is known again: of several that it has, the one that
// was typed.
func (d *Directory) nameOf(who *ldap.Entry, typed string) (string, error) {
	wanted, _ := accounts.Canonical(typed)
	var names []string
	for _, v := range who.GetEqualFoldAttributeValues(d.config.Name) {
		name, err := accounts.Canonical(v)
		if err != nil {
			continue
		}
		if name == wanted {
			return name, nil
		}
		names = append(names, name)
	}
	if len(names) != 1 {
		return "", fmt.Errorf("%s: %s has %d values of %s that can be a name, and one is needed", d.config.URL, who.DN, len(names), d.config.Name)
	}
	return names[0], nil
}
