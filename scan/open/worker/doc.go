// Package worker runs archive formats whose decoders can be made to allocate or
// compute at will – rar, 7z, xz and their kin – in child processes: the same
// binary, started again.
//
// A child is started when there is a container for it, and ends when it has waited
// for another for a minute: most mail needs none.
//
// A child may use little memory and CPU time, may open no file and no socket, and
// sees nothing but the bytes of the container, which it asks its parent for. What
// it finds it sends back as a stream of frames. The parent believes none of it: a
// child that dies of a container or talks nonsense costs a note about the container.
// One that is killed from outside, or was dead before, is replaced, and what this
// host cannot do at the moment is no fault of the container: the note says so.
package worker
