package lzma

// window is the dictionary: a ring of what was decoded last.
type window struct {
	size  int64
	b     []byte // of that size, once there is something for it
	at    int    // where the next byte goes; it may be the end
	shown int    // what was handed on up to here
	place int64  // of the next byte, since the dictionary was empty
}

// reset empties the dictionary. Bytes not handed on yet stay.
func (w *window) reset() { w.place = 0 }

// make makes the window if it is not there yet.
func (w *window) make() {
	if w.b == nil {
		w.b = make([]byte, w.size)
	}
}

// read hands on what was not handed on.
func (w *window) read(p []byte) int {
	n := copy(p, w.b[w.shown:w.at])
	w.shown += n
	if w.shown == len(w.b) {
		w.shown, w.at = 0, 0
	}
	return n
}

// knows reports whether a byte so far away, less one, is in the window.
func (w *window) knows(distance uint32) bool {
	return int64(distance) < min(w.place, int64(len(w.b)))
}

// back returns the byte that is so far away, less one; 0 if there is none.
func (w *window) back(distance uint32) byte {
	if !w.knows(distance) {
		return 0
	}
	i := w.at - int(distance) - 1
	if i < 0 {
		i += len(w.b)
	}
	return w.b[i]
}

// put adds a byte, for which there is room.
func (w *window) put(c byte) {
	w.b[w.at] = c
	w.at++
	w.place++
}

// repeat adds n bytes, for which there is room, that are like those so far away, less one.
func (w *window) repeat(distance uint32, n int) {
	w.place += int64(n)
	from := w.at - int(distance) - 1
	if from < 0 {
		from += len(w.b)
		first := min(n, len(w.b)-from)
		copy(w.b[w.at:], w.b[from:from+first])
		w.at += first
		if n -= first; n == 0 {
			return
		}
		from = 0
	}
	for step := w.at - from; n > 0; step *= 2 {
		step = min(step, n)
		copy(w.b[w.at:w.at+step], w.b[from:])
		w.at += step
		n -= step
	}
}
