package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/ldap"
	"github.com/milterscan/milterscan/scan/units"
)

// Access is the part of the section [console] that says how persons log in.
type Access struct {
	// The address that browsers know the pages by, such as "https://mx.example.com".
	// With https, cookies are sent over HTTPS only. OpenID Connect needs it.
	URL string `toml:"url"`
	// The networks of proxies before the pages: the address of the browser is the one
	// they write into X-Forwarded-For. What connects to a unix socket is such a proxy.
	Proxies []policy.Network `toml:"proxies"`
	// The authorities whose client certificates open accounts, in PEM. It needs
	// certificate and key: the connection has to end here.
	ClientCA string `toml:"client_ca"`
	// What in a client certificate is the name of the account: "cn", the common name of
	// its subject, or "email", its only e-mail address.
	ClientName string `toml:"client_name"`
	// A person who does nothing for as long has to log in again.
	Idle units.Duration `toml:"idle"`
	// A person has to log in again after this time in any case.
	Life units.Duration `toml:"life"`
	// How long it is remembered who looked at what and did what; "0s" for ever.
	Audit units.Duration `toml:"audit"`
	// The roles that may do nothing without a second factor: "administrator",
	// "helpdesk", "auditor", "domain". Who has none yet sets one up when logging in. A single
	// account can be held to it by "milterscan user add --require-totp".
	RequireTOTP []string `toml:"require_totp"`

	// Log-in by OpenID Connect.
	OIDC OIDC `toml:"oidc"`
	// Log-in by name and password of a directory. Names of accounts here come first.
	LDAP LDAP `toml:"ldap"`
	// Log-in by another program that knows persons, such as a hosting panel: it sends
	// their browsers here with a signed address that works once, for a minute.
	SSO SSO `toml:"sso"`
}

// consoleRoles returns the roles of persons in the console.
func consoleRoles() []string { return []string{"administrator", "helpdesk", "auditor", "domain"} }

func defaultAccess() Access {
	return Access{
		ClientName: "cn", Idle: units.Duration(30 * time.Minute), Life: units.Duration(12 * time.Hour),
		Audit: units.Duration(400 * 24 * time.Hour),
		OIDC:  OIDC{Scopes: []string{"openid", "profile", "email"}, Name: "preferred_username", Groups: "groups", Mail: "email"},
		SSO:   SSO{Roles: []string{"domain"}},
		LDAP:  LDAP{StartTLS: true, Filter: "(uid=%s)", Name: "uid", Groups: "memberOf", Mail: "mail", Timeout: units.Duration(5 * time.Second)},
	}
}

// HTTPS reports whether browsers come by HTTPS.
func (c Console) HTTPS() bool { return c.Certificate != "" || strings.HasPrefix(c.URL, "https://") }

// checkAccess returns the errors of the keys of [console] that say how persons log in.
func (c Console) checkAccess(check *units.Check) {
	c.checkClear(check)
	check.Word("client_name", c.ClientName, "cn", "email")
	u, err := url.Parse(c.URL)
	check.If(c.URL != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.Trim(u.Path, "/") != "" ||
		u.RawQuery != "" || u.Fragment != "" || u.User != nil), "url",
		"%q is no address of a host; write one such as \"https://mx.example.com\"", c.URL)
	check.If(c.Certificate != "" && strings.HasPrefix(c.URL, "http:"), "url", "%q is no https, and there is a certificate; write https", c.URL)
	if c.ClientCA != "" {
		c.checkClientCA(check)
	}
	check.If(c.Idle.Go() < time.Minute, "idle", "%v is too short to read a page; write at least \"1m\"", c.Idle)
	check.If(c.Life.Go() < c.Idle.Go() || c.Life.Go() > 30*24*time.Hour,
		"life", "%v is not between console.idle, which is %v, and 30 days; write one such as \"12h\"", c.Life, c.Idle)
	for i, role := range c.RequireTOTP {
		check.Add(oneOf(fmt.Sprintf("require_totp[%d]", i), role, consoleRoles()))
	}
	check.If(c.OIDC.Issuer != "" && c.URL == "",
		"url", "the provider of OpenID Connect sends browsers back here: write the address they know, such as \"https://mx.example.com\"")
}

// checkClear refuses an address that others can reach, where nothing says that passwords are encrypted on
// the way.
func (c Console) checkClear(check *units.Check) {
	for i, a := range c.Listen {
		network, address := units.SplitAddress(string(a))
		host, _, err := net.SplitHostPort(address)
		check.If(network == "tcp" && err == nil && !c.HTTPS() && !units.Loopback(host), fmt.Sprintf("listen[%d]", i),
			"passwords would go to %s in the clear; set certificate and key, or url to the https address of the proxy before it", address)
	}
}

// checkClientCA returns the mistakes in the authorities of client certificates.
func (c Console) checkClientCA(check *units.Check) {
	if c.Certificate == "" {
		check.Wrong("client_ca", "client certificates are seen where HTTPS ends: set certificate and key, or leave this empty")
		return
	}
	check.Absolute("client_ca", c.ClientCA, "/etc/milterscan/clients.pem")
	if filepath.IsAbs(c.ClientCA) {
		check.Add(units.Within("client_ca", authorities(c.ClientCA)))
	}
}

// authorities returns an error if a file holds no certificates.
func authorities(file string) error {
	_, err := units.Authorities(file)
	return err
}

// OIDC is the section [console.oidc].
type OIDC struct {
	// The issuer, such as "https://idp.example.com/realms/mail"; "" for none.
	Issuer string `toml:"issuer"`
	// The name of the console there.
	ClientID string `toml:"client_id"`
	// The file with the secret the console has there, or "env:NAME" for a variable of the
	// environment; "" for a public client. The console's address there is console.url with
	// /login/oidc/callback.
	SecretFile SecretFile `toml:"secret_file"`
	// The authorities of its certificate, in PEM; "" for those of the system.
	CAFile string `toml:"ca_file"`
	// What it is asked for.
	Scopes []string `toml:"scopes"`
	// The claim with the name of a person. The person is known again by the claim "sub".
	Name string `toml:"name_claim"`
	// The claim with the groups of a person.
	Groups string `toml:"groups_claim"`
	// The claim with the address of a person, by which recipients log in: see [people.pages].
	// It counts only where the claim "email_verified" is true.
	Mail string `toml:"mail_claim"`
	// The groups that make a role, such as { administrator = ["mail-admins"] }. Of several
	// roles a person has the first of administrator, helpdesk, auditor, domain; who has none is
	// not let in.
	Roles map[string][]string `toml:"roles"`
	// The mail domains of the groups of domain administrators, such as
	// { "example-admins" = ["example.com", ".example.com"] }.
	Domains map[string][]string `toml:"domains"`
	// The claim with a list of mail domains, beside those of groups; "" for none.
	DomainsClaim string `toml:"domains_claim"`
}

// Check returns the errors of the section [console.oidc].
func (o OIDC) Check() error {
	if o.Issuer == "" {
		return nil
	}
	errs := []error{checkRoles(o.Roles, o.Domains), secure("issuer", o.Issuer, "https")}
	for key, value := range map[string]string{"client_id": o.ClientID, "name_claim": o.Name} {
		if value == "" {
			errs = append(errs, units.Wrong(key, "it is needed to log in by OpenID Connect"))
		}
	}
	if !slices.Contains(o.Scopes, "openid") {
		errs = append(errs, units.Wrong("scopes", "\"openid\" is missing"))
	}
	if o.CAFile != "" {
		errs = append(errs, units.Within("ca_file", authorities(o.CAFile)))
	}
	return errors.Join(errs...)
}

// LDAP is the section [console.ldap].
type LDAP struct {
	// The server: "ldaps://ldap.example.com", or "ldap://ldap.example.com" with starttls; ""
	// for none.
	URL string `toml:"url"`
	// Encrypt ldap:// before anything is said. Without it, only a server on this host is
	// asked.
	StartTLS bool `toml:"starttls"`
	// The authorities of its certificate, in PEM; "" for those of the system.
	CAFile string `toml:"ca_file"`
	// Who looks persons up; "" for nobody in particular.
	BindDN string `toml:"bind_dn"`
	// The file with the password for it, or "env:NAME" for a variable of the environment.
	PasswordFile SecretFile `toml:"password_file"`
	// Where persons are looked for.
	Base string `toml:"base"`
	// How a person is found. %s is the name that was typed.
	Filter string `toml:"filter"`
	// The attribute by which a person is known again, and named.
	Name string `toml:"name_attribute"`
	// The attribute with the groups of a person.
	Groups string `toml:"groups_attribute"`
	// The attribute with the addresses of a person, by which recipients log in: see
	// [people.pages].
	Mail string `toml:"mail_attribute"`
	// Where groups are looked for beside that attribute; "" for nowhere.
	GroupBase string `toml:"group_base"`
	// How the groups of a person are found there, such as "(member=%s)". %s is the
	// distinguished name of the person.
	GroupFilter string `toml:"group_filter"`
	// The groups that make a role, by distinguished name, as in [console.oidc].
	Roles map[string][]string `toml:"roles"`
	// The mail domains of the groups of domain administrators, as in [console.oidc].
	Domains map[string][]string `toml:"domains"`
	// How long the server may take.
	Timeout units.Duration `toml:"timeout"`
}

// Check returns the errors of the section [console.ldap].
func (l LDAP) Check() error {
	if l.URL == "" {
		return nil
	}
	errs := []error{checkRoles(l.Roles, l.Domains), ldap.Server{URL: l.URL, StartTLS: l.StartTLS}.Check()}
	wrong := func(key, format string, args ...any) { errs = append(errs, units.Wrong(key, format, args...)) }
	for key, filter := range map[string]string{"filter": l.Filter, "group_filter": l.GroupFilter} {
		if (filter != "" || key == "filter") && (strings.Count(filter, "%s") == 0 ||
			strings.Count(filter, "%") != strings.Count(filter, "%s") || !strings.HasPrefix(filter, "(")) {
			wrong(key, "%q is no filter with %%s for the name; write one such as \"(uid=%%s)\"", filter)
		}
	}
	if (l.GroupBase == "") != (l.GroupFilter == "") {
		wrong("group_base", "group_base and group_filter come together; set both, or neither")
	}
	if (l.BindDN == "") != (l.PasswordFile == "") {
		wrong("bind_dn", "bind_dn and password_file come together; set both, or neither")
	}
	if l.Base == "" || l.Name == "" {
		wrong("base", "base and name_attribute are needed to find a person")
	}
	if l.Timeout.Go() < 100*time.Millisecond || l.Timeout.Go() > 30*time.Second {
		wrong("timeout", "%v is not between 100ms and 30s; write one such as \"5s\"", l.Timeout)
	}
	if l.CAFile != "" {
		errs = append(errs, units.Within("ca_file", authorities(l.CAFile)))
	}
	return errors.Join(errs...)
}

// checkRoles returns the errors of the two tables that make roles of groups.
func checkRoles(roles, domains map[string][]string) error {
	var errs []error
	if len(roles) == 0 {
		errs = append(errs, units.Wrong("roles",
			"nobody would be let in; write what groups make a role, such as { administrator = [\"mail-admins\"] }"))
	}
	for role, groups := range roles {
		errs = append(errs, oneOf("roles."+role, role, consoleRoles()))
		if slices.Contains(groups, "") {
			errs = append(errs, units.Wrong("roles."+role, "a group without a name"))
		}
	}
	for group, list := range domains {
		for i, d := range list {
			if err := new(policy.Domain).UnmarshalText([]byte(d)); err != nil {
				errs = append(errs, units.Wrong(fmt.Sprintf("domains.%s[%d]", group, i), "%v", err))
			}
		}
	}
	return errors.Join(errs...)
}

// secure returns an error if an address is not one of a scheme that encrypts, or of this host.
func secure(key, address, scheme string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != scheme && !(u.Scheme == "http" && units.Loopback(u.Hostname())) ||
		u.RawQuery != "" || u.Fragment != "" {
		return units.Wrong(key, "%q is no address of %s; write one such as \"%s://idp.example.com\"", address, scheme, scheme)
	}
	return nil
}
