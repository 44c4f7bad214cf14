package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// lesson names mails, and what the scorers learn of them.
type lesson struct {
	as    quarantine.Lesson
	ids   []string
	files []*os.File // opened as the caller, before the command goes on as the owner of the quarantine
}

// learned tells the scorers what mail is: kept messages by their ids, others in files.
func learned(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("learn", "[-c FILE] [--json] spam|ham ID|FILE...", std)
	told := cli.Told(f, std)
	var l lesson
	defer l.close()
	k, status, ok := openKeeper(f, args, std, cli.ParseArguments, func() error { return l.read(f.Args()) })
	if !ok {
		return status
	}
	defer k.close()
	teacher := pipeline.Teacher(k.config)
	if teacher == nil {
		return k.fail(quarantine.ErrNoTeacher)
	}
	status = cli.ExitOK
	if len(l.ids) > 0 {
		status = k.each(ctx, l.ids, func(id string) error {
			err := k.releaser().Teach(ctx, id, l.as)
			if err == nil {
				told(map[string]any{"mail": id, "learned_as": l.as}, "%s: learned as %s", id, l.as)
			}
			return err
		})
	}
	for _, file := range l.files {
		if err := teach(ctx, teacher, l.as, file); err != nil {
			status = k.fail(fmt.Errorf("%s: %w", show.Printable(file.Name()), err))
			continue
		}
		told(map[string]any{"mail": file.Name(), "learned_as": l.as}, "%s: learned as %s", show.Printable(file.Name()), l.as)
	}
	return status
}

// read takes the arguments apart. One that has a slash in it, or that is there, is a file; "./" before the name
// of a file makes sure of that.
func (l *lesson) read(args []string) error {
	if len(args) < 2 || args[0] != string(quarantine.Spam) && args[0] != string(quarantine.Ham) {
		return errors.New("say what it is, and of what: \"learn spam ID\", or \"learn ham FILE\"")
	}
	l.as = quarantine.Lesson(args[0])
	for _, name := range args[1:] {
		file, err := os.Open(name)
		switch {
		case err == nil:
			l.files = append(l.files, file)
		case errors.Is(err, os.ErrNotExist) && !strings.ContainsRune(name, os.PathSeparator):
			l.ids = append(l.ids, name)
		default:
			return err
		}
	}
	return nil
}

// close closes the files.
func (l *lesson) close() {
	for _, file := range l.files {
		file.Close()
	}
}

// teach gives a lesson with the message in a file. Whether it was given before is for the scorers to know.
func teach(ctx context.Context, teacher quarantine.Teacher, as quarantine.Lesson, file *os.File) error {
	most := teacher.Largest()
	text, err := io.ReadAll(io.LimitReader(file, most+1))
	switch {
	case err != nil:
		return err
	case len(text) == 0:
		return errors.New("there is no message in it")
	case int64(len(text)) > most:
		return fmt.Errorf("%w (%d bytes)", quarantine.ErrLessonTooBig, most)
	}
	return pipeline.TeachText(ctx, teacher, as, text)
}
