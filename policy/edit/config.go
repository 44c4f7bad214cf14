package edit

import (
	"strings"

	"github.com/milterscan/milterscan/scan/units"
)

// Config is the section [edit] of the configuration.
type Config struct {
	// The text, line by line, that replaces a part taken out of a message: {name} is
	// the part's name, {reason} why it is gone, {id} the message's id.
	Notice []string `toml:"notice"`
	// The name of that text where it replaces a file.
	NoticeName string `toml:"notice_name"`
	// The warning before a link that misleads; {place} is where it really leads.
	LinkWarning string `toml:"link_warning"`
	// The text in place of a link that was taken away because of where it leads.
	LinkRemoved string `toml:"link_removed"`
	// The text in place of an image that would have told that the message is read.
	ImageRemoved string `toml:"image_removed"`
	// Texts that rules put into messages with banner = "name".
	Banners []Banner `toml:"banner"`
}

// DefaultConfig returns the shipped configuration.
func DefaultConfig() Config {
	return Config{
		Notice: []string{
			"The attachment {name} was taken out of this message because {reason}.",
			"",
			"If you need it please ask your mail administrator for message {id}.",
		},
		NoticeName:   "removed.txt",
		LinkWarning:  "[Caution: this link leads to {place}]",
		LinkRemoved:  "[Link to {place} removed]",
		ImageRemoved: "[image removed]",
	}
}

// Check finds what contradicts itself.
func (c Config) Check() error {
	var check units.Check
	for key, text := range map[string]string{"link_warning": c.LinkWarning, "link_removed": c.LinkRemoved} {
		check.If(!strings.Contains(text, "{place}") || strings.ContainsAny(text, "\r\n"), key, "write one line with {place} in it")
	}
	check.If(strings.ContainsAny(c.ImageRemoved, "\r\n"), "image_removed", "write one line")
	all := strings.Join(c.Notice, "")
	check.If(strings.TrimSpace(all) == "" || strings.ContainsAny(all, "\r\n\x00"), "notice", "say something about what was taken out")
	check.If(c.NoticeName == "" || c.NoticeName != harmlessBase(c.NoticeName),
		"notice_name", "write the name of a text file, such as \"removed.txt\"")
	for i, b := range c.Banners {
		check.Entry("banner", i, b.Name, b.check())
	}
	return check.Err()
}
