package milter

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	gomilter "github.com/d--j/go-milter"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

// apply turns a ruling into protocol: all changes first, the answer last. After
// an error the MTA may have been asked for some of the changes; they are void
// once it is told a temporary failure.
func apply(r policy.Ruling, m gomilter.Modifier) (*gomilter.Response, error) {
	switch r.Answer {
	case policy.Reject, policy.Tempfail:
		return refusal(r), nil
	case policy.Discard:
		return gomilter.RespDiscard, nil
	case policy.Deliver, policy.Hold:
		return gomilter.RespAccept, change(r, m)
	}
	return nil, fmt.Errorf("no such answer: %v", r.Answer)
}

// change asks for every change of a message that goes on. The body comes last
// and in one go: Postfix takes any other request as its end.
func change(r policy.Ruling, m gomilter.Modifier) error {
	if err := offered(r, m); err != nil {
		return err
	}
	c := r.Changes
	if c.Sender != nil {
		if err := m.ChangeFrom(*c.Sender, ""); err != nil {
			return fmt.Errorf("change of sender: %w", err)
		}
	}
	if err := changeRecipients(c, m); err != nil {
		return err
	}
	if err := changeHeader(c.Headers, m); err != nil {
		return err
	}
	if r.Answer == policy.Hold {
		if err := m.Quarantine(holdReason(r)); err != nil {
			return fmt.Errorf("hold: %w", err)
		}
	}
	if c.Body == nil {
		return nil
	}
	return replaceBody(c.Body, m)
}

// offered makes sure, before anything is asked for, that the MTA has agreed to
// all of it.
func offered(r policy.Ruling, m gomilter.Modifier) error {
	if missing := needed(r) &^ m.Actions(); missing != 0 {
		return fmt.Errorf("the MTA does not offer: %v", missing)
	}
	if r.Changes.Sender != nil && m.Version() < senderVersion {
		return fmt.Errorf("the MTA offers no change of sender in protocol version %d", m.Version())
	}
	return nil
}

// senderVersion is the first version with SMFIR_CHGFROM.
const senderVersion = 6

// needed returns the actions a ruling needs.
func needed(r policy.Ruling) gomilter.OptAction {
	var need gomilter.OptAction
	want := func(wanted bool, action gomilter.OptAction) {
		if wanted {
			need |= action
		}
	}
	c := r.Changes
	want(c.Sender != nil, gomilter.OptChangeFrom)
	want(len(c.Add) > 0, gomilter.OptAddRcpt)
	want(len(c.Drop) > 0, gomilter.OptRemoveRcpt)
	want(c.Body != nil, gomilter.OptChangeBody)
	want(r.Answer == policy.Hold, gomilter.OptQuarantine)
	for _, h := range c.Headers {
		want(touches(h), gomilter.OptChangeHeader)
		want(!touches(h), gomilter.OptAddHeader)
	}
	return need
}

func changeRecipients(c policy.Changes, m gomilter.Modifier) error {
	for _, to := range c.Drop {
		if err := m.DeleteRecipient(to); err != nil {
			return fmt.Errorf("removal of recipient %q: %w", to, err)
		}
	}
	for _, to := range c.Add {
		if err := m.AddRecipient(to, ""); err != nil {
			return fmt.Errorf("recipient %q: %w", to, err)
		}
	}
	return nil
}

// touches reports whether a change is to a field that is there.
func touches(h policy.HeaderChange) bool { return h.Op == policy.Change || h.Op == policy.Delete }

// changeHeader changes fields that are there before it adds any, and the last
// ones first: Postfix counts again after each removal, Sendmail does not.
func changeHeader(all []policy.HeaderChange, m gomilter.Modifier) error {
	ordered := slices.Clone(all)
	slices.SortStableFunc(ordered, func(a, b policy.HeaderChange) int {
		switch {
		case touches(a) && touches(b):
			return b.Index - a.Index
		case touches(a):
			return -1
		case touches(b):
			return 1
		}
		return 0
	})
	for _, h := range ordered {
		if err := changeField(h, m); err != nil {
			return fmt.Errorf("header field %q: %w", h.Name, err)
		}
	}
	return nil
}

func changeField(h policy.HeaderChange, m gomilter.Modifier) error {
	switch value := fieldValue(h.Value, m); h.Op {
	case policy.InsertTop:
		return m.InsertHeader(0, h.Name, value) // above the Received of the MTA itself
	case policy.AppendBottom:
		return m.AddHeader(h.Name, value)
	case policy.Change, policy.Delete:
		if h.Index < 1 {
			return fmt.Errorf("no field has the number %d", h.Index)
		}
		if h.Op == policy.Delete {
			value = ""
		}
		return m.ChangeHeader(h.Index, h.Name, value)
	}
	return fmt.Errorf("no such operation: %d", h.Op)
}

// fieldValue returns a value as the MTA wants it: with LF in folds, and with the blank
// after the colon if values are exchanged as they are. No value ends the
// field it is in: a line that is no continuation is made one. An empty value
// would remove the field.
func fieldValue(value string, m gomilter.Modifier) string {
	value = strings.ReplaceAll(value, "\r\n", "\n")
	value = strings.TrimRight(strings.ReplaceAll(value, "\r", "\n"), "\n")
	var b strings.Builder
	if leading(m) || value == "" {
		b.WriteByte(' ')
	}
	for i := range len(value) {
		b.WriteByte(value[i])
		if value[i] == '\n' && value[i+1] != ' ' && value[i+1] != '\t' {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// holdReason returns what the MTA's queue shows.
func holdReason(r policy.Ruling) string {
	if reason := replyText(strings.ReplaceAll(r.Reason, "\n", " ")); reason != "" {
		return reason
	}
	return "held by milterscan"
}

// replaceBody sends the new body in frames of the size that was negotiated.
func replaceBody(body scan.Content, m gomilter.Modifier) error {
	chunk := make([]byte, gomilter.DataSize64K)
	for off := int64(0); ; {
		n, err := body.ReadAt(chunk[:min(int64(len(chunk)), body.Size()-off)], off)
		if err != nil && (!errors.Is(err, io.EOF) || off+int64(n) < body.Size()) {
			return fmt.Errorf("new body at byte %d: %w", off+int64(n), err)
		}
		if err := m.ReplaceBodyRawChunk(chunk[:n]); err != nil {
			return fmt.Errorf("new body at byte %d: %w", off, err)
		}
		if off += int64(n); off >= body.Size() {
			return nil
		}
	}
}
