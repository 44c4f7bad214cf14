package directory

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy/address"
)

// Bounds of what a source may have.
const (
	mostOfAddresses = 1_000_000
	mostOfText      = 256 << 20 // bytes of all rows
	mostOfValues    = 10_000    // of one field of a row
	mostOfProblems  = 20        // that are named
)

var (
	errManyAddresses = fmt.Errorf("the source has more than %d addresses", mostOfAddresses)
	errMuchText      = fmt.Errorf("the source has more than %d MB of text", mostOfText>>20)
	errNoPeople      = errors.New("the source has no people at all, which is taken for a mistake")
)

// taker takes what a source says of one address. where names the place in the source. An error
// ends the reading.
type taker func(where string, r Row) error

// collection is what one load of a source has brought.
type collection struct {
	rows            []Row
	addresses, text int
	wrong           int      // rows or addresses that were left out
	problems        []string // some of them
}

// collect takes a row. A text that is no address is left out, and named.
func (c *collection) collect(where string, r Row) error {
	for _, list := range [][]string{r.Aliases, r.Groups, r.Delegates} {
		if len(list) > mostOfValues {
			return fmt.Errorf("%s: %d values in one field; %d are the most", where, len(list), mostOfValues)
		}
	}
	main, err := foldAny(r.Address)
	if err != nil {
		c.leftOut(where, err)
		return nil
	}
	folded := Row{Address: main, Name: nameOf(r.Name), Language: languageOf(r.Language),
		Aliases: c.fold(where, r.Aliases, foldAny), Delegates: c.fold(where, r.Delegates, address.Fold)}
	for _, g := range r.Groups {
		if g = foldGroup(g); g != "" && !slices.Contains(folded.Groups, g) {
			folded.Groups = append(folded.Groups, g)
		}
	}
	c.rows = append(c.rows, folded)
	c.addresses += 1 + len(folded.Aliases)
	c.text += folded.size()
	switch {
	case c.addresses > mostOfAddresses:
		return errManyAddresses
	case c.text > mostOfText:
		return errMuchText
	}
	return nil
}

// fold folds addresses, and leaves out and names texts that are none.
func (c *collection) fold(where string, list []string, fold func(string) (string, error)) (folded []string) {
	for _, s := range list {
		a, err := fold(s)
		if err != nil {
			c.leftOut(where, err)
		} else if !slices.Contains(folded, a) {
			folded = append(folded, a)
		}
	}
	return folded
}

func (c *collection) leftOut(where string, err error) {
	c.wrong++
	if len(c.problems) < mostOfProblems {
		c.problems = append(c.problems, where+": "+shorten(err.Error()))
	}
}

// done returns the rows in an order that does not depend on that of the source.
func (c *collection) done() ([]Row, error) {
	if len(c.rows) == 0 {
		return nil, errNoPeople
	}
	slices.SortStableFunc(c.rows, func(a, b Row) int { return strings.Compare(a.Address, b.Address) })
	return slices.Clip(c.rows), nil
}

// size returns about how many bytes a row takes.
func (r Row) size() int {
	n := len(r.Address) + len(r.Name)
	for _, list := range [][]string{r.Aliases, r.Groups, r.Delegates} {
		for _, s := range list {
			n += len(s)
		}
	}
	return n
}

// foldAny folds an address, or "@example.com" for all addresses of a domain.
func foldAny(s string) (string, error) {
	domain, all := strings.CutPrefix(strings.TrimSpace(s), "@")
	if !all {
		return address.Fold(s)
	}
	domain, err := address.Domain(domain)
	return "@" + domain, err
}

// nameOf returns a name as it can be shown: one line of text.
func nameOf(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F {
			return -1
		}
		return r
	}, s)
	return cut(s, mostOfName)
}

// Bounds of the texts that are shown.
const (
	mostOfName = 200
	mostOfLine = 300
)

// cut returns the first bytes of a text, without a part of a sign.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}

// shorten returns a text of one line that is not long.
func shorten(s string) string {
	if len(s) > mostOfLine {
		return cut(s, mostOfLine) + " …"
	}
	return s
}
