//go:build !linux

package unpack

import "time"

var begun = time.Now()

// threadTime stands in, where the system does not tell the processor time of a
// thread, with the time that passes: it runs faster, so the limit is stricter.
func threadTime() time.Duration { return time.Since(begun) }
