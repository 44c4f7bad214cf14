package history

import (
	"encoding/hex"
	"net/netip"
	"time"

	"github.com/milterscan/milterscan/policy"
)

// Sort is what of messages is held against a list.
type Sort string

// The sorts.
const (
	Parts   Sort = "parts"   // by their SHA-256, the 32 bytes of it
	Hosts   Sort = "hosts"   // that links lead to
	Clients Sort = "clients" // by their addresses
)

// Holding is a question about all records: which have something that is on a list?
type Holding struct {
	Sort          Sort
	Has           func(value string) bool // reports whether a value is on the list
	Since, Before time.Time               // zero: no bound
	Most          int                     // records that are returned; the others are counted
}

// Held is the answer.
type Held struct {
	Records []policy.Record // the newest first
	More    int             // that are not returned
	Coverage
}

// Coverage says of how many records the answer could be given.
type Coverage struct {
	Asked      int `json:"messages"`     // all of the time
	Unrecorded int `json:"not_recorded"` // nothing of the sort is recorded
	Partly     int `json:"partly"`       // recorded in part: there was more than is recorded, or something could not be read
}

// Add counts another.
func (c *Coverage) Add(other Coverage) {
	c.Asked, c.Unrecorded, c.Partly = c.Asked+other.Asked, c.Unrecorded+other.Unrecorded, c.Partly+other.Partly
}

// Values returns what a record has of the sort, whether that is recorded at all, and whether it is all
// that there was. What was refused before there was a message has nothing.
func (s Sort) Values(r policy.Record) (list []string, recorded, all bool) {
	if s == Clients {
		return clientValues(r)
	}
	c := r.Contents
	if c == nil {
		early := r.Stage != "" && r.Stage != "message"
		return nil, early, early
	}
	if s == Hosts {
		return c.Hosts, c.Hosts != nil, c.MoreHosts == 0 && !c.Unread
	}
	for _, p := range c.Parts {
		if sum, err := hex.DecodeString(p.SHA256); err == nil {
			list = append(list, string(sum))
		}
	}
	return list, c.Parts != nil, c.MoreParts == 0 && !c.Unread
}

func clientValues(r policy.Record) (list []string, recorded, all bool) {
	a, err := netip.ParseAddr(r.Client)
	if err != nil {
		return nil, false, false
	}
	return []string{a.Unmap().String()}, true, true
}

// Matches reports whether a record is of the time and has something that is on the list.
func (h Holding) Matches(r policy.Record) bool {
	if !h.during(r.Time) {
		return false
	}
	list, _, _ := h.Sort.Values(r)
	for _, v := range list {
		if h.Has(v) {
			return true
		}
	}
	return false
}

// Covers counts a record, if it is of the time.
func (h Holding) Covers(r policy.Record) (c Coverage) {
	if !h.during(r.Time) {
		return c
	}
	c.Asked = 1
	switch _, recorded, all := h.Sort.Values(r); {
	case !recorded:
		c.Unrecorded = 1
	case !all:
		c.Partly = 1
	}
	return c
}

func (h Holding) during(t time.Time) bool {
	return !t.Before(h.Since) && (h.Before.IsZero() || t.Before(h.Before))
}
