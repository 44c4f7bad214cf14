package virus

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The faults of an answer of clamd. All of them mean "I do not know".
var (
	ErrTooBig  = errors.New("the stream is larger than clamd's StreamMaxLength")
	ErrNoReply = errors.New("clamd closed the connection without an answer")
	ErrDaemon  = errors.New("clamd reports an error")
	ErrGarbage = errors.New("clamd's answer makes no sense")
)

// reply is one line of clamd within a session: the number of the command it
// answers, and what it says about it.
type reply struct {
	id        int
	signature string // "" for nothing found
	err       error  // ErrTooBig or ErrDaemon
}

// parseReply reads "2: fd[12]: OK", "2: stream: NAME FOUND" or "2: … ERROR".
// Anything else is ErrGarbage.
func parseReply(line string) (reply, error) {
	number, text, ok := strings.Cut(line, ": ")
	id, err := strconv.Atoi(number)
	if !ok || err != nil {
		return reply{}, fmt.Errorf("%w: %q", ErrGarbage, line)
	}
	r := reply{id: id}
	switch {
	case strings.HasSuffix(text, " ERROR"):
		r.err = daemonError(strings.TrimSuffix(text, " ERROR"))
		return r, nil
	case strings.HasSuffix(text, " FOUND"):
		_, r.signature, ok = strings.Cut(strings.TrimSuffix(text, " FOUND"), ": ")
		ok = ok && r.signature != ""
	default:
		_, verdict, _ := strings.Cut(text, ": ")
		ok = verdict == "OK"
	}
	if !ok {
		return reply{}, fmt.Errorf("%w: %q", ErrGarbage, line)
	}
	return r, nil
}

// daemonError returns the error for what was before " ERROR".
func daemonError(text string) error {
	if strings.HasPrefix(text, "INSTREAM size limit exceeded") {
		return ErrTooBig
	}
	return fmt.Errorf("%w: %q", ErrDaemon, text)
}
