package user

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/config"
)

// mostNamed is how many accounts are named that are not moved.
const mostNamed = 20

// Move moves accounts with their second factors and tokens, and the audit log, into the database that hosts share. The
// file stays as it is. by is who has it done.
func Move(by string) pipeline.Move {
	return pipeline.Move{What: "accounts, audit log", Run: func(ctx context.Context, k *pipeline.Stores, c *config.Config,
		w pipeline.Watch) (m pipeline.Moved, err error) {
		m.From = c.Console.File
		if _, err := os.Stat(m.From); m.From == "" || errors.Is(err, fs.ErrNotExist) {
			m.Note = pipeline.NoFile
			return m, nil
		}
		from, to := accounts.New(m.From), accounts.Of(m.From, k.Tables())
		defer from.Close()
		w.Begin("accounts and lines", 0)
		n, err := from.CopyTo(ctx, to, c.Store.Host()+":"+filepath.Clean(m.From), w.Step)
		if err != nil {
			return m, err
		}
		tellOthers(n.Others, w)
		m.Left, m.Note = len(n.Others), noteOf(n)
		if n.Added+n.New == 0 {
			return m, nil
		}
		return m, to.Note(ctx, accounts.Entry{Person: by, Client: "shell", Act: "store migrate", Object: m.From, Outcome: m.Note})
	}}
}

// tellOthers names accounts that are not moved, some of them.
func tellOthers(names []string, w pipeline.Watch) {
	for i, name := range names {
		if i == mostNamed {
			w.Warn(fmt.Errorf("and %d more accounts", len(names)-i))
			return
		}
		w.Warn(fmt.Errorf("account %s is not moved: the database has one of that name, which counts, "+
			"with its password, second factor and tokens", show.Printable(name)))
	}
}

// noteOf says what became of accounts and lines.
func noteOf(n accounts.Copied) string {
	return fmt.Sprintf("%d accounts: %d moved, %d had been moved before, the database has another of %d; "+
		"%d lines of the audit log: %d moved, the others had been; sessions are not moved",
		n.Accounts, n.Added, n.Before, len(n.Others), n.Lines, n.New)
}
