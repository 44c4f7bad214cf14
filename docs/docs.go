// Package docs is the pages about milterscan, as the console shows them without a network.
package docs

import "embed"

// Pages are the files, "console.md" and the like.
//
//go:embed *.md
var Pages embed.FS
