package past

import (
	"context"
	"fmt"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// Report counts what happened.
func Report(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("report", "[-c FILE] [--since 7d] [--html | --json | --template FILE]", std)
	path := cli.ConfigFlag(f)
	since := cli.Moment{Time: time.Now().Add(-7 * 24 * time.Hour)}
	f.Var(&since, "since", "count what was received since: "+cli.MomentHelp+"; from the full hour")
	top := f.Int("top", 20, "list this `number` of values of each kind; 0 for all")
	asHTML := f.Bool("html", false, "print a page in HTML")
	asJSON := f.Bool("json", false, "print JSON")
	template := f.String("template", "", "print by the template in this `file`; values are escaped if its name ends in .html")
	if status, ok := cli.Parse(f, args); !ok {
		return status
	}
	h, status := mustOpenHistory("report", *path, std)
	if h == nil {
		return status
	}
	defer h.Close()
	counts, err := h.Counts(ctx, since.Time)
	if err != nil {
		fmt.Fprintln(std.Err, "milterscan report:", err)
		return cli.ExitError
	}
	r := history.NewReport(counts, since.Time.Truncate(time.Hour), time.Now(), *top)
	switch {
	case *template != "":
		err = r.Template(std.Out, *template)
	case *asHTML:
		err = r.HTML(std.Out)
	case *asJSON:
		show.JSON(std.Out, r)
	default:
		err = r.Text(std.Out)
	}
	if err != nil {
		fmt.Fprintln(std.Err, "milterscan report:", err)
		return cli.ExitError
	}
	return cli.ExitOK
}
