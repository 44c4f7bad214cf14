package milter

import (
	"encoding/binary"
	"fmt"
	"slices"

	gomilter "github.com/d--j/go-milter"

	"github.com/milterscan/milterscan/scan"
)

// offer is what an MTA can do, and then what of it is used: version, changes to
// messages, and steps and replies to leave out.
type offer struct {
	version  uint32
	actions  gomilter.OptAction
	protocol gomilter.OptProtocol
}

// oldestVersion is the first version with changes at end of message only, and
// the oldest the library speaks; newestVersion is Sendmail 8.14's.
const (
	oldestVersion = 2
	newestVersion = gomilter.MaxServerProtocolVersion
)

const wantedActions = gomilter.OptAddHeader | gomilter.OptChangeHeader | gomilter.OptChangeBody |
	gomilter.OptAddRcpt | gomilter.OptRemoveRcpt | gomilter.OptQuarantine | gomilter.OptChangeFrom |
	gomilter.OptSetMacros

// wantedProtocol has the MTA show header values as they are, and not wait where
// there is nothing to say: the message is judged at its end.
const wantedProtocol = gomilter.OptHeaderLeadingSpace | gomilter.OptNoUnknown | gomilter.OptNoUnknownReply |
	gomilter.OptNoDataReply | gomilter.OptNoHeaderReply | gomilter.OptNoEOHReply | gomilter.OptNoBodyReply

// silence is the flag for each early stage that spares the MTA the wait.
var silence = [...]gomilter.OptProtocol{
	scan.StageConnect: gomilter.OptNoConnReply,
	scan.StageHelo:    gomilter.OptNoHeloReply,
	scan.StageMail:    gomilter.OptNoMailReply,
	scan.StageRcpt:    gomilter.OptNoRcptReply,
}

// macros are what an MTA is asked to tell at each stage. The request replaces
// the MTA's own list, and Postfix tells {client_*} to none who does not ask.
var macros = [...][]gomilter.MacroName{
	gomilter.StageConnect: {"j", "_", "{daemon_name}", "{daemon_addr}", "{client_addr}", "{client_name}", "{client_port}", "{client_ptr}"},
	gomilter.StageHelo:    {"{tls_version}", "{cipher}", "{client_addr}", "{client_name}"},
	gomilter.StageMail:    {"i", "{auth_type}", "{auth_authen}", "{auth_author}", "{mail_addr}", "{tls_version}"},
	gomilter.StageRcpt:    {"i", "{rcpt_addr}"},
	gomilter.StageData:    {"i"},
	gomilter.StageEOH:     {"i"},
	gomilter.StageEOM:     {"i", "{auth_authen}", "{tls_version}"},
}

// readOffer reads the arguments of the first command.
func readOffer(data []byte) (offer, error) {
	o := offer{
		version:  binary.BigEndian.Uint32(data),
		actions:  gomilter.OptAction(binary.BigEndian.Uint32(data[4:])),
		protocol: gomilter.OptProtocol(binary.BigEndian.Uint32(data[8:])),
	}
	if o.version < oldestVersion {
		return o, fmt.Errorf("milter protocol version %d is too old", o.version)
	}
	return o, nil
}

// terms returns the part of an offer that we use: nothing that was not offered. Replies are
// asked for at the stages at which something may be refused. That is always so at
// RCPT: a recipient too many must hear it, or the whole message would have to be
// refused at its end, at every attempt.
func (o offer) terms(refuses func(scan.Stage) bool) offer {
	want := wantedProtocol
	for stage, flag := range silence {
		if scan.Stage(stage) != scan.StageRcpt && !refuses(scan.Stage(stage)) {
			want |= flag
		}
	}
	return offer{
		version:  min(o.version, newestVersion),
		actions:  o.actions & wantedActions,
		protocol: o.protocol & want,
	}
}

// agreement is what was agreed on with an MTA, and how the library is told.
type agreement struct {
	terms   offer
	library []gomilter.Option
}

// library returns how the library is told of terms: they are those of the last MTA, as a rule.
func (s *Server) library(terms offer) []gomilter.Option {
	if last := s.agreed.Load(); last != nil && last.terms == terms {
		return last.library
	}
	a := &agreement{terms, slices.Clip(terms.library())}
	s.agreed.Store(a)
	return a.library
}

// library returns how the library is told.
func (t offer) library() []gomilter.Option {
	options := []gomilter.Option{
		gomilter.WithActions(t.actions),
		gomilter.WithProtocols(t.protocol),
		gomilter.WithWriteTimeout(0), // conn's own
		gomilter.WithNegotiationCallback(func(_, _ uint32, _, _ gomilter.OptAction, _, _ gomilter.OptProtocol, _ gomilter.DataSize) (uint32,
			gomilter.OptAction, gomilter.OptProtocol, gomilter.DataSize, error) {
			return t.version, t.actions, t.protocol, gomilter.DataSize64K, nil
		}),
	}
	if t.actions&gomilter.OptSetMacros == 0 {
		return options
	}
	for stage, names := range macros {
		options = append(options, gomilter.WithMacroRequest(gomilter.MacroStage(stage), names))
	}
	return options
}
