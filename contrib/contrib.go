// Package contrib is the shipped snippets for MTAs, as "milterscan setup" puts
// them in their place.
package contrib

import _ "embed" // the snippets

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

// DebianConfiguration is the configuration that the Debian package brings.
//
//go:embed debian/milterscan.toml
var DebianConfiguration string
