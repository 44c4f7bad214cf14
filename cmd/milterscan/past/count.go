package past

import (
	"context"
	"flag"
	"fmt"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// countUp prints how many messages a search finds, by a field, and says if these are not
// all.
func countUp(ctx context.Context, h *Opened, f history.Filter, after history.Cursor, as printing, std cli.Streams) error {
	s, err := f.SumUp(ctx, h.Find, after, as.count)
	if err != nil {
		return err
	}
	noteUnindexed(std.Err, s.Unindexed)
	for _, row := range s.Rows {
		switch {
		case as.json:
			show.JSON(std.Out, row)
		case as.count == history.SumAction:
			fmt.Fprintf(std.Out, "%8d  %s\n", row.N, policy.Visible(row.Action))
		case row.Value == "":
			fmt.Fprintf(std.Out, "%8d  %-10s  (no rule decided)\n", row.N, policy.Visible(row.Action))
		default:
			fmt.Fprintf(std.Out, "%8d  %-10s  %s\n", row.N, policy.Visible(row.Action), policy.Visible(row.Value))
		}
	}
	if s.Cut() {
		fmt.Fprintf(std.Err, "note: only the newest %d are counted, there are more; --limit 0 counts all\n", s.Messages)
	}
	return nil
}

// given reports whether an option was written.
func given(f *cli.Options, name string) (is bool) {
	f.Visit(func(o *flag.Flag) { is = is || o.Name == name })
	return is
}
