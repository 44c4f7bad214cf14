package contact

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/format/markup"
)

// Key identifies a pair of persons, or a mail that one of ours has sent. It is a hash: a reader of
// the store learns no address from it that he does not know.
type Key [16]byte

// keyOf returns the key of some words, none of which can run into the next.
func keyOf(words ...string) (k Key) {
	h := sha256.New()
	for _, w := range words {
		h.Write(binary.AppendUvarint(nil, uint64(len(w))))
		h.Write([]byte(w))
	}
	copy(k[:], h.Sum(nil))
	return k
}

// pairOf returns the key of one of ours and another address.
func pairOf(own, other string) Key { return keyOf("pair", own, other) }

// sentOf returns the key of a mail that one of ours has sent.
func sentOf(own, id string) Key { return keyOf("sent", own, id) }

// fold returns an address as addresses are compared here: without the text after a delimiter, in
// lower case. It returns "" if that leaves no address.
func fold(address, delimiter string) string {
	at := strings.LastIndexByte(address, '@')
	if at <= 0 {
		return ""
	}
	local, domain := strings.ToLower(strings.TrimSpace(address[:at])), markup.ASCII(strings.TrimSpace(address[at+1:]))
	if i := strings.IndexAny(local, delimiter); i > 0 {
		local = local[:i]
	}
	if local == "" || domain == "" || len(local) > longestLocal {
		return ""
	}
	return local + "@" + domain
}

// Bounds of what a scan reads of a message.
const (
	longestLocal = 256
	longestField = 16 << 10
	longestID    = 512
	mostAuthors  = 5
	mostIDs      = 20 // of the mails that one says it answers, the last of each field
	mostAnswered = 50 // recipients that an answer is looked up for
)

// authors returns those who say that they wrote a mail, folded, each once.
func authors(h entity.Header) (list []string) {
	for _, value := range h.Values("From") {
		for _, m := range entity.Mailboxes(value[:min(len(value), longestField)]) {
			a := fold(m.Address, "")
			if a != "" && !slices.Contains(list, a) {
				list = append(list, a)
			}
			if len(list) >= mostAuthors {
				return list
			}
		}
	}
	return list
}

// messageIDs returns the Message-IDs in the fields of a name, the last ones.
func messageIDs(h entity.Header, field string) (list []string) {
	for _, value := range h.Values(field) {
		rest := value[max(0, len(value)-longestField):]
		for {
			_, after, ok := strings.Cut(rest, "<")
			if !ok {
				break
			}
			id, next, closed := strings.Cut(after, ">")
			if !closed {
				break
			}
			rest = next
			if id = strings.TrimSpace(id); id != "" && len(id) <= longestID {
				list = append(list, id)
			}
		}
	}
	return list[max(0, len(list)-mostIDs):]
}

// answered returns the Message-IDs of the mails that one says it answers.
func answered(h entity.Header) []string {
	list := append(messageIDs(h, "References"), messageIDs(h, "In-Reply-To")...)
	slices.Sort(list)
	return slices.Compact(list)
}

// Mail is one that has passed.
type Mail struct {
	Header     entity.Header
	Sender     string
	Recipients []string // who get it
	Ours       bool     // a client of ours has sent it
	Delimiter  string   // after which the rest of an address of ours makes no difference
}

// Known is what a mail makes known.
type Known struct {
	Pairs []Key // of those who know each other now
	Sent  []Key // of the mail, if it is one of ours
}

// Known returns what a mail makes known: its recipients know its authors, and those of ours who
// write a mail know its recipients, and are known by its Message-ID to have written it.
func (m Mail) Known() (k Known) {
	from := authors(m.Header)
	for _, to := range m.Recipients {
		own := fold(to, m.Delimiter)
		for _, a := range from {
			if own != "" {
				k.Pairs = append(k.Pairs, pairOf(own, a))
			}
		}
	}
	if !m.Ours {
		return k
	}
	for _, own := range m.writers() {
		for _, to := range m.Recipients {
			if other := fold(to, ""); other != "" {
				k.Pairs = append(k.Pairs, pairOf(own, other))
			}
		}
		for _, id := range messageIDs(m.Header, "Message-ID") {
			k.Sent = append(k.Sent, sentOf(own, id))
		}
	}
	return k
}

// writers returns those of ours who have written a mail.
func (m Mail) writers() (list []string) {
	all := append([]string{m.Sender}, authors(m.Header)...)
	for _, a := range all {
		if own := fold(a, m.Delimiter); own != "" && !slices.Contains(list, own) {
			list = append(list, own)
		}
	}
	return list
}
