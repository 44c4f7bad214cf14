package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/moving"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
)

// importCommands returns the commands that take over what was settled for another filter.
func importCommands() []cli.Command {
	return []cli.Command{
		{Name: "mailscanner", About: "take over MailScanner.conf, its rulesets and lists", Run: importing("mailscanner", moving.MailScanner)},
		{Name: "mailwatch", About: "take over the lists and users in a dump of MailWatch", Run: importing("mailwatch", moving.MailWatch)},
		{Name: "amavis", About: "take over amavisd.conf and conf.d, as far as they are data", Run: importing("amavis", moving.Amavis)},
		{Name: "rspamd", About: "take over local.d of rspamd, which goes on as a scorer", Run: importing("rspamd", moving.Rspamd)},
		{Name: "mimedefang", About: "take over what in mimedefang-filter is data", Run: importing("mimedefang", moving.Mimedefang)},
	}
}

// reader takes over what a directory has, and calls step for each line and each row of a dump.
type reader func(dir string, step func()) (*moving.Result, error)

// importing returns a command that reads a directory by one reader.
func importing(name string, read reader) func(context.Context, []string, cli.Streams) int {
	return func(_ context.Context, args []string, std cli.Streams) int {
		f := cli.Flags("import "+name, "DIRECTORY --output DIRECTORY [--json]", std)
		told := cli.Told(f, std)
		output := f.String("output", "",
			"the `directory` for "+moving.ConfigName+", its lists and "+moving.ReportName+
				"; it is made if it is not there")
		if status, ok := cli.ParseArguments(f, args); !ok {
			return status
		}
		switch {
		case f.NArg() != 1:
			return f.Refuse(errors.New("it takes one directory, with the files of the other filter"))
		case *output == "":
			return f.Refuse(errors.New("--output names the directory for what is made of them"))
		}
		progress := show.NewProgress(nil, std.Err, "lines", 0)
		result, err := read(f.Arg(0), progress.Step)
		progress.Clear()
		if err == nil {
			err = result.Write(*output)
		}
		if err != nil {
			fmt.Fprintf(std.Err, "milterscan import %s: %v\n", name, err)
			return cli.ExitError
		}
		report := *output + "/" + moving.ReportName
		told(map[string]any{"configuration": *output + "/" + moving.ConfigName, "report": report, "settings": result.Counts()},
			"%s; see %s", result.Sum(), report)
		if !result.Complete() {
			return cli.ExitFound
		}
		return cli.ExitOK
	}
}
