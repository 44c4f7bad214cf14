// Package digest tells people which mail is kept back from them: one mail for each person and
// time, with links by which they look, let go and block.
package digest

import "embed"

//go:embed templates
var shipped embed.FS
