package lists

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"math"
	"os"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/disk"
)

// The file that keeps the lists for a start while the database is away: a title, the salt of the hashes, the numbers
// of entries, owners and limits, those one after the other, and a SHA-256 of all of it. Its time is that at which the
// lists were so. No sender and no owner can be read in it.
const (
	keptTitle = "milterscan lists 1\n"
	entrySize = 16 + 8 + 4 + 1
	ownerSize = 16 + 4*4 + policy.LengthsSize
	limitSize = 16 + 8
)

// Keep writes the lists into the file Shared, if they have been read and are not there yet.
func (b *Book) Keep() error {
	s, at := b.current.Load(), time.Unix(0, b.since.Load())
	if b.Shared == "" || s == nil || !s.at.IsZero() {
		return nil
	}
	if s == b.kept.Load() && os.Chtimes(b.Shared, at, at) == nil {
		return nil
	}
	err := disk.Save(b.Shared, s.write)
	if err == nil {
		err = os.Chtimes(b.Shared, at, at)
	}
	if err != nil {
		return fmt.Errorf("the lists of senders are not kept for a start without their database: %w", err)
	}
	b.kept.Store(s)
	return nil
}

// restore takes the lists that the file Shared has; the error says why they cannot be had. That there is none is no
// error.
func (b *Book) restore() error {
	f, err := os.Open(b.Shared)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no regular file")
	}
	var s *Snapshot
	if err == nil {
		s, err = readSnapshot(f, info.Size())
	}
	if err != nil {
		return fmt.Errorf("%s, which has the lists as they were last read, cannot be used: %w", b.Shared, err)
	}
	s.at = info.ModTime()
	b.current.Store(s)
	b.since.Store(s.at.UnixNano())
	return nil
}

// write writes a snapshot.
func (s *Snapshot) write(to io.Writer) error {
	sum := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(to, sum), 1<<16)
	var entries, owners, limits uint64
	for _, part := range s.shards {
		if part != nil {
			entries += uint64(len(part.entries))
			owners += uint64(len(part.owners))
			limits += uint64(len(part.limits))
		}
	}
	head := append([]byte(keptTitle), s.salt[:]...)
	for _, n := range []uint64{entries, owners, limits} {
		head = binary.LittleEndian.AppendUint64(head, n)
	}
	w.Write(head)
	for _, write := range []func(*shard, func([]byte)){(*shard).eachEntry, (*shard).eachOwner, (*shard).eachLimit} {
		for _, part := range s.shards {
			if part != nil {
				write(part, func(row []byte) { w.Write(row) }) // Flush says what went wrong
			}
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := to.Write(sum.Sum(nil))
	return err
}

func (p *shard) eachEntry(row func([]byte)) {
	for k, i := range p.entries {
		b := binary.LittleEndian.AppendUint64(k[:], uint64(i.id))
		b = binary.LittleEndian.AppendUint32(b, i.expires)
		row(append(b, flags(i.blocks, i.proved)))
	}
}

func (p *shard) eachOwner(row func([]byte)) {
	for k, o := range p.owners {
		b := k[:]
		for _, n := range []int32{o.senders, o.allowsProved, o.blocksProved, o.networks} {
			b = binary.LittleEndian.AppendUint32(b, uint32(n))
		}
		b, _ = o.lengths.AppendBinary(b) // which never fails
		row(b)
	}
}

func (p *shard) eachLimit(row func([]byte)) {
	for k, score := range p.limits {
		row(binary.LittleEndian.AppendUint64(k[:], math.Float64bits(score)))
	}
}

func flags(list ...bool) (b byte) {
	for i, set := range list {
		if set {
			b |= 1 << i
		}
	}
	return b
}

var (
	errForeign = errors.New("it was not written by this version of milterscan")
	errDamaged = errors.New("it is damaged")
)

// readSnapshot reads what write has written, of a file of a size.
func readSnapshot(from io.Reader, size int64) (*Snapshot, error) {
	r := reader{in: bufio.NewReaderSize(from, 1<<16), sum: sha256.New()}
	title := r.next(len(keptTitle))
	if r.err != nil || !bytes.Equal(title, []byte(keptTitle)) {
		return nil, errForeign
	}
	s := newSnapshot()
	copy(s.salt[:], r.next(len(s.salt)))
	entries, owners, limits := r.number(), r.number(), r.number()
	most := uint64(size)
	if r.err != nil || entries > most || owners > most || limits > most || uint64(len(keptTitle)+16+3*8+sha256.Size)+
		entries*entrySize+owners*ownerSize+limits*limitSize != most {
		return nil, errDamaged
	}
	d := newDraft(s)
	for range entries {
		d.readEntry(r.next(entrySize))
	}
	for range owners {
		d.readOwner(r.next(ownerSize))
	}
	for range limits {
		d.readLimit(r.next(limitSize))
	}
	want := r.sum.Sum(nil)
	if got := r.next(sha256.Size); r.err != nil || !bytes.Equal(got, want) {
		return nil, errDamaged
	}
	return d.Snapshot, nil
}

// reader reads pieces of a file until one is missing.
type reader struct {
	in  io.Reader
	sum hash.Hash
	err error
	row [64]byte
}

// next returns the next bytes, which the one after it overwrites; zeros after an error.
func (r *reader) next(n int) []byte {
	b := r.row[:n]
	if r.err == nil {
		_, r.err = io.ReadFull(r.in, b)
	}
	if r.err != nil {
		clear(b)
	}
	r.sum.Write(b)
	return b
}

func (r *reader) number() uint64 { return binary.LittleEndian.Uint64(r.next(8)) }

func (d *draft) readEntry(row []byte) {
	k := key(row[:16])
	d.own(k).entries[k] = item{id: int64(binary.LittleEndian.Uint64(row[16:])),
		expires: binary.LittleEndian.Uint32(row[24:]), blocks: row[28]&1 != 0, proved: row[28]&2 != 0}
	d.n++
}

func (d *draft) readOwner(row []byte) {
	k := key(row[:16])
	var o owned
	for i, n := range []*int32{&o.senders, &o.allowsProved, &o.blocksProved, &o.networks} {
		*n = int32(binary.LittleEndian.Uint32(row[16+4*i:]))
	}
	o.lengths.UnmarshalBinary(row[32:]) // which never fails for that many bytes
	d.own(k).owners[k] = o
}

func (d *draft) readLimit(row []byte) {
	k := key(row[:16])
	d.own(k).limits[k] = math.Float64frombits(binary.LittleEndian.Uint64(row[16:]))
	d.limits++
}
