package setup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
)

// Outcome is what an MTA did with a mail that has a virus.
type Outcome struct {
	Refused bool   // after it had the whole mail, as only who looks into it can
	Said    string // by the MTA, with its code
	Meaning string // for the administrator
}

// SendEicar sends the EICAR test file through an MTA, as a stranger would. Nothing is sent
// to where no MTA listens, and the outcome says so.
func SendEicar(ctx context.Context, server, to string) Outcome {
	said := converse(ctx, server, cmp.Or(to, postmaster), eicarMail())
	o := Outcome{Said: said.String()}
	switch {
	case said.stage == atEnd && said.code >= 500:
		o.Refused, o.Meaning = true, "The test virus was refused, as it should be."
	case said.stage == atEnd && said.code >= 400:
		o.Meaning = "It is deferred: milterscan, or an engine of its, does not answer. \"milterscan doctor\" says which."
	case said.stage == atEnd && said.code > 0:
		o.Meaning = "It was accepted. Where your rules keep or clean infected mail, \"milterscan history\" has it; " +
			"otherwise the MTA does not ask milterscan: \"milterscan setup\"."
	case said.code >= 400 && said.code < 500:
		o.Meaning = "The MTA defers mail before it has it, so nothing was tried: a milter that it asks is away, or it lacks room. " +
			"\"milterscan doctor\" says whether milterscan is."
	case said.code == 0:
		o.Meaning = "The MTA cannot be talked to, so nothing was tried."
	default:
		o.Meaning = "The MTA did not let the mail in before it had it, so nothing was tried. Name a recipient that it knows: --to."
	}
	return o
}

// errNoMTA is returned where no MTA that takes mail by SMTP is known.
var errNoMTA = errors.New("no MTA was found here whose address is known; name one: --smtp host:port")

// Server returns the address at which an MTA of this host takes mail: that of the first
// that is found.
func Server(ctx context.Context) (string, error) {
	var errs []error
	for _, m := range Find(ctx) {
		address, err := m.SMTP(ctx)
		if err == nil && address != "" {
			return address, nil
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", m.Name, err))
		}
	}
	return "", errors.Join(append(errs, errNoMTA)...)
}
