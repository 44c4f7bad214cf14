package judge

import (
	"context"
	"net/netip"
	"slices"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/origin"
)

// Begin starts the checks of an early stage in the background. The client that a
// relay speaks for is known only when the message is there.
func (j *Judge) Begin(ctx context.Context, s scan.Stage, env scan.Envelope) *scan.Pending {
	if j.Relays(env.Client.Addr()) {
		return scan.NewEngine().Begin(ctx, s, env)
	}
	return j.Once.Begin(ctx, s, env)
}

// early returns the envelope for the rules, and the message with the one for the
// scanners and with the checks of the stages before it. What scanners were not
// asked there, because the caller told of no stage or because a relay came before
// the client, they are asked now.
func (j *Judge) early(ctx context.Context, in scan.Received) (forRules scan.Envelope, _ scan.Received) {
	in.Envelope = j.placed(in.Envelope)
	forRules = in.Envelope
	switch {
	case j.Relays(in.Envelope.Client.Addr()):
		forRules, in.Envelope = j.behind(in)
	case len(in.Begun) > 0:
		return forRules, in
	}
	in.Begun = slices.Clip(in.Begun)
	for s := scan.StageConnect; s <= scan.StageMail; s++ {
		in.Begun = append(in.Begun, j.Once.Begin(ctx, s, in.Envelope))
	}
	return forRules, in
}

// behind returns the envelope with the client that sent to our relays, for the rules and for the
// scanners. Where the trail ends, the rules are left with the relay itself, and the scanners with
// no client to ask about.
func (j *Judge) behind(in scan.Received) (forRules, forScanners scan.Envelope) {
	env := in.Envelope
	hop, ok := origin.Client(in.Tree.Root.Header, env.Client.Addr(), j.Relays)
	if !ok {
		nobody := env
		nobody.Client, nobody.ClientName, nobody.Helo = netip.AddrPort{}, "", ""
		return env, nobody
	}
	env.Via = env.Client.Addr()
	env.Client, env.ClientName, env.Helo = netip.AddrPortFrom(hop.Addr, 0), "", hop.Helo
	env.Place = j.Places(hop.Addr)
	return env, env
}

// placed returns the envelope with where its client is. Where a relay of ours is says nothing of
// the mail.
func (j *Judge) placed(env scan.Envelope) scan.Envelope {
	if a := env.Client.Addr(); a.IsValid() && !j.Relays(a) {
		env.Place = j.Places(a)
	}
	return env
}
