package judge

import (
	"context"
	"net/netip"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/origin"
)

// Begin starts the checks of an early stage in the background. Whom a relay
// speaks for is known only when the message is there.
func (j *Judge) Begin(ctx context.Context, s scan.Stage, env scan.Envelope) *scan.Pending {
	if j.Relays(env.Client.Addr()) {
		return scan.NewEngine().Begin(ctx, s, env)
	}
	return j.Once.Begin(ctx, s, env)
}

// early are the checks of the stages before the message. What they were not
// asked, because nobody told of them or because a relay stood before the client,
// they are asked now.
func (j *Judge) early(ctx context.Context, r *Result, in *scan.Received) []*scan.Pending {
	begun := in.Begun
	if j.Relays(in.Envelope.Client.Addr()) {
		r.Envelope, in.Envelope = j.behind(in)
	} else if len(begun) > 0 {
		return begun
	}
	for s := scan.StageConnect; s <= scan.StageMail; s++ {
		begun = append(begun, j.Once.Begin(ctx, s, in.Envelope))
	}
	return begun
}

// behind is the envelope with the client that stands before our relays, for the
// rules and for the scanners. Where the trail ends, the rules are left with the
// relay itself, and the scanners with nobody to ask about.
func (j *Judge) behind(in *scan.Received) (forRules, forScanners scan.Envelope) {
	env := in.Envelope
	hop, ok := origin.Client(in.Tree.Root.Header, env.Client.Addr(), j.Relays)
	if !ok {
		nobody := env
		nobody.Client, nobody.ClientName, nobody.Helo = netip.AddrPort{}, "", ""
		return env, nobody
	}
	env.Via = env.Client.Addr()
	env.Client, env.ClientName, env.Helo = netip.AddrPortFrom(hop.Addr, 0), "", hop.Helo
	return env, env
}
