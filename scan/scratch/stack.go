package scratch

import "runtime"

// depth is how much of a stack the usual mail takes, in bytes.
const depth = 7 << 10

// Stack makes the stack of the goroutine that calls it as large as a look into the usual mail needs.
// Stacks begin small and are doubled whenever they are full, and each time copied with all calls
// that are on them by then. At the beginning of a goroutine there are hardly any.
//
//go:noinline
func Stack() {
	var room [depth]byte
	runtime.KeepAlive(&room)
}
