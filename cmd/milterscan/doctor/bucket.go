package doctor

import (
	"context"
	"time"

	"github.com/milterscan/milterscan/policy/keep/bucket"
	"github.com/milterscan/milterscan/scan/units"
)

// bucket looks at the bucket in which hosts have kept messages.
func (p *Installation) bucket(ctx context.Context) []Finding {
	b := p.Config.Store.Objects()
	if b == nil {
		return nil
	}
	defer b.Close()
	s := p.Config.Store.S3
	found := append(p.secret("store.s3.access_key_file", s.AccessKeyFile), p.secret("store.s3.secret_key_file", s.SecretKeyFile)...)
	f, err := b.Examine(ctx)
	if err != nil {
		return append(found, fault("correct [store.s3]: its key must be allowed to put, get, list and delete objects; see docs/hosts.md",
			"kept messages cannot be put into the bucket, or not be read: %v", err))
	}
	return append(found, bucketFindings(b.Place(), f, p.keepsFor())...)
}

// keepsFor returns the longest time for which a message is kept, 0 for ever.
func (p *Installation) keepsFor() time.Duration {
	r := p.Config.Retention()
	longest := r.Keep
	for _, d := range r.Classes {
		if d == 0 || longest == 0 {
			return 0
		}
		longest = max(longest, d)
	}
	return longest
}

// bucketFindings says what a look at a bucket means for messages that are kept for some time, 0 for ever.
func bucketFindings(place string, f bucket.Facts, keep time.Duration) (found []Finding) {
	if !f.Conditional {
		found = append(found, advice("use a server that does; until then only the random part of the names keeps objects apart",
			"the server of %s writes over an object although it is asked not to (If-None-Match)", place))
	}
	if !f.Checked {
		found = append(found, advice("use a server that does; a message that was damaged on its way is noticed only when it is read",
			"the server of %s does not compare what it gets with its checksum", place))
	}
	if f.Versioned && !f.Forgets {
		found = append(found, advice("let a rule of the bucket remove old versions (NoncurrentVersionExpiration)",
			"%s keeps old versions: what milterscan deletes stays there for ever", place))
	}
	if days := time.Duration(f.Expires) * 24 * time.Hour; days > 0 && (keep == 0 || days <= keep) {
		found = append(found, fault("remove that rule from the bucket, or let it spare the objects below store.s3.prefix",
			"a rule of %s removes objects after %d days, and messages are kept for longer (%v); they would be lost", place, f.Expires, forTime(keep)))
	}
	if !f.Ends.IsZero() {
		found = append(found, fault("remove that rule from the bucket, or let it spare the objects below store.s3.prefix",
			"a rule of %s removes from %s on all objects that there are; kept messages would be lost", place, f.Ends.UTC().Format(time.DateOnly)))
	}
	if f.Drift.Abs() > wrong {
		found = append(found, fault("set the clocks by NTP: servers refuse requests when clocks differ by more than 15 minutes",
			"the clock of this host differs by %v from that of %s", f.Drift.Round(time.Second), place))
	}
	if len(found) == 0 {
		found = append(found, ok("the bucket %s takes messages, and gives them back", place))
	}
	return found
}

// forTime writes a time for which messages are kept.
func forTime(keep time.Duration) string {
	if keep == 0 {
		return "for ever"
	}
	return units.Duration(keep).String()
}
