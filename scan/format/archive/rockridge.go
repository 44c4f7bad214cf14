package archive

// rockRidge is what the extension of that name (IEEE P1282) says of a file.
type rockRidge struct {
	name   string
	link   bool
	moved  bool // a directory that is listed elsewhere
	packed bool // by zisofs
}

// rockContinued bounds how often the area of a record goes on elsewhere, and how
// long each piece is, in bytes.
const (
	rockContinued = 8
	rockArea      = 1 << 12
)

// rockBegins reads the area of the root's own record, which tells whether there
// are extensions and how many bytes are before them everywhere.
func rockBegins(area []byte) (skip int, ok bool) {
	for _, at := range [...]int{0, 14} { // after what CD-ROM XA puts there
		if len(area) >= at+7 && string(area[at:at+2]) == "SP" && area[at+4] == 0xbe && area[at+5] == 0xef {
			return int(area[at+6]), true
		}
	}
	return 0, false
}

// readRockRidge reads the fields of an area and of those it goes on in.
func readRockRidge(c Content, area []byte) rockRidge {
	var r rockRidge
	for range rockContinued {
		next := r.fields(area)
		if next == (span{}) {
			break
		}
		area = piece(c, next.start, min(next.end-next.start, rockArea))
	}
	return r
}

// fields reads the fields of one area, and returns where it goes on.
func (r *rockRidge) fields(area []byte) (next span) {
	for len(area) >= 4 && area[2] >= 4 && int(area[2]) <= len(area) {
		data := area[4:area[2]]
		switch string(area[:2]) {
		case "NM":
			if len(data) > 1 && data[0]&6 == 0 { // not "." and ".."
				r.name += string(data[1:])
			}
		case "SL":
			r.link = true
		case "CL":
			r.moved = true
		case "ZF":
			r.packed = true
		case "CE":
			if len(data) >= 24 {
				start := int64(le32(data))*isoSector + int64(le32(data[8:]))
				next = span{start, start + int64(le32(data[16:]))}
			}
		case "ST":
			return next
		}
		area = area[area[2]:]
	}
	return next
}
