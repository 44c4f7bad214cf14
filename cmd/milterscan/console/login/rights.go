// Package login says who may do what in the console. The rooms below it know how
// persons prove who they are and what the console remembers of them.
package login

import (
	"fmt"
	"slices"
	"strings"
)

// Role is what a person is in the console. There is one table of what each may do.
type Role string

// The roles.
const (
	Administrator Role = "administrator" // everything
	HelpDesk      Role = "helpdesk"      // sees messages; opens and releases those of its classes
	Auditor       Role = "auditor"       // reads everything, changes nothing
	Domain        Role = "domain"        // sees and releases the mail of its domains, and knows of no other
	Recipient     Role = "recipient"     // sees and releases what was kept back from its own addresses, and knows of no other
)

// Roles returns all roles, the one that may do most first.
func Roles() []Role { return append(Given(), Recipient) }

// Given returns the roles that a person with an account is given. Recipients are given
// none: who proves to be the owner of an address of ours is one.
func Given() []Role { return []Role{Administrator, HelpDesk, Auditor, Domain} }

// UnmarshalText reads a role.
func (r *Role) UnmarshalText(text []byte) error {
	if !slices.Contains(Given(), Role(text)) {
		return fmt.Errorf("%q is no role that can be given; write one of %s", text, names(Given()))
	}
	*r = Role(text)
	return nil
}

// Right is one kind of act, or of look. The words appear in the audit log.
type Right string

// The rights.
const (
	SeeOwn           Right = "see own mail"      // what was kept back from addresses of one's own
	SeeOverview      Right = "see overview"      // counts and health of the whole host
	SeeMessages      Right = "see messages"      // what became of messages, and why
	SeeQuarantine    Right = "see quarantine"    // messages that are kept
	SeeContent       Right = "see content"       // texts and pictures of a message
	DownloadParts    Right = "download parts"    // a message or a part of it as a file
	Release          Right = "release"           // to those it was meant for, whole or without the bad parts
	Forward          Right = "forward"           // as an attachment, to another address
	Delete           Right = "delete"            // a kept message for good
	SeeLists         Right = "see lists"         // of senders that are allowed and blocked
	AllowSenders     Right = "allow senders"     // let a sender through to a recipient from now on
	Teach            Right = "teach scorers"     // that a kept message is spam, or is not
	AnswerRequests   Right = "answer requests"   // of recipients who ask for a release
	SeePeople        Right = "see people"        // recipients: addresses, delegates, settings
	ChangePeople     Right = "change people"     // their settings and delegates
	MarkHandled      Right = "mark handled"      // say that a person has looked at it
	Export           Right = "export"            // lists of messages as files
	SeeRules         Right = "see rules"         // rules, their hits, reloads
	SeeConfiguration Right = "see configuration" // the effective configuration of the host
	Rehearse         Right = "rehearse"          // have a mail of one's own judged
	// TryConfigurations is to have kept mail judged under a configuration of one's own.
	TryConfigurations Right = "try configurations"
	SeeAudit          Right = "see audit"    // who looked at what and did what
	ManageUsers       Right = "manage users" // add, disable and remove persons and tokens of others
	UseAPI            Right = "use API"      // have tokens, which may do no more than their owner
)

// Rights returns all rights, in the order of the table.
func Rights() []Right {
	var all []Right
	for _, row := range table {
		all = append(all, row.right)
	}
	return all
}

// table says which roles have a right. It is the only place that does; docs/console-access.md
// shows it. opens marks rights over a message itself, which some roles have for the
// classes of a person only; changes marks acts that leave something other than it was.
var table = []struct {
	right          Right
	opens, changes bool
	roles          []Role
}{
	{right: SeeOwn, roles: []Role{Recipient}},
	{right: SeeOverview, roles: []Role{Administrator, HelpDesk, Auditor}},
	{right: SeeMessages, roles: []Role{Administrator, HelpDesk, Auditor, Domain}},
	{right: SeeQuarantine, roles: []Role{Administrator, HelpDesk, Auditor, Domain}},
	{right: SeeContent, opens: true, roles: []Role{Administrator, HelpDesk, Auditor, Domain, Recipient}},
	{right: DownloadParts, opens: true, roles: []Role{Administrator, Domain}},
	{right: Release, opens: true, changes: true, roles: []Role{Administrator, HelpDesk, Domain, Recipient}},
	{right: Forward, opens: true, changes: true, roles: []Role{Administrator}},
	{right: Delete, opens: true, changes: true, roles: []Role{Administrator, Domain, Recipient}},
	{right: SeeLists, roles: []Role{Administrator, HelpDesk, Auditor, Domain}},
	{right: AllowSenders, changes: true, roles: []Role{Administrator, HelpDesk, Domain, Recipient}},
	{right: Teach, opens: true, changes: true, roles: []Role{Administrator, HelpDesk, Domain, Recipient}},
	{right: AnswerRequests, changes: true, roles: []Role{Administrator, HelpDesk, Domain}},
	{right: SeePeople, roles: []Role{Administrator, HelpDesk, Auditor, Domain}},
	{right: ChangePeople, changes: true, roles: []Role{Administrator, HelpDesk, Domain}},
	{right: MarkHandled, changes: true, roles: []Role{Administrator, HelpDesk, Domain}},
	{right: Export, roles: []Role{Administrator, HelpDesk, Auditor, Domain}},
	{right: SeeRules, roles: []Role{Administrator, HelpDesk, Auditor}},
	{right: SeeConfiguration, roles: []Role{Administrator, Auditor}},
	{right: Rehearse, roles: []Role{Administrator, HelpDesk}},
	{right: TryConfigurations, roles: []Role{Administrator}},
	{right: SeeAudit, roles: []Role{Administrator, Auditor}},
	{right: ManageUsers, changes: true, roles: []Role{Administrator}},
	{right: UseAPI, roles: []Role{Administrator, HelpDesk, Auditor, Domain}},
}

// Has reports whether the role has a right. No role has a right that is not in the
// table.
func (r Role) Has(right Right) bool {
	for _, row := range table {
		if row.right == right {
			return slices.Contains(row.roles, r)
		}
	}
	return false
}

// Changes reports whether an act leaves something other than it was.
func (r Right) Changes() bool {
	for _, row := range table {
		if row.right == r {
			return row.changes
		}
	}
	return true
}

// opens reports whether a right is one over a message itself.
func (r Right) opens() bool {
	for _, row := range table {
		if row.right == r {
			return row.opens
		}
	}
	return true
}

// names lists words for an error.
func names[T ~string](list []T) string {
	var all []string
	for _, one := range list {
		all = append(all, string(one))
	}
	return strings.Join(all, ", ")
}
