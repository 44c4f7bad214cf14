//go:build race

package worker

// raceDetector says that the binary needs terabytes of address space.
const raceDetector = true
