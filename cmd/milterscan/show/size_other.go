//go:build !unix

package show

import "os"

// terminalSize knows of no terminal here.
func terminalSize(*os.File) (columns, rows int, ok bool) { return 0, 0, false }
