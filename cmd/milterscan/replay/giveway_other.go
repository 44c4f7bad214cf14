//go:build !linux

package replay

import (
	"os"
	"syscall"
)

// giveWay does nothing where nothing is known to do.
func giveWay() {}

// ownGroup returns the attributes of a child.
func ownGroup() *syscall.SysProcAttr { return nil }

// endGroup ends a child.
func endGroup(p *os.Process) { p.Kill() }
