//go:build !linux

package worker

import (
	"runtime"
	"time"

	"github.com/milterscan/milterscan/scan/units"
)

// confine cannot confine on this system; the parent's wall clock limit remains.
func confine(units.Size) []string { return []string{"nothing is taken away on " + runtime.GOOS} }

func allowCPU(time.Duration) func() { return func() {} }
