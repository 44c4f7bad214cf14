// Package worker runs archive formats whose decoders can be made to allocate or
// compute at will – rar, 7z, xz and their kin – in child processes: the same
// binary, started again.
//
// A child may use little memory and CPU time, may open no file and no socket, and
// sees nothing but the bytes of the container, which it asks its parent for. What
// it finds it sends back as a stream of frames. The parent believes none of it: a
// child that is slow, dies or talks nonsense costs a note about the container, and
// is replaced.
package worker
