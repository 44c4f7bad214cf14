package setup

// View is a plan for programs.
type View struct {
	MTA      string       `json:"mta"`
	Version  string       `json:"version"`
	Dir      string       `json:"dir"`
	Hook     string       `json:"hook"`     // by which milterscan will be asked
	Address  string       `json:"address"`  // of milterscan, that will be asked
	Commands []string     `json:"commands"` // on a copy of the files
	Changes  []ViewChange `json:"changes"`
	Notes    []string     `json:"notes"`
	Checks   []string     `json:"checks"`
	Reload   []string     `json:"reload"` // none where the MTA is not running
}

// ViewChange is the change of one file, in unified form.
type ViewChange struct {
	Path string `json:"path"`
	Diff string `json:"diff"`
}

// View returns what Print shows.
func (p *Plan) View() View {
	v := View{
		MTA: p.MTA.Name, Version: p.MTA.Version, Dir: p.MTA.Dir, Hook: p.Hook, Address: p.Address,
		Commands: append([]string{}, p.Commands...), Notes: append([]string{}, p.Notes...),
		Changes: []ViewChange{}, Checks: typed(p.Checks), Reload: typed(p.Reload),
	}
	for _, c := range p.Changes {
		v.Changes = append(v.Changes, ViewChange{c.Path, c.Diff()})
	}
	return v
}

// typed returns commands as a person would type them.
func typed(commands []Command) []string {
	all := []string{}
	for _, c := range commands {
		all = append(all, c.String())
	}
	return all
}
