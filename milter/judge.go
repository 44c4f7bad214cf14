// Package milter is the MTA's side of milterscan: it turns the callbacks of the
// milter protocol into an envelope and a message, and a ruling into protocol. It
// knows SMTP and the MTAs' habits; no other package does.
package milter

import (
	"context"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// Judge is what a session needs of the pipeline. A value is one generation of
// configuration, scanners and policy: connect and HELO keep the one that was
// current at connect, each message the one that was current at its MAIL.
type Judge interface {
	// Generation numbers the configuration, for the log.
	Generation() uint64
	// Refuses reports whether Early may refuse at stage s. Where it never does,
	// Early is not asked, and the MTA is spared waiting for a reply.
	Refuses(s scan.Stage) bool
	// Begin starts the checks of an early stage in the background.
	Begin(ctx context.Context, s scan.Stage, env scan.Envelope) *scan.Pending
	// Early decides at a stage before the message, with all that was begun so
	// far. Only policy.Reject and policy.Tempfail refuse; any other answer means:
	// go on.
	Early(ctx context.Context, s scan.Stage, env scan.Envelope, begun []*scan.Pending) policy.Ruling
	// NewParser returns the parser the message is to be written to as it
	// arrives, as well as to its spool.
	NewParser() *entity.Parser
	// Message judges a message. ctx ends when the MTA hangs up, or when the time
	// to shut down is over. What the ruling refers to is good until release is
	// called.
	Message(ctx context.Context, m scan.Received) (r policy.Ruling, release func())
}
