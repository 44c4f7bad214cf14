// Package milter is the MTA's side of milterscan: it turns the callbacks of the
// milter protocol into an envelope and a message, and a ruling into protocol. It
// knows SMTP and the MTAs' habits; nobody else does.
package milter

import (
	"context"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/entity"
)

// Judge is what a session needs of the pipeline. A value is one generation of
// configuration, scanners and policy: connect and HELO keep the one that was
// current at connect, each message the one that was current at its MAIL.
type Judge interface {
	// Generation numbers the configuration, for the log.
	Generation() uint64
	// Begin starts the checks of an early stage in the background.
	Begin(ctx context.Context, s scan.Stage, env scan.Envelope) *scan.Pending
	// Early decides at a stage before the message, with all that was begun so
	// far. An answer of policy.Deliver means: go on.
	Early(ctx context.Context, s scan.Stage, env scan.Envelope, begun []*scan.Pending) policy.Ruling
	// NewParser returns the parser the message is to be written to as it
	// arrives, beside its spool.
	NewParser() *entity.Parser
	// Message judges a complete message. What the ruling refers to is good
	// until release is called. Raw stays the caller's, who may take it back
	// after release.
	Message(ctx context.Context, env scan.Envelope, raw scan.Content, tree *entity.Tree, begun []*scan.Pending) (r policy.Ruling, release func())
}
