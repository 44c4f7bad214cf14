package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/access"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/ldap"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/oidc"
	"github.com/milterscan/milterscan/policy/config"
)

// console examines what people need to log in to the console: its file, and the servers that know their passwords.
func (p *Installation) console(ctx context.Context) []Finding {
	c := p.Config.Console
	if len(c.Listen) == 0 {
		return nil
	}
	found := append([]Finding{p.database("console.file", c.File)}, p.nobody(c)...)
	if c.Certificate != "" {
		found = append(found, p.readable("console.certificate", c.Certificate)...)
		found = append(found, p.readable("console.key", c.Key)...)
	}
	if c.ClientCA != "" {
		found = append(found, p.readable("console.client_ca", c.ClientCA)...)
	}
	ctx, cancel := context.WithTimeout(ctx, consoleTime)
	defer cancel()
	return append(append(found, p.directoryOfPeople(ctx, c.LDAP)...), p.provider(ctx, c)...)
}

// consoleTime bounds the answer of a server that knows passwords.
const consoleTime = 15 * time.Second

// nobody returns the command for the first account, if there is none and no server knows passwords.
func (p *Installation) nobody(c config.Console) []Finding {
	_, err := os.Stat(c.File)
	if !errors.Is(err, fs.ErrNotExist) || c.LDAP.URL != "" || c.OIDC.Issuer != "" {
		return nil
	}
	return []Finding{advice("milterscan user add --role administrator --generate NAME",
		"console: nobody can log in: there is no account")}
}

// readable returns a fault if the daemon cannot read a file.
func (p *Installation) readable(key, file string) []Finding {
	who, err := access.Of(p.User)
	if err == nil {
		err = who.Reaches(file, access.Read)
	}
	if err == nil {
		return nil
	}
	return []Finding{fault("chgrp "+p.User+" "+file+"; chmod 640 "+file, "%s: %v", key, err)}
}

// secret returns a fault if the daemon cannot read a secret. It does not see the environment of the daemon.
func (p *Installation) secret(key string, from config.SecretFile) []Finding {
	if from == "" || strings.HasPrefix(string(from), "env:") {
		return nil
	}
	if _, err := from.Read(); err != nil {
		return []Finding{fault("write the secret into "+string(from)+", for the daemon's eyes only",
			"%s: %v", key, err)}
	}
	return p.readable(key, string(from))
}

// directoryOfPeople asks the directory of [console.ldap] whether persons could log in.
func (p *Installation) directoryOfPeople(ctx context.Context, c config.LDAP) []Finding {
	if c.URL == "" {
		return nil
	}
	if found := p.secret("console.ldap.password_file", c.PasswordFile); found != nil {
		return found
	}
	if strings.HasPrefix(string(c.PasswordFile), "env:") {
		return []Finding{ok("console.ldap: %s is not asked: its password is in the daemon's environment", c.URL)}
	}
	if err := ldap.New(c).Health(ctx); err != nil {
		return []Finding{fault("start the directory, or correct [console.ldap]: "+
			"until then its persons cannot log in to the console",
			"console.ldap: %v", err)}
	}
	return []Finding{ok("console.ldap: %s answers", c.URL)}
}

// provider asks the provider of [console.oidc] whether persons could log in.
func (p *Installation) provider(ctx context.Context, c config.Console) []Finding {
	if c.OIDC.Issuer == "" {
		return nil
	}
	if found := p.secret("console.oidc.secret_file", c.OIDC.SecretFile); found != nil {
		return found
	}
	public := c.OIDC
	public.SecretFile = "" // which is not needed to ask
	provider, err := oidc.New(public, c.URL)
	if err == nil {
		defer provider.Close()
		err = provider.Health(ctx)
	}
	if err != nil {
		return []Finding{fault("start the provider, or correct [console.oidc]: "+
			"until then its persons cannot log in to the console",
			"console.oidc: %v", err)}
	}
	return []Finding{ok("console.oidc: %s answers", c.OIDC.Issuer)}
}
