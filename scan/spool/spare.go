package spool

import (
	"os"
	"sync"
	"time"
)

// Writing over pages that a file has already costs a third of what new pages cost,
// so files stay open for the next buffers: so many bytes of them at most, which eight
// messages of 10 MB and their parts take, and so many files, and not for longer than a
// quiet minute.
const (
	spareBytes = 192 << 20
	spareFiles = 16
	spareTime  = time.Minute
)

// spares are files that no buffer uses at present.
type spares struct {
	mu    sync.Mutex
	files []spareFile
	bytes int64
}

// spareFile is a file and the bytes of disk that are counted for it. It still holds
// the bytes of earlier use.
type spareFile struct {
	file  *os.File
	bytes int64
}

// get takes the file that was used last; its file is nil if there is none.
func (s *spares) get() (e spareFile) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := len(s.files) - 1; last >= 0 {
		e, s.files = s.files[last], s.files[:last]
		s.bytes -= e.bytes
	}
	return e
}

// put keeps a file and reports whether there was room for it.
func (s *spares) put(e spareFile) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.files) == spareFiles || e.bytes > spareBytes-s.bytes {
		return false
	}
	s.files = append(s.files, e)
	s.bytes += e.bytes
	return true
}

// drop closes all files and returns how many bytes of disk that frees, and how
// many files there were.
func (s *spares) drop() (freed, files int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.files {
		e.file.Close()
	}
	freed, files = s.bytes, int64(len(s.files))
	s.files, s.bytes = nil, 0
	return freed, files
}

// held returns how many bytes of disk the files take.
func (s *spares) held() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}
