// Package beside puts the same mails to milterscan, rspamd, SpamAssassin and clamd, and
// writes what each says into docs/comparison.md. It needs these programs, and is no part of
// "make test":
//
//	MILTERSCAN_BESIDE=1 go test -count=1 -timeout 30m ./tests/beside -update
package beside
