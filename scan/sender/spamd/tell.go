package spamd

import (
	"bufio"
	"context"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/scorer"
)

// Learn has SpamAssassin learn what a message is, by the first spamd that answers. One that it
// has learned already is learned. What it was taught of the message before is forgotten.
func Learn(ctx context.Context, c Config, as scorer.Lesson, e scan.Envelope, mail scan.Content) error {
	q := question{verb: "TELL", own: "Message-class: " + string(as) + "\r\nSet: local\r\n", user: c.User, trace: trace(e), mail: mail}
	return scorer.NewServers(c.Addresses, 1).Ask(ctx, c.Timeout.Go(), q.tell)
}

// tell puts one question whose answer is no opinion. spamd answers alike about a message that it has learned already
// and where it never learns: without the field DidSet.
func (q question) tell(ctx context.Context, address string) error {
	return exchange(ctx, address, q.send, func(in *bufio.Reader) error {
		fields, err := readHead(in, "EX_OK")
		if err == nil && fields["didset"] != "" && !strings.Contains(fields["didset"], "local") {
			err = scorer.ErrNotLearned
		}
		return err
	})
}
