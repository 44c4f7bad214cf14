//go:build !linux

package show

import (
	"errors"
	"os"
)

// Terminal fails: pseudo-terminals are opened in another way on each of these systems.
func Terminal() (master, terminal *os.File, err error) { return nil, nil, errors.ErrUnsupported }
