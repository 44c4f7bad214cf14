package login

import "slices"

// capabilities say which rights an administrator of domains has by what the host leaves to it, word by word of
// people.domain_admins.may. It is the only place that does; docs/console-access.md shows it. A right of the role that
// no word gives is none.
var capabilities = []struct {
	word   string
	rights []Right
}{
	{"messages", []Right{SeeMessages}},
	{"quarantine", []Right{SeeQuarantine, MarkHandled}},
	{"content", []Right{SeeContent, DownloadParts}},
	{"release", []Right{Release}},
	{"delete", []Right{Delete}},
	{"lists", []Right{SeeLists, AllowSenders}},
	{"requests", []Right{AnswerRequests}},
	{"learn", []Right{Teach}},
	{"people", []Right{SeePeople}},
	{"settings", []Right{ChangePeople}},
	{"export", []Right{Export}},
	{"api", []Right{UseAPI}},
}

// Delegated returns the rights that a host leaves to administrators of domains. Words that are none give
// nothing.
func Delegated(words []string) []Right {
	list := []Right{}
	for _, c := range capabilities {
		if slices.Contains(words, c.word) {
			list = append(list, c.rights...)
		}
	}
	return list
}

// Capabilities returns the words of what a host may leave to administrators of domains.
func Capabilities() []string {
	var list []string
	for _, c := range capabilities {
		list = append(list, c.word)
	}
	return list
}
