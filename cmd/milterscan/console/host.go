package console

import "github.com/milterscan/milterscan/policy/config"

// Host is the daemon, as pages see it. What it lends is for pages alone: mail has its
// own.
type Host interface {
	// Config returns the configuration in force.
	Config() *config.Config
}
