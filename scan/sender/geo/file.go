package geo

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
)

// Bounds of the work on a file.
const (
	largest   = 512 << 20        // bytes
	lookEvery = 10 * time.Second // at whether it has changed
	grownOld  = 60 * 24 * time.Hour
)

// file is a database that is read into memory, so that whatever happens to the file on the
// disk, what was read stays as it is.
type file struct {
	path string
	warn func(error)
	now  func() time.Time

	reader atomic.Pointer[maxminddb.Reader]
	looked atomic.Int64 // when it was looked whether it has changed, in Unix seconds
	mu     sync.Mutex   // held while looking
	stamp  stamp        // of what was read, or could not be
	odd    atomic.Bool  // something in it cannot be read, and that was said
}

// stamp tells versions of a file apart.
type stamp struct {
	size  int64
	time  time.Time
	gone  bool
	inode os.FileInfo
}

// same reports whether two stamps are of the same version.
func (s stamp) same(t stamp) bool {
	return s.size == t.size && s.time.Equal(t.time) && s.gone == t.gone && (s.gone || os.SameFile(s.inode, t.inode))
}

// stampOf returns the stamp of the version that is there now.
func stampOf(info os.FileInfo, err error) stamp {
	if err != nil {
		return stamp{gone: true}
	}
	return stamp{size: info.Size(), time: info.ModTime(), inode: info}
}

// openFile reads a database. warn is told, once for each, of later versions that cannot be used;
// the one before them stays in use.
func openFile(path string, warn func(error)) (*file, error) {
	f := &file{path: path, warn: warn, now: time.Now}
	f.looked.Store(f.now().Unix())
	return f, f.read()
}

// read reads the version that is there now.
func (f *file) read() error {
	on, err := os.Open(f.path)
	if err != nil {
		f.stamp = stampOf(nil, err)
		return err
	}
	defer on.Close()
	info, err := on.Stat()
	f.stamp = stampOf(info, err)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", f.path)
	}
	if info.Size() > largest {
		return fmt.Errorf("%s is larger than %d MB", f.path, largest>>20)
	}
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(on, data); err != nil {
		return fmt.Errorf("%s cannot be read: %w", f.path, err)
	}
	r, err := load(data)
	if err != nil {
		return fmt.Errorf("%s cannot be used: %w", f.path, err)
	}
	f.reader.Store(r)
	f.odd.Store(false)
	return nil
}

// load makes a reader of a database, after a look at its tree. It does not follow the tree, as
// the library's own check does: in one that is made for it that takes forever.
func load(data []byte) (r *maxminddb.Reader, err error) {
	defer recovered(&err)
	r, err = maxminddb.OpenBytes(data)
	if err != nil {
		return nil, err
	}
	return r, checkTree(data, r.Metadata)
}

// checkTree returns an error if a record of the tree leads out of the file.
func checkTree(data []byte, m maxminddb.Metadata) error {
	width := int(m.RecordSize) / 4 // of a node, in bytes
	nodes := int(m.NodeCount)
	if nodes <= 0 || width < 6 || nodes > len(data)/width {
		return fmt.Errorf("its tree of %d nodes is larger than the file", m.NodeCount)
	}
	end := nodes + len(data) - nodes*width // what records lead to is before this
	for i := range nodes {
		n := data[i*width : (i+1)*width]
		left, right := records(n)
		if left >= end || right >= end {
			return fmt.Errorf("node %d of its tree leads out of the file", i)
		}
	}
	return nil
}

// records returns both records of a node, of 24, 28 or 32 bits.
func records(n []byte) (left, right int) {
	number := func(b []byte) (v int) {
		for _, one := range b {
			v = v<<8 | int(one)
		}
		return v
	}
	half := len(n) / 2
	if len(n) == 7 { // the byte in the middle has the highest bits of both
		return number(n[:3]) | int(n[3]>>4)<<24, number(n[4:]) | int(n[3]&15)<<24
	}
	return number(n[:half]), number(n[half:])
}

// recovered makes an error of a panic: a database is a foreign file.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("it is damaged: %v", p)
	}
}

// current returns the database, which it reads again if the file has changed.
func (f *file) current() *maxminddb.Reader {
	now := f.now().Unix()
	if last := f.looked.Load(); now-last >= int64(lookEvery/time.Second) && f.looked.CompareAndSwap(last, now) {
		f.look()
	}
	return f.reader.Load()
}

// look reads the file again if it has changed.
func (f *file) look() {
	if !f.mu.TryLock() {
		return // another message is at it, and takes as long as the file is large
	}
	defer f.mu.Unlock()
	if stampOf(os.Stat(f.path)).same(f.stamp) {
		return
	}
	if err := f.read(); err != nil {
		f.warn(fmt.Errorf("a database of addresses is not read, and the one before stays in use: %w", err))
	}
}

// find reports whether the database says something about an address, which is decoded. That it
// cannot be decoded is told once for each version of the file.
func (f *file) find(a netip.Addr, into any) bool {
	found, err := lookup(f.current(), a, into)
	if err != nil && f.odd.CompareAndSwap(false, true) {
		f.warn(fmt.Errorf("%s says something that cannot be read about %v: %w", f.path, a, err))
	}
	return found && err == nil
}

// lookup decodes what a database says about an address.
func lookup(r *maxminddb.Reader, a netip.Addr, into any) (found bool, err error) {
	defer recovered(&err)
	result := r.Lookup(a)
	if err := result.Err(); err != nil || !result.Found() {
		return false, err
	}
	return true, result.Decode(into)
}
