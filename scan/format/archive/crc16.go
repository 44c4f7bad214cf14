package archive

import "io"

// crc16 takes the CRC-16 of what passes, polynomial 0x8005.
type crc16 struct {
	r   io.Reader
	sum uint16
}

func (s *crc16) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	for _, c := range p[:n] {
		s.sum = s.sum>>8 ^ crc16Table[byte(s.sum)^c]
	}
	return n, err
}

var crc16Table = func() (table [256]uint16) {
	for i := range table {
		sum := uint16(i)
		for range 8 {
			sum = sum>>1 ^ 0xa001*(sum&1)
		}
		table[i] = sum
	}
	return table
}()
