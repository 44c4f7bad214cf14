package content

import (
	"strings"

	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/format/skeleton"
)

const (
	// shortestNear is how many letters a name has at least that is compared with names that differ
	// in one, or that are under another suffix: most short names are registered.
	shortestNear = 5
	// shortestLook is how many letters a name has at least for which others are looked for
	// that look the same.
	shortestLook = 3
)

// ownDomains are our domains, found by what could be taken for one of them: in steps that
// depend on the length of a host, not on how many domains there are.
type ownDomains struct {
	hosts   map[string]bool   // as they are configured, ".example.com" for all below one
	sites   map[string]bool   // the parts of them that were registered
	names   map[string]string // sites by their first label
	looks   map[string]string // sites by how their first label looks
	near    map[string][]string
	dashed  map[string]string // sites by their labels with hyphens between them
	labels  int               // the most labels of a site
	hyphens int               // the most pieces that dashed has
}

func newOwnDomains(list []string) ownDomains {
	d := ownDomains{hosts: map[string]bool{}, sites: map[string]bool{}, names: map[string]string{},
		looks: map[string]string{}, near: map[string][]string{}, dashed: map[string]string{}}
	for _, own := range list {
		host := markup.ASCII(strings.TrimPrefix(own, "."))
		if host == "" {
			continue
		}
		if strings.HasPrefix(own, ".") {
			d.hosts["."+host] = true
		} else {
			d.hosts[host] = true
		}
		if site := markup.Registrable(host); !d.sites[site] && strings.Contains(site, ".") {
			d.add(site)
		}
	}
	return d
}

// add adds a domain that was registered.
func (d *ownDomains) add(site string) {
	d.sites[site] = true
	d.labels = max(d.labels, strings.Count(site, ".")+1)
	label, _, _ := strings.Cut(site, ".")
	shown := markup.Shown(label)
	letters := len([]rune(shown))
	if letters >= shortestLook {
		d.looks[skeleton.Of(shown)] = site
	}
	if letters < shortestNear {
		return
	}
	d.names[label] = site
	for _, form := range shortened(shown) {
		d.near[form] = append(d.near[form], label)
	}
	dashed := strings.ReplaceAll(site, ".", "-")
	d.dashed[dashed] = site
	d.hyphens = max(d.hyphens, strings.Count(dashed, "-")+1)
}

// has reports whether a host is one of our domains.
func (d *ownDomains) has(host string) bool {
	if d.hosts[host] {
		return true
	}
	for {
		_, parent, ok := strings.Cut(host, ".")
		if !ok {
			return false
		}
		if d.hosts["."+parent] {
			return true
		}
		host = parent
	}
}

// owns reports whether a host is below what one of us has registered.
func (d *ownDomains) owns(host string) bool { return d.has(host) || d.sites[markup.Registrable(host)] }

// like returns the domain of ours that a host of others could be taken for, and why; "" if
// there is none.
func (d *ownDomains) like(host string) (site, why string) {
	if len(d.sites) == 0 || host == "" || d.owns(host) {
		return "", ""
	}
	registered := markup.Registrable(host)
	label, _, _ := strings.Cut(registered, ".")
	shown := markup.Shown(label)
	if site = d.names[label]; site != "" {
		return site, "has another suffix than"
	}
	if site = d.looks[skeleton.Of(shown)]; site != "" && !strings.HasPrefix(site, label+".") {
		return site, "looks like"
	}
	if site = d.within(host); site != "" {
		return site, "begins like"
	}
	if site = d.oneOff(shown); site != "" {
		return site, "differs in one letter from"
	}
	return "", ""
}

// oneOff returns the site whose first label differs from another in one letter, which is
// another, missing, too many, or in the place of its neighbour.
func (d *ownDomains) oneOff(shown string) string {
	if n := len([]rune(shown)); n < shortestNear-1 || n > longestLabel {
		return ""
	}
	for _, form := range shortened(shown) {
		for _, label := range d.near[form] {
			if oneEdit([]rune(markup.Shown(label)), []rune(shown)) {
				return d.names[label]
			}
		}
	}
	return ""
}

// longestLabel bounds the labels that are compared letter by letter, as DNS does.
const longestLabel = 63

// shortened returns a text, and the rest of it without each of its letters: two texts that differ
// in one letter have one of these in common.
func shortened(s string) []string {
	letters := []rune(s)
	list := []string{s}
	for i := range letters {
		if i == 0 || letters[i] != letters[i-1] {
			list = append(list, string(letters[:i])+string(letters[i+1:]))
		}
	}
	return list
}

// oneEdit reports whether one letter has to be changed, put in, left out, or exchanged with
// the next to make b of a (the distance of Damerau).
func oneEdit(a, b []rune) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	switch len(b) - len(a) {
	case 1:
		return string(a[i:]) == string(b[i+1:])
	case 0:
		if i == len(a) {
			return false
		}
		return string(a[i+1:]) == string(b[i+1:]) ||
			i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && string(a[i+2:]) == string(b[i+2:])
	}
	return false
}

// within returns the site that a host begins or goes on with, before another one's domain:
// "example.com.evil.test", "login-example-com.evil.test".
func (d *ownDomains) within(host string) string {
	labels := strings.Split(host, ".")
	for i := range labels {
		for n := 2; n <= d.labels && i+n < len(labels); n++ {
			if site := strings.Join(labels[i:i+n], "."); d.sites[site] {
				return site
			}
		}
		if site := d.hyphened(labels[i]); site != "" {
			return site
		}
	}
	return ""
}

// hyphened returns the site that a label holds with hyphens for dots.
func (d *ownDomains) hyphened(label string) string {
	pieces := strings.Split(label, "-")
	for i := range pieces {
		for n := 2; n <= d.hyphens && i+n <= len(pieces); n++ {
			if site := d.dashed[strings.Join(pieces[i:i+n], "-")]; site != "" {
				return site
			}
		}
	}
	return ""
}
