package quarantine

import (
	"context"

	"github.com/milterscan/milterscan/policy/disk"
)

// Size is how much of one class and state is kept.
type Size struct {
	Class    string
	State    State
	Messages int64
	Bytes    int64 // on the disk
}

// Check returns why no message can be kept now.
func (d *Dir) Check(context.Context) error { return disk.Writable(d.path) }
