// Package contrib is the shipped snippets for MTAs, as "milterscan setup" puts
// them in their place.
package contrib

import (
	_ "embed" // the snippets
	"regexp"
)

var (
	// SendmailFilter is m4 text for sendmail.mc, before the mailers.
	//
	//go:embed sendmail/milterscan.m4
	SendmailFilter string
	// EximRouter and EximTransport are a router that is before all others
	// and the transport it names.
	//
	//go:embed exim/router.conf
	EximRouter string
	//go:embed exim/transport.conf
	EximTransport string
)

var (
	// DebianConfiguration is the configuration that the Debian package brings.
	//
	//go:embed debian/milterscan.toml
	DebianConfiguration string
	// PlainConfiguration is the one that the rpm and the script "install" bring.
	//
	//go:embed rpm/milterscan.toml
	PlainConfiguration string
)

// ofDocs finds where a package has its documentation: the script "install" writes that into its configuration.
var ofDocs = regexp.MustCompile(`\S+/share/doc/milterscan`)

// Shipped reports whether a configuration is as one of the packages brought it.
func Shipped(text string) bool {
	const usual = "/usr/share/doc/milterscan"
	text = ofDocs.ReplaceAllString(text, usual)
	return text == DebianConfiguration || text == PlainConfiguration
}
