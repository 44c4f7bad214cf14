package scantest

import (
	"bytes"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/open/unpack"
	"github.com/milterscan/milterscan/scan/spool"
	"github.com/milterscan/milterscan/scan/units"
)

// openLimits are such that no ordinary mail reaches one.
var openLimits = unpack.Limits{
	Entity:  entity.DefaultLimits(),
	Archive: archive.Limits{Expanded: 256 * units.MB, Member: 128 * units.MB, Ratio: 20_000, Entries: 10_000, Depth: 8},
	Parts:   10_000,
	Nesting: 20,
}

// Open opens a mail as the daemon does, with every reader in this process. The
// caller closes the message.
func Open(t testing.TB, mail []byte) *scan.Message {
	t.Helper()
	opener := unpack.NewOpener(openLimits, archive.Formats(), spool.New(t.TempDir(), 256<<20, 256<<20))
	p := opener.NewParser()
	_, _ = p.Write(mail) // never fails
	raw := held{bytes.NewReader(mail)}
	return opener.Open(t.Context(), scan.Received{Raw: raw, Tree: p.Close(), Size: raw.Size()})
}

// held is bytes that need not be given back.
type held struct{ *bytes.Reader }

// Close does nothing.
func (held) Close() error { return nil }
