package content

import (
	"fmt"
	"maps"
	"slices"

	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/open/texts"
	"github.com/milterscan/milterscan/scan/units"
)

// Config is the section [content] of the configuration.
type Config struct {
	// How the place a link names is compared with the one it leads to: "domain" by
	// the registered domain, so that login.example.com is www.example.com;
	// "strict" by host; "off" not at all.
	Phishing Phishing `toml:"phishing"`
	// Domains that may be after any text, with all below them: services that
	// count clicks. It also outweighs bad.
	Safe []string `toml:"safe"`
	// Files with further such domains, one a line; "#" begins a comment.
	SafeFiles []string `toml:"safe_files"`
	// Domains that no link may lead to, with all below them.
	Bad []string `toml:"bad"`
	// Services whose links name the place they lead to: host, path and the
	// parameter with the place. That place is the one that counts. "host.*" is a
	// host under any public suffix; without a parameter, the place is in the path:
	// escaped or not, between "__" and "__", or in base64.
	Redirectors []string `toml:"redirectors"`
	// Names of products that read like hosts and are none. Names of files, such as
	// "setup.py", abbreviations, and sentences without a blank between them need no
	// entry.
	Exempt []string `toml:"exempt"`
	// Whether every link is reported whose text does not name its place.
	HiddenLinks bool `toml:"hidden_links"`
	// The largest width and height in pixels of an image that counts as a web bug.
	BugSize int `toml:"bug_size"`
	// Domains whose images count as web bugs in any size.
	BugHosts []string `toml:"bug_hosts"`
	// File names of small images that are there for layout.
	Spacers []string `toml:"spacers"`
	// How many characters hidden by style are reported; 0 for never.
	HiddenText int `toml:"hidden_text"`
	// How much data in a page, together with a script that decodes it, counts as a
	// smuggled file. A link that has data saved as a file counts at any size.
	Smuggled units.Size `toml:"smuggled"`
	// Files with the names of your people, one a line: "Jane Doe", and in angle brackets
	// the addresses elsewhere that are hers, "Jane Doe <jane@home.example>". Mail from elsewhere
	// whose author has one of these names, or one of those that [[people.source]] has, is a
	// finding. "#" begins a comment.
	NameFiles []string `toml:"name_files"`
	// Domains of others, or of yours, that may look like one of local.domains, with all below
	// them.
	Neighbours []string `toml:"neighbours"`
	// What findings add to the score of the message, by their names without
	// "content/", where that differs from the shipped value: { link-mismatch = 4 }.
	// Shipped are link-bad and smuggling 5; link-lookalike, link-program and
	// link-script 3; link-mismatch 2.5; link-numeric, link-userinfo and qr-lure 2; script,
	// object, applet, iframe, meta-refresh and external-body 1.5; link-mailto, form,
	// embed, event-handler, html-attachment and lookalike-domain 1; display-address,
	// impersonation and reply-to 0.5; hidden-text and qr-link 0.3; web-bug and remote-style 0.1.
	Scores map[string]float64 `toml:"scores"`
	// How much is read of the texts of one message.
	Limits texts.Limits `toml:"limits"`
	// Words and patterns that are restricted. Each list found is one finding,
	// content/list-NAME, for your own rules.
	Lists []List `toml:"list"`
}

// Phishing says how links are compared with their text.
type Phishing string

// The ways to compare.
const (
	PhishingDomain Phishing = "domain"
	PhishingStrict Phishing = "strict"
	PhishingOff    Phishing = "off"
)

// UnmarshalText reads "domain", "strict" or "off".
func (p *Phishing) UnmarshalText(text []byte) error {
	return units.ReadWord(p, text, PhishingDomain, PhishingStrict, PhishingOff)
}

// Extent returns how much of a message is to be read for this configuration: files
// only for the words in them.
func (c Config) Extent() texts.Extent {
	if len(c.Lists) > 0 {
		return texts.Everything
	}
	return texts.Shown
}

// WantsFiles reports whether any list looks for words in attached files.
func (c Config) WantsFiles() bool {
	return slices.ContainsFunc(c.Lists, func(l List) bool { return slices.Contains(l.Where, InAttachment) })
}

// Check finds what contradicts itself.
func (c Config) Check() error {
	var check units.Check
	for key, list := range map[string][]string{"safe": c.Safe, "bad": c.Bad, "bug_hosts": c.BugHosts, "neighbours": c.Neighbours} {
		for i, d := range list {
			check.If(!isDomain(d), fmt.Sprintf("%s[%d]", key, i), "%q is no domain; write one such as \"example.com\"", d)
		}
	}
	for i, r := range c.Redirectors {
		p := markup.ParseRedirector(r)
		check.If(p.Host == "" || p.Path == "" && p.Param == "",
			fmt.Sprintf("redirectors[%d]", i), "%q is no redirector; write one such as \"google.com/url?q\"", r)
	}
	for name := range c.Scores {
		check.If(!known(name), "scores."+name, "there is no finding content/%s", name)
	}
	check.If(c.BugSize < 0, "bug_size", "it cannot be negative; write 0 or more")
	check.If(c.HiddenText < 0, "hidden_text", "it cannot be negative; write 0 or more")
	check.AtLeast("limits.links", c.Limits.Links, 1)
	check.AtLeast("limits.elements", c.Limits.Elements, 1)
	check.If(c.Limits.Token < 4*units.KB, "limits.token", "%v is too little; write at least \"4KB\"", c.Limits.Token)
	for i, l := range c.Lists {
		check.Entry("list", i, l.Name, l.check())
	}
	return check.Err()
}

// allScores returns the configured scores, and the defaults of the others.
func (c Config) allScores() map[string]float64 {
	all := defaultScores()
	maps.Copy(all, c.Scores)
	return all
}

// known reports whether a rule of that name exists.
func known(name string) bool { return catalogue.Has(scannerWord + "/" + name) }
