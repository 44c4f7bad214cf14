package virus

import (
	"slices"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/units"
)

// kind is a type of engine. A new one is a file with a Server in it, and a row in
// kinds.
type kind struct {
	name  string
	keys  []string                   // that not every type has
	check func(Config, *units.Check) // of the keys of this type; nil for an engine that asks no server
	open  func(Config) (scan.Scanner, error)
}

// kinds returns all types of engine.
func kinds() []kind {
	return []kind{
		{TypeClamd, []string{"address"}, checkClamd, asking(clamdEngine)},
		{TypeICAP, []string{"address", "ca_file"}, checkICAP, asking(icapEngine)},
		{TypeCommand, []string{"command", "clean", "infected", "signature", "expect", "read", "memory"}, checkCommand, asking(commandEngine)},
		{TypeHTTP, []string{"address", "ca_file", "poll", "poll_every", "token_file", "id_at", "verdict_at",
			"name_at", "clean_words", "infected_words", "pending_words", "remember", "await", "on_infected",
			"notify"}, checkHTTP, asking(httpEngine)},
		{TypeYARA, []string{"rules", "verdict", "command", "read", "memory"}, checkYARA, asking(yaraEngine)},
		{TypeHashes, []string{"lists"}, nil, func(c Config) (scan.Scanner, error) { return newHashes(c) }},
	}
}

// asking makes a function that returns a scanner of one that returns an engine.
func asking(open func(Config) (*Engine, error)) func(Config) (scan.Scanner, error) {
	return func(c Config) (scan.Scanner, error) { return open(c) }
}

func kindOf(name string) (kind, bool) {
	all := kinds()
	i := slices.IndexFunc(all, func(k kind) bool { return k.name == name })
	if i < 0 {
		return kind{}, false
	}
	return all[i], true
}

func kindNames() []string {
	var names []string
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	return names
}
