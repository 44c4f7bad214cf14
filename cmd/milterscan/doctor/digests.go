package doctor

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"github.com/milterscan/milterscan/policy/people"
)

// digests examines the mail that tells people which of their mail is kept back. A daemon that examines itself
// knows already which people it does not reach.
func (p *Installation) digests(ctx context.Context) []Finding {
	c := p.Config.People
	if !c.Digest.Enabled {
		return nil
	}
	found := p.links()
	if p.Gently {
		return found
	}
	book, end := p.folk()
	defer end()
	if errors.Is(book.There(), fs.ErrNotExist) {
		return append(found, ok("no digest was sent yet"))
	}
	list, err := book.FailedDigests(ctx, c.Digest.DropAfter)
	if err != nil {
		return append(found, fault("make "+book.Place()+" readable for "+p.User,
			"it cannot be read who gets digests: %v", err))
	}
	return append(found, Dropped(list)...)
}

// links says whether digests have links.
func (p *Installation) links() []Finding {
	if p.Config.Console.URL == "" || len(p.Config.Console.Listen) == 0 {
		return []Finding{advice("set console.listen, and console.url to the address that browsers of recipients reach",
			"digests have no links: recipients can do nothing about what they read")}
	}
	return nil
}

// mostNamed is how many people one finding names.
const mostNamed = 5

// Dropped names the people that get no digests any more, since several in a row did not arrive.
func Dropped(list []people.Digest) []Finding {
	if len(list) == 0 {
		return []Finding{ok("digests arrive")}
	}
	var names []string
	for _, d := range list[:min(len(list), mostNamed)] {
		names = append(names, d.Address)
	}
	if len(list) > mostNamed {
		names = append(names, "…")
	}
	return []Finding{advice("mend or remove these addresses, and milterscan digest resume ADDRESS; "+
		"milterscan digest status says more",
		"%d people get no digests any more, as theirs did not arrive: %s", len(list), strings.Join(names, ", "))}
}
